//! What the command line sets.

use std::fs;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

/// The command line.
pub(crate) const USAGE: &str = "usage: hinny-constant-rate --address IP:PORT --rate PER_SECOND \
     --seconds N --response-bytes N [--warm-up-seconds N] [--connections N] [--path PATH] \
     [--header 'Name: value']... [--body FILE]";

/// What to send, where, and how often.
#[derive(Debug)]
pub(crate) struct Options {
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// Requests per second, all connections together.
    pub(crate) rate: u32,
    /// How long latencies are recorded.
    pub(crate) measured: Duration,
    /// How long requests go out before that, at the same rate.
    pub(crate) warm_up: Duration,
    /// Connections, opened before the start and kept.
    pub(crate) connections: usize,
    /// The length of every right answer, head and body.
    pub(crate) response_bytes: usize,
    /// One request, as it goes over the wire.
    pub(crate) request: Vec<u8>,
}

impl Options {
    /// Reads the command line; the message of an error names the argument.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut address = None;
        let mut rate = None;
        let mut seconds = None;
        let mut response_bytes = None;
        let mut warm_up_seconds = 0;
        let mut connections = 64;
        let mut path = "/".to_owned();
        let mut headers = String::new();
        let mut body = None;
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--address" => address = Some(number(&name, &value)?),
                "--rate" => rate = Some(positive(&name, &value)?),
                "--seconds" => seconds = Some(positive(&name, &value)?),
                "--response-bytes" => response_bytes = Some(positive(&name, &value)?),
                "--warm-up-seconds" => warm_up_seconds = number(&name, &value)?,
                "--connections" => connections = positive(&name, &value)?,
                "--path" => path = value,
                "--header" => headers.extend([value.as_str(), "\r\n"]),
                "--body" => body = Some(fs::read(&value).map_err(|error| format!("{name} {value}: {error}"))?),
                _ => return Err(format!("unknown argument {name}")),
            }
        }
        let required = |name: &str| format!("{name} is missing");
        Ok(Self {
            address: address.ok_or_else(|| required("--address"))?,
            rate: rate.ok_or_else(|| required("--rate"))?,
            measured: whole_seconds(seconds.ok_or_else(|| required("--seconds"))?),
            warm_up: whole_seconds(warm_up_seconds),
            connections: count(connections),
            response_bytes: count(response_bytes.ok_or_else(|| required("--response-bytes"))?),
            request: request(&path, &headers, body.as_deref()),
        })
    }
}

/// A GET, or a POST of the body as JSON.
fn request(path: &str, headers: &str, body: Option<&[u8]>) -> Vec<u8> {
    let Some(body) = body else {
        return format!("GET {path} HTTP/1.1\r\n{headers}\r\n").into_bytes();
    };
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\n{headers}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name} cannot be {value:?}"))
}

fn positive(name: &str, value: &str) -> Result<u32, String> {
    match number(name, value)? {
        0 => Err(format!("{name} cannot be 0")),
        number => Ok(number),
    }
}

fn whole_seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
