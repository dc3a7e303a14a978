//! The HTTP/1 engine: serves the requests of a connection, HTTP/1.0 and 1.1.
//!
//! A read goes into a buffer that all connections of a loop share; every whole request in it becomes a record of one
//! batch, and only what is cut is kept. Replies are written behind one another into the connection's buffer as they are
//! taken from the outbox, which then goes to the socket with one call. There is no future and no memory for a request
//! but its entry in [`Http1::open`]; one whose body is still arriving, or whose response is still being sent, has
//! [`Receiving`] and [`Sending`] besides.
//!
//! # Invariants
//! - Responses go out in the order of their requests. Requests with safe methods are handed over together, at most
//!   [`OPEN_MAX`], and fewer if the connection's responses are large ([`OPEN_BYTES_MAX`]); any other is alone with its
//!   handler (RFC 9112 §9.3.2).
//! - Nothing behind a request is looked at before the request's body has arrived, and no request is handed over while a
//!   response is being sent.
//! - What breaks a rule is answered when everything before it is, and is the connection's last.
//! - Nothing is read while requests wait for their turn, a handler for the demand of nobody, or more than [`HOLD_BYTES`]
//!   of responses for the client.
//!
//! # Threads
//! The loop's own. [`poll`] runs in the connection's task, the rest also while the outbox is applied.

mod fault;
mod last_head;
mod receiving;
mod replies;
mod requests;
pub(crate) mod response_bytes;
mod sending;

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use hinny_codec::framing::HeadScan;
use hinny_core::error::Kind;
use tokio::io::ReadBuf;

pub(crate) use self::fault::kind_of;
use self::last_head::LastHead;
use self::receiving::Receiving;
pub(crate) use self::replies::{answer, fail, flush, go_on_sending, stored};
use self::sending::Sending;
use crate::collected::Collected;
use crate::connection::Connection;
use crate::socket::HOLD_BYTES;
use crate::timeouts::{Phase, RequestTimeouts};

/// The most requests of a connection that have no response yet.
pub(crate) const OPEN_MAX: usize = 64;

/// The most bytes that the responses to them should have, as far as that can be told from the last ones.
const OPEN_BYTES_MAX: usize = 256 << 10;

/// Bytes that a client sends behind its last request; more are not read.
const IGNORED_BYTES_MAX: usize = 64 << 10;

/// What the engine knows of its connection.
#[derive(Default)]
pub(crate) struct Http1 {
    /// Requests without a response, oldest first.
    open: VecDeque<OpenRequest>,
    /// How large their responses may be: the largest of the last ones.
    response_bytes: usize,
    /// How many of them have a reply that waits for the ones before it.
    stored: usize,
    /// The response that is being sent, to a request that is older than all of them.
    sending: Option<Box<Sending>>,
    /// The body that is still arriving, of the last request.
    receiving: Option<Box<Receiving>>,
    /// What was read and is not understood yet.
    rest: Vec<u8>,
    /// How far the head that it begins with was looked at, if that is cut.
    cut_head: Option<Box<CutHead>>,
    /// The request that it begins with has so many bytes with its body; 0 if nobody knows.
    whole_at: usize,
    /// It stands behind an empty line.
    emptied: bool,
    next: Next,
    last_head: LastHead,
    /// What stands behind the last request, and is answered when that is.
    refused: Option<Refused>,
    /// There are no more requests: what the client sends is not looked at.
    closing: bool,
    /// So much of it was read.
    ignored: usize,
    input_ended: bool,
    /// The response that was being sent has broken off.
    broken_off: bool,
    /// The loop flushes the connection when the outbox is applied.
    replied: bool,
}

/// A request that was handed over.
struct OpenRequest {
    exchange: u64,
    since_ms: u64,
    /// How long its handler may take.
    handler_ms: u64,
    head_request: bool,
    http_10: bool,
    /// The client will close the connection after the response.
    asks_to_close: bool,
    /// What its body counts, until its response begins.
    counted: Option<Collected>,
    /// Its method is safe (RFC 9110 §9.2.1).
    safe: bool,
    /// The client, or a limit, makes it the last.
    close: bool,
}

