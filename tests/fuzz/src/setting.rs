//! The options of the servers that are compared: limits so small that test cases reach them, and no timeouts.

use std::fmt::Write as _;

/// One choice of options.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Setting(usize);

/// How many [`Setting`]s there are.
pub const SETTINGS: usize = 2 * LIMITS.len();

/// Who serves HTTP/1.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Http1 {
    /// The fast lane, and hyper where it gives up.
    Auto,
    /// hyper alone.
    Hyper,
}

const COMMON: &[(&str, &str)] = &[
    ("host", "127.0.0.1"),
    ("port", "0"),
    ("event-loops", "1"),
    ("exchange-buffer-bytes", "4096"),
    ("header-read-timeout-ms", "3600000"),
    ("body-read-timeout-ms", "3600000"),
    ("keep-alive-timeout-ms", "3600000"),
    ("response-write-timeout-ms", "3600000"),
    ("handler-timeout-ms", "0"),
];

const LIMITS: [&[(&str, &str)]; 4] = [
    &[
        ("max-head-bytes", "1024"),
        ("max-uri-bytes", "64"),
        ("max-header-count", "8"),
        ("inline-body-bytes", "64"),
        ("max-body-bytes", "256"),
        ("max-unread-body-bytes", "64"),
    ],
    &[
        ("max-head-bytes", "1024"),
        ("max-uri-bytes", "64"),
        ("max-header-count", "8"),
        ("inline-body-bytes", "0"),
        ("max-body-bytes", "100"),
        ("max-unread-body-bytes", "50"),
        ("max-requests-per-connection", "4"),
        ("server-header", ""),
    ],
    &[
        ("max-head-bytes", "1500"),
        ("max-uri-bytes", "100"),
        ("max-header-count", "3"),
        ("inline-body-bytes", "64"),
        ("max-body-bytes", "32"),
        ("max-requests-per-connection", "3"),
    ],
    &[],
];

impl Setting {
    /// The setting with this number, of which the low bits count.
    #[must_use]
    pub const fn numbered(number: u8) -> Self {
        Self(number as usize % SETTINGS)
    }

    /// The number, less than [`SETTINGS`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }

    /// The options as [`hinny_core::options::Options::decode`] reads them.
    #[must_use]
    pub fn encoded(self, http1: Http1) -> String {
        let handler_mode = if self.0 < LIMITS.len() { "inline" } else { "worker" };
        let engine = match http1 {
            Http1::Auto => "auto",
            Http1::Hyper => "hyper",
        };
        let modes = [("handler-mode", handler_mode), ("http1-engine", engine)];
        let mut encoded = String::new();
        for (name, value) in COMMON.iter().chain(LIMITS[self.0 % LIMITS.len()]).chain(&modes) {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "{name}\0{value}\0");
        }
        encoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hinny_core::options::Options;

    #[test]
    fn every_setting_is_taken() {
        for number in 0..SETTINGS {
            let setting = Setting::numbered(number as u8);
            assert_eq!(setting.index(), number);
            for (http1, fast_lane) in [(Http1::Auto, true), (Http1::Hyper, false)] {
                let options = Options::decode(setting.encoded(http1).as_bytes()).unwrap();
                assert_eq!(options.fast_lane, fast_lane);
            }
        }
    }
}
