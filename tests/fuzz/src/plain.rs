//! What the fast lane's parser calls a plain head must be the same request to the framing guard and to hyper.
//!
//! The first byte of a test case chooses the limits, the second a place to cut, the rest is a request. No sockets: this
//! is where the volume is.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use hinny_codec::framing::{Framing, Limits};
use hinny_codec::head::{self, Head, Parsed, Space};
use hinny_codec::target;
use hinny_core::names;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;

const LIMITS: [Limits; 2] = [
    Limits {
        target_bytes: 64,
        head_bytes: 1024,
        field_count: 8,
    },
    Limits {
        target_bytes: 8 << 10,
        head_bytes: 32 << 10,
        field_count: 100,
    },
];

/// The most fields that hyper takes, at least as many as any limit here.
const HYPER_FIELD_COUNT: usize = 100;

/// Longer bodies are not sent to hyper.
const BODY_BYTES_MAX: u64 = 256;

/// A request as far as the two parsers should agree on it.
#[derive(Debug, Default, Eq, PartialEq)]
struct Meaning {
    method: String,
    path: String,
    query: Option<String>,
    fields: BTreeMap<String, Vec<u8>>,
    body_length: u64,
    close: bool,
}

/// Runs a test case.
///
/// # Errors
/// What the parsers see differently.
pub fn check(data: &[u8]) -> Result<(), String> {
    let [choice, cut, bytes @ ..] = data else {
        return Ok(());
    };
    let limits = &LIMITS[usize::from(choice & 1)];
    let mut framing = Framing::new();
    let framed = framing.check(bytes, limits);
    let mut space = Space::new();
    match head::parse(bytes, limits, &mut space) {
        Parsed::Odd => Ok(()),
        Parsed::Partial if framing.heads() > 0 => Err("the lane waits for more of a head that is whole".into()),
        Parsed::Partial => Ok(()),
        Parsed::Plain(head) => {
            if framing.heads() == 0 {
                return Err(format!("the guard does not take a head that is plain: {framed:?}"));
            }
            check_cut(bytes, usize::from(*cut), head.length, limits)?;
            check_known(bytes, &head, limits)?;
            check_guard(&bytes[..head.length], &head, limits)?;
            check_meaning(&bytes[..head.length], &head)
        }
    }
}

/// A part of a head is no head.
fn check_cut(bytes: &[u8], choice: usize, length: usize, limits: &Limits) -> Result<(), String> {
    let cut = length - 1 - choice.min(length - 1);
    match head::parse(&bytes[..cut], limits, &mut Space::new()) {
        Parsed::Plain(part) => Err(format!("{} of {length} bytes are a head, too", part.length)),
        Parsed::Partial | Parsed::Odd => Ok(()),
    }
}

/// The fields of a plain head, before which another line stands, are a plain head to both parsers or to none. The line is
/// the head's own, or that which follows the head.
fn check_known(bytes: &[u8], head: &Head<'_, '_>, limits: &Limits) -> Result<(), String> {
    let fields = &bytes[head.line.length..head.length];
    let behind = &bytes[head.length..];
    let next = behind.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    for line in [&bytes[..head.line.length], next] {
        let bytes = [line, fields].concat();
        let known = head::parse_line(&bytes, fields, limits).map(|line| format!("{line:?}"));
        let mut space = Space::new();
        let parsed = match head::parse(&bytes, limits, &mut space) {
            Parsed::Plain(head) if bytes[head.line.length..head.length] == *fields => Some(format!("{:?}", head.line)),
            Parsed::Plain(_) | Parsed::Partial | Parsed::Odd => None,
        };
        if known != parsed {
            return Err(format!(
                "before known fields a line is {known:?}, parsed it is {parsed:?}"
            ));
        }
    }
    match head::parse_line(behind, fields, limits) {
        Some(line) if !behind[line.length..].starts_with(fields) => Err("the known fields do not follow".into()),
        _ => Ok(()),
    }
}

