//! One connection: hyper's HTTP/1.1 state machine, its socket, and when to write what.
//!
//! # Invariants
//! - A panic while a connection is polled ends that connection and nothing else.
//! - Finished responses are written at the end of the poll in which they finished. The one exception: while an inline
//!   or async handler has the connection's next (pipelined) request, whose answer comes with the very next turn, they wait for
//!   it. They never wait for the client, for a worker, or for a second turn.
//! - After an answer that ends the connection early, what the client still sends is read and dropped for a while, so
//!   that a TCP reset does not destroy the answer before it is read (RFC 9112 §9.6).

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use hinny_core::error::Kind;
use hinny_core::status;
use http::HeaderMap;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

use crate::event_loop::LoopState;
use crate::guard::Guard;
use crate::response;
use crate::server_name::LastHost;
use crate::service::HttpService;
use crate::socket::{HttpIo, Socket};
use crate::timeouts::Phase;

/// The most that is read and dropped after an early end.
const LINGER_BYTES: usize = 1 << 20;

/// hyper's smallest limit for its read buffer.
const READ_BUFFER_MIN: usize = 8 << 10;

/// How much larger hyper's own limits are than the guard's, so that the guard decides: an empty line before a head
/// counts for hyper, and it refuses what reaches a limit.
const HYPER_SLACK_BYTES: usize = 16;

/// How many header fields hyper takes without memory from the heap, and if it is told nothing.
const HYPER_FIELD_COUNT: usize = 100;

/// What hyper, the service and the sweep share about a connection.
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
    phase: Cell<Phase>,
    since_ms: Cell<u64>,
    expired: Cell<bool>,
    cut: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// Of the task that streams the current request's body.
    body_waker: RefCell<Option<Waker>>,
    /// A body is on its way to its handler, or being dropped.
    body_streams: Cell<bool>,
    /// A handler on the loop has the current request.
    answer_is_near: Cell<bool>,
    linger: Cell<bool>,
    /// The client waits for `100 Continue`, and nobody has asked for its body.
    awaits_continue: Cell<bool>,
    /// Since when the client takes nothing of what waits for it; `None` while nothing waits.
    blocked_since_ms: Cell<Option<u64>>,
}

