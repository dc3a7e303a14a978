//! The options of a server: one table with name, type, unit, default, range and meaning.
//!
//! Clojure reads [`table_edn`] at load, checks a user's options against it and sends them as one buffer, which
//! [`Options::decode`] reads and checks again. `docs/options.md` is generated from the same table.

use std::fmt::{self, Write as _};

use http::HeaderValue;

/// One option.
#[derive(Debug)]
pub struct OptionSpec {
    /// The name in Clojure, without the colon.
    pub name: &'static str,
    /// Type and range.
    pub kind: OptionKind,
    /// Unit of a number, empty for the rest.
    pub unit: &'static str,
    /// The value when the user gives none.
    pub default: OptionDefault,
    /// What it does, in one or two sentences.
    pub doc: &'static str,
}

/// Type and range of an option.
#[derive(Debug)]
pub enum OptionKind {
    /// An integer from `min` to `max`.
    Integer {
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
    },
    /// An integer, or one of some keywords.
    IntegerOr {
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
        /// The keywords.
        keywords: &'static [&'static str],
    },
    /// true or false.
    Boolean,
    /// One of some keywords.
    Keyword(&'static [&'static str]),
    /// A string that is not empty.
    Text,
    /// A string; nil or "" for none.
    OptionalText,
}

/// The value of an option that is not given.
#[derive(Debug)]
pub enum OptionDefault {
    /// The number of processors that the JVM may use.
    Cores,
    /// true or false.
    Boolean(bool),
    /// A number.
    Integer(u64),
    /// A keyword.
    Keyword(&'static str),
    /// A string.
    Text(&'static str),
}

const HOUR_MS: u64 = 3_600_000;

/// Every option of `hinny.server/run-server`.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "host",
        kind: OptionKind::Text,
        unit: "",
        default: OptionDefault::Text("0.0.0.0"),
        doc: "Address or host name to listen on; \"::\" listens on IPv6.",
    },
    OptionSpec {
        name: "port",
        kind: OptionKind::Integer { min: 0, max: 65_535 },
        unit: "",
        default: OptionDefault::Integer(8080),
        doc: "TCP port to listen on; 0 takes a free one, which server-port tells.",
    },
    OptionSpec {
        name: "event-loops",
        kind: OptionKind::Integer { min: 1, max: 1024 },
        unit: "threads",
        default: OptionDefault::Cores,
        doc: "Threads that do I/O, each with its own listening socket and connections.",
    },
    OptionSpec {
        name: "handler-mode",
        kind: OptionKind::Keyword(&["worker", "inline", "async"]),
        unit: "",
        default: OptionDefault::Keyword("worker"),
        doc: "How the handler is called: with a request on a worker, where it may block; inline, with a request on the event loop, where it must not; async, with request, respond and raise on the event loop, where it must not.",
    },
    OptionSpec {
        name: "worker-threads",
        kind: OptionKind::IntegerOr {
            min: 1,
            max: 10_000,
            keywords: &["virtual"],
        },
        unit: "threads",
        default: OptionDefault::Integer(64),
        doc: "Most handlers that run at once in worker mode; threads are made only when work waits. :virtual runs each handler on a virtual thread of its own (JDK 21+).",
    },
    OptionSpec {
        name: "worker-queue-depth",
        kind: OptionKind::Integer { min: 1, max: 1_000_000 },
        unit: "exchanges",
        default: OptionDefault::Integer(16_384),
        doc: "Exchanges that may wait for a worker; one more is answered 503 with Retry-After. With :virtual, handlers that may be running.",
    },
    OptionSpec {
        name: "http1-engine",
        kind: OptionKind::Keyword(&["auto", "hyper"]),
        unit: "",
        default: OptionDefault::Keyword("auto"),
        doc: "Who serves HTTP/1.1: with :auto a fast lane serves plain requests and hyper all others, with :hyper hyper serves all. Both answer alike.",
    },
    OptionSpec {
        name: "max-body-bytes",
        kind: OptionKind::Integer { min: 0, max: 1 << 40 },
        unit: "bytes",
        default: OptionDefault::Integer(8 << 20),
        doc: "Largest request body; a larger one is answered 413 and the connection closed.",
    },
    OptionSpec {
        name: "inline-body-bytes",
        kind: OptionKind::Integer { min: 0, max: 8 << 20 },
        unit: "bytes",
        default: OptionDefault::Integer(64 << 10),
        doc: "A request body up to this size has arrived when the handler is called; a larger one arrives while it is read. 0 calls the handler before any byte of a body.",
    },
    OptionSpec {
        name: "exchange-buffer-bytes",
        kind: OptionKind::Integer {
            min: 4 << 10,
            max: 64 << 20,
        },
        unit: "bytes",
        default: OptionDefault::Integer(256 << 10),
        doc: "How much of a streamed body waits for a slow reader, in each direction of each exchange; beyond it the sender waits.",
    },
    OptionSpec {
        name: "max-unread-body-bytes",
        kind: OptionKind::Integer { min: 0, max: 1 << 30 },
        unit: "bytes",
        default: OptionDefault::Integer(256 << 10),
        doc: "How much of a request body that the handler did not read is read and dropped after its response to keep the connection; if more is left, it is closed.",
    },
    OptionSpec {
        name: "max-head-bytes",
        kind: OptionKind::Integer {
            min: 1024,
            max: 1 << 20,
        },
        unit: "bytes",
        default: OptionDefault::Integer(32 << 10),
        doc: "Largest request line with header fields; a larger one is answered 431 and the connection closed.",
    },
    OptionSpec {
        name: "max-uri-bytes",
        kind: OptionKind::Integer { min: 64, max: 65_534 },
        unit: "bytes",
        default: OptionDefault::Integer(8 << 10),
        doc: "Longest request target; a longer one is answered 414 and the connection closed.",
    },
    OptionSpec {
        name: "max-header-count",
        kind: OptionKind::Integer { min: 1, max: 1000 },
        unit: "fields",
        default: OptionDefault::Integer(100),
        doc: "Most header fields of a request; one more is answered 431 and the connection closed.",
    },
    OptionSpec {
        name: "max-connections",
        kind: OptionKind::Integer { min: 1, max: 1 << 30 },
        unit: "connections",
        default: OptionDefault::Integer(65_536),
        doc: "Most connections at once; one more is answered 503 with Retry-After and closed.",
    },
    OptionSpec {
        name: "max-exchanges",
        kind: OptionKind::Integer { min: 1, max: 1 << 30 },
        unit: "exchanges",
        default: OptionDefault::Integer(65_536),
        doc: "Most requests at once that wait for their response; one more is answered 503 with Retry-After.",
    },
    OptionSpec {
        name: "max-requests-per-connection",
        kind: OptionKind::Integer { min: 1, max: 1 << 40 },
        unit: "requests",
        default: OptionDefault::Integer(1_000_000),
        doc: "After so many requests a connection is closed, with Connection: close in the last response.",
    },
    OptionSpec {
        name: "server-header",
        kind: OptionKind::OptionalText,
        unit: "",
        default: OptionDefault::Text("hinny"),
        doc: "Value of the Server header field of responses that do not set their own; nil or \"\" sends none.",
    },
    OptionSpec {
        name: "header-read-timeout-ms",
        kind: OptionKind::Integer { min: 1, max: HOUR_MS },
        unit: "ms",
        default: OptionDefault::Integer(30_000),
        doc: "From the first byte of a request (of a connection: from accept) until its head is complete; then 408 and close.",
    },
    OptionSpec {
        name: "body-read-timeout-ms",
        kind: OptionKind::Integer { min: 1, max: HOUR_MS },
        unit: "ms",
        default: OptionDefault::Integer(30_000),
        doc: "From one piece of a request body until the next; then 408 and close.",
    },
    OptionSpec {
        name: "keep-alive-timeout-ms",
        kind: OptionKind::Integer { min: 1, max: HOUR_MS },
        unit: "ms",
        default: OptionDefault::Integer(75_000),
        doc: "From the end of a response until the first byte of the next request; then the connection is closed.",
    },
    OptionSpec {
        name: "response-write-timeout-ms",
        kind: OptionKind::Integer { min: 1, max: HOUR_MS },
        unit: "ms",
        default: OptionDefault::Integer(60_000),
        doc: "From the moment a client takes no more of a response that waits for it until it does; then the connection is cut.",
    },
    OptionSpec {
        name: "handler-timeout-ms",
        kind: OptionKind::Integer {
            min: 0,
            max: 24 * HOUR_MS,
        },
        unit: "ms",
        default: OptionDefault::Integer(300_000),
        doc: "From a request's arrival at the handler until its response begins; then 503, and what the handler answers later is dropped. 0 waits for ever.",
    },
    OptionSpec {
        name: "drain-timeout-ms",
        kind: OptionKind::Integer { min: 0, max: HOUR_MS },
        unit: "ms",
        default: OptionDefault::Integer(30_000),
        doc: "From stop until connections whose exchange has not finished are cut.",
    },
    OptionSpec {
        name: "reuse-port?",
        kind: OptionKind::Boolean,
        unit: "",
        default: OptionDefault::Boolean(false),
        doc: "Whether another server may listen on the same port (SO_REUSEPORT), as the next version of a service does in a rolling restart. All of them must say so.",
    },
    OptionSpec {
        name: "shutdown-hook?",
        kind: OptionKind::Boolean,
        unit: "",
        default: OptionDefault::Boolean(true),
        doc: "Whether the end of the JVM (SIGTERM, System/exit) stops the server first, with its drain.",
    },
    OptionSpec {
        name: "daemon?",
        kind: OptionKind::Boolean,
        unit: "",
        default: OptionDefault::Boolean(false),
        doc: "Whether the JVM may end while the server runs, when the program's other threads have ended.",
    },
    OptionSpec {
        name: "join?",
        kind: OptionKind::Boolean,
        unit: "",
        default: OptionDefault::Boolean(false),
        doc: "Whether run-server returns only when the server has stopped.",
    },
];

