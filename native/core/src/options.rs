//! The options of a server: one table with name, type, unit, default, range and meaning.
//!
//! Clojure reads [`table_edn`] at load, checks a user's options against it and sends them as one buffer, which
//! [`Options::decode`] reads and checks again. `docs/options.md` is generated from the same table.

use std::fmt::{self, Write as _};

use http::HeaderValue;

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
    /// One of some keywords.
    Keyword(&'static [&'static str]),
    /// A string that is not empty.
    Text,
    /// A string; nil or "" for none.
    OptionalText,
}

/// The value of an option that is not given.
#[derive(Debug)]
pub enum OptionDefault {
    /// The number of processors that the JVM may use.
    Cores,
    /// A number.
    Integer(u64),
    /// A keyword.
    Keyword(&'static str),
    /// A string.
    Text(&'static str),
}

const HOUR_MS: u64 = 3_600_000;

/// Every option of `hinny.server/run-server`.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "host",
        kind: OptionKind::Text,
        unit: "",
        default: OptionDefault::Text("0.0.0.0"),
        doc: "Address or host name to listen on; \"::\" listens on IPv6.",
    },
    OptionSpec {
        name: "port",
        kind: OptionKind::Integer { min: 0, max: 65_535 },
        unit: "",
        default: OptionDefault::Integer(8080),
        doc: "TCP port to listen on; 0 takes a free one, which server-port tells.",
    },
    OptionSpec {
        name: "event-loops",
        kind: OptionKind::Integer { min: 1, max: 1024 },
        unit: "threads",
        default: OptionDefault::Cores,
        doc: "Threads that do I/O, each with its own listening socket and connections.",
    },
    OptionSpec {
        name: "handler-mode",
        kind: OptionKind::Keyword(&["worker", "inline"]),
        unit: "",
        default: OptionDefault::Keyword("worker"),
        doc: "Where the handler runs: on a worker, where it may block, or inline on the event loop, where it must not.",
    },
    OptionSpec {
        name: "worker-threads",
        kind: OptionKind::IntegerOr {
            min: 1,
            max: 10_000,
            keywords: &["virtual"],
        },
        unit: "threads",
        default: OptionDefault::Integer(64),
        doc: "Most handlers that run at once in worker mode; threads are made only when work waits. :virtual runs each handler on a virtual thread of its own (JDK 21+).",
    },
    OptionSpec {
        name: "worker-queue-depth",
        kind: OptionKind::Integer { min: 1, max: 1_000_000 },
        unit: "exchanges",
        default: OptionDefault::Integer(16_384),
        doc: "Exchanges that may wait for a worker; one more is answered 503 with Retry-After. With :virtual, handlers that may be running.",
    },
    OptionSpec {
        name: "max-body-bytes",
        kind: OptionKind::Integer { min: 0, max: 1 << 30 },
        unit: "bytes",
        default: OptionDefault::Integer(8 << 20),
        doc: "Largest request body; a larger one is answered 413 and the connection closed.",
    },
    OptionSpec {
        name: "max-head-bytes",
        kind: OptionKind::Integer {
            min: 1024,
            max: 1 << 20,
        },
        unit: "bytes",
        default: OptionDefault::Integer(32 << 10),
        doc: "Largest request line with header fields; a larger one is answered 431 and the connection closed.",
    },
    OptionSpec {
        name: "server-header",
        kind: OptionKind::OptionalText,
        unit: "",
        default: OptionDefault::Text("hinny"),
        doc: "Value of the Server header field of responses that do not set their own; nil or \"\" sends none.",
    },
    OptionSpec {
        name: "header-read-timeout-ms",
        kind: OptionKind::Integer { min: 1, max: HOUR_MS },
        unit: "ms",
        default: OptionDefault::Integer(30_000),
        doc: "From the first byte of a request (of a connection: from accept) until its head is complete; then 408 and close.",
    },
    OptionSpec {
        name: "body-read-timeout-ms",
        kind: OptionKind::Integer { min: 1, max: HOUR_MS },
        unit: "ms",
        default: OptionDefault::Integer(30_000),
        doc: "From one piece of a request body until the next; then 408 and close.",
    },
    OptionSpec {
        name: "keep-alive-timeout-ms",
        kind: OptionKind::Integer { min: 1, max: HOUR_MS },
        unit: "ms",
        default: OptionDefault::Integer(75_000),
        doc: "From the end of a response until the first byte of the next request; then the connection is closed.",
    },
    OptionSpec {
        name: "drain-timeout-ms",
        kind: OptionKind::Integer { min: 0, max: HOUR_MS },
        unit: "ms",
        default: OptionDefault::Integer(30_000),
        doc: "From stop until connections whose exchange has not finished are cut.",
    },
];

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
    /// `:handler-mode` is `:inline`
    pub inline: bool,
    /// `:max-body-bytes`
    pub max_body_bytes: u64,
    /// `:max-head-bytes`
    pub max_head_bytes: usize,
    /// `:server-header`
    pub server_header: Option<HeaderValue>,
    /// `:header-read-timeout-ms`
    pub header_read_timeout_ms: u64,
    /// `:body-read-timeout-ms`
    pub body_read_timeout_ms: u64,
    /// `:keep-alive-timeout-ms`
    pub keep_alive_timeout_ms: u64,
    /// Whether the fault triggers of the boundary tests are armed (see `hinny-server`, `service`). No user option.
    pub test_faults: bool,
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
            .find(|(name, _)| *name != TEST_FAULTS && spec(name).is_none())
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
            inline: source.text("handler-mode")? == "inline",
            max_body_bytes: source.number("max-body-bytes")?,
            max_head_bytes: source.number("max-head-bytes")?,
            server_header,
            header_read_timeout_ms: source.number("header-read-timeout-ms")?,
            body_read_timeout_ms: source.number("body-read-timeout-ms")?,
            keep_alive_timeout_ms: source.number("keep-alive-timeout-ms")?,
            test_faults: source.given.contains(&(TEST_FAULTS, "true")),
        })
    }
}

