//! What a table answers: tables of requests.

use crate::table::Table;
use hinny_core::error::Kind;
use hinny_core::names;
use hinny_router::{Asked, Found, Method, Router};

/// What becomes of a request, as text: the endpoint's label and the parameters, or the status and a field.
fn found(router: &Router, method: &str, path: &str, asked: Option<&Asked<'_>>) -> String {
    match router.find(Method::of(method), path, Some(b"q=1"), asked) {
        Found::Endpoint(endpoint, params) => {
            let values = params
                .values()
                .map(|value| format!(" [{}]", String::from_utf8_lossy(value.unwrap_or(b"-"))));
            format!("{}{}", endpoint.label, values.collect::<String>())
        }
        Found::Fallback => "fallback".into(),
        Found::Refused(kind) => format!("{kind:?}"),
        Found::Answered(response) => {
            let fields = response.fields().filter(|field| field.id != names::CONTENT_TYPE);
            let values = fields.map(|field| format!(" {}", String::from_utf8_lossy(field.value)));
            format!("{}{}", response.status().as_u16(), values.collect::<String>())
        }
        Found::Unsure => "unsure".into(),
    }
}

fn check(router: &Router, rows: &[(&str, &str, &str)]) {
    for (method, path, expected) in rows {
        assert_eq!(found(router, method, path, None), *expected, "{method} {path}");
    }
}

fn example() -> Table {
    Table::new(&[("fallback", "false"), ("trailing-slash", "strict")])
        .route("GET", "/", &[])
        .route("GET", "/users/{p0}", &[])
        .route("POST", "/users/me", &[])
        .route("GET", "/users/me/files", &[])
        .route("GET POST", "/users/{p0}/files/{*p1}", &[])
        .route("", "/any/{p0}.json", &[])
        .route("PURGE", "/cache", &[])
        .route("DELETE", "item/([0-9]+)(?:/(x))?", &[])
        .route("GET", "/item/(?P<a>[0-9]+)", &[])
        .route("DELETE", "/a/{p0}/b/{p1}/c/{p2}/d/{p3}/e/{p4}", &[])
}

#[test]
fn the_most_exact_path_of_the_method_answers() {
    check(
        &example().compile().unwrap(),
        &[
            ("GET", "/", "GET /"),
            ("HEAD", "/", "GET /"),
            ("GET", "/users/7", "GET /users/{p0} [7]"),
            ("GET", "/users/me", "GET /users/{p0} [me]"),
            ("POST", "/users/me", "POST /users/me"),
            ("GET", "/users/me/files", "GET /users/me/files"),
            (
                "GET",
                "/users/me/files/a/b",
                "GET POST /users/{p0}/files/{*p1} [me] [a/b]",
            ),
            ("GET", "/users/7/files/", "GET POST /users/{p0}/files/{*p1} [7] []"),
            ("GET", "/users/%2F", "GET /users/{p0} [%2F]"),
            ("PURGE", "/any/x.json", "/any/{p0}.json [x]"),
            ("BREW", "/any/x.json", "/any/{p0}.json [x]"),
            ("HEAD", "/any/x.json", "/any/{p0}.json [x]"),
            ("PURGE", "/cache", "PURGE /cache"),
            (
                "DELETE",
                "/a/1/b/2/c/3/d/4/e/5",
                "DELETE /a/{p0}/b/{p1}/c/{p2}/d/{p3}/e/{p4} [1] [2] [3] [4] [5]",
            ),
        ],
    );
}

#[test]
fn what_no_endpoint_answers_is_answered_by_the_core() {
    check(
        &example().compile().unwrap(),
        &[
            ("GET", "/users", "RouteNotFound"),
            ("GET", "/users/", "RouteNotFound"),
            ("GET", "/users/7/", "RouteNotFound"),
            ("GET", "/any/.json", "RouteNotFound"),
            ("GET", "/users/7/files", "RouteNotFound"),
            ("POST", "/", "405 GET, HEAD, OPTIONS"),
            ("BREW", "/users/me", "405 GET, HEAD, POST, OPTIONS"),
            ("GET", "/cache", "405 OPTIONS, PURGE"),
            ("OPTIONS", "/users/me", "204 GET, HEAD, POST, OPTIONS"),
            ("OPTIONS", "/nowhere", "RouteNotFound"),
            ("OPTIONS", "*", "204 GET, HEAD, POST, DELETE, OPTIONS, PURGE"),
        ],
    );
}

