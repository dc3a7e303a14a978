//! The fast lane: serves plain HTTP/1.1 requests of a connection without hyper.
//!
//! A read goes into a buffer that all connections of a loop share; every whole plain request in it becomes a record of
//! one batch, and only what is cut is kept. Replies are written behind one another into the connection's buffer as they
//! are taken from the outbox, which then goes to the socket with one call. There is no future and no memory for a
//! request but its entry in [`Lane::open`].
//!
//! # Invariants
//! - What is not plain ([`hinny_codec::head`]) or exceeds a limit goes to hyper, with all bytes that follow, once every
//!   request before it has been answered ([`End::HandOver`]): the lane itself refuses nothing but what is too much for
//!   the server as a whole. It stays with hyper until the connection ends.
//! - Responses go out in the order of their requests. Requests with safe methods are handed over together, at most
//!   [`OPEN_MAX`]; any other is alone with its handler (RFC 9112 §9.3.2).
//! - What a client that does not read can make the server have ready for it is a few responses, not [`OPEN_MAX`]: a
//!   connection's first request is handed over alone, each response that was given lets twice as many be together as
//!   before, and these only if responses as large as the largest of the last ones, with what waits for the client,
//!   are [`OPEN_BYTES_MAX`] at most ([`Lane::may_open`]). All that waits counts for the server ([`crate::pending`]).
//! - A response that is not whole makes hyper take over at once: it finds the open exchanges ([`Lane::adopt`]), each behind
//!   a request that stands for the one that the lane has read.
//! - Nothing is read while requests wait for their turn, or more than [`HOLD_BYTES`] of responses wait for the client.
//!
//! # Threads
//! The loop's own. [`poll`] runs in the connection's task, the rest also while the outbox is applied.

mod last_head;
mod replies;
mod requests;

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use hinny_core::error::Kind;
use hinny_core::status::ErrorFormat;
use tokio::io::ReadBuf;

use self::last_head::LastHead;
pub(crate) use self::replies::{answer, answer_file, fail, flush, stored};
use crate::connection::{Connection, answer_raw};
use crate::exchange::OpenExchange;
use crate::socket::HOLD_BYTES;
use crate::timeouts::{Phase, RequestTimeouts};

/// The most requests of a connection that have no response yet.
pub(crate) const OPEN_MAX: usize = 64;

/// The most bytes that the responses to them should have, with those that wait for the client, as far as that can be told
/// from the last ones.
const OPEN_BYTES_MAX: usize = 256 << 10;

/// Bytes that a client sends behind its last request; more are not read.
const IGNORED_BYTES_MAX: usize = 64 << 10;

/// What the lane knows of its connection.
#[derive(Default)]
pub(crate) struct Lane {
    /// Requests without a response, oldest first.
    open: VecDeque<OpenRequest>,
    /// How large their responses may be: the largest of the last ones.
    response_bytes: usize,
    /// Responses that were given, as far as it matters: log₂ of how many requests may be together.
    responses: u8,
    /// How many of them have a reply that waits for the ones before it.
    stored: usize,
    /// What was read and is no whole request, or is not to be handed over yet.
    rest: Vec<u8>,
    next: Next,
    last_head: LastHead,
    /// The oldest reply is for hyper to send.
    adopt: bool,
    /// The last request was handed over, or answered: what the client sends is not looked at.
    closing: bool,
    /// So much of it was read.
    ignored: usize,
    input_ended: bool,
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
    /// Its method is safe (RFC 9110 §9.2.1).
    safe: bool,
    /// The client, or a limit, makes it the last.
    close: bool,
    /// How an error is told of a file that is looked for; a handler's error says that itself.
    format: ErrorFormat,
}

/// What the bytes in [`Lane::rest`] wait for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Next {
    /// More bytes.
    #[default]
    Input,
    /// Responses to requests before it, or room for records.
    Turn,
    /// hyper.
    Hyper,
}

/// How the lane ends.
pub(crate) enum End {
    /// hyper serves the connection from now on, see [`hand_over`].
    HandOver,
    /// The connection ends; whether what the client still sends should be heard.
    Closed { heard_out: bool },
}

impl Lane {
    /// Whether the next response is that of `exchange`.
    pub(crate) fn is_next(&self, exchange: u64) -> bool {
        self.open.front().is_some_and(|request| request.exchange == exchange)
    }