/// What the native side needs of a server's options. The rest (worker threads, handler mode) is Java's business, but
/// for the fact whether a handler answers on the loop.
#[derive(Clone, Debug)]
pub struct Options {
    /// `:host`
    pub host: String,
    /// `:port`
    pub port: u16,
    /// `:event-loops`
    pub event_loops: usize,
    /// `:handler-mode` is `:inline` or `:async`: a response may come in the turn after its request
    pub on_loop: bool,
    /// `:http1-engine` is `:auto`: plain requests are served by the fast lane
    pub fast_lane: bool,
    /// `:max-body-bytes`
    pub max_body_bytes: u64,
    /// `:inline-body-bytes`
    pub inline_body_bytes: u64,
    /// `:exchange-buffer-bytes`
    pub exchange_buffer_bytes: usize,
    /// `:max-unread-body-bytes`
    pub max_unread_body_bytes: u64,
    /// `:max-head-bytes`
    pub max_head_bytes: usize,
    /// `:max-uri-bytes`
    pub max_uri_bytes: usize,
    /// `:max-header-count`
    pub max_header_count: usize,
    /// `:max-connections`
    pub max_connections: u64,
    /// `:max-exchanges`
    pub max_exchanges: u64,
    /// `:max-requests-per-connection`
    pub max_requests_per_connection: u64,
    /// `:server-header`
    pub server_header: Option<HeaderValue>,
    /// `:header-read-timeout-ms`
    pub header_read_timeout_ms: u64,
    /// `:body-read-timeout-ms`
    pub body_read_timeout_ms: u64,
    /// `:keep-alive-timeout-ms`
    pub keep_alive_timeout_ms: u64,
    /// `:response-write-timeout-ms`
    pub response_write_timeout_ms: u64,
    /// `:handler-timeout-ms`, `None` for 0
    pub handler_timeout_ms: Option<u64>,
    /// `:reuse-port?`
    pub reuse_port: bool,
    /// Whether the fault triggers of the boundary tests are armed (see `hinny-server`, `service`). No user option.
    pub test_faults: bool,
}

