//! One connection: what the fast lane, hyper, the service and the sweep share about it, and when to write what.
//!
//! # Invariants
//! - Finished responses are written at the end of the poll in which they finished. The one exception: while an inline
//!   or async handler has the connection's next (pipelined) request, whose answer comes with the very next turn, those of
//!   hyper wait for it. They never wait for the client, for a worker, or for a second turn.

mod linger;
pub(crate) mod task;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use hinny_codec::framing::Limits;
use hinny_core::error::Kind;
use hinny_core::status;
use http::HeaderMap;
use tokio::net::TcpStream;

use crate::body_rate::BodyRate;
use crate::event_loop::LoopState;
use crate::exchange::OpenExchange;
use crate::guard::Guard;
use crate::http1::Http1;
use crate::http1::response_bytes::{self, Frame};
use crate::server_name::LastHost;
use crate::socket::Socket;
use crate::timeouts::{Phase, RequestTimeouts};

/// What all who serve a connection share about it.
pub(crate) struct Connection {
    pub(crate) state: Rc<LoopState>,
    pub(crate) socket: RefCell<Socket>,
    /// The peer's address without port.
    pub(crate) remote_addr: Box<str>,
    /// Our address without port.
    pub(crate) local_addr: Box<str>,
    pub(crate) local_port: u16,
    /// The last request's header map, emptied: the next response uses its memory.
    pub(crate) spare_headers: RefCell<HeaderMap>,
    pub(crate) last_host: RefCell<LastHost>,
    pub(crate) guard: Guard,
    pub(crate) http1: RefCell<Http1>,
    /// Requests that it has begun with.
    pub(crate) requests: Cell<u64>,
    /// Exchanges that the lane has opened and hyper is to answer, oldest first.
    pub(crate) adopted: RefCell<VecDeque<OpenExchange>>,
    /// Those of the current request, or of the next one if nobody knows its route yet.
    pub(crate) request_timeouts: Cell<RequestTimeouts>,
    phase: Cell<Phase>,
    since_ms: Cell<u64>,
    /// Since when, and for how long at most, the next piece of a request body is waited for.
    body_wait: Cell<Option<(u64, u64)>>,
    body_expired: Cell<bool>,
    expired: Cell<bool>,
    cut: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// Of the task that streams the current request's body.
    body_waker: RefCell<Option<Waker>>,
    /// A body is on its way to its handler, or being dropped.
    body_streams: Cell<bool>,
    /// The body that is on its way comes too slowly.
    body_is_late: Cell<bool>,
    /// How fast the current request's body comes.
    pub(crate) body_rate: BodyRate,
    /// A handler on the loop has the current request.
    answer_is_near: Cell<bool>,
    /// It counts as open.
    open: Cell<bool>,
    /// What is written is the end of the last response.
    ending: Cell<bool>,
    /// The client waits for `100 Continue`, and nobody has asked for its body.
    awaits_continue: Cell<bool>,
    /// What the current request says that its body has and nobody has taken.
    unread_body_bytes: Cell<u64>,
    /// Since when the client takes nothing of what waits for it; `None` while nothing waits.
    blocked_since_ms: Cell<Option<u64>>,
}

impl Connection {
    /// The connection of a socket that was just accepted; `None` if the peer is gone already.
    pub(crate) fn new(state: &Rc<LoopState>, stream: TcpStream, peer: SocketAddr) -> Option<Rc<Self>> {
        let local = stream.local_addr().ok()?;
        // Failing to set it costs latency, not correctness.
        let _ = stream.set_nodelay(true);
        Some(Rc::new(Self {
            state: Rc::clone(state),
            socket: RefCell::new(Socket::new(stream)),
            remote_addr: peer.ip().to_canonical().to_string().into(),
            local_addr: local.ip().to_canonical().to_string().into(),
            local_port: local.port(),
            spare_headers: RefCell::default(),
            last_host: RefCell::default(),
            guard: Guard::new(&state.options),
            http1: RefCell::default(),
            requests: Cell::new(0),
            adopted: RefCell::default(),
            request_timeouts: Cell::new(RequestTimeouts::from(&state.options.route)),
            phase: Cell::new(Phase::Fresh),
            since_ms: Cell::new(state.now_ms()),
            body_wait: Cell::new(None),
            body_expired: Cell::new(false),
            expired: Cell::new(false),
            cut: Cell::new(false),
            waker: RefCell::default(),
            body_waker: RefCell::default(),
            body_streams: Cell::new(false),
            body_is_late: Cell::new(false),
            body_rate: BodyRate::new(&state.options),
            answer_is_near: Cell::new(false),
            open: Cell::new(false),
            ending: Cell::new(false),
            awaits_continue: Cell::new(false),
            unread_body_bytes: Cell::new(0),
            blocked_since_ms: Cell::new(None),
        }))
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.enter_since(phase, self.state.now_ms());
    }

