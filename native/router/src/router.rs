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
use hinny_core::status::ErrorFormat;
use hinny_core::{names, status};
use http::StatusCode;
use regex::Regex;

use crate::endpoint::Endpoint;
use crate::method::{GET, HEAD, Method, OPTIONS, allow};
use crate::params::Params;
use crate::places::{Claim, Places};
use crate::tree::Tree;

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
    /// All paths, whichever method has an endpoint there.
    pub(crate) paths: Tree,
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

/// What becomes of a request; `P` are the parameters of its path, if they are not elsewhere.
#[derive(Debug)]
pub enum Found<'r, P = ()> {
    /// An endpoint answers it.
    Endpoint(&'r Endpoint, P),
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
    pub fn find<'p, T: AsRef<[u8]> + ?Sized>(
        &self,
        method: Method<'_>,
        path: &'p T,
        query: Option<&[u8]>,
        asked: Option<&Asked<'_>>,
    ) -> Found<'_, Params<'p>> {
        let mut params = Params::default();
        match self.find_into(&mut params, method, path.as_ref(), query, asked) {
            Found::Endpoint(endpoint, ()) => Found::Endpoint(endpoint, params),
            Found::Fallback => Found::Fallback,
            Found::Refused(kind) => Found::Refused(kind),
            Found::Answered(response) => Found::Answered(response),
            Found::Unsure => Found::Unsure,
        }
    }

    /// [`Self::find`], which puts the parameters of a path that an endpoint answers into `params`; it must be empty.
    #[inline]
    pub fn find_into<'p>(
        &self,
        params: &mut Params<'p>,
        method: Method<'_>,
        path: &'p [u8],
        query: Option<&[u8]>,
        asked: Option<&Asked<'_>>,
    ) -> Found<'_> {
        match self.places(method).and_then(|places| places.find(path, params)) {
            Some(place) => self.choose(place.iter().map(|candidate| candidate.endpoint), asked),
            None => self.find_elsewhere(params, method, path, query, asked),
        }
    }

    /// No path of the method's table is this one.
    #[inline(never)]
    fn find_elsewhere<'p>(
        &self,
        params: &mut Params<'p>,
        method: Method<'_>,
        path: &'p [u8],
        query: Option<&[u8]>,
        asked: Option<&Asked<'_>>,
    ) -> Found<'_> {
        self.find_regex(params, method, path, asked)
            .unwrap_or_else(|| self.missed(method, path, query))
    }

    /// The first endpoint for a path, whatever content it is about.
    #[must_use]
    pub fn first<'p>(&self, method: Method<'_>, path: &'p [u8]) -> Option<(&Endpoint, Params<'p>)> {
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
    #[inline]
    fn choose(&self, at_path: impl Iterator<Item = usize>, asked: Option<&Asked<'_>>) -> Found<'_> {
        let mut refused = Kind::UnsupportedMediaType;
        for endpoint in at_path.map(|n| &self.endpoints[n]) {
            if !endpoint.is_choosy() {
                return Found::Endpoint(endpoint, ());
            }
            let Some(asked) = asked else {
                return Found::Unsure;
            };
            if endpoint.takes(asked.has_body, asked.content_type) {
                if endpoint.makes(asked.accept) {
                    return Found::Endpoint(endpoint, ());
                }
                refused = Kind::NotAcceptable;
            }
        }
        Found::Refused(refused)
    }

    fn find_regex<'p>(
        &self,
        params: &mut Params<'p>,
        method: Method<'_>,
        path: &'p [u8],
        asked: Option<&Asked<'_>>,
    ) -> Option<Found<'_>> {
        let name = method.name();
        let mut refused = None;
        for place in self.regexes.iter().filter(|place| place.answers(name, path)) {
            match self.choose(std::iter::once(place.endpoint), asked) {
                Found::Refused(kind) => refused = refused.or(Some(Found::Refused(kind))),
                found => {
                    *params = place.params(path);
                    return Some(found);
                }
            }
        }
        refused
    }

    /// No endpoint answers the method at this path.
    fn missed(&self, method: Method<'_>, path: &[u8], query: Option<&[u8]>) -> Found<'_> {
        if self.redirect
            && let Some(location) = self.other_spelling(method, path)
        {
            return Found::Answered(redirect(method, location, query));
        }
        if self.fallback {
            return Found::Fallback;
        }
        let answered = self.methods_at(path);
        if answered.is_empty() {
            Found::Refused(Kind::RouteNotFound)
        } else {
            Found::Answered(not_allowed(method, &allow(answered)))
        }
    }

    /// The methods that have an endpoint at a path; at `*`, which is the server as a whole, all that have one anywhere.
    fn methods_at(&self, path: &[u8]) -> Vec<&str> {
        let is_server = path == b"*";
        let mut methods = Vec::new();
        if is_server || self.has_path(path) {
            methods.reserve(self.tables.len() + 2);
            let tables = self.tables.iter().filter(|(_, places)| is_server || places.has(path));
            methods.extend(tables.map(|(method, _)| method.as_str()));
        }
        let regexes = self.regexes.iter().filter(|place| is_server || place.is_match(path));
        methods.extend(regexes.flat_map(|place| place.methods.iter().map(String::as_str)));
        methods
    }

    /// Whether an endpoint answers some method at a path that is not a regular expression's.
    fn has_path(&self, path: &[u8]) -> bool {
        self.paths.find(path, &mut Params::default()).is_some()
    }

    /// The path with or without a slash at its end, if an endpoint answers that. Where it begins with two slashes a client
    /// would take it for another server's (RFC 3986 §4.2).
    fn other_spelling(&self, method: Method<'_>, path: &[u8]) -> Option<Vec<u8>> {
        if path.starts_with(b"//") || path == b"/" || path == b"*" {
            return None;
        }
        let other = path
            .strip_suffix(b"/")
            .map_or_else(|| [path, b"/"].concat(), <[u8]>::to_vec);
        self.first(method, &other).is_some().then_some(other)
    }
}