impl Connection {
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since_ms.set(self.state.now_ms.get());
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
        self.guard.requests() >= self.state.options.max_requests_per_connection || self.awaits_continue.get()
    }

    /// Notes whether the client waits to be asked for its body.
    pub(crate) fn await_continue(&self, waits: bool) {
        self.awaits_continue.set(waits);
    }

    pub(crate) const fn awaits_continue(&self) -> bool {
        self.awaits_continue.get()
    }

    /// The request is with its handler; one whose body is streamed runs on a worker in every mode but async.
    pub(crate) fn dispatched(&self, streamed: bool) {
        self.enter(Phase::Handler);
        self.body_streams.set(streamed);
        self.answer_is_near.set(self.state.options.on_loop && !streamed);
    }

    /// The response has begun and goes on as its source allows.
    pub(crate) fn responding(&self) {
        self.enter(Phase::Response);
        self.answer_is_near.set(false);
    }

    /// The response is with hyper to its end.
    pub(crate) fn answered(&self) {
        self.enter(if self.body_streams.get() {
            Phase::Body
        } else if self.guard.is_in_head() {
            Phase::Head
        } else {
            Phase::Idle
        });
        self.answer_is_near.set(false);
    }

    /// The streamed request body has come to its end.
    pub(crate) fn body_arrived(&self) {
        if self.body_streams.replace(false) && self.phase.get() == Phase::Body {
            self.answered();
        }
    }

    /// Bytes came from the socket; returns how many of them hyper may have.
    pub(crate) fn bytes_arrived(&self, bytes: &[u8]) -> usize {
        let passable = self.guard.arrived(bytes);
        match self.phase.get() {
            Phase::Fresh | Phase::Idle if self.guard.is_in_head() => self.enter(Phase::Head),
            Phase::Body => self.enter(Phase::Body),
            Phase::Fresh | Phase::Idle | Phase::Head | Phase::Handler | Phase::Response | Phase::Linger => {}
        }
        passable
    }

    /// Whether no request is with the service, and the last response is in the socket's buffer to its end.
    fn is_between_exchanges(&self) -> bool {
        matches!(self.phase.get(), Phase::Fresh | Phase::Head | Phase::Idle) && !self.socket.borrow().is_blocked()
    }

    /// Wakes `waker` when the current request's body turns out to be broken.
    pub(crate) fn watch_body(&self, waker: &Waker) {
        self.body_waker.replace(Some(waker.clone()));
    }

    fn tell_broken_body(&self) {
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

    /// How long the client has taken nothing of what waits for it.
    pub(crate) fn blocked_ms(&self, now_ms: u64) -> Option<u64> {
        Some(now_ms.saturating_sub(self.blocked_since_ms.get()?))
    }

    /// Notes whether the client takes what waits for it, after an attempt to write.
    fn track_blocking(&self) {
        let mut socket = self.socket.borrow_mut();
        let progress = socket.take_progress();
        if socket.waiting() == 0 && !socket.is_blocked() {
            self.blocked_since_ms.set(None);
        } else if progress || self.blocked_since_ms.get().is_none() {
            self.blocked_since_ms.set(Some(self.state.now_ms.get()));
        }
    }

    /// The phase lasts too long.
    pub(crate) fn expire(&self) {
        self.expired.set(true);
        self.wake();
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

    /// The connection will end although the client may still be sending.
    pub(crate) fn end_early(&self) {
        self.linger.set(true);
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

    fn remember_waker(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    /// Writes what waits, unless the answer to the next request will come along in this turn.
    fn poll_write_out(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
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

/// Serves an accepted connection until it ends.
pub(crate) fn spawn(state: &Rc<LoopState>, stream: TcpStream, peer: SocketAddr) {
    let Ok(local) = stream.local_addr() else {
        return;
    };
    // Failing to set it costs latency, not correctness.
    let _ = stream.set_nodelay(true);
    let connection = Rc::new(Connection {
        state: Rc::clone(state),
        socket: RefCell::new(Socket::new(stream)),
        remote_addr: peer.ip().to_canonical().to_string().into(),
        local_addr: local.ip().to_canonical().to_string().into(),
        local_port: local.port(),
        spare_headers: RefCell::default(),
        last_host: RefCell::default(),
        guard: Guard::new(&state.options),
        phase: Cell::new(Phase::Fresh),
        since_ms: Cell::new(state.now_ms.get()),
        expired: Cell::new(false),
        cut: Cell::new(false),
        waker: RefCell::default(),
        body_waker: RefCell::default(),
        body_streams: Cell::new(false),
        answer_is_near: Cell::new(false),
        linger: Cell::new(false),
        awaits_continue: Cell::new(false),
        blocked_since_ms: Cell::new(None),
    });
    let Some(id) = state.connections.borrow_mut().insert(Rc::clone(&connection)) else {
        return;
    };
    let stage = if state.may_open_connection() {
        Stage::Http(serve(&connection))
    } else {
        refuse(&connection);
        Stage::Closing
    };
    state.switches.metrics.connections_open.add(1);
    tokio::task::spawn_local(ConnectionTask {
        id,
        connection,
        stage,
        draining: false,
    });
}

type Http = http1::Connection<TokioIo<HttpIo>, HttpService>;

fn serve(connection: &Rc<Connection>) -> Http {
    let options = &connection.state.options;
    let head_bytes = options.max_head_bytes + HYPER_SLACK_BYTES;
    let mut builder = http1::Builder::new();
    if options.max_header_count > HYPER_FIELD_COUNT {
        builder.max_headers(options.max_header_count);
    }
    builder
        // `timeouts` does it for all connections at once.
        .header_read_timeout(None)
        // hyper copies small pieces together; `Socket` copies them anyway.
        .writev(false)
        .max_header_size(head_bytes)
        .max_buf_size(head_bytes.max(READ_BUFFER_MIN))
        .serve_connection(
            TokioIo::new(HttpIo(Rc::clone(connection))),
            HttpService::new(Rc::clone(connection)),
        )
}

/// Answers a connection that is one too many.
fn refuse(connection: &Connection) {
    connection.enter(Phase::Linger);
    if let Some(answer) = status::answer(Kind::ConnectionLimit) {
        connection.state.switches.metrics.errors_answered.add(1);
        let bytes = response::raw(answer, connection.state.options.server_header.as_ref());
        connection.socket.borrow_mut().put(&bytes);
    }
}

#[expect(
    clippy::large_enum_variant,
    reason = "one per connection, nearly always the large one"
)]
enum Stage {
    /// hyper serves requests.
    Http(Http),
    /// What waits is written, then our side is shut down.
    Closing,
    /// What the client still sends is dropped.
    Lingering { dropped: usize },
}

struct ConnectionTask {
    id: u64,
    connection: Rc<Connection>,
    stage: Stage,
    draining: bool,
}

impl ConnectionTask {
    fn poll_stages(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.stage {
                Stage::Http(http) => {
                    if ready!(poll_http(http, &self.connection, &mut self.draining, cx)) {
                        self.stage = Stage::Closing;
                    } else {
                        return Poll::Ready(());
                    }
                }
                Stage::Closing => {
                    let shut = self
                        .connection
                        .socket
                        .borrow_mut()
                        .poll_shutdown(cx, &self.connection.state);
                    let late = self.connection.has_expired() || self.connection.is_cut();
                    if late && shut.is_pending() || ready!(shut).is_err() {
                        return Poll::Ready(());
                    }
                    self.connection.enter(Phase::Linger);
                    self.stage = Stage::Lingering { dropped: 0 };
                }
                Stage::Lingering { dropped } => {
                    if self.connection.has_expired() {
                        return Poll::Ready(());
                    }
                    let mut scratch = [0; 4096];
                    let mut buf = ReadBuf::new(&mut scratch);
                    let read = self.connection.socket.borrow_mut().poll_read(cx, &mut buf);
                    if ready!(read).is_err() || buf.filled().is_empty() {
                        return Poll::Ready(());
                    }
                    *dropped += buf.filled().len();
                    if *dropped > LINGER_BYTES {
                        return Poll::Ready(());
                    }
                }
            }
        }
    }
}

/// Runs hyper. Ready when it is done with the connection: `true` if the client should still be heard out.
fn poll_http(http: &mut Http, connection: &Rc<Connection>, draining: &mut bool, cx: &mut Context<'_>) -> Poll<bool> {
    if let Some(heard_out) = expired(connection, cx) {
        return Poll::Ready(heard_out);
    }
    drain(http, connection, draining);
    let mut polled = Pin::new(&mut *http).poll(cx);
    if polled.is_pending() && drain(http, connection, draining) {
        polled = Pin::new(&mut *http).poll(cx);
    }
    match polled {
        // After a request for an upgrade hyper ends without a shutdown, so the last response may still wait.
        Poll::Ready(Ok(())) => Poll::Ready(connection.linger.get() || connection.socket.borrow().waiting() > 0),
        Poll::Ready(Err(error)) => {
            log::debug!("connection of {} ended: {error}", connection.remote_addr);
            // Of a response that broke off the client gets what there is, if it takes it at once.
            let _ = connection.socket.borrow_mut().poll_flush(cx, &connection.state);
            Poll::Ready(error.is_parse())
        }
        Poll::Pending => {
            let refusal = connection.guard.refusal();
            if refusal == Some(Kind::BodyMalformed) {
                connection.tell_broken_body();
            }
            if let Some(kind) = refusal.filter(|_| connection.is_between_exchanges()) {
                log::debug!(
                    "connection of {} ended: {kind} ({:?})",
                    connection.remote_addr,
                    connection.guard.fault()
                );
                // A request with a broken body has its answer: the one that was given before its end.
                return Poll::Ready(kind == Kind::BodyMalformed || answer_raw(connection, kind, cx));
            }
            let written = connection.poll_write_out(cx);
            connection.track_blocking();
            match written {
                Poll::Ready(Err(error)) => {
                    log::debug!("cannot write to {}: {error}", connection.remote_addr);
                    Poll::Ready(false)
                }
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            }
        }
    }
}

/// Whether the connection ends because something took too long, and if so, whether the client should be heard out.
/// What takes long in the phases [`Phase::Body`] and [`Phase::Handler`] is the service's to answer.
fn expired(connection: &Connection, cx: &mut Context<'_>) -> Option<bool> {
    let (phase, _) = connection.phase();
    if connection.is_cut() {
        return Some(false);
    }
    if matches!(phase, Phase::Body | Phase::Handler) || !connection.take_expired() {
        return None;
    }
    Some(answer_raw(connection, phase.expiry(), cx))
}

/// In a drain, makes the current request the connection's last; whether that was news. A connection between two
/// requests may still bring one, for a while: its client has not been told yet.
fn drain(http: &mut Http, connection: &Connection, draining: &mut bool) -> bool {
    let state = &connection.state;
    let may_wait = matches!(connection.phase().0, Phase::Fresh | Phase::Idle) && !state.grace_passed.get();
    if *draining || !state.draining.get() || may_wait {
        return false;
    }
    *draining = true;
    Pin::new(http).graceful_shutdown();
    true
}

/// Answers while hyper waits for a request; `true` if the client should be heard out.
fn answer_raw(connection: &Connection, kind: Kind, cx: &mut Context<'_>) -> bool {
    let mut socket = connection.socket.borrow_mut();
    let Some(answer) = status::answer(kind).filter(|_| !socket.is_blocked()) else {
        return false;
    };
    connection.state.switches.metrics.errors_answered.add(1);
    connection.enter(Phase::Linger);
    let bytes = response::raw(answer, connection.state.options.server_header.as_ref());
    matches!(socket.poll_write(cx, &bytes, &connection.state), Poll::Ready(Ok(_)))
}

impl Future for ConnectionTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.remember_waker(cx.waker());
        match catch_unwind(AssertUnwindSafe(|| self.poll_stages(cx))) {
            Ok(result) => result,
            Err(_) => {
                self.connection.state.switches.metrics.panics.add(1);
                log::error!(
                    "connection of {} ended: {}",
                    self.connection.remote_addr,
                    Kind::Internal
                );
                Poll::Ready(())
            }
        }
    }
}

impl Drop for ConnectionTask {
    fn drop(&mut self) {
        let state = &self.connection.state;
        let removed = state.connections.borrow_mut().remove(self.id);
        state.switches.metrics.connections_open.decrement();
        if state.draining.get() {
            state.end_poll();
        }
        drop(removed);
    }
}