/// Why options were refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OptionError(pub String);

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OptionError {}

impl Options {
    /// Reads `name NUL value NUL …`, UTF-8. An absent option has its default; `event-loops` must be present, since
    /// only the JVM knows how many processors it may use.
    ///
    /// # Errors
    /// An [`OptionError`] that names the option and its range.
    pub fn decode(encoded: &[u8]) -> Result<Self, OptionError> {
        let text = std::str::from_utf8(encoded).map_err(|e| OptionError(format!("options are not UTF-8: {e}")))?;
        let mut given: Vec<(&str, &str)> = Vec::new();
        let mut words = text.split_terminator('\0');
        while let Some(name) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| OptionError(format!("option {name} has no value")))?;
            given.push((name, value));
        }
        if let Some((name, _)) = given
            .iter()
            .find(|(name, _)| *name != TEST_FAULTS && spec(name).is_none())
        {
            return Err(OptionError(format!("unknown option :{name}")));
        }
        let source = Source { given };
        let server_header = match source.text("server-header")? {
            "" => None,
            text => Some(HeaderValue::from_str(text).map_err(|_| {
                OptionError(":server-header must be a header value: visible ASCII characters and spaces".into())
            })?),
        };
        Ok(Self {
            host: source.text("host")?.to_owned(),
            port: source.number("port")?,
            event_loops: source.number("event-loops")?,
            on_loop: source.text("handler-mode")? != "worker",
            fast_lane: source.text("http1-engine")? == "auto",
            max_body_bytes: source.number("max-body-bytes")?,
            inline_body_bytes: source.number("inline-body-bytes")?,
            exchange_buffer_bytes: source.number("exchange-buffer-bytes")?,
            max_unread_body_bytes: source.number("max-unread-body-bytes")?,
            max_head_bytes: source.number("max-head-bytes")?,
            max_uri_bytes: source.number("max-uri-bytes")?,
            max_header_count: source.number("max-header-count")?,
            max_connections: source.number("max-connections")?,
            max_exchanges: source.number("max-exchanges")?,
            max_requests_per_connection: source.number("max-requests-per-connection")?,
            server_header,
            header_read_timeout_ms: source.number("header-read-timeout-ms")?,
            body_read_timeout_ms: source.number("body-read-timeout-ms")?,
            keep_alive_timeout_ms: source.number("keep-alive-timeout-ms")?,
            response_write_timeout_ms: source.number("response-write-timeout-ms")?,
            handler_timeout_ms: Some(source.number("handler-timeout-ms")?).filter(|ms| *ms > 0),
            reuse_port: source.boolean("reuse-port?")?,
            test_faults: source.given.contains(&(TEST_FAULTS, "true")),
        })
    }
}

