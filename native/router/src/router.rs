//! Finds the endpoint of a request.
//!
//! # Invariants
//! - Of the endpoints at a path, those that do not answer its method do not count: `GET /a/{x}` answers `GET /a/b` beside
//!   `POST /a/b`.
//! - A segment that is text wins over a parameter, and a path over a regular expression; of these the first wins.
//! - Paths are compared as they are sent, in the one spelling that all spellings of a path have
//!   ([`hinny_codec::target::normalized`]); an escaped slash ends no segment.

use bytes::Bytes;
use hinny_core::commands::ResponseCommand;
use hinny_core::error::Kind;
use hinny_core::{names, status};
use http::StatusCode;
use regex::Regex;

use crate::compile::claim;
use crate::endpoint::Endpoint;
use crate::method::{GET, HEAD, Method, OPTIONS, allow};
use crate::params::Params;
use crate::places::Places;

/// A compiled route table. Immutable.
#[derive(Debug, Default)]
pub struct Router {
    pub(crate) endpoints: Vec<Endpoint>,
    /// For each method that an endpoint names.
    pub(crate) tables: Vec<(String, Places)>,
    /// Of a listed method its table, from 1; 0 for none.
    pub(crate) by_id: [u8; names::METHODS.len() + 1],
    /// For every other method, if there are endpoints that answer those.
    pub(crate) others: Option<Places>,
    pub(crate) regexes: Vec<RegexPlace>,
    pub(crate) fallback: bool,
    pub(crate) redirect: bool,
}

/// An endpoint at the paths of a regular expression.
#[derive(Debug)]
pub(crate) struct RegexPlace {
    pub(crate) regex: Regex,
    pub(crate) methods: Vec<String>,
    pub(crate) endpoint: usize,
}

/// What a request says about content.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// It has a body.
    pub has_body: bool,
    /// Value of Content-Type.
    pub content_type: Option<&'a [u8]>,
    /// Values of Accept, joined by commas.
    pub accept: Option<&'a [u8]>,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Found<'r, 'p> {
    /// An endpoint answers it.
    Endpoint(&'r Endpoint, Params<'p>),
    /// The server's own handler answers it.
    Fallback,
    /// The core answers with this error.
    Refused(Kind),
    /// The core answers with this response.
    Answered(ResponseCommand<Bytes>),
    /// That depends on what it says about content.
    Unsure,
}

impl Router {
    pub(crate) fn add_table(&mut self, method: &str) {
        self.tables.push((method.to_owned(), Places::default()));
        let id = usize::from(Method::of(method).id);
        if id != 0 {
            self.by_id[id] = u8::try_from(self.tables.len()).unwrap_or(0);
        }
    }

