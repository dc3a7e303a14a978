//! Keeps a kind of event that may happen very often from filling the log: one line in ten seconds, with the number of
//! those that were not logged.
//!
//! # Threads
//! Any; one for each place that logs, shared by all loops. Nothing is written but when such an event happens.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// How long nothing is logged after a line.
const PAUSE_MS: u64 = 10_000;

/// When a place may log again.
#[derive(Debug, Default)]
pub(crate) struct OccasionalLog {
    /// The earliest time of the next line.
    next_ms: AtomicU64,
    unlogged: AtomicU64,
}

/// Events that happened since the last line and were not logged. Its text ends a line; it is empty for none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unlogged(u64);

impl fmt::Display for Unlogged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            count => write!(f, " (and {count} times more since this was last logged)"),
        }
    }
}

impl OccasionalLog {
    /// An event has happened. What the line about it ends with if it is to be logged, `None` if it is only counted.
    pub(crate) fn event(&self, now_ms: u64) -> Option<Unlogged> {
        let next_ms = self.next_ms.load(Ordering::Relaxed);
        let is_due = now_ms >= next_ms
            && self
                .next_ms
                .compare_exchange(next_ms, now_ms + PAUSE_MS, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if is_due {
            return Some(Unlogged(self.unlogged.swap(0, Ordering::Relaxed)));
        }
        self.unlogged.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_event_is_logged_and_those_of_the_next_ten_seconds_are_counted() {
        let log = OccasionalLog::default();
        assert_eq!(log.event(7), Some(Unlogged(0)));
        for now_ms in [7, 8, 10_006] {
            assert_eq!(log.event(now_ms), None);
        }
        assert_eq!(log.event(10_007), Some(Unlogged(3)));
        assert_eq!(log.event(10_008), None);
        assert_eq!(log.event(90_000), Some(Unlogged(1)));
    }

    #[test]
    fn threads_that_meet_log_once_and_lose_no_event() {
        let log = OccasionalLog::default();
        let logged: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..1000).filter(|_| log.event(0).is_some()).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(99)).sum()
        });
        assert_eq!(logged, 1);
        assert_eq!(log.event(PAUSE_MS), Some(Unlogged(3999)));
    }

    #[test]
    fn a_line_tells_of_others_only_if_there_were_some() {
        assert_eq!(Unlogged(0).to_string(), "");
        assert_eq!(
            Unlogged(3).to_string(),
            " (and 3 times more since this was last logged)"
        );
    }
}
