//! Route tables for the benchmarks, as Clojure encodes them.

use std::sync::Arc;

use bytes::BytesMut;
use hinny_server::RouteTable;

use crate::write_response;

/// A path with two parameters; the table of [`Table::of_site`] has a handler behind it.
pub const PARAMS_REQUEST: &[u8] = b"GET /users/4711/orders/17 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

/// A path whose response is constant.
pub const CONSTANT_REQUEST: &[u8] = b"GET /constant HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

/// A path that no route has.
pub const MISSING_REQUEST: &[u8] = b"GET /no-such-path HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

/// A table while it is written.
#[derive(Clone, Debug, Default)]
pub struct Table {
    words: Vec<u8>,
    routes: usize,
}

impl Table {
    /// A route for each of the [`crate::REQUEST`], [`PARAMS_REQUEST`] and [`CONSTANT_REQUEST`]; handlers run in this mode.
    #[must_use]
    pub fn of_site(handler_mode: &str) -> Self {
        let mut command = BytesMut::new();
        write_response(&mut command, &[0; 8]);
        let mode = ("handler-mode", handler_mode.as_bytes());
        Self::default()
            .route("GET", "/plaintext", &[mode])
            .route("GET", "/users/{p0}/orders/{p1}", &[mode])
            .route("GET", "/constant", &[("response", &command)])
    }

    /// So many routes as a large service has, four for each resource; `GET /v1/r{n}`, `POST /v1/r{n}`,
    /// `GET /v1/r{n}/{p0}` and `GET /v1/r{n}/{p0}/parts/{p1}`.
    #[must_use]
    pub fn of_routes(count: usize) -> Self {
        (0..count).fold(Self::default(), |table, number| {
            let resource = number / 4;
            match number % 4 {
                0 => table.route("GET", &format!("/v1/r{resource}"), &[]),
                1 => table.route("POST", &format!("/v1/r{resource}"), &[]),
                2 => table.route("GET", &format!("/v1/r{resource}/{{p0}}"), &[]),
                _ => table.route("GET", &format!("/v1/r{resource}/{{p0}}/parts/{{p1}}"), &[]),
            }
        })
    }

    /// Adds a route with one endpoint; `more` are pairs of its own.
    #[must_use]
    pub fn route(mut self, method: &str, pattern: &str, more: &[(&str, &[u8])]) -> Self {
        self.routes += 1;
        self.pair("route", format!("{method} {pattern}").as_bytes());
        self.pair("route-number", self.routes.to_string().as_bytes());
        self.pair("method", method.as_bytes());
        self.pair("pattern", pattern.as_bytes());
        for (key, value) in more {
            self.pair(key, value);
        }
        self
    }

    fn pair(&mut self, key: &str, value: &[u8]) {
        for word in [key.as_bytes(), value] {
            self.words.extend_from_slice(&(word.len() as u32).to_le_bytes());
            self.words.extend_from_slice(word);
        }
    }

    /// The table's bytes.
    #[must_use]
    pub fn words(&self) -> &[u8] {
        &self.words
    }

    /// # Errors
    /// What is wrong with the table.
    pub fn compile(&self) -> Result<Arc<RouteTable>, String> {
        RouteTable::compile(&self.words)
            .map(Arc::new)
            .map_err(|error| error.to_string())
    }
}
