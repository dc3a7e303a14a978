//! The options of a server: one table (`table.rs`) with name, type, unit, default, range and meaning.
//!
//! Clojure reads [`table_edn`] at load, checks a user's options against it and sends them as one buffer, which
//! [`Options::decode`] reads and checks again. `docs/options.md` is generated from the same table.

use std::fmt::{self, Write as _};

use http::HeaderValue;

pub use self::route::{Parse, ROUTE_OPTIONS, RouteOptions};
pub use self::table::OPTIONS;

mod route;
mod table;

/// One option.
#[derive(Debug)]
pub struct OptionSpec {
    /// The name in Clojure, without the colon.
    pub name: &'static str,
    /// Type and range.
    pub kind: OptionKind,
    /// Unit of a number, empty for the rest.
    pub unit: &'static str,
    /// The value when the user gives none.
    pub default: OptionDefault,
    /// What it does, in one or two sentences.
    pub doc: &'static str,
}

/// Type and range of an option.
#[derive(Debug)]
pub enum OptionKind {
    /// An integer from `min` to `max`.
    Integer {
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
    },
    /// An integer, or one of some keywords.
    IntegerOr {
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
        /// The keywords.
        keywords: &'static [&'static str],
    },
    /// true or false.
    Boolean,
    /// One of some keywords.
    Keyword(&'static [&'static str]),
    /// A set of some keywords.
    KeywordSet(&'static [&'static str]),
    /// A string that is not empty.
    Text,
    /// A string; nil or "" for none.
    OptionalText,
    /// Data that Clojure checks; the native library is not told.
    Data,
    /// A function, or nil; the native library is not told.
    Function,
}