    /// Whether another request may be with its handler beside those that are, while `waiting` bytes wait for the client.
    fn may_open(&self, waiting: usize) -> bool {
        let open = self.open.len();
        open < OPEN_MAX.min(1 << self.responses) && (open + 1) * self.response_bytes + waiting <= OPEN_BYTES_MAX
    }

    /// Notes the size of a response. A large one counts less the longer it is ago.
    fn responded(&mut self, bytes: usize) {
        self.response_bytes = bytes.max(self.response_bytes / 2);
        self.responses = (self.responses + 1).min(OPEN_MAX.ilog2() as u8);
    }

    /// The exchanges of requests without a response, oldest first.
    pub(crate) fn open_exchanges(&self) -> impl DoubleEndedIterator<Item = u64> + use<'_> {
        self.open.iter().map(|request| request.exchange)
    }

    const fn may_read(&self) -> bool {
        matches!(self.next, Next::Input) && !self.input_ended && self.ignored <= IGNORED_BYTES_MAX
    }

    /// Whether the task must look at the connection after responses went out.
    fn needs_poll(&self) -> bool {
        let is_last = self.closing || self.next == Next::Hyper || self.input_ended;
        self.adopt || self.next == Next::Turn || is_last && self.open.is_empty()
    }
}

/// Serves the connection as far as it can be served now.
pub(crate) fn poll(connection: &Rc<Connection>, cx: &mut Context<'_>) -> Poll<End> {
    let state = &connection.state;
    if connection.is_cut() {
        return closed(false);
    }
    if connection.take_refused() {
        return closed(answer_raw(connection, Kind::BytesLimit));
    }
    if let Some(heard_out) = expired(connection) {
        return closed(heard_out);
    }
    loop {
        let written = match connection.poll_write_out(cx) {
            Poll::Ready(Err(error)) => return broken(connection, "write to", &error),
            Poll::Ready(Ok(())) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        };
        connection.track_blocking();
        let lane = &mut *connection.lane.borrow_mut();
        if lane.adopt || lane.next == Next::Hyper && lane.open.is_empty() && !lane.closing {
            return Poll::Ready(End::HandOver);
        }
        if lane.open.is_empty() {
            if lane.closing {
                return written.map(|()| End::Closed {
                    heard_out: !lane.input_ended,
                });
            }
            let waits = lane.rest.is_empty() && !lane.input_ended;
            if lane.input_ended || waits && state.draining.get() && state.grace_passed.get() {
                return written.map(|()| End::Closed {
                    heard_out: !lane.input_ended,
                });
            }
        }
        if written.is_pending() && connection.socket.borrow().waiting() > HOLD_BYTES {
            settle(connection, lane);
            return Poll::Pending;
        }
        let moved = if lane.next == Next::Turn && !lane.closing {
            requests::take_rest(connection, lane, cx)
        } else if lane.may_read() {
            match poll_read(connection, lane, cx) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(error)) => return broken(connection, "read from", &error),
                Poll::Pending => false,
            }
        } else {
            false
        };
        settle(connection, lane);
        if !moved {
            if state.draining.get() && lane.open.is_empty() && lane.rest.is_empty() && connection.is_settled() {
                return written.map(|()| End::Closed { heard_out: true });
            }
            return Poll::Pending;
        }
    }
}

const fn closed(heard_out: bool) -> Poll<End> {
    Poll::Ready(End::Closed { heard_out })
}

fn broken(connection: &Connection, what: &str, error: &io::Error) -> Poll<End> {
    log::debug!("cannot {what} {}: {error}", connection.remote_addr);
    closed(false)
}

