//! Memory for request bodies that are collected before their handlers run: `:body-buffer-bytes`.
//!
//! A body that is slow to arrive waits here without a thread. One that finds no room is streamed, so it is neither lost
//! nor kept.
//!
//! # Invariants
//! - What the bodies of a loop count is at most its part of `:body-buffer-bytes`. Small ones ([`UNCOUNTED_BYTES`]) do not
//!   count, nor do those that are to be parsed, which cannot be streamed.
//! - A body counts until its [`Collected`] is dropped, when its response begins.
//!
//! # Threads
//! The loop's own: loops have equal parts, so none looks at another's.

use std::rc::Rc;

use hinny_core::options::Options;

use crate::event_loop::LoopState;

/// A body up to this size, which the fast lane takes, does not count.
pub(crate) const UNCOUNTED_BYTES: u64 = 64 << 10;

/// What one body counts.
pub(crate) struct Collected {
    state: Rc<LoopState>,
    bytes: u64,
}

impl Collected {
    pub(crate) fn new(state: &Rc<LoopState>) -> Self {
        Self {
            state: Rc::clone(state),
            bytes: 0,
        }
    }

    /// Counts a body that has become so long; whether there was room.
    pub(crate) fn grow(&mut self, length: u64) -> bool {
        if length <= UNCOUNTED_BYTES {
            return true;
        }
        let counted = self.state.collected_bytes.get() + length.saturating_sub(self.bytes);
        if counted > loop_limit(&self.state.options) {
            return false;
        }
        self.state.collected_bytes.set(counted);
        self.bytes = length;
        true
    }
}

impl Drop for Collected {
    fn drop(&mut self) {
        self.state.collected_bytes.update(|counted| counted - self.bytes);
    }
}

const fn loop_limit(options: &Options) -> u64 {
    options.body_buffer_bytes / options.event_loops as u64
}
