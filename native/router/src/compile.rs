//! Makes a router of a table's endpoints, or says what is wrong with them.

use regex::Regex;

use crate::endpoint::Endpoint;
use crate::places::{Candidate, Claim, Clash, Places};
use crate::route_error::RouteError;
use crate::router::{RegexPlace, Router};
use crate::spec::{PathSpec, TableSpec};

impl Router {
    /// Compiles a table as Clojure encodes it, see [`crate::spec`].
    ///
    /// # Errors
    /// [`RouteError`]: two endpoints would answer the same requests, a pattern is none, or the bytes are no table.
    pub fn compile(words: &[u8]) -> Result<Self, RouteError> {
        let spec = TableSpec::read(words)?;
        let (placed, endpoints): (Vec<_>, Vec<_>) = spec
            .endpoints
            .into_iter()
            .map(|one| ((one.route, one.methods, one.path), one.endpoint))
            .unzip();
        let methods = named_methods(placed.iter().map(|(_, methods, _)| methods));
        let has_any = placed.iter().any(|(_, methods, _)| methods.is_empty());
        let mut router = Self {
            fallback: spec.fallback,
            redirect: spec.redirect,
            ..Self::default()
        };
        for method in &methods {
            router.add_table(method);
        }
        if has_any {
            router.others = Some(Places::default());
        }
        for (endpoint, (route, methods, path)) in placed.iter().enumerate() {
            match path {
                PathSpec::Pattern(pattern) => router.place(pattern, endpoint, *route, methods, &endpoints)?,
                PathSpec::Regex { source, groups } => router.regexes.push(RegexPlace {
                    regex: regex(source, *groups, &endpoints[endpoint])?,
                    methods: methods.clone(),
                    endpoint,
                }),
            }
        }
        router.endpoints = endpoints;
        Ok(router)
    }

    /// Puts an endpoint into the table of each method that it answers.
    fn place(
        &mut self,
        pattern: &str,
        endpoint: usize,
        route: u32,
        methods: &[String],
        endpoints: &[Endpoint],
    ) -> Result<(), RouteError> {
        let named = self.tables.iter_mut().map(|(method, places)| (method.as_str(), places));
        let others = self.others.as_mut().map(|places| ("any other method", places));
        for (method, places) in named.chain(others) {
            let Some(claim) = Claim::of(methods, method) else {
                continue;
            };
            let candidate = Candidate { endpoint, route, claim };
            let added = places.add(pattern, candidate, endpoints);
            added.map_err(|clash| error(&clash, method, &endpoints[endpoint], endpoints))?;
        }
        let added = self.paths.insert(pattern, 0).map_err(Clash::Pattern);
        added.map_err(|clash| error(&clash, "any method", &endpoints[endpoint], endpoints))?;
        Ok(())
    }
}

/// The methods that have tables of their own.
fn named_methods<'a>(of_endpoints: impl Iterator<Item = &'a Vec<String>>) -> Vec<String> {
    let mut methods: Vec<String> = of_endpoints.flatten().cloned().collect();
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".into());
    }
    methods.sort();
    methods.dedup();
    methods
}

fn regex(source: &str, groups: usize, endpoint: &Endpoint) -> Result<Regex, RouteError> {
    let refuse = |what: &str| RouteError {
        kind: "route-pattern",
        message: format!("the regular expression of {} cannot be used: {what}", endpoint.label),
        endpoints: Vec::new(),
    };
    let regex = Regex::new(&format!("^(?:{source})$")).map_err(|error| {
        let text = error.to_string();
        refuse(text.lines().last().unwrap_or_default().trim_start_matches("error: "))
    })?;
    let found = regex.captures_len() - 1;
    if found == groups {
        Ok(regex)
    } else {
        Err(refuse(&format!("it has {found} groups, of which {groups} have a name")))
    }
}

fn error(clash: &Clash, method: &str, new: &Endpoint, endpoints: &[Endpoint]) -> RouteError {
    let label = &new.label;
    match clash {
        Clash::Endpoint(other) => RouteError {
            kind: "route-conflict",
            message: format!(
                "the routes {} and {label} both answer {method} at the same paths; give them other paths, methods, :consumes or :produces",
                endpoints[*other].label
            ),
            endpoints: vec![endpoints[*other].number, new.number],
        },
        Clash::Pattern(what) => RouteError {
            kind: "route-pattern",
            message: format!("the path of the route {label} cannot be used: {what}"),
            endpoints: Vec::new(),
        },
    }
}