/// The guard takes the head, ends it at the same byte, and waits for as long a body.
fn check_guard(bytes: &[u8], head: &Head<'_, '_>, limits: &Limits) -> Result<(), String> {
    let mut framing = Framing::new();
    if let Err(refused) = framing.check(bytes, limits) {
        return Err(format!("the guard refuses a plain head: {refused:?}"));
    }
    let body_length = head.content_length.unwrap_or(0);
    if framing.heads() != 1 || framing.is_in_body() != (body_length > 0) {
        return Err(format!("the guard frames a plain head otherwise: {framing:?}"));
    }
    if body_length > BODY_BYTES_MAX {
        return Ok(());
    }
    let body = vec![b'x'; body_length as usize];
    let passes = framing.check(&body, limits).is_ok() && framing.heads() == 1 && !framing.is_in_body();
    let next = framing.check(b"G", limits).is_ok() && framing.is_in_head();
    (passes && next)
        .then_some(())
        .ok_or_else(|| format!("the guard sees another body: {framing:?}"))
}

fn check_meaning(bytes: &[u8], head: &Head<'_, '_>) -> Result<(), String> {
    let body_length = head.content_length.unwrap_or(0);
    let Some(method) = names::METHODS.get(usize::from(head.line.method).wrapping_sub(1)) else {
        return Err(format!("there is no method {}", head.line.method));
    };
    let line = &head.line;
    let (Ok(path), Ok(query)) = (str::from_utf8(line.path), line.query.map(str::from_utf8).transpose()) else {
        return Err("the target is no text".into());
    };
    let mut mine = Meaning {
        method: (*method).into(),
        path: path.into(),
        query: query.map(Into::into),
        fields: BTreeMap::new(),
        body_length,
        close: head.close,
    };
    for (id, name, value) in head.fields() {
        let name = name.to_ascii_lowercase();
        if id != names::header_id(&name) {
            return Err(format!("{name} has not the id {id}"));
        }
        if mine.fields.insert(name, value.to_vec()).is_some() {
            return Err("a name stands there twice".into());
        }
    }
    if mine.fields.get("host").map(Vec::as_slice) != head.host {
        return Err("the host is not that of the field".into());
    }
    if !target::is_path(line.path) || !query.is_none_or(target::is_query) || !path.starts_with('/') {
        return Err("the target is none that the server takes".into());
    }
    if body_length > BODY_BYTES_MAX {
        return Ok(());
    }
    let mut wire = bytes.to_vec();
    wire.resize(bytes.len() + body_length as usize, b'x');
    match meaning_to_hyper(wire) {
        Some(hypers) if hypers == mine => Ok(()),
        hypers => Err(format!(
            "hyper sees another request:\n  lane  {mine:?}\n  hyper {hypers:?}"
        )),
    }
}

/// The one request that hyper reads from these bytes.
fn meaning_to_hyper(bytes: Vec<u8>) -> Option<Meaning> {
    let seen = Rc::new(RefCell::new(None));
    let service = service_fn(|request| serve(request, Rc::clone(&seen)));
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_headers(HYPER_FIELD_COUNT);
    let mut hyper = pin!(builder.serve_connection(Wire(bytes), service));
    let mut cx = Context::from_waker(Waker::noop());
    let mut ends = false;
    for _ in 0..4 {
        match hyper.as_mut().poll(&mut cx) {
            Poll::Ready(Ok(())) => {
                ends = true;
                break;
            }
            Poll::Ready(Err(_)) => return None,
            Poll::Pending => {}
        }
    }
    let mut meaning: Meaning = seen.take()?;
    meaning.close = ends;
    Some(meaning)
}

async fn serve(request: Request<Incoming>, seen: Rc<RefCell<Option<Meaning>>>) -> Result<Response<String>, Infallible> {
    let (parts, body) = request.into_parts();
    let mut body = pin!(body);
    let mut body_length = 0;
    while let Some(Ok(frame)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        body_length += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
    let fields = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    seen.replace(Some(Meaning {
        method: parts.method.as_str().into(),
        path: parts.uri.path().into(),
        query: parts.uri.query().map(Into::into),
        fields: fields.collect(),
        body_length,
        close: false,
    }));
    Ok(Response::new(String::new()))
}

/// A socket that gives what it has and then waits, and takes whatever is written.
struct Wire(Vec<u8>);

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.0.is_empty() {
            return Poll::Pending;
        }
        let length = self.0.len().min(buf.remaining());
        buf.put_slice(&self.0[..length]);
        self.0.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