    /// The endpoints in order.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// What becomes of a request. The path is normal ([`hinny_codec::target::normalized`]), or `*`; without `asked` it may
    /// be too early to say.
    #[must_use]
    pub fn find<'p>(
        &self,
        method: Method<'_>,
        path: &'p str,
        query: Option<&[u8]>,
        asked: Option<&Asked<'_>>,
    ) -> Found<'_, 'p> {
        let mut params = Params::default();
        if let Some(place) = self.places(method).and_then(|places| places.find(path, &mut params)) {
            return match self.choose(place.iter().map(|candidate| candidate.endpoint), asked) {
                Choice::Endpoint(endpoint) => Found::Endpoint(endpoint, params),
                Choice::Refused(kind) => Found::Refused(kind),
                Choice::Unsure => Found::Unsure,
            };
        }
        self.find_regex(method, path, asked)
            .unwrap_or_else(|| self.missed(method, path, query))
    }

    /// The first endpoint for a path, whatever content it is about.
    #[must_use]
    pub fn first<'p>(&self, method: Method<'_>, path: &'p str) -> Option<(&Endpoint, Params<'p>)> {
        let mut params = Params::default();
        if let Some(place) = self.places(method).and_then(|places| places.find(path, &mut params)) {
            return Some((&self.endpoints[place.first()?.endpoint], params));
        }
        let place = self.regexes.iter().find(|place| place.answers(method.name(), path))?;
        Some((&self.endpoints[place.endpoint], place.params(path)))
    }

    fn places(&self, method: Method<'_>) -> Option<&Places> {
        let own = match method.id {
            0 => self.tables.iter().find(|(name, _)| name == method.text),
            id => self
                .tables
                .get(usize::from(self.by_id[usize::from(id)]).wrapping_sub(1)),
        };
        own.map(|(_, places)| places).or(self.others.as_ref())
    }

    /// The first of some endpoints at one path whose content fits.
    fn choose(&self, at_path: impl Iterator<Item = usize>, asked: Option<&Asked<'_>>) -> Choice<'_> {
        let mut refused = Kind::UnsupportedMediaType;
        for endpoint in at_path.map(|n| &self.endpoints[n]) {
            if !endpoint.is_choosy() {
                return Choice::Endpoint(endpoint);
            }
            let Some(asked) = asked else {
                return Choice::Unsure;
            };
            if endpoint.takes(asked.has_body, asked.content_type) {
                if endpoint.makes(asked.accept) {
                    return Choice::Endpoint(endpoint);
                }
                refused = Kind::NotAcceptable;
            }
        }
        Choice::Refused(refused)
    }

    fn find_regex<'p>(&self, method: Method<'_>, path: &'p str, asked: Option<&Asked<'_>>) -> Option<Found<'_, 'p>> {
        let name = method.name();
        let mut refused = None;
        for place in self.regexes.iter().filter(|place| place.answers(name, path)) {
            match self.choose(std::iter::once(place.endpoint), asked) {
                Choice::Endpoint(endpoint) => return Some(Found::Endpoint(endpoint, place.params(path))),
                Choice::Refused(kind) => refused = refused.or(Some(Found::Refused(kind))),
                Choice::Unsure => return Some(Found::Unsure),
            }
        }
        refused
    }

    /// No endpoint answers the method at this path.
    fn missed<'p>(&self, method: Method<'_>, path: &'p str, query: Option<&[u8]>) -> Found<'_, 'p> {
        if self.redirect
            && let Some(location) = self.other_spelling(method, path)
        {
            return Found::Answered(redirect(method, &location, query));
        }
        if self.fallback {
            return Found::Fallback;
        }
        let answered = self.methods_at(path);
        if answered.is_empty() {
            Found::Refused(Kind::RouteNotFound)
        } else {
            Found::Answered(not_allowed(method, &allow(answered.into_iter())))
        }
    }

    /// The methods that have an endpoint at a path; at `*`, which is the server as a whole, all that have one anywhere.
    fn methods_at(&self, path: &str) -> Vec<&str> {
        let tables = self.tables.iter().filter(|(_, places)| path == "*" || places.has(path));
        let regexes = self
            .regexes
            .iter()
            .filter(|place| path == "*" || place.regex.is_match(path));
        tables
            .map(|(method, _)| method.as_str())
            .chain(regexes.flat_map(|place| place.methods.iter().map(String::as_str)))
            .collect()
    }

    /// The path with or without a slash at its end, if an endpoint answers that. Where it begins with two slashes a client
    /// would take it for another server's (RFC 3986 §4.2).
    fn other_spelling(&self, method: Method<'_>, path: &str) -> Option<String> {
        if path.starts_with("//") || path == "/" || path == "*" {
            return None;
        }
        let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
        self.first(method, &other).is_some().then_some(other)
    }
}

enum Choice<'r> {
    Endpoint(&'r Endpoint),
    Refused(Kind),
    Unsure,
}

impl RegexPlace {
    fn answers(&self, method: &str, path: &str) -> bool {
        claim(&self.methods, method).is_some() && self.regex.is_match(path)
    }

    fn params<'p>(&self, path: &'p str) -> Params<'p> {
        let mut params = Params::default();
        let groups = self.regex.captures(path);
        for group in groups.iter().flat_map(|groups| groups.iter().skip(1)) {
            params.push(group.map(|group| group.as_str()));
        }
        params
    }
}

/// 204 to OPTIONS, 405 to another method; both say which methods there are (RFC 9110 §9.3.7, §15.5.6).
fn not_allowed(method: Method<'_>, allow: &str) -> ResponseCommand<Bytes> {
    let allow = (names::ALLOW, allow.as_bytes());
    match status::answer(Kind::MethodNotAllowed).filter(|_| method.id != OPTIONS) {
        Some(answer) => {
            let (content_type, body) = answer.content();
            ResponseCommand::of_core(
                answer.status,
                &[(names::CONTENT_TYPE, content_type.as_bytes()), allow],
                &body,
            )
        }
        None => ResponseCommand::of_core(StatusCode::NO_CONTENT, &[allow], b""),
    }
}

/// For good, and with the same method (RFC 9110 §15.4.9); old clients know the other status, which does for safe methods.
fn redirect(method: Method<'_>, path: &str, query: Option<&[u8]>) -> ResponseCommand<Bytes> {
    let status = if matches!(method.id, GET | HEAD) {
        StatusCode::MOVED_PERMANENTLY
    } else {
        StatusCode::PERMANENT_REDIRECT
    };
    let mut location = path.as_bytes().to_vec();
    if let Some(query) = query {
        location.push(b'?');
        location.extend_from_slice(query);
    }
    ResponseCommand::of_core(status, &[(names::LOCATION, &location)], b"")
}