#[test]
fn of_regular_expressions_the_first_wins_that_answers_the_method() {
    let router = Table::new(&[])
        .route("POST", "(.*)", &[])
        .route("GET", ".*/a", &[])
        .route("GET", "./b(.*)", &[]);
    check(
        &router.route("GET", "/b/a", &[]).compile().unwrap(),
        &[
            ("GET", "/b/a", "GET /b/a"),
            ("GET", "/c/a", "GET .*/a"),
            ("GET", "/c", "405 POST, OPTIONS"),
            ("POST", "/c", "POST (.*) [/c]"),
        ],
    );
}

#[test]
fn groups_are_parameters() {
    let regex = |source: &str, groups: &str| {
        let mut table = Table::new(&[("fallback", "true")]);
        for (key, value) in [
            ("route", "one"),
            ("route-number", "1"),
            ("regex", source),
            ("group-count", groups),
        ] {
            table.pair(key, value.as_bytes());
        }
        table.route("GET", "/item/7", &[]).compile()
    };
    let error = regex("/(a)(b)", "1").map(|_| ()).unwrap_err();
    assert!(
        error.message.ends_with("it has 2 groups, of which 1 have a name"),
        "{error}"
    );
    check(
        &regex("(?i)/Item/([0-9]+)(?:/(x))?", "2").unwrap(),
        &[
            ("GET", "/item/7", "GET /item/7"),
            ("GET", "/item/8", "one [8] [-]"),
            ("PUT", "/ITEM/7/x", "one [7] [x]"),
            ("GET", "/item/8/y", "fallback"),
            ("GET", "x/item/8", "fallback"),
        ],
    );
    check(
        &regex("/a|/b", "0").unwrap(),
        &[
            ("GET", "/b", "one"),
            ("GET", "/ab", "fallback"),
            ("GET", "/a/b", "fallback"),
        ],
    );
}

#[test]
fn a_fallback_answers_what_no_endpoint_does() {
    let router = Table::new(&[("fallback", "true")])
        .route("GET", "/a", &[])
        .compile()
        .unwrap();
    check(
        &router,
        &[
            ("GET", "/a", "GET /a"),
            ("POST", "/a", "fallback"),
            ("OPTIONS", "/a", "fallback"),
            ("OPTIONS", "*", "fallback"),
            ("GET", "/b", "fallback"),
        ],
    );
}

#[test]
fn a_slash_too_many_or_few_is_told_if_wanted() {
    let router = Table::new(&[("trailing-slash", "redirect"), ("fallback", "true")])
        .route("", "/a", &[])
        .route("GET", "/b/", &[])
        .route("GET", "/", &[])
        .route("GET", "/c/{*p0}", &[])
        .route("GET", "//x", &[])
        .compile()
        .unwrap();
    check(
        &router,
        &[
            ("GET", "/a/", "301 /a?q=1"),
            ("HEAD", "/a/", "301 /a?q=1"),
            ("POST", "/a/", "308 /a?q=1"),
            ("GET", "/b", "301 /b/?q=1"),
            ("POST", "/b", "fallback"),
            ("GET", "/c", "301 /c/?q=1"),
            ("GET", "/c/d/", "GET /c/{*p0} [d/]"),
            ("GET", "//x/", "fallback"),
            ("GET", "//", "fallback"),
            ("GET", "/d/", "fallback"),
            ("OPTIONS", "*", "fallback"),
        ],
    );
}

