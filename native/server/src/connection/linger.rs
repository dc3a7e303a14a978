//! The end of a connection that the server ends: our side is shut down, and what the client still sends is read and
//! dropped for a while. A connection that is closed at once answers such bytes with a TCP reset, which destroys what the
//! client has not read of the last response (RFC 9112 §9.6).
//!
//! # Invariants
//! - A client that has ended its side, or ends it on seeing the end of ours, costs no wait.
//! - Lingering is bounded in time, without progress ([`crate::timeouts`]) and in all ([`TOTAL_MS`]), and in the number of
//!   connections of a loop; not in bytes, as a client that sends all of its request first reads the response to it late.
//! - A connection that lingers is not open: neither `:max-connections` nor the counter knows it any more, and a drain waits
//!   for it [`DRAIN_WAIT_MS`] at most.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use crate::connection::Connection;
use crate::timeouts::Phase;

/// How long a connection lingers at most, whatever its client sends.
const TOTAL_MS: u64 = 30_000;

/// The most connections of a loop that linger at once: more are closed without, so that clients who stay cannot take all
/// descriptors.
const CONNECTIONS_MAX: usize = 1024;

/// How long a drain waits for a connection that lingers, and for one that had nothing to do for a second: its client has read the
/// last response.
const DRAIN_WAIT_MS: u64 = 300;
const SETTLED_WAIT_MS: u64 = 20;

/// A connection that lingers.
pub(crate) struct Linger {
    connection: Rc<Connection>,
    began_ms: u64,
    settled: bool,
    wait: DrainWait,
}

/// What a drain does about it.
enum DrainWait {
    /// There is none.
    None,
    /// The drain waits.
    Until(Pin<Box<dyn Future<Output = ()>>>),
    /// If nothing else is left, the loop ends.
    Over,
}

impl Linger {
    /// Begins when our side is shut down; `None` if there is nothing to wait for, or no room.
    pub(crate) fn begin(connection: &Rc<Connection>) -> Option<Self> {
        let state = &connection.state;
        if connection.socket.borrow().has_ended() || state.lingering.get() >= CONNECTIONS_MAX {
            return None;
        }
        let settled = connection.is_settled();
        connection.enter(Phase::Linger);
        state.lingering.update(|lingering| lingering + 1);
        Some(Self {
            connection: Rc::clone(connection),
            began_ms: state.now_ms(),
            settled,
            wait: DrainWait::None,
        })
    }

    /// Drops what comes. Ready when the client has ended its side, or has had its time.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let connection = &self.connection;
        if connection.has_expired() || connection.is_cut() {
            return Poll::Ready(());
        }
        let state = Rc::clone(&connection.state);
        let scratch = &mut *state.read_buffer.borrow_mut();
        while state.now_ms() - self.began_ms < TOTAL_MS {
            let mut buf = ReadBuf::new(scratch);
            let read = connection.socket.borrow_mut().poll_read(cx, &mut buf);
            let Poll::Ready(read) = read else {
                self.poll_wait(cx);
                return Poll::Pending;
            };
            if read.is_err() || buf.filled().is_empty() {
                break;
            }
            connection.enter(Phase::Linger);
        }
        Poll::Ready(())
    }

    /// Lets a drain go on without this connection when it has waited.
    fn poll_wait(&mut self, cx: &mut Context<'_>) {
        let state = &self.connection.state;
        if matches!(self.wait, DrainWait::None) && state.draining.get() {
            let clock = state.clock.clone();
            let wait_ms = if self.settled { SETTLED_WAIT_MS } else { DRAIN_WAIT_MS };
            self.wait = DrainWait::Until(Box::pin(async move { clock.sleep_ms(wait_ms).await }));
        }
        if let DrainWait::Until(sleep) = &mut self.wait
            && sleep.as_mut().poll(cx).is_ready()
        {
            self.wait = DrainWait::Over;
            state.left_behind.update(|left| left + 1);
            state.end_poll();
        }
    }
}

impl Drop for Linger {
    fn drop(&mut self) {
        let state = &self.connection.state;
        state.lingering.update(|lingering| lingering - 1);
        if matches!(self.wait, DrainWait::Over) {
            state.left_behind.update(|left| left - 1);
        }
    }
}
