//! The task that serves a connection: the fast lane first, then hyper if need be, then an orderly end.
//!
//! # Invariants
//! - A panic while a connection is polled ends that connection and nothing else.
//! - A connection that the server ends lingers ([`Linger`]), so that the client can read the last response to its end;
//!   not one whose client is gone, or takes nothing.

use std::future::Future;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use hinny_core::error::Kind;
use hyper::server::conn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::connection::linger::Linger;
use crate::connection::{Connection, answer_raw};
use crate::event_loop::LoopState;
use crate::http1;
use crate::service::HttpService;
use crate::socket::HttpIo;
use crate::timeouts::Phase;

/// hyper's smallest limit for its read buffer.
const READ_BUFFER_MIN: usize = 8 << 10;

/// How much larger hyper's own limits are than the guard's, so that the guard decides: an empty line before a head
/// counts for hyper, and it refuses what reaches a limit.
const HYPER_SLACK_BYTES: usize = 16;

/// How many header fields hyper takes without memory from the heap, and if it is told nothing.
const HYPER_FIELD_COUNT: usize = 100;

/// Serves an accepted connection until it ends.
pub(crate) fn spawn(state: &Rc<LoopState>, stream: TcpStream, peer: SocketAddr) {
    let Some(connection) = Connection::new(state, stream, peer) else {
        return;
    };
    let Some(id) = state.connections.borrow_mut().insert(Rc::clone(&connection)) else {
        return;
    };
    let stage = if !state.may_open_connection() {
        answer_raw(&connection, Kind::ConnectionLimit);
        Stage::Closing
    } else if state.options.fast_lane {
        Stage::Http1
    } else {
        Stage::Http(Box::new(serve(&connection)))
    };
    connection.count_open();
    tokio::task::spawn_local(ConnectionTask {
        id,
        connection,
        stage,
        draining: false,
    });
}

type Http = conn::http1::Connection<TokioIo<HttpIo>, HttpService>;

fn serve(connection: &Rc<Connection>) -> Http {
    let options = &connection.state.options;
    let head_bytes = options.max_head_bytes + HYPER_SLACK_BYTES;
    let mut builder = conn::http1::Builder::new();
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

enum Stage {
    /// Our engine serves requests.
    Http1,
    /// hyper serves requests.
    Http(Box<Http>),
    /// What waits is written, then our side is shut down.
    Closing,
    /// What the client still sends is dropped.
    Lingering(Linger),
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
                Stage::Http1 => {
                    if ready!(http1::poll(&self.connection, cx)).heard_out {
                        self.close();
                    } else {
                        return Poll::Ready(());
                    }
                }
                Stage::Http(http) => {
                    if ready!(poll_http(http, &self.connection, &mut self.draining, cx)) {
                        self.close();
                    } else {
                        return Poll::Ready(());
                    }
                }
                Stage::Closing => {
                    let shut = self.connection.poll_shutdown(cx);
                    self.connection.track_blocking();
                    let late = self.connection.has_expired() || self.connection.is_cut();
                    if late && shut.is_pending() || ready!(shut).is_err() {
                        return Poll::Ready(());
                    }
                    let Some(linger) = Linger::begin(&self.connection) else {
                        return Poll::Ready(());
                    };
                    self.stage = Stage::Lingering(linger);
                }
                Stage::Lingering(linger) => return linger.poll(cx),
            }
        }
    }

    /// Nothing more is served. What is open has no client any more.
    fn close(&mut self) {
        self.stage = Stage::Closing;
        abandon(&self.connection);
    }
}

/// Runs hyper. Ready when it is done with the connection: `true` if the client should still be heard out.
fn poll_http(http: &mut Http, connection: &Rc<Connection>, draining: &mut bool, cx: &mut Context<'_>) -> Poll<bool> {
    if let Some(heard_out) = expired(connection) {
        return Poll::Ready(heard_out);
    }
    drain(http, connection, draining);
    let mut polled = Pin::new(&mut *http).poll(cx);
    if polled.is_pending() && drain(http, connection, draining) {
        polled = Pin::new(&mut *http).poll(cx);
    }
    match polled {
        Poll::Ready(Ok(())) => Poll::Ready(true),
        Poll::Ready(Err(error)) => {
            log::debug!("connection of {} ended: {error}", connection.remote_addr);
            // Of a response that broke off the client gets what there is.
            Poll::Ready(error.is_parse() || error.is_user() || error.is_body_write_aborted())
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
                return Poll::Ready(kind == Kind::BodyMalformed || answer_raw(connection, kind));
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
fn expired(connection: &Connection) -> Option<bool> {
    let (phase, _) = connection.phase();
    if connection.is_cut() {
        return Some(false);
    }
    if matches!(phase, Phase::Body | Phase::Handler) || !connection.take_expired() {
        return None;
    }
    Some(answer_raw(connection, phase.expiry()) || phase == Phase::Idle)
}

/// Ends the exchanges that are open: the client is gone, or the loop, or the last response is on its way.
fn abandon(connection: &Connection) {
    http1::abandon(connection);
    drop(connection.adopted.take());
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
        abandon(&self.connection);
        let removed = state.connections.borrow_mut().remove(self.id);
        self.connection.count_closed();
        if state.draining.get() {
            state.end_poll();
        }
        drop(removed);
    }
}