#[test]
fn content_chooses_between_endpoints_of_one_path() {
    let router = Table::new(&[])
        .route(
            "POST",
            "/a",
            &[("consumes", "application/json"), ("consumes", "text/*")],
        )
        .route(
            "POST",
            "/a",
            &[("consumes", "application/xml"), ("produces", "application/xml")],
        )
        .compile()
        .unwrap();
    type Row = (Option<&'static [u8]>, bool, Option<&'static [u8]>, &'static str);
    let table: &[Row] = &[
        (Some(b"application/json; charset=utf-8"), true, None, "POST /a"),
        (Some(b"text/csv"), true, Some(b"image/png"), "POST /a"),
        (Some(b"application/xml"), true, Some(b"*/*"), "POST /a"),
        (Some(b"application/xml"), true, Some(b"text/html"), "NotAcceptable"),
        (Some(b"image/png"), true, None, "UnsupportedMediaType"),
        (Some(b"none"), true, None, "UnsupportedMediaType"),
        (None, true, None, "UnsupportedMediaType"),
        (None, false, None, "POST /a"),
    ];
    for (content_type, has_body, accept, expected) in table {
        let asked = Asked {
            has_body: *has_body,
            content_type: *content_type,
            accept: *accept,
        };
        assert_eq!(found(&router, "POST", "/a", Some(&asked)), *expected, "{asked:?}");
    }
    assert_eq!(found(&router, "POST", "/a", None), "unsure");
    assert_eq!(router.first(Method::of("POST"), b"/a").unwrap().0.number, 1);
}

#[test]
fn within_a_route_the_endpoint_of_a_method_wins() {
    let any_last = Table::new(&[]).endpoint(1, "GET", "/a", &[]).endpoint(1, "", "/a", &[]);
    let any_first = Table::new(&[]).endpoint(1, "", "/a", &[]).endpoint(1, "GET", "/a", &[]);
    for table in [any_last, any_first] {
        check(
            &table.compile().unwrap(),
            &[
                ("GET", "/a", "GET /a"),
                ("HEAD", "/a", "GET /a"),
                ("PUT", "/a", "/a"),
                ("OPTIONS", "/a", "/a"),
            ],
        );
    }
    let own_head = Table::new(&[])
        .route("GET", "/a", &[])
        .route("HEAD", "/a", &[])
        .compile()
        .unwrap();
    check(&own_head, &[("HEAD", "/a", "HEAD /a"), ("GET", "/a", "GET /a")]);
}

#[test]
fn conflicts_name_both_routes() {
    let conflicts = [
        (("GET", "/a/{p0}"), ("GET POST", "/a/{p0}")),
        (("", "/a"), ("GET", "/a")),
        (("", "/a"), ("", "/a")),
        (("GET", "/a/{*p0}"), ("GET", "/a/{*p0}")),
        (("BREW", "/a"), ("", "/a")),
    ];
    for ((methods, pattern), (other_methods, other_pattern)) in conflicts {
        let table = Table::new(&[])
            .route(methods, pattern, &[])
            .route(other_methods, other_pattern, &[]);
        let error = table.compile().map(|_| ()).unwrap_err();
        assert_eq!(error.kind, "route-conflict", "{error}");
        for label in [
            format!("{methods} {pattern}"),
            format!("{other_methods} {other_pattern}"),
        ] {
            assert!(error.message.contains(label.trim()), "{label}: {error}");
        }
        assert_eq!(error.endpoints, [1, 2], "{error}");
    }
}

#[test]
fn what_is_hidden_in_its_own_route_is_no_conflict() {
    // The second route's :get hides what it answers otherwise, which consumes what the first does.
    let table = Table::new(&[])
        .endpoint(1, "GET", "/a", &[("consumes", "a/b")])
        .endpoint(2, "GET", "/a", &[("consumes", "a/c")])
        .endpoint(2, "", "/a", &[("consumes", "a/b")]);
    assert!(table.compile().is_ok());
    let head_twice = Table::new(&[])
        .route("GET", "/a", &[("consumes", "a/b")])
        .route("HEAD", "/a", &[("consumes", "a/c")])
        .route("HEAD", "/a", &[("consumes", "a/c")]);
    assert_eq!(head_twice.compile().map(|_| ()).unwrap_err().endpoints, [2, 3]);
}

#[test]
fn media_types_conflict_in_any_order() {
    let table = Table::new(&[])
        .route("GET", "/a", &[("produces", "a/b"), ("produces", "a/c")])
        .route("GET", "/a", &[("produces", "a/c"), ("produces", "a/b")]);
    assert_eq!(table.compile().map(|_| ()).unwrap_err().kind, "route-conflict");
}

#[test]
fn head_is_answered_as_get_by_what_fits_the_content() {
    let router = Table::new(&[])
        .route("", "/a", &[("produces", "a/b")])
        .route("GET", "/a", &[("produces", "a/c")])
        .compile()
        .unwrap();
    for method in ["GET", "HEAD"] {
        for (accept, label) in [("a/b", "/a"), ("a/c", "GET /a")] {
            let asked = Asked {
                accept: Some(accept.as_bytes()),
                ..Asked::default()
            };
            let found = router.find(Method::of(method), "/a", None, Some(&asked));
            assert!(
                matches!(&found, Found::Endpoint(endpoint, _) if &*endpoint.label == label),
                "{method} {accept}: {found:?}"
            );
        }
    }
}

#[test]
fn bad_patterns_name_their_route() {
    for pattern in ["/{}", "/{a", "/a}", "/{*p0}/b", "/{p0}{p1}", "(", "(?=x)", "\\1"] {
        let error = Table::new(&[])
            .route("GET", pattern, &[])
            .compile()
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.kind, "route-pattern", "{error}");
        assert!(error.message.contains(pattern), "{error}");
    }
}

