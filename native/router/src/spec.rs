//! Reads a route table as Clojure encodes it.
//!
//! It is a sequence of words, each a little-endian u32 length and so many bytes, in pairs of key and value. What stands in
//! front of the first `route` is the table's: `fallback` (`true`: a handler answers what no endpoint does),
//! `trailing-slash` (`strict` or `redirect`), and the options of endpoints that do not set them. A `route` with a label for
//! messages begins an endpoint:
//!
//! | key | value |
//! |---|---|
//! | `route-number` | the route that the endpoint is a part of |
//! | `method` | a method as on the wire, repeated; none for any |
//! | `pattern` | the path, see [`crate::tree`], with parameters `p0`, `p1` … in order |
//! | `regex`, `group-count` | in its place: a regular expression, and the number of its groups |
//! | `consumes`, `produces` | a media type or range, repeated |
//! | `response` | a constant response, as a RESPONSE command |
//! | `reply` | in its place: the number of a response that the driver gives while the server runs |
//! | `files`, `files-…` | in its place: the directory with files, and how they are served ([`FilesSettings`]) |
//! | any of [`hinny_core::options::ROUTE_OPTIONS`] | as in a server's options |

use hinny_core::commands::ResponseCommand;
use hinny_core::files::FilesSettings;
use hinny_core::options::{OptionError, RouteOptions};

use crate::endpoint::{Endpoint, Source};
use crate::route_error::RouteError;

/// A table that was read and is not compiled.
#[derive(Debug, Default)]
pub(crate) struct TableSpec {
    pub(crate) fallback: bool,
    pub(crate) redirect: bool,
    pub(crate) endpoints: Vec<EndpointSpec>,
}

/// An endpoint, and where it stands.
#[derive(Debug)]
pub(crate) struct EndpointSpec {
    /// The route that it is a part of.
    pub(crate) route: u32,
    pub(crate) methods: Vec<String>,
    pub(crate) path: PathSpec,
    pub(crate) endpoint: Endpoint,
}

/// The paths that an endpoint answers.
#[derive(Debug)]
pub(crate) enum PathSpec {
    Pattern(String),
    Regex {
        source: String,
        /// The groups that it should have, whose names Java knows.
        groups: usize,
    },
}

impl TableSpec {
    /// # Errors
    /// [`RouteError`] if it is no table. What users write wrong, Clojure has found before.
    pub(crate) fn read(words: &[u8]) -> Result<Self, RouteError> {
        let mut table = Self::default();
        let mut pairs = Pairs { words };
        let mut next = pairs.next().transpose()?;
        let mut given = Vec::new();
        while let Some((key, value)) = next.filter(|(key, _)| *key != "route") {
            match (key, value) {
                ("fallback", value) => table.fallback = value == b"true",
                ("trailing-slash", b"strict") => table.redirect = false,
                ("trailing-slash", b"redirect") => table.redirect = true,
                (option, value) => given.push((option, text(value)?)),
            }
            next = pairs.next().transpose()?;
        }
        let options = RouteOptions::decode(given.clone()).map_err(|error| broken(format!("a route table: {error}")))?;
        let defaults = Defaults { given, options };
        while let Some((_, label)) = next {
            let mut own = Vec::new();
            next = pairs.next().transpose()?;
            while let Some(pair) = next.filter(|(key, _)| *key != "route") {
                own.push(pair);
                next = pairs.next().transpose()?;
            }
            let number = u32::try_from(table.endpoints.len() + 1).map_err(|_| broken("too many endpoints".into()))?;
            table
                .endpoints
                .push(EndpointSpec::read(number, text(label)?, &own, &defaults)?);
        }
        Ok(table)
    }
}

impl EndpointSpec {
    fn read(number: u32, label: &str, pairs: &[(&str, &[u8])], defaults: &Defaults<'_>) -> Result<Self, RouteError> {
        let mut route = 0;
        let mut methods = Vec::new();
        let mut path = None;
        let mut regex = None;
        let mut groups = 0;
        let mut source = Source::Handler;
        let mut consumes = Vec::new();
        let mut produces = Vec::new();
        let mut options = Vec::new();
        for (key, value) in pairs {
            match *key {
                "route-number" => route = number_of(value)?,
                "method" => methods.push(text(value)?.to_owned()),
                "pattern" => path = Some(PathSpec::Pattern(text(value)?.to_owned())),
                "regex" => regex = Some(text(value)?.to_owned()),
                "group-count" => groups = number_of(value)? as usize,
                "consumes" => consumes.push((*value).into()),
                "produces" => produces.push((*value).into()),
                "response" => {
                    let response = ResponseCommand::of(value).filter(ResponseCommand::is_whole);
                    let response =
                        response.ok_or_else(|| broken(format!("the response of {label} does not decode")))?;
                    source = Source::Response(response);
                }
                "reply" => source = Source::Reply(number_of(value)?),
                "files" => {
                    let settings = FilesSettings::decode(value, pairs);
                    source = Source::Files(Box::new(settings.map_err(|error| of_option(label, &error))?));
                }
                name if name.starts_with("files-") => {}
                option => options.push((option, text(value)?)),
            }
        }
        let options = defaults.with(options).map_err(|error| of_option(label, &error))?;
        Ok(Self {
            route,
            methods,
            path: regex
                .map(|source| PathSpec::Regex { source, groups })
                .or(path)
                .ok_or_else(|| broken(format!("{label} has no path")))?,
            endpoint: Endpoint {
                number,
                label: label.into(),
                source,
                options,
                consumes,
                produces,
            },
        })
    }
}

/// The options of a table's endpoints that do not set them.
struct Defaults<'a> {
    given: Vec<(&'a str, &'a str)>,
    options: RouteOptions,
}

impl<'a> Defaults<'a> {
    /// The options of an endpoint that sets these.
    fn with(&self, mut own: Vec<(&'a str, &'a str)>) -> Result<RouteOptions, OptionError> {
        if own.is_empty() {
            return Ok(self.options);
        }
        // Of two the first counts.
        own.extend_from_slice(&self.given);
        RouteOptions::decode(own)
    }
}

fn of_option(label: &str, error: &OptionError) -> RouteError {
    broken(format!("the route {label}: {error}"))
}

fn broken(message: String) -> RouteError {
    RouteError {
        kind: "route-invalid",
        message,
        endpoints: Vec::new(),
    }
}

fn text(word: &[u8]) -> Result<&str, RouteError> {
    str::from_utf8(word).map_err(|_| broken("a route table has a word that is not UTF-8".into()))
}

fn number_of(word: &[u8]) -> Result<u32, RouteError> {
    let number = str::from_utf8(word).ok().and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| broken("a route table has a word that is no number".into()))
}

/// Keys and values.
struct Pairs<'a> {
    words: &'a [u8],
}

impl<'a> Pairs<'a> {
    fn word(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.words.split_first_chunk()?;
        let (word, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        self.words = rest;
        Some(word)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<(&'a str, &'a [u8]), RouteError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.words.is_empty() {
            return None;
        }
        let (Some(key), Some(value)) = (self.word(), self.word()) else {
            self.words = &[];
            return Some(Err(broken("a route table breaks off".into())));
        };
        Some(text(key).map(|key| (key, value)))
    }
}