/// A head that is cut.
#[derive(Default)]
struct CutHead {
    scan: HeadScan,
    /// So many bytes were looked at.
    seen: usize,
}

/// What is no request, or one that cannot be served.
#[derive(Clone, Copy)]
struct Refused {
    kind: Kind,
    head_request: bool,
    http_10: bool,
}

/// What the bytes in [`Http1::rest`] wait for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Next {
    /// More bytes.
    #[default]
    Input,
    /// Something else, which wakes the task: responses to requests before them, room for records, a handler that reads.
    Turn,
}

/// How the connection's HTTP/1 ends.
pub(crate) struct End {
    /// Whether what the client still sends should be heard.
    pub(crate) heard_out: bool,
}

impl Http1 {
    /// Whether the next response is that of `exchange`.
    pub(crate) fn is_next(&self, exchange: u64) -> bool {
        self.sending.is_none() && self.open.front().is_some_and(|request| request.exchange == exchange)
    }

    /// Whether the client has ended its side, and nothing that it has sent waits.
    fn has_heard_all(&self) -> bool {
        self.input_ended && self.next == Next::Input
    }

    fn is_sending(&self, exchange: u64) -> bool {
        self.sending
            .as_ref()
            .is_some_and(|sending| sending.request.exchange == exchange)
    }

    /// Whether what the client sends is looked at.
    const fn listens(&self) -> bool {
        !self.closing || self.receiving.is_some()
    }

    const fn may_read(&self) -> bool {
        matches!(self.next, Next::Input) && !self.input_ended && self.ignored <= IGNORED_BYTES_MAX
    }

    /// Whether every request has its response, to the last byte.
    fn is_idle(&self) -> bool {
        self.open.is_empty() && self.sending.is_none()
    }

    /// Whether a part of a head is here, of a request or of none.
    fn has_begun_head(&self) -> bool {
        !self.rest.is_empty() && self.rest != b"\r" && self.receiving.is_none()
    }

    /// Whether the task must look at the connection after responses went out.
    fn needs_poll(&self) -> bool {
        let is_last = self.closing || self.refused.is_some() || self.input_ended;
        self.next == Next::Turn || self.sending.is_some() || self.broken_off || is_last && self.is_idle()
    }
}

/// Serves the connection as far as it can be served now.
pub(crate) fn poll(connection: &Rc<Connection>, cx: &mut Context<'_>) -> Poll<End> {
    if connection.is_cut() {
        return closed(false);
    }
    if let Some(heard_out) = expired(connection) {
        return closed(heard_out);
    }
    loop {
        let mut moved = false;
        if connection.http1.borrow().sending.is_some() {
            moved |= sending::go_on(connection, &mut connection.http1.borrow_mut(), Some(cx));
        }
        let written = match connection.poll_write_out(cx) {
            Poll::Ready(Err(error)) => return broken(connection, "write to", &error),
            Poll::Ready(Ok(())) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        };
        connection.track_blocking();
        let engine = &mut *connection.http1.borrow_mut();
        if engine.broken_off {
            return written.map(|()| End { heard_out: true });
        }
        if engine.is_idle() {
            if let Some(refused) = engine.refused.take() {
                replies::refuse_bytes(connection, engine, refused);
                continue;
            }
            let state = &connection.state;
            let waits = engine.receiving.is_none() && !engine.has_begun_head();
            let drained = waits && state.draining.get() && state.grace_passed.get();
            if engine.closing || engine.has_heard_all() || drained {
                return written.map(|()| End {
                    heard_out: !engine.input_ended,
                });
            }
        }
        if written.is_pending() && connection.socket.borrow().waiting() > HOLD_BYTES {
            settle(connection, engine);
            return Poll::Pending;
        }
        if engine.next == Next::Turn && engine.listens() {
            moved |= requests::take_rest(connection, engine, cx);
        } else if engine.may_read() {
            match poll_read(connection, engine, cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(error)) => {
                    receiving::fail(connection, engine, Kind::Disconnected);
                    return broken(connection, "read from", &error);
                }
                Poll::Pending => {}
            }
        }
        settle(connection, engine);
        if !moved {
            return Poll::Pending;
        }
    }
}

const fn closed(heard_out: bool) -> Poll<End> {
    Poll::Ready(End { heard_out })
}

