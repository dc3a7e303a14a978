//! A router beside a matcher that tries every pattern: the same endpoint and the same parameters for generated tables.

use std::cmp::Ordering;

use crate::table::Table;
use hinny_core::names;
use hinny_router::{Found, Method};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// So many generated tables at least.
const TABLES: u32 = 10_000;

/// A segment of a pattern.
#[derive(Clone, Debug, PartialEq)]
enum Segment {
    Text(String),
    /// Text in front of a parameter and behind it.
    Param(String, String),
    Rest,
}

/// Of each segment its kind, the text around its parameter, and the part of that in front.
type Exactness = Vec<(u8, usize, usize)>;

#[derive(Clone, Debug)]
struct Route {
    methods: Vec<&'static str>,
    segments: Vec<Segment>,
}

impl Route {
    fn pattern(&self) -> String {
        let mut n = 0;
        let mut param = |star: &str| {
            n += 1;
            format!("{{{star}p{}}}", n - 1)
        };
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Text(text) => format!("/{text}"),
            Segment::Param(before, behind) => format!("/{before}{}{behind}", param("")),
            Segment::Rest => format!("/{}", param("*")),
        });
        segments.collect()
    }

    /// How well this method is answered; less is better.
    fn claim(&self, method: &str) -> Option<u8> {
        match method {
            _ if self.methods.contains(&method) => Some(0),
            "HEAD" if self.methods.contains(&"GET") => Some(1),
            _ if self.methods.is_empty() => Some(2),
            _ => None,
        }
    }

    /// How exactly each segment fits, and the parameters; `None` if the path does not.
    fn fits(&self, path: &str) -> Option<(Exactness, Vec<String>)> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let mut exactness = Vec::new();
        let mut params = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::Text(text) => {
                    (parts.next()? == text).then_some(())?;
                    exactness.push((3, 0, 0));
                }
                Segment::Param(before, behind) => {
                    let value = parts
                        .next()?
                        .strip_prefix(before.as_str())?
                        .strip_suffix(behind.as_str())?;
                    (!value.is_empty()).then_some(())?;
                    let affixes = before.len() + behind.len();
                    exactness.push((if affixes > 0 { 2 } else { 1 }, affixes, before.len()));
                    params.push(value.to_owned());
                }
                Segment::Rest => {
                    let first = parts.next()?;
                    let rest = parts.fold(first.to_owned(), |rest, part| format!("{rest}/{part}"));
                    exactness.push((0, 0, 0));
                    params.push(rest);
                    return Some((exactness, params));
                }
            }
        }
        parts.next().is_none().then_some((exactness, params))
    }
}

/// The label of the best route, and its parameters.
fn naive(routes: &[Route], method: &str, path: &str) -> Option<(usize, Vec<String>)> {
    let fitting = routes.iter().enumerate().filter_map(|(n, route)| {
        let claim = route.claim(method)?;
        let (exactness, params) = route.fits(path)?;
        Some((exactness, claim, n, params))
    });
    let best = fitting.max_by(|(exactness, claim, ..), (other, other_claim, ..)| {
        exactness
            .cmp(other)
            .then(other_claim.cmp(claim))
            .then(Ordering::Greater)
    });
    best.map(|(_, _, n, params)| (n, params))
}

/// The value of Allow, `None` if no method that a route names has one at the path.
fn allow(routes: &[Route], path: &str) -> Option<String> {
    let is_named = |method: &&&str| {
        let mut named = routes.iter().flat_map(|route| &route.methods);
        named.any(|name| name == *method || (**method == "HEAD" && *name == "GET"))
    };
    let methods = ["GET", "HEAD", "POST", "PUT"];
    let answered = methods.iter().filter(is_named);
    let answered: Vec<&str> = answered
        .filter(|method| naive(routes, method, path).is_some())
        .copied()
        .collect();
    (!answered.is_empty()).then(|| format!("{}, OPTIONS", answered.join(", ")))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(""),
        Just("a"),
        Just("b"),
        Just("ab"),
        Just("ba"),
        Just("aab"),
        Just("a.b")
    ]
    .prop_map(String::from)
}

fn segment() -> impl Strategy<Value = Segment> {
    let affix = || prop_oneof![3 => Just(""), 1 => Just("a"), 1 => Just("ab"), 1 => Just("b")].prop_map(String::from);
    prop_oneof![
        4 => text().prop_map(Segment::Text),
        2 => Just(Segment::Param(String::new(), String::new())),
        1 => (affix(), affix()).prop_map(|(before, behind)| Segment::Param(before, behind)),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    let methods = prop_oneof![
        4 => Just(vec!["GET"]),
        2 => Just(vec!["POST"]),
        1 => Just(vec!["GET", "PUT"]),
        1 => Just(vec!["HEAD"]),
        1 => Just(vec![]),
    ];
    (
        methods,
        prop::collection::vec(segment(), 1..4),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(methods, mut segments, rest)| {
            if rest {
                segments.push(Segment::Rest);
            }
            Route { methods, segments }
        })
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(text(), 1..5).prop_map(|parts| format!("/{}", parts.join("/")))
}

/// The longest run of the routes, in order, that has no conflict.
fn compatible(routes: Vec<Route>) -> Vec<Route> {
    if table(&routes).compile().is_ok() {
        return routes;
    }
    let mut kept: Vec<Route> = Vec::new();
    for route in routes {
        kept.push(route);
        if table(&kept).compile().is_err() {
            kept.pop();
        }
    }
    kept
}

fn table(routes: &[Route]) -> Table {
    routes.iter().fold(Table::default(), |table, route| {
        table.route(&route.methods.join(" "), &route.pattern(), &[])
    })
}

#[test]
fn a_router_finds_and_allows_what_trying_every_pattern_does() {
    let mut runner = TestRunner::new(Config {
        cases: TABLES,
        ..Config::default()
    });
    let tables = (
        prop::collection::vec(route(), 1..10),
        prop::collection::vec(path(), 1..12),
    );
    let result = runner.run(&tables, |(routes, paths)| {
        let routes = compatible(routes);
        let router = table(&routes).compile().unwrap();
        for path in &paths {
            for method in ["GET", "HEAD", "POST", "PUT", "BREW"] {
                let mut allowed = None;
                let found = match router.find(Method::of(method), path, None, None) {
                    Found::Endpoint(endpoint, params) => {
                        let values = params
                            .values()
                            .map(|value| String::from_utf8_lossy(value.unwrap_or_default()).into_owned())
                            .collect();
                        Some((endpoint.number as usize - 1, values))
                    }
                    Found::Answered(response) => {
                        let field = response.fields().find(|field| field.id == names::ALLOW);
                        allowed = field.map(|field| String::from_utf8_lossy(field.value).into_owned());
                        None
                    }
                    _ => None,
                };
                if found.is_none() {
                    prop_assert_eq!(allowed, allow(&routes, path), "{} {}", method, path);
                }
                prop_assert_eq!(found, naive(&routes, method, path), "{} {}", method, path);
            }
        }
        Ok(())
    });
    result.unwrap();
}