/// The value of an option that is not given.
#[derive(Debug)]
pub enum OptionDefault {
    /// The number of processors that the JVM may use.
    Cores,
    /// The largest heap that the JVM may have in bytes, divided by this; [`HEAP_PART_BYTES`] for who has no JVM.
    HeapPart(u64),
    /// true or false.
    Boolean(bool),
    /// A number.
    Integer(u64),
    /// A keyword.
    Keyword(&'static str),
    /// The empty set.
    NoKeywords,
    /// A string.
    Text(&'static str),
    /// nil.
    Nothing,
}

/// What the native side needs of a server's options. The rest (worker threads, handler mode) is Java's business, but
/// for the fact whether a handler answers on the loop.
#[derive(Clone, Debug)]
pub struct Options {
    /// `:host`
    pub host: String,
    /// `:port`
    pub port: u16,
    /// `:event-loops`
    pub event_loops: usize,
    /// What a route may have another value of
    pub route: RouteOptions,
    /// `:http1-engine` is `:auto`: plain requests are served by the fast lane
    pub fast_lane: bool,
    /// `:exchange-buffer-bytes`
    pub exchange_buffer_bytes: usize,
    /// `:body-buffer-bytes`
    pub body_buffer_bytes: u64,
    /// `:max-unread-body-bytes`
    pub max_unread_body_bytes: u64,
    /// `:max-head-bytes`
    pub max_head_bytes: usize,
    /// `:max-uri-bytes`
    pub max_uri_bytes: usize,
    /// `:max-header-count`
    pub max_header_count: usize,
    /// `:max-connections`
    pub max_connections: u64,
    /// `:max-exchanges`
    pub max_exchanges: u64,
    /// `:max-pending-request-bytes`
    pub max_pending_request_bytes: u64,
    /// `:max-pending-response-bytes`
    pub max_pending_response_bytes: u64,
    /// `:max-requests-per-connection`
    pub max_requests_per_connection: u64,
    /// `:server-header`
    pub server_header: Option<HeaderValue>,
    /// `:header-read-timeout-ms`
    pub header_read_timeout_ms: u64,
    /// `:min-body-bytes-per-second`
    pub min_body_bytes_per_second: u64,
    /// `:body-rate-grace-ms`
    pub body_rate_grace_ms: u64,
    /// `:keep-alive-timeout-ms`
    pub keep_alive_timeout_ms: u64,
    /// `:response-write-timeout-ms`
    pub response_write_timeout_ms: u64,
    /// `:reuse-port?`
    pub reuse_port: bool,
    /// Whether the fault triggers of the boundary tests are armed (see `hinny-server`, `service`). No user option.
    pub test_faults: bool,
    /// Whether the clock stands still until a test turns it (see `hinny-server`, `clock`). No user option.
    pub test_clock: bool,
}

/// Why options were refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OptionError(pub String);

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OptionError {}

impl Options {
    /// Reads `name NUL value NUL …`, UTF-8. An absent option has its default; `event-loops` must be present, since
    /// only the JVM knows how many processors it may use.
    ///
    /// # Errors
    /// An [`OptionError`] that names the option and its range.
    pub fn decode(encoded: &[u8]) -> Result<Self, OptionError> {
        let text = std::str::from_utf8(encoded).map_err(|e| OptionError(format!("options are not UTF-8: {e}")))?;
        let mut given: Vec<(&str, &str)> = Vec::new();
        let mut words = text.split_terminator('\0');
        while let Some(name) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| OptionError(format!("option {name} has no value")))?;
            given.push((name, value));
        }
        if let Some((name, _)) = given
            .iter()
            .find(|(name, _)| !TEST_SWITCHES.contains(name) && spec(name).is_none())
        {
            return Err(OptionError(format!("unknown option :{name}")));
        }
        let source = Source { given };
        let server_header = match source.text("server-header")? {
            "" => None,
            text => Some(HeaderValue::from_str(text).map_err(|_| {
                OptionError(":server-header must be a header value: visible ASCII characters and spaces".into())
            })?),
        };
        Ok(Self {
            host: source.text("host")?.to_owned(),
            port: source.number("port")?,
            event_loops: source.number("event-loops")?,
            route: RouteOptions::read(&source)?,
            fast_lane: source.text("http1-engine")? == "auto",
            exchange_buffer_bytes: source.number("exchange-buffer-bytes")?,
            body_buffer_bytes: source.number("body-buffer-bytes")?,
            max_unread_body_bytes: source.number("max-unread-body-bytes")?,
            max_head_bytes: source.number("max-head-bytes")?,
            max_uri_bytes: source.number("max-uri-bytes")?,
            max_header_count: source.number("max-header-count")?,
            max_connections: source.number("max-connections")?,
            max_exchanges: source.number("max-exchanges")?,
            max_pending_request_bytes: source.number("max-pending-request-bytes")?,
            max_pending_response_bytes: source.number("max-pending-response-bytes")?,
            max_requests_per_connection: source.number("max-requests-per-connection")?,
            server_header,
            header_read_timeout_ms: source.number("header-read-timeout-ms")?,
            min_body_bytes_per_second: source.number("min-body-bytes-per-second")?,
            body_rate_grace_ms: source.number("body-rate-grace-ms")?,
            keep_alive_timeout_ms: source.number("keep-alive-timeout-ms")?,
            response_write_timeout_ms: source.number("response-write-timeout-ms")?,
            reuse_port: source.boolean("reuse-port?")?,
            test_faults: source.given.contains(&(TEST_FAULTS, "true")),
            test_clock: source.given.contains(&(TEST_CLOCK, "true")),
        })
    }
}

/// What stands for a part of the heap where there is none: in benches and fuzzing.
const HEAP_PART_BYTES: u64 = 64 << 20;

/// Arms the fault triggers, and gives a server a clock that a test turns; sent only when the JVM runs with the tests' system
/// properties.
const TEST_FAULTS: &str = "test-faults";
const TEST_CLOCK: &str = "test-clock";
const TEST_SWITCHES: [&str; 2] = [TEST_FAULTS, TEST_CLOCK];

/// Options as they were given; those that were not have their defaults.
struct Source<'a> {
    given: Vec<(&'a str, &'a str)>,
}