impl RegexPlace {
    fn answers(&self, method: &str, path: &[u8]) -> bool {
        Claim::of(&self.methods, method).is_some() && self.is_match(path)
    }

    fn is_match(&self, path: &[u8]) -> bool {
        self.regex.is_match(text(path))
    }

    fn params<'p>(&self, path: &'p [u8]) -> Params<'p> {
        let mut params = Params::default();
        let groups = self.regex.captures(text(path));
        for group in groups.iter().flat_map(|groups| groups.iter().skip(1)) {
            params.push(group.map(|group| group.as_str().as_bytes()));
        }
        params
    }
}

/// A path as text. It is ASCII.
fn text(path: &[u8]) -> &str {
    str::from_utf8(path).unwrap_or_default()
}

/// 204 to OPTIONS, 405 to another method; both say which methods there are (RFC 9110 §9.3.7, §15.5.6).
fn not_allowed(method: Method<'_>, allow: &str) -> ResponseCommand<Bytes> {
    let allow = (names::ALLOW, allow.as_bytes());
    match status::answer(Kind::MethodNotAllowed).filter(|_| method.id != OPTIONS) {
        Some(answer) => {
            let (content_type, body) = answer.content(ErrorFormat::Usual);
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
fn redirect(method: Method<'_>, mut location: Vec<u8>, query: Option<&[u8]>) -> ResponseCommand<Bytes> {
    let status = if matches!(method.id, GET | HEAD) {
        StatusCode::MOVED_PERMANENTLY
    } else {
        StatusCode::PERMANENT_REDIRECT
    };
    if let Some(query) = query {
        location.push(b'?');
        location.extend_from_slice(query);
    }
    ResponseCommand::of_core(status, &[(names::LOCATION, &location)], b"")
}