fn broken(connection: &Connection, what: &str, error: &io::Error) -> Poll<End> {
    log::debug!("cannot {what} {}: {error}", connection.remote_addr);
    closed(false)
}

/// Reads once, and hands over the requests that came.
fn poll_read(connection: &Rc<Connection>, engine: &mut Http1, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    let state = &connection.state;
    let shared = &mut *state.read_buffer.borrow_mut();
    let mut buffer = ReadBuf::new(shared);
    let read = connection.socket.borrow_mut().poll_read(cx, &mut buffer);
    std::task::ready!(read)?;
    let bytes = buffer.filled();
    if engine.receiving.is_some() || engine.whole_at > 0 {
        connection.body_rate.arrived(bytes.len(), state.now_ms());
    }
    if bytes.is_empty() {
        engine.input_ended = true;
        receiving::fail(connection, engine, Kind::Disconnected);
    } else if !engine.listens() {
        engine.ignored += bytes.len();
    } else if engine.rest.is_empty() {
        let (taken, next) = requests::take(connection, engine, bytes, cx);
        if taken < bytes.len() {
            engine.rest = state.spare_buffer();
            engine.rest.extend_from_slice(&bytes[taken..]);
        }
        engine.next = next;
    } else {
        engine.rest.extend_from_slice(bytes);
        if engine.rest.len() >= engine.whole_at {
            requests::take_rest(connection, engine, cx);
        } else {
            connection.enter(Phase::Body);
        }
    }
    Poll::Ready(Ok(()))
}

/// Whether the connection ends because something took too long, and if so, whether the client should be heard out.
fn expired(connection: &Rc<Connection>) -> Option<bool> {
    if connection.take_body_expired() {
        let engine = &mut *connection.http1.borrow_mut();
        if engine.receiving.is_some() {
            receiving::fail(connection, engine, Phase::Body.expiry());
        } else if engine.whole_at > 0 {
            engine.refused = Some(Refused {
                kind: Phase::Body.expiry(),
                head_request: false,
                http_10: false,
            });
            engine.closing = true;
        }
    }
    let (phase, _) = connection.phase();
    if !connection.take_expired() {
        return None;
    }
    match phase {
        Phase::Handler => replies::time_out(connection),
        Phase::Idle => return Some(true),
        Phase::Fresh | Phase::Linger | Phase::Response => return Some(false),
        Phase::Head | Phase::Body => {
            let engine = &mut *connection.http1.borrow_mut();
            engine.refused = Some(Refused {
                kind: phase.expiry(),
                head_request: false,
                http_10: false,
            });
            engine.closing = true;
        }
    }
    None
}

/// Notes what the connection waits for, and since when.
fn settle(connection: &Connection, engine: &Http1) {
    let (phase, since_ms) = connection.phase();
    if engine.sending.is_some() {
        if phase != Phase::Response {
            connection.enter(Phase::Response);
        }
        return;
    }
    if let Some(oldest) = engine.open.front() {
        if phase != Phase::Handler || since_ms != oldest.since_ms {
            connection.request_timeouts.update(|timeouts| RequestTimeouts {
                handler_ms: oldest.handler_ms,
                ..timeouts
            });
            connection.enter_since(Phase::Handler, oldest.since_ms);
        }
        return;
    }
    let now = if engine.next != Next::Input || !engine.listens() {
        Phase::Idle
    } else if engine.receiving.is_some() || engine.whole_at > 0 {
        Phase::Body
    } else if engine.has_begun_head() {
        Phase::Head
    } else {
        Phase::Idle
    };
    if phase != now && !(phase == Phase::Fresh && now == Phase::Idle) {
        if now != Phase::Body {
            connection
                .request_timeouts
                .set(RequestTimeouts::from(&connection.state.options.route));
        }
        connection.enter(now);
    }
}

/// Ends what is open: the client is gone, or the loop.
pub(crate) fn abandon(connection: &Connection) {
    let engine = std::mem::take(&mut *connection.http1.borrow_mut());
    connection.state.give_back(engine.rest);
    for request in engine.open {
        connection
            .state
            .end_exchange(request.exchange, Some(Kind::Disconnected));
    }
}
