//! The client's end of a connection. A client that has ended its side may wait for what it has asked for, or may have left:
//! nobody can tell until it takes a byte, or refuses one.
//!
//! # Invariants
//! - What was asked whole is answered whole after that, with `Connection: close`; hyper does not see the end before. The
//!   handlers are told, and may take it for a client that has left (ADR 0012).
//! - A client that has left, or ended its side behind bytes that nobody reads, is noticed within a sweep of
//!   [`crate::timeouts`].

use std::cell::Ref;
use std::rc::Rc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::connection::Connection;
use crate::socket::Socket;
use crate::timeouts::Phase;

impl Connection {
    /// The client has ended its side: whoever has requests of it is told, once.
    pub(crate) fn input_ended(&self) {
        self.tell_input_ended(self.lane.borrow().open_exchanges());
    }

    /// [`Self::input_ended`], for the lane's own: `in_lane` are the exchanges that it has open.
    pub(crate) fn tell_input_ended(&self, in_lane: impl DoubleEndedIterator<Item = u64>) {
        if !self.input_has_ended.replace(true) {
            self.socket.borrow().watch_peer();
        }
        let mut newest = self.told_input_ended.get();
        for exchange in std::iter::once(self.exchange.get()).chain(in_lane) {
            if exchange > 0 && exchange != newest {
                self.state.tell_input_ended(exchange);
                newest = exchange;
            }
        }
        self.told_input_ended.set(newest);
    }

    /// Whether the client is known to have ended its side, whatever it sent before was read or not.
    pub(crate) const fn input_has_ended(&self) -> bool {
        self.input_has_ended.get()
    }

    /// Whether hyper must not see yet that the client has ended its side: it would break off the response.
    pub(crate) fn hides_end(&self) -> bool {
        self.socket.borrow().has_ended() && !self.guard.is_in_body() && !self.is_between_exchanges()
    }

    /// Whether hyper has given all requests that there will be to the service.
    pub(crate) fn has_all_requests(&self) -> bool {
        self.socket.borrow().has_ended() && self.guard.is_caught_up() && self.adopted.borrow().is_empty()
    }

    /// Whether a client that leaves might not be noticed: what it is to get is not there yet.
    fn is_waited_for(&self, now_ms: u64, every_ms: u64) -> bool {
        let (phase, since_ms) = self.phase();
        matches!(phase, Phase::Handler | Phase::Response) && now_ms.saturating_sub(since_ms) >= every_ms
    }
}

/// Looks whose clients have left or ended their side, of connections whose requests have been under way for a sweep.
pub(crate) fn look<'c>(connections: impl Iterator<Item = &'c Rc<Connection>>, now_ms: u64, every_ms: u64) {
    let waited_for = connections.filter(|connection| connection.is_waited_for(now_ms, every_ms));
    let (connections, sockets): (Vec<&Rc<Connection>>, Vec<Ref<'_, Socket>>) = waited_for
        .map(|connection| (connection, connection.socket.borrow()))
        .filter(|(_, socket)| socket.descriptor().is_some())
        .unzip();
    if connections.is_empty() {
        return;
    }
    let mut polled: Vec<PollFd<'_>> = sockets
        .iter()
        .filter_map(|socket| socket.descriptor())
        .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::RDHUP))
        .collect();
    if poll(&mut polled, Some(&Timespec::default())).is_err() {
        return;
    }
    let seen: Vec<PollFlags> = polled.iter().map(PollFd::revents).collect();
    drop(sockets);
    for (connection, seen) in connections.into_iter().zip(seen) {
        if seen.intersects(PollFlags::HUP | PollFlags::ERR) {
            connection.cut();
        } else if seen.contains(PollFlags::RDHUP) {
            connection.input_ended();
        }
    }
}
