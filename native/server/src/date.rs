//! The `Date` field of responses that hyper does not write, formatted once a second (RFC 9110 §6.6.1).

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// `date: Sun, 06 Nov 1994 08:49:37 GMT` with its line end.
const LINE_BYTES: usize = 37;

/// For how long the wall clock is not asked again.
const LOOK_EVERY_MS: u64 = 50;

/// The current date, as of the last look at the clock.
#[derive(Debug)]
pub(crate) struct Date {
    line: [u8; LINE_BYTES],
    second: u64,
    looked_ms: Option<u64>,
}

impl Date {
    pub(crate) const fn new() -> Self {
        Self {
            line: [b' '; LINE_BYTES],
            second: 0,
            looked_ms: None,
        }
    }

    /// The field's line at `now_ms` of the loop's clock.
    pub(crate) fn line(&mut self, now_ms: u64) -> &[u8] {
        if self.looked_ms.is_none_or(|looked| now_ms - looked >= LOOK_EVERY_MS) {
            self.looked_ms = Some(now_ms);
            self.look(SystemTime::now());
        }
        &self.line
    }

    fn look(&mut self, now: SystemTime) {
        let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if second != self.second {
            self.second = second;
            // The line has just the length of a date.
            let _ = write!(self.line.as_mut_slice(), "date: {}\r\n", httpdate::HttpDate::from(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_line_follows_the_clock_by_the_second() {
        let mut date = Date::new();
        let moment = UNIX_EPOCH + Duration::from_millis(784_111_777_900);
        date.look(moment);
        assert_eq!(date.line, *b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
        date.look(moment + Duration::from_millis(100));
        assert_eq!(date.line, *b"date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
    }

    #[test]
    fn the_clock_is_asked_when_time_has_passed() {
        let mut date = Date::new();
        assert!(date.line(7).ends_with(b"GMT\r\n"));
        date.second = 0;
        date.line(7 + LOOK_EVERY_MS - 1);
        assert_eq!(date.second, 0);
        date.line(7 + LOOK_EVERY_MS);
        assert_ne!(date.second, 0);
    }
}