/// Arms the fault triggers; sent only when the JVM runs with the tests' system property.
const TEST_FAULTS: &str = "test-faults";

struct Source<'a> {
    given: Vec<(&'a str, &'a str)>,
}

impl<'a> Source<'a> {
    fn text(&self, name: &str) -> Result<&'a str, OptionError> {
        if let Some((_, value)) = self.given.iter().find(|(given, _)| *given == name) {
            return Ok(value);
        }
        match spec(name).map(|spec| &spec.default) {
            Some(OptionDefault::Text(text) | OptionDefault::Keyword(text)) => Ok(text),
            _ => Err(OptionError(format!("option :{name} is missing"))),
        }
    }

    fn boolean(&self, name: &str) -> Result<bool, OptionError> {
        match (self.given.iter().find(|(given, _)| *given == name), spec(name)) {
            (Some((_, "true")), _) => Ok(true),
            (Some((_, "false")), _) => Ok(false),
            (
                None,
                Some(OptionSpec {
                    default: OptionDefault::Boolean(value),
                    ..
                }),
            ) => Ok(*value),
            _ => Err(OptionError(format!(":{name} must be true or false"))),
        }
    }

    fn number<T: TryFrom<u64>>(&self, name: &str) -> Result<T, OptionError> {
        let given = self.given.iter().find(|(given, _)| *given == name);
        let (min, max, default) = match spec(name) {
            Some(OptionSpec {
                kind: OptionKind::Integer { min, max },
                default,
                ..
            }) => (*min, *max, default),
            _ => return Err(OptionError(format!("option :{name} is not a number"))),
        };
        let value = match (given, default) {
            (Some((_, text)), _) => text.parse().ok(),
            (None, OptionDefault::Integer(value)) => Some(*value),
            (None, _) => return Err(OptionError(format!("option :{name} is missing"))),
        };
        value
            .filter(|value| (min..=max).contains(value))
            .and_then(|value| T::try_from(value).ok())
            .ok_or_else(|| OptionError(format!(":{name} must be an integer from {min} to {max}")))
    }
}

fn spec(name: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|spec| spec.name == name)
}

/// The table as an EDN vector of maps, for Clojure.
///
/// Each map has `:name :type :default :doc`, and where they apply `:unit :min :max :choices`. `:type` is `:boolean`,
/// `:integer`, `:integer-or-keyword`, `:keyword`, `:string` or `:optional-string`; the default `:cores` is the number of processors.
#[must_use]
pub fn table_edn() -> String {
    let mut edn = String::from("[");
    for spec in OPTIONS {
        let type_name = match spec.kind {
            OptionKind::Integer { .. } => "integer",
            OptionKind::IntegerOr { .. } => "integer-or-keyword",
            OptionKind::Boolean => "boolean",
            OptionKind::Keyword(_) => "keyword",
            OptionKind::Text => "string",
            OptionKind::OptionalText => "optional-string",
        };
        // Writing to a String cannot fail.
        let _ = write!(
            edn,
            "{{:name :{} :type :{type_name} :unit {:?} :doc {:?}",
            spec.name, spec.unit, spec.doc
        );
        if let OptionKind::Integer { min, max } | OptionKind::IntegerOr { min, max, .. } = spec.kind {
            let _ = write!(edn, " :min {min} :max {max}");
        }
        if let OptionKind::Keyword(keywords) | OptionKind::IntegerOr { keywords, .. } = spec.kind {
            let _ = write!(edn, " :choices [:{}]", keywords.join(" :"));
        }
        let _ = match spec.default {
            OptionDefault::Cores => write!(edn, " :default :cores}}\n "),
            OptionDefault::Boolean(value) => write!(edn, " :default {value}}}\n "),
            OptionDefault::Integer(value) => write!(edn, " :default {value}}}\n "),
            OptionDefault::Keyword(name) => write!(edn, " :default :{name}}}\n "),
            OptionDefault::Text(text) => write!(edn, " :default {text:?}}}\n "),
        };
    }
    edn.push(']');
    edn
}

#[cfg(test)]
mod tests;