/// Reads once, and hands over the requests that came.
fn poll_read(connection: &Rc<Connection>, lane: &mut Lane, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    let state = &connection.state;
    let shared = &mut *state.read_buffer.borrow_mut();
    let mut buffer = ReadBuf::new(shared);
    let read = connection.socket.borrow_mut().poll_read(cx, &mut buffer);
    std::task::ready!(read)?;
    let bytes = buffer.filled();
    if bytes.is_empty() {
        lane.input_ended = true;
        connection.tell_input_ended(lane.open_exchanges());
    } else if lane.closing {
        lane.ignored += bytes.len();
    } else if lane.rest.is_empty() {
        let (taken, next) = requests::take(connection, lane, bytes, cx);
        if taken < bytes.len() {
            lane.rest = state.spare_buffer();
            lane.rest.extend_from_slice(&bytes[taken..]);
        }
        requests::wait_for(connection, lane, next);
    } else {
        lane.rest.extend_from_slice(bytes);
        let had_head = connection.guard.has_head();
        let is_right = connection.guard.arrived(bytes) == bytes.len();
        // A head is looked at when it is complete: not only for a whole request it may be hyper's.
        let has_new_head = connection.guard.has_head() && !had_head;
        if !is_right || has_new_head || connection.guard.has_whole_request() {
            requests::take_rest(connection, lane, cx);
        } else if connection.guard.is_in_body() {
            connection.enter(Phase::Body);
            connection.body_rate.arrived(bytes.len(), state.now_ms());
        }
    }
    Poll::Ready(Ok(()))
}

/// Whether the connection ends because something took too long, and if so, whether the client should be heard out.
fn expired(connection: &Rc<Connection>) -> Option<bool> {
    let (phase, _) = connection.phase();
    if !connection.take_expired() {
        return None;
    }
    if phase == Phase::Handler {
        replies::time_out(connection);
        return None;
    }
    Some(answer_raw(connection, phase.expiry()) || phase == Phase::Idle)
}

/// Notes what the connection waits for, and since when, and what it holds of requests that wait.
fn settle(connection: &Connection, lane: &Lane) {
    connection.state.hold_half(connection, lane.rest.capacity());
    let (phase, since_ms) = connection.phase();
    if let Some(oldest) = lane.open.front() {
        if phase != Phase::Handler || since_ms != oldest.since_ms {
            connection.request_timeouts.update(|timeouts| RequestTimeouts {
                handler_ms: oldest.handler_ms,
                ..timeouts
            });
            connection.enter_since(Phase::Handler, oldest.since_ms);
        }
        return;
    }
    if phase == Phase::Handler {
        connection
            .request_timeouts
            .set(RequestTimeouts::from(&connection.state.options.route));
    }
    let now = if lane.rest.is_empty() || lane.next != Next::Input {
        Phase::Idle
    } else if connection.guard.is_in_head() {
        Phase::Head
    } else if connection.guard.is_in_body() {
        Phase::Body
    } else {
        Phase::Idle
    };
    if phase != now && !(phase == Phase::Fresh && now == Phase::Idle) {
        connection.enter(now);
    }
}

/// Gives the connection to hyper: it adopts the exchanges that are open, and finds a request for each of them before the
/// bytes that wait.
pub(crate) fn hand_over(connection: &Connection) {
    let lane = std::mem::take(&mut *connection.lane.borrow_mut());
    let state = &connection.state;
    state.hold_half(connection, 0);
    let mut bytes = Vec::new();
    connection
        .lane_requests
        .set(connection.lane_requests.get() - lane.open.len() as u64);
    let mut adopted = connection.adopted.borrow_mut();
    let open = lane.open.len();
    for (n, request) in lane.open.into_iter().enumerate() {
        let method = if request.head_request { "HEAD" } else { "GET" };
        let is_last = request.close || lane.input_ended && n + 1 == open;
        let close = if is_last { "connection: close\r\n" } else { "" };
        bytes.extend_from_slice(format!("{method} / HTTP/1.1\r\n{close}\r\n").as_bytes());
        state.leave_lane(request.exchange);
        adopted.push_back(OpenExchange::adopt(state, request.exchange));
    }
    bytes.extend_from_slice(&lane.rest);
    state.give_back(lane.rest);
    connection.guard.restart();
    connection.enter(Phase::Idle);
    connection.socket.borrow_mut().put_back(bytes);
}

/// Ends what is open: the client is gone, or the loop.
pub(crate) fn abandon(connection: &Connection) {
    let lane = std::mem::take(&mut *connection.lane.borrow_mut());
    connection.state.hold_half(connection, 0);
    connection.state.give_back(lane.rest);
    for request in lane.open {
        connection
            .state
            .end_exchange(request.exchange, Some(Kind::Disconnected));
    }
}
