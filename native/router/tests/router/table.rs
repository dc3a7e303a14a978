//! What the tests write route tables with.

use hinny_router::{RouteError, Router};

/// A table as Clojure encodes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    bytes: Vec<u8>,
    routes: u32,
}

impl Table {
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        let mut table = Self::default();
        for (key, value) in settings {
            table.pair(key, value.as_bytes());
        }
        table
    }

    /// Adds a route with one endpoint. `methods` have spaces between them, `more` are other pairs.
    pub(crate) fn route(self, methods: &str, pattern: &str, more: &[(&str, &str)]) -> Self {
        let next = self.routes + 1;
        self.endpoint(next, methods, pattern, more)
    }

    /// Adds an endpoint to a route. A pattern that does not begin with a slash is a regular expression.
    pub(crate) fn endpoint(mut self, route: u32, methods: &str, pattern: &str, more: &[(&str, &str)]) -> Self {
        self.routes = self.routes.max(route);
        self.pair("route", format!("{methods} {pattern}").trim().as_bytes());
        self.pair("route-number", route.to_string().as_bytes());
        for method in methods.split_whitespace() {
            self.pair("method", method.as_bytes());
        }
        let key = if pattern.starts_with('/') { "pattern" } else { "regex" };
        self.pair(key, pattern.as_bytes());
        if key == "regex" {
            let is_group = |at: &usize| pattern[at + 1..].starts_with("?P<") || !pattern[at + 1..].starts_with('?');
            let groups = pattern.match_indices('(').map(|(at, _)| at).filter(is_group).count();
            self.pair("group-count", groups.to_string().as_bytes());
        }
        for (key, value) in more {
            self.pair(key, value.as_bytes());
        }
        self
    }

    pub(crate) fn pair(&mut self, key: &str, value: &[u8]) {
        for word in [key.as_bytes(), value] {
            self.bytes.extend_from_slice(&(word.len() as u32).to_le_bytes());
            self.bytes.extend_from_slice(word);
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn compile(&self) -> Result<Router, RouteError> {
        Router::compile(&self.bytes)
    }
}