    /// Enters a phase that began at `since_ms`.
    pub(crate) fn enter_since(&self, phase: Phase, since_ms: u64) {
        let before = self.phase.replace(phase);
        self.since_ms.set(since_ms);
        match (before == Phase::Body, phase == Phase::Body) {
            _ if self.state.options.fast_lane => {}
            (false, true) => self.body_rate.begin(since_ms),
            (true, false) => self.body_rate.pause(since_ms),
            (false, false) | (true, true) => {}
        }
        // The sweep may have found the last phase too long while what ends it was on its way.
        self.expired.set(false);
    }

    pub(crate) fn phase(&self) -> (Phase, u64) {
        (self.phase.get(), self.since_ms.get())
    }

    /// Whether the connection ends with the current request: it is the last one that it may have, or its body was never
    /// asked for. A client that waits for `100 Continue` and gets a final response instead sends its body or does not, so
    /// nobody could tell what follows (RFC 9110 §10.1.1).
    pub(crate) fn is_at_last_request(&self) -> bool {
        let requests = self.requests.get() + self.guard.requests();
        requests >= self.state.options.max_requests_per_connection || self.awaits_continue.get()
    }

    /// Notes whether the client waits to be asked for its body.
    pub(crate) fn await_continue(&self, waits: bool) {
        self.awaits_continue.set(waits);
    }

    pub(crate) const fn awaits_continue(&self) -> bool {
        self.awaits_continue.get()
    }

    /// Whether the connection ends with the current request because its body would be left unread by a response that is
    /// given now.
    pub(crate) fn leaves_body(&self) -> bool {
        self.unread_body_bytes.get() > self.state.options.max_unread_body_bytes
    }

    /// Notes how much of the current request's body nobody has taken.
    pub(crate) fn set_unread_body(&self, bytes: u64) {
        self.unread_body_bytes.set(bytes);
    }

    /// The request is with its handler, which may be on the loop; one whose body is streamed runs on a worker in every mode
    /// but async.
    pub(crate) fn dispatched(&self, on_loop: bool, streamed: bool) {
        self.enter(Phase::Handler);
        self.body_streams.set(streamed);
        self.body_is_late.set(false);
        self.answer_is_near.set(on_loop && !streamed);
    }

    /// The response has begun and goes on as its source allows.
    pub(crate) fn responding(&self) {
        self.enter(Phase::Response);
        self.answer_is_near.set(false);
    }

    /// The response is with hyper to its end.
    pub(crate) fn answered(&self) {
        if !self.body_streams.get() {
            self.request_timeouts
                .set(RequestTimeouts::from(&self.state.options.route));
        }
        self.enter(if self.body_streams.get() {
            Phase::Body
        } else if self.guard.is_in_head() {
            Phase::Head
        } else {
            Phase::Idle
        });
        self.answer_is_near.set(false);
    }

    /// The streamed request body has come to its end. The task looks whether something was wrong behind it.
    pub(crate) fn body_arrived(&self) {
        self.set_unread_body(0);
        if self.body_streams.replace(false) && self.phase.get() == Phase::Body {
            self.answered();
            self.wake();
        }
    }

    /// Bytes came from the socket; returns how many of them hyper may have.
    pub(crate) fn bytes_arrived(&self, bytes: &[u8]) -> usize {
        let passable = self.guard.arrived(bytes);
        self.body_rate.arrived(bytes.len(), self.state.now_ms());
        match self.phase.get() {
            Phase::Fresh | Phase::Idle if self.guard.is_in_head() => self.enter(Phase::Head),
            Phase::Body => self.enter(Phase::Body),
            Phase::Fresh | Phase::Idle | Phase::Head | Phase::Handler | Phase::Response | Phase::Linger => {}
        }
        passable
    }

    /// Keeps the connection, whose client has ended its side, until the handlers on the loop had a turn to answer.
    pub(crate) fn hold_for_answer(self: &Rc<Self>) {
        self.answer_is_near.set(true);
        self.state.held.borrow_mut().push(Rc::clone(self));
    }

    pub(crate) const fn answer_is_near(&self) -> bool {
        self.answer_is_near.get()
    }

    /// Whether no request is with the service, the last response is in the socket's buffer to its end, and another may
    /// follow it.
    pub(crate) fn is_between_exchanges(&self) -> bool {
        matches!(self.phase.get(), Phase::Fresh | Phase::Head | Phase::Idle)
            && !self.socket.borrow().is_blocked()
            && !self.ending.get()
    }

    /// Wakes `waker` when the current request's body turns out to be broken.
    pub(crate) fn watch_body(&self, waker: &Waker) {
        self.body_waker.replace(Some(waker.clone()));
    }

    pub(crate) fn tell_broken_body(&self) {
        if let Some(waker) = self.body_waker.take() {
            waker.wake();
        }
    }

    /// Bytes went to the socket or its buffer.
    pub(crate) fn bytes_left(&self) {
        if self.phase.get() == Phase::Idle {
            self.enter(Phase::Idle);
        }
    }

    /// Whether something waits that the client does not take.
    pub(crate) const fn is_blocked(&self) -> bool {
        self.blocked_since_ms.get().is_some()
    }

    /// How long the client has taken nothing of what waits for it.
    pub(crate) fn blocked_ms(&self, now_ms: u64) -> Option<u64> {
        Some(now_ms.saturating_sub(self.blocked_since_ms.get()?))
    }

