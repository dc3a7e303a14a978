//! The end of a connection that the server ends: our side is shut down, and what the client still sends is read and
//! dropped for a while. A connection that is closed at once answers such bytes with a TCP reset, which destroys what the
//! client has not read of the last response (RFC 9112 §9.6).
//!
//! # Invariants
//! - A client that has ended its side, or ends it on seeing the end of ours, costs no wait.
//! - Lingering is bounded: in time ([`crate::timeouts`]), in bytes, and in the number of connections of a loop.
//! - A connection that lingers is not open: neither `:max-connections` nor the counter knows it any more.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;

use crate::connection::Connection;
use crate::timeouts::Phase;

/// The most that is read and dropped of one connection.
const BYTES_MAX: usize = 1 << 20;

/// The most connections of a loop that linger at once: more are closed without, so that clients who stay cannot take all
/// descriptors.
const CONNECTIONS_MAX: usize = 1024;

/// A connection that lingers.
pub(crate) struct Linger {
    connection: Rc<Connection>,
    dropped: usize,
    /// Nothing was sent on it since the drain began.
    idle: bool,
}

impl Linger {
    /// Begins when our side is shut down; `None` if there is nothing to wait for, or no room.
    pub(crate) fn begin(connection: &Rc<Connection>) -> Option<Self> {
        let state = &connection.state;
        if connection.socket.borrow().has_ended() || state.lingering.get() >= CONNECTIONS_MAX {
            return None;
        }
        let (phase, since_ms) = connection.phase();
        let idle = matches!(phase, Phase::Fresh | Phase::Idle) && since_ms < state.drain_since_ms.get();
        connection.enter(Phase::Linger);
        state.lingering.update(|lingering| lingering + 1);
        Some(Self {
            connection: Rc::clone(connection),
            dropped: 0,
            idle,
        })
    }

    /// Drops what comes. Ready when the client has ended its side, or has had its time.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let connection = &self.connection;
        if connection.has_expired() || self.idle && connection.state.idle_linger_passed.get() {
            return Poll::Ready(());
        }
        while self.dropped <= BYTES_MAX {
            let mut scratch = [0; 4096];
            let mut buf = ReadBuf::new(&mut scratch);
            let read = connection.socket.borrow_mut().poll_read(cx, &mut buf);
            if ready!(read).is_err() || buf.filled().is_empty() {
                break;
            }
            self.dropped += buf.filled().len();
        }
        Poll::Ready(())
    }
}

impl Drop for Linger {
    fn drop(&mut self) {
        self.connection.state.lingering.update(|lingering| lingering - 1);
    }
}