/// Arms the fault triggers; sent only when the JVM runs with the tests' system property.
const TEST_FAULTS: &str = "test-faults";

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
            _ => Err(OptionError(format!("option :{name} is missing"))),
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
/// Each map has `:name :type :default :doc`, and where they apply `:unit :min :max :choices`. `:type` is `:integer`,
/// `:integer-or-keyword`, `:keyword`, `:string` or `:optional-string`; the default `:cores` is the number of processors.
#[must_use]
pub fn table_edn() -> String {
    let mut edn = String::from("[");
    for spec in OPTIONS {
        let type_name = match spec.kind {
            OptionKind::Integer { .. } => "integer",
            OptionKind::IntegerOr { .. } => "integer-or-keyword",
            OptionKind::Keyword(_) => "keyword",
            OptionKind::Text => "string",
            OptionKind::OptionalText => "optional-string",
        };
        // Writing to a String cannot fail.
        let _ = write!(
            edn,
            "{{:name :{} :type :{type_name} :unit {:?} :doc {:?}",
            spec.name, spec.unit, spec.doc
        );
        if let OptionKind::Integer { min, max } | OptionKind::IntegerOr { min, max, .. } = spec.kind {
            let _ = write!(edn, " :min {min} :max {max}");
        }
        if let OptionKind::Keyword(keywords) | OptionKind::IntegerOr { keywords, .. } = spec.kind {
            let _ = write!(edn, " :choices [:{}]", keywords.join(" :"));
        }
        let _ = match spec.default {
            OptionDefault::Cores => write!(edn, " :default :cores}}\n "),
            OptionDefault::Integer(value) => write!(edn, " :default {value}}}\n "),
            OptionDefault::Keyword(name) => write!(edn, " :default :{name}}}\n "),
            OptionDefault::Text(text) => write!(edn, " :default {text:?}}}\n "),
        };
    }
    edn.push(']');
    edn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(pairs: &[(&str, &str)]) -> Result<Options, OptionError> {
        let mut text = String::from("event-loops\x002\0");
        for (name, value) in pairs {
            text.push_str(&format!("{name}\0{value}\0"));
        }
        Options::decode(text.as_bytes())
    }

    #[test]
    fn absent_options_have_the_defaults_of_the_table() {
        let options = decode(&[]).unwrap();
        assert_eq!(options.host, "0.0.0.0");
        assert_eq!(options.port, 8080);
        assert_eq!(options.max_body_bytes, 8 << 20);
        assert_eq!(options.server_header.unwrap(), "hinny");
        assert!(!options.inline);
    }

    #[test]
    fn given_options_win() {
        let options = decode(&[("port", "0"), ("server-header", ""), ("handler-mode", "inline")]).unwrap();
        assert_eq!(options.port, 0);
        assert_eq!(options.server_header, None);
        assert!(options.inline);
    }

    #[test]
    fn values_out_of_range_are_refused_with_the_range() {
        let table = [
            ("port", "65536", ":port must be an integer from 0 to 65535"),
            ("port", "x", ":port must be an integer from 0 to 65535"),
            (
                "max-head-bytes",
                "1023",
                ":max-head-bytes must be an integer from 1024 to 1048576",
            ),
        ];
        for (name, value, message) in table {
            assert_eq!(decode(&[(name, value)]).unwrap_err().0, message);
        }
    }

    #[test]
    fn unknown_names_and_bad_header_values_are_refused() {
        assert_eq!(decode(&[("prot", "1")]).unwrap_err().0, "unknown option :prot");
        assert!(decode(&[("server-header", "a\r\nb")]).is_err());
    }

    #[test]
    fn every_default_lies_in_its_range() {
        for spec in OPTIONS {
            if let (
                OptionKind::Integer { min, max } | OptionKind::IntegerOr { min, max, .. },
                OptionDefault::Integer(value),
            ) = (&spec.kind, &spec.default)
            {
                assert!((min..=max).contains(&value), "{}", spec.name);
            }
            if let (OptionKind::Keyword(keywords), OptionDefault::Keyword(value)) = (&spec.kind, &spec.default) {
                assert!(keywords.contains(value), "{}", spec.name);
            }
        }
    }

    #[test]
    fn the_edn_table_names_every_option() {
        let edn = table_edn();
        for spec in OPTIONS {
            assert!(edn.contains(&format!(":name :{} ", spec.name)));
        }
        assert!(edn.contains(":default :cores}"));
    }
}