    /// Notes whether the client takes what waits for it, after an attempt to write.
    pub(crate) fn track_blocking(&self) {
        let mut socket = self.socket.borrow_mut();
        let progress = socket.take_progress();
        if socket.waiting() == 0 && !socket.is_blocked() {
            self.blocked_since_ms.set(None);
        } else if progress || self.blocked_since_ms.get().is_none() {
            self.blocked_since_ms.set(Some(self.state.now_ms()));
        }
    }

    /// Another request body begins.
    pub(crate) fn begin_body(&self) {
        let now_ms = self.state.now_ms();
        self.body_rate.begin(now_ms);
        self.body_rate.pause(now_ms);
    }

    /// Notes that a piece of a request body is waited for from now on, at most so long, or that none is.
    pub(crate) fn wait_for_body(&self, most_ms: Option<u64>) {
        let now_ms = self.state.now_ms();
        self.body_wait.set(most_ms.map(|most_ms| (now_ms, most_ms)));
        if most_ms.is_some() {
            self.body_rate.wait(now_ms);
        } else {
            self.body_rate.pause(now_ms);
        }
        self.body_expired.set(false);
    }

    /// Since when, and for how long at most, the next piece of a request body is waited for.
    pub(crate) const fn body_wait(&self) -> Option<(u64, u64)> {
        self.body_wait.get()
    }

    /// The next piece of a request body has taken too long.
    pub(crate) fn expire_body(&self) {
        self.body_expired.set(true);
        self.wake();
    }

    pub(crate) const fn take_body_expired(&self) -> bool {
        self.body_expired.replace(false)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.state.limits
    }

    /// The phase lasts too long.
    pub(crate) fn expire(&self) {
        self.expired.set(true);
        self.wake();
    }

    /// The body comes too slowly.
    pub(crate) fn end_slow_body(&self) {
        if self.state.options.fast_lane {
            self.expire_body();
        } else if self.body_streams.get() {
            self.body_is_late.set(true);
            self.tell_broken_body();
        } else {
            self.expire();
        }
    }

    /// Whether [`Self::end_slow_body`] was called for the body that is streamed; forgets it.
    pub(crate) const fn take_body_is_late(&self) -> bool {
        self.body_is_late.replace(false)
    }

    /// The client takes nothing for too long.
    pub(crate) fn cut(&self) {
        self.cut.set(true);
        self.wake();
    }

    pub(crate) const fn is_cut(&self) -> bool {
        self.cut.get()
    }

    pub(crate) const fn has_expired(&self) -> bool {
        self.expired.get()
    }

    /// [`Self::has_expired`], and forgets it: what follows has a time of its own.
    pub(crate) const fn take_expired(&self) -> bool {
        self.expired.replace(false)
    }

    pub(crate) fn count_open(&self) {
        self.open.set(true);
        self.state.switches.metrics.connections_open.add(1);
    }

    /// The connection is not open any more, or never was.
    pub(crate) fn count_closed(&self) {
        if self.open.replace(false) {
            self.state.switches.metrics.connections_open.decrement();
        }
    }

    /// Writes what waits, then ends our side. A client that sees that and connects again finds that this connection does
    /// not count.
    pub(crate) fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.ending.set(true);
        let mut socket = self.socket.borrow_mut();
        ready!(socket.poll_flush(cx, &self.state))?;
        self.count_closed();
        socket.poll_shutdown(cx)
    }

    /// What is held back waits no longer: the handler did not answer in its turn.
    pub(crate) fn release(&self) {
        if self.answer_is_near.replace(false) {
            self.wake();
        }
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    pub(crate) fn remember_waker(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    /// Writes what waits, unless the answer to the next request will come along in this turn.
    pub(crate) fn poll_write_out(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let mut socket = self.socket.borrow_mut();
        if socket.waiting() == 0 {
            return Poll::Ready(Ok(()));
        }
        if self.answer_is_near.get() {
            self.state.held.borrow_mut().push(Rc::clone(self));
            return Poll::Pending;
        }
        let result = socket.poll_flush(cx, &self.state);
        drop(socket);
        if result.is_ready() {
            self.bytes_left();
        }
        result
    }
}

/// Writes the answer to an error to the socket's buffer, where no request was parsed that it could be the response to;
/// the connection ends with it. `true` if there is one, and the client should be heard out.
pub(crate) fn answer_raw(connection: &Connection, kind: Kind) -> bool {
    let state = &connection.state;
    let mut socket = connection.socket.borrow_mut();
    let Some(answer) = status::answer(kind).filter(|_| !socket.is_blocked()) else {
        return false;
    };
    state.switches.metrics.errors_answered.add(1);
    connection.enter(Phase::Linger);
    let mut date = state.date.borrow_mut();
    let frame = Frame {
        head_request: false,
        http_10: false,
        close: true,
        close_is_understood: false,
        server: &state.server_line,
        date: date.line(state.now_ms()),
    };
    response_bytes::write_answer(socket.buffer(state), answer, &frame);
    true
}
