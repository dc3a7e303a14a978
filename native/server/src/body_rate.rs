//! Whether a client sends the body of its request fast enough: `:min-body-bytes-per-second`, `:body-rate-grace-ms`.
//!
//! A body begins with the grace. Time in which the server waits for its client uses that up, and bytes that come renew it,
//! never beyond what it was: who has sent much may not be idle for the longer. Time in which the server does not want the
//! body (the handler does not read) is nobody's fault and does not count.
//!
//! # Threads
//! The loop's own.

use std::cell::Cell;

use hinny_core::options::Options;

/// Milliseconds of a second: amounts are in bytes and milliseconds, so that no rate is rounded.
const SECOND_MS: u64 = 1_000;

/// The rate of one connection's current body.
#[derive(Debug)]
pub(crate) struct BodyRate {
    /// 0 for no limit.
    bytes_per_second: u64,
    grace: u64,
    /// How much of the grace is used up.
    used: Cell<u64>,
    /// Since when the server waits for the client; `None` while it does not.
    since_ms: Cell<Option<u64>>,
}

impl BodyRate {
    pub(crate) const fn new(options: &Options) -> Self {
        let bytes_per_second = options.min_body_bytes_per_second;
        Self {
            bytes_per_second,
            grace: options.body_rate_grace_ms.saturating_mul(bytes_per_second),
            used: Cell::new(0),
            since_ms: Cell::new(None),
        }
    }

    /// Another body begins, and the server waits for it.
    pub(crate) fn begin(&self, now_ms: u64) {
        self.used.set(0);
        self.since_ms.set(Some(now_ms));
    }

    /// The server waits for more of the body.
    pub(crate) fn wait(&self, now_ms: u64) {
        if self.since_ms.get().is_none() {
            self.since_ms.set(Some(now_ms));
        }
    }

    /// The server waits no longer.
    pub(crate) fn pause(&self, now_ms: u64) {
        self.used.set(self.used_at(now_ms));
        self.since_ms.set(None);
    }

    /// Bytes of the body came.
    pub(crate) fn arrived(&self, bytes: usize, now_ms: u64) {
        if self.since_ms.get().is_some() {
            let renewed = (bytes as u64).saturating_mul(SECOND_MS);
            self.used.set(self.used_at(now_ms).saturating_sub(renewed));
            self.since_ms.set(Some(now_ms));
        }
    }

    /// Whether the server waits, and more than the grace was used up `slack_ms` ago.
    pub(crate) fn is_too_slow(&self, now_ms: u64, slack_ms: u64) -> bool {
        self.bytes_per_second > 0
            && self.since_ms.get().is_some()
            && self.used_at(now_ms.saturating_sub(slack_ms)) > self.grace
    }

    fn used_at(&self, now_ms: u64) -> u64 {
        let waited_ms = self
            .since_ms
            .get()
            .map_or(0, |since_ms| now_ms.saturating_sub(since_ms));
        self.used
            .get()
            .saturating_add(waited_ms.saturating_mul(self.bytes_per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(bytes_per_second: u64, grace_ms: u64) -> BodyRate {
        let options = format!(
            "event-loops\x001\0min-body-bytes-per-second\0{bytes_per_second}\0body-rate-grace-ms\0{grace_ms}\0"
        );
        BodyRate::new(&Options::decode(options.as_bytes()).unwrap())
    }

    #[test]
    fn nothing_in_the_grace_is_too_slow() {
        let rate = rate(100, 5_000);
        rate.begin(1_000);
        assert!(!rate.is_too_slow(6_000, 0));
        assert!(rate.is_too_slow(6_001, 0));
        assert!(!rate.is_too_slow(6_050, 50));
    }

    #[test]
    fn a_byte_now_and_then_is_too_slow_and_the_rate_is_not() {
        for (every_ms, ends) in [(10, false), (9, false), (11, true), (1_000, true)] {
            let rate = rate(100, 5_000);
            rate.begin(0);
            let mut now = 0;
            let ended = (0..50_000).any(|_| {
                now += every_ms;
                let late = rate.is_too_slow(now, 0);
                rate.arrived(1, now);
                late
            });
            assert_eq!(ended, ends, "a byte in {every_ms} ms");
        }
    }

    #[test]
    fn bytes_are_not_saved_up() {
        let rate = rate(100, 5_000);
        rate.begin(0);
        rate.arrived(1_000_000, 1);
        assert!(!rate.is_too_slow(5_001, 0));
        assert!(rate.is_too_slow(5_002, 0));
    }

    #[test]
    fn time_in_which_the_body_is_not_wanted_does_not_count() {
        let rate = rate(100, 5_000);
        rate.begin(0);
        rate.pause(4_000);
        assert!(!rate.is_too_slow(1_000_000, 0));
        rate.wait(1_000_000);
        rate.wait(1_000_900);
        assert!(!rate.is_too_slow(1_001_000, 0));
        assert!(rate.is_too_slow(1_001_001, 0));
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let rate = rate(0, 1_000);
        rate.begin(0);
        assert!(!rate.is_too_slow(u64::MAX, 0));
    }
}
