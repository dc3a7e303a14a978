//! The clock that timeouts are measured with.
//!
//! Logic never asks the system for the time: it reads a [`Clock`] that was handed to it, and tests hand it one that
//! they turn themselves.

use std::time::Instant;

/// Milliseconds since a moment of the clock's own choosing; never goes back.
pub trait Clock {
    /// The current time in milliseconds.
    fn now_ms(&self) -> u64;
}

/// The monotonic clock of the system, counted from its creation.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock that starts at 0 now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
