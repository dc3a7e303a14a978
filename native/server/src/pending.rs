//! What a loop holds for its clients, counted against what the whole server may hold: exchanges, bytes of requests that
//! are not answered, bytes of responses that are not taken.
//!
//! # Invariants
//! - Nothing is let in beyond a limit: a request that finds no room is answered 503. What has come already (a part of a
//!   request, a handler's response) is counted even beyond it.
//! - Half of a request never keeps whole requests out: of those that have not arrived to their end, the largest are
//!   answered 503 and closed as soon as there is no room.
//! - The driver knows with each poll whether there is room for responses, and is told soon when there is again.
//!
//! # Threads
//! The loop's own.

use std::cell::Cell;
use std::rc::Rc;

use hinny_core::error::Kind;

use crate::budget::Share;
use crate::connection::Connection;
use crate::engine::Shared;
use crate::event_loop::LoopState;
use crate::timeouts::Phase;

/// When halves of requests are shed, so much of what the loop holds is freed at once.
const SHED_PART: u64 = 8;

/// A response of the core's own that is no larger is always given.
const SMALL_BYTES: usize = 4 << 10;

/// A loop's shares.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) exchanges: Share,
    pub(crate) requests: Share,
    pub(crate) responses: Share,
    /// The driver was told that there is no room for responses.
    told_full: Cell<bool>,
}

impl Pending {
    pub(crate) fn new(shared: &Shared) -> Self {
        Self {
            exchanges: Share::new(&shared.exchanges),
            requests: Share::new(&shared.request_bytes),
            responses: Share::new(&shared.response_bytes),
            told_full: Cell::new(false),
        }
    }

    /// Whether another response may be asked of a handler.
    #[inline]
    fn has_room_for_responses(&self) -> bool {
        self.responses.has_room(1)
    }

    /// Whether the driver must wait with more of responses; it is told when that ends.
    pub(crate) fn tell_full(&self) -> bool {
        let is_full = !self.has_room_for_responses();
        self.told_full.set(is_full);
        is_full
    }

    /// Whether the driver is to be told that there is room again.
    pub(crate) fn has_news(&self) -> bool {
        self.told_full.get() && self.has_room_for_responses()
    }
}

impl LoopState {
    /// Whether a request of so many bytes may have an exchange.
    ///
    /// # Errors
    /// [`Kind::ExchangeLimit`], [`Kind::BytesLimit`]; [`Kind::BodyTooLarge`] if it is more than the server may hold at all.
    #[inline]
    pub(crate) fn admit(&self, bytes: usize) -> Result<(), Kind> {
        let pending = &self.pending;
        if !pending.exchanges.has_room(1) {
            return Err(Kind::ExchangeLimit);
        }
        if pending.has_room_for_responses() && pending.requests.has_room(bytes as u64) {
            return Ok(());
        }
        self.admit_late(bytes as u64)
    }

    #[cold]
    fn admit_late(&self, bytes: u64) -> Result<(), Kind> {
        let limit = self.pending.requests.limit();
        if bytes > limit {
            return Err(Kind::BodyTooLarge { limit });
        }
        if self.pending.has_room_for_responses() {
            self.shed_halves(bytes);
            if self.pending.requests.has_room(bytes) {
                return Ok(());
            }
        }
        self.tell_refusal();
        Err(Kind::BytesLimit)
    }

    /// Whether the core may answer with so many bytes of its own.
    #[inline]
    pub(crate) fn may_answer(&self, bytes: usize) -> Result<(), Kind> {
        if bytes <= SMALL_BYTES || self.pending.has_room_for_responses() {
            return Ok(());
        }
        self.tell_refusal();
        Err(Kind::BytesLimit)
    }

    fn tell_refusal(&self) {
        if let Some(unlogged) = self.shared.bytes_refused.event(self.now_ms()) {
            log::warn!(
                "requests are answered 503, for the server holds too much: {} bytes of requests and {} of responses wait in this event loop{unlogged}",
                self.pending.requests.used(),
                self.pending.responses.used()
            );
        }
    }

    /// Counts how much of a request that has not arrived to its end a connection holds now.
    #[inline]
    pub(crate) fn hold_half(&self, connection: &Connection, bytes: usize) {
        let requests = &self.pending.requests;
        let made_room = requests.adjust(&connection.half_bytes, bytes as u64);
        if made_room {
            self.tell_room();
        } else if bytes > 0 && requests.over() > 0 {
            self.shed_halves(requests.over());
        }
    }

    /// Counts how much of its responses a connection holds now.
    #[inline]
    pub(crate) fn hold_response(&self, counted: &Cell<u64>, bytes: usize) {
        let made_room = self.pending.responses.adjust(counted, bytes as u64);
        self.response_taken(made_room);
    }

    /// Bytes of responses are gone.
    #[inline]
    pub(crate) fn release_response(&self, bytes: u64) {
        if bytes > 0 {
            let made_room = self.pending.responses.remove(bytes);
            self.response_taken(made_room);
        }
    }

    fn response_taken(&self, made_room: bool) {
        if made_room {
            self.tell_room();
        }
        if self.pending.told_full.get() {
            self.end_poll();
        }
    }

    /// Bytes of a request are gone.
    #[inline]
    pub(crate) fn release_request(&self, bytes: u64) {
        if self.pending.requests.remove(bytes) {
            self.tell_room();
        }
    }

    /// A loop waits for room, and this one has made some.
    #[cold]
    pub(crate) fn tell_room(&self) {
        for switches in self.all_switches.iter() {
            switches.wake();
        }
    }

    /// Answers the largest of the requests that have not arrived to their end, so that `bytes` more find room.
    fn shed_halves(&self, bytes: u64) {
        let connections = self.connections.borrow();
        let mut halves: Vec<&Rc<Connection>> = connections.iter().filter(|c| is_half(c)).collect();
        halves.sort_unstable_by_key(|connection| std::cmp::Reverse(connection.half_bytes.get()));
        let wanted = bytes.max(self.pending.requests.used() / SHED_PART);
        let mut freed = 0;
        for connection in halves {
            if freed >= wanted {
                break;
            }
            freed += connection.half_bytes.get();
            // The memory is gone when the connection's task has run, in this turn.
            self.pending.requests.adjust(&connection.half_bytes, 0);
            connection.refuse();
        }
        if freed > 0 {
            self.tell_refusal();
        }
    }
}

fn is_half(connection: &Connection) -> bool {
    let (phase, _) = connection.phase();
    connection.half_bytes.get() > 0 && matches!(phase, Phase::Fresh | Phase::Idle | Phase::Head | Phase::Body)
}
