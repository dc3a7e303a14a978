//! The options that a route may have another value of than its server.

use super::{OptionError, Source};

/// Their names in the table.
pub const ROUTE_OPTIONS: &[&str] = &[
    "handler-mode",
    "parse",
    "json-keys",
    "parsed-body-bytes",
    "max-body-bytes",
    "inline-body-bytes",
    "body-read-timeout-ms",
    "handler-timeout-ms",
];

/// Their values, for requests of one route or for all that have none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RouteOptions {
    /// `:handler-mode` is `:inline` or `:async`: a response may come in the turn after its request
    pub on_loop: bool,
    /// `:parse`
    pub parse: Parse,
    /// `:parsed-body-bytes`
    pub parsed_body_bytes: u64,
    /// `:max-body-bytes`
    pub max_body_bytes: u64,
    /// `:inline-body-bytes`
    pub inline_body_bytes: u64,
    /// `:body-read-timeout-ms`
    pub body_read_timeout_ms: u64,
    /// `:handler-timeout-ms`, `None` for 0
    pub handler_timeout_ms: Option<u64>,
}

impl RouteOptions {
    /// Reads names and values; an absent option has its default.
    ///
    /// # Errors
    /// An [`OptionError`] that names the option and its range, or says that no route may set it.
    pub fn decode(given: Vec<(&str, &str)>) -> Result<Self, OptionError> {
        if let Some((name, _)) = given.iter().find(|(name, _)| !ROUTE_OPTIONS.contains(name)) {
            return Err(OptionError(format!("a route cannot set :{name}")));
        }
        Self::read(&Source { given })
    }

    pub(super) fn read(source: &Source<'_>) -> Result<Self, OptionError> {
        Ok(Self {
            on_loop: matches!(source.text("handler-mode")?, "inline" | "async"),
            parse: Parse {
                keyword_keys: source.text("json-keys")? == "keyword",
                ..Parse::decode(source.text("parse")?)?
            },
            parsed_body_bytes: source.number("parsed-body-bytes")?,
            max_body_bytes: source.number("max-body-bytes")?,
            inline_body_bytes: source.number("inline-body-bytes")?,
            body_read_timeout_ms: source.number("body-read-timeout-ms")?,
            handler_timeout_ms: Some(source.number("handler-timeout-ms")?).filter(|ms| *ms > 0),
        })
    }
}

/// What of each request is parsed before its handler has it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Parse {
    /// The query string.
    pub query: bool,
    /// A body that is an urlencoded form.
    pub form: bool,
    /// A body that is JSON.
    pub json: bool,
    /// `:json-keys` is `:keyword`: keys of JSON objects are to become keywords.
    pub keyword_keys: bool,
}

impl Parse {
    /// Whether anything is.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.query || self.form || self.json
    }

    /// Reads names with commas between them.
    fn decode(names: &str) -> Result<Self, OptionError> {
        let mut parse = Self::default();
        for name in names.split(',').filter(|name| !name.is_empty()) {
            match name {
                "query" => parse.query = true,
                "form" => parse.form = true,
                "json" => parse.json = true,
                _ => return Err(OptionError(format!(":parse does not know :{name}"))),
            }
        }
        Ok(parse)
    }
}