impl<'a> Source<'a> {
    fn text(&self, name: &str) -> Result<&'a str, OptionError> {
        if let Some((_, value)) = self.given.iter().find(|(given, _)| *given == name) {
            return Ok(value);
        }
        match spec(name).map(|spec| &spec.default) {
            Some(OptionDefault::Text(text) | OptionDefault::Keyword(text)) => Ok(text),
            Some(OptionDefault::NoKeywords) => Ok(""),
            _ => Err(OptionError(format!("option :{name} is missing"))),
        }
    }

    fn boolean(&self, name: &str) -> Result<bool, OptionError> {
        match (self.given.iter().find(|(given, _)| *given == name), spec(name)) {
            (Some((_, "true")), _) => Ok(true),
            (Some((_, "false")), _) => Ok(false),
            (
                None,
                Some(OptionSpec {
                    default: OptionDefault::Boolean(value),
                    ..
                }),
            ) => Ok(*value),
            _ => Err(OptionError(format!(":{name} must be true or false"))),
        }
    }

    fn number<T: TryFrom<u64>>(&self, name: &str) -> Result<T, OptionError> {
        let given = self.given.iter().find(|(given, _)| *given == name);
        let (min, max, default) = match spec(name) {
            Some(OptionSpec {
                kind: OptionKind::Integer { min, max },
                default,
                ..
            }) => (*min, *max, default),
            _ => return Err(OptionError(format!("option :{name} is not a number"))),
        };
        let value = match (given, default) {
            (Some((_, text)), _) => text.parse().ok(),
            (None, OptionDefault::Integer(value)) => Some(*value),
            (None, OptionDefault::HeapPart(_)) => Some(HEAP_PART_BYTES),
            (None, _) => return Err(OptionError(format!("option :{name} is missing"))),
        };
        value
            .filter(|value| (min..=max).contains(value))
            .and_then(|value| T::try_from(value).ok())
            .ok_or_else(|| OptionError(format!(":{name} must be an integer from {min} to {max}")))
    }
}

fn spec(name: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|spec| spec.name == name)
}

/// The table as an EDN vector of maps, for Clojure.
///
/// Each map has `:name :type :default :doc :route?`, and where they apply `:unit :min :max :choices`. `:type` is `:boolean`,
/// `:integer`, `:integer-or-keyword`, `:keyword`, `:keyword-set`, `:string`, `:optional-string`, `:data` or `:function`; the default `:cores` is the number of processors,
/// `[:heap n]` the largest heap in bytes divided by n.
#[must_use]
pub fn table_edn() -> String {
    let mut edn = String::from("[");
    for spec in OPTIONS {
        let type_name = match spec.kind {
            OptionKind::Integer { .. } => "integer",
            OptionKind::IntegerOr { .. } => "integer-or-keyword",
            OptionKind::Boolean => "boolean",
            OptionKind::Keyword(_) => "keyword",
            OptionKind::KeywordSet(_) => "keyword-set",
            OptionKind::Text => "string",
            OptionKind::OptionalText => "optional-string",
            OptionKind::Data => "data",
            OptionKind::Function => "function",
        };
        // Writing to a String cannot fail.
        let _ = write!(
            edn,
            "{{:name :{} :type :{type_name} :unit {:?} :doc {:?} :route? {}",
            spec.name,
            spec.unit,
            spec.doc,
            ROUTE_OPTIONS.contains(&spec.name)
        );
        if let OptionKind::Integer { min, max } | OptionKind::IntegerOr { min, max, .. } = spec.kind {
            let _ = write!(edn, " :min {min} :max {max}");
        }
        if let OptionKind::Keyword(keywords)
        | OptionKind::KeywordSet(keywords)
        | OptionKind::IntegerOr { keywords, .. } = spec.kind
        {
            let _ = write!(edn, " :choices [:{}]", keywords.join(" :"));
        }
        let _ = match spec.default {
            OptionDefault::Cores => write!(edn, " :default :cores}}\n "),
            OptionDefault::HeapPart(parts) => write!(edn, " :default [:heap {parts}]}}\n "),
            OptionDefault::Boolean(value) => write!(edn, " :default {value}}}\n "),
            OptionDefault::Integer(value) => write!(edn, " :default {value}}}\n "),
            OptionDefault::Keyword(name) => write!(edn, " :default :{name}}}\n "),
            OptionDefault::NoKeywords => write!(edn, " :default #{{}}}}\n "),
            OptionDefault::Nothing => write!(edn, " :default nil}}\n "),
            OptionDefault::Text(text) => write!(edn, " :default {text:?}}}\n "),
        };
    }
    edn.push(']');
    edn
}

#[cfg(test)]
mod tests;