#[test]
fn options_are_the_endpoints_own() {
    let table = Table::new(&[]).route("GET", "/a", &[("handler-mode", "inline"), ("max-body-bytes", "5")]);
    let router = table.compile().unwrap();
    assert!(router.endpoints()[0].options.on_loop);
    assert_eq!(router.endpoints()[0].options.max_body_bytes, 5);
    let error = Table::new(&[])
        .route("GET", "/a", &[("port", "1")])
        .compile()
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.message, "the route GET /a: a route cannot set :port");
}

#[test]
fn options_of_the_table_are_those_of_endpoints_that_do_not_set_them() {
    let table = Table::new(&[("handler-mode", "inline"), ("max-body-bytes", "7")])
        .route("GET", "/a", &[])
        .route("GET", "/b", &[("max-body-bytes", "5")]);
    let router = table.compile().unwrap();
    let options = |at: usize| router.endpoints()[at].options;
    assert!(options(0).on_loop && options(1).on_loop);
    assert_eq!((options(0).max_body_bytes, options(1).max_body_bytes), (7, 5));
    let error = Table::new(&[("port", "1")]).compile().map(|_| ()).unwrap_err();
    assert_eq!(error.message, "a route table: a route cannot set :port");
}

#[test]
fn what_is_no_table_is_refused() {
    let bytes = example().bytes().to_vec();
    for length in 1..bytes.len() {
        // At the end of a pair a table may be whole.
        let _ = Router::compile(&bytes[..length]);
    }
    for table in [&b"\x01"[..], b"\x05\0\0\0route", b"\x01\0\0\0\xff\x01\0\0\0a"] {
        assert_eq!(Router::compile(table).map(|_| ()).unwrap_err().kind, "route-invalid");
    }
    assert!(Router::compile(b"").is_ok());
}

#[test]
fn kinds_are_those_of_the_status_table() {
    let statuses = [Kind::RouteNotFound, Kind::NotAcceptable, Kind::UnsupportedMediaType]
        .map(|kind| hinny_core::status::answer(kind).map(|answer| answer.status.as_u16()));
    assert_eq!(statuses, [Some(404), Some(406), Some(415)]);
}
