//! What instructions are counted of: calls of the codecs, and requests from socket to socket.
//!
//! A run does the work of one case a number of times; the difference of a long and a short run has nothing of what
//! happens once. What criterion times is made of the same [`crate::inputs`].
//!
//! # Invariants
//! - A case does the same each time, on one thread: no clock, no random seed and no file decides what it does.

use std::hint::black_box;

use hinny_codec::cookies::{self, Values};
use hinny_codec::framing::Framing;
use hinny_codec::head::{self, Parsed, Space};
use hinny_codec::percent::{self, Style};
use hinny_codec::{conditional, file_path, json, multipart, negotiation, params, range, target};
use hinny_core::commands::{Command, Commands};
use hinny_core::{names, records};
use hinny_router::{Found, Method, Router};

use crate::inputs::{self, LIMITS};
use crate::routes::Table;
use crate::serving::{Asked, Serving};

/// The work of a case: what is done once more at each call.
pub type Work = Box<dyn FnMut() -> Result<(), String>>;

/// One thing whose instructions are counted.
#[derive(Debug)]
pub struct Case {
    /// What it is, with its size.
    pub name: &'static str,
    /// Calls or requests that the work has.
    pub units: usize,
    /// How often a short run does the work, and a long one.
    pub times: [usize; 2],
    prepare: fn() -> Result<Work, String>,
}

impl Case {
    /// Makes what the work needs.
    ///
    /// # Errors
    /// A text that says what failed.
    pub fn prepare(&self) -> Result<Work, String> {
        (self.prepare)()
    }
}

/// How often short and long runs call a codec that needs some hundred instructions, and one that needs thousands.
const OFTEN: [usize; 2] = [10, 1_010];
const SELDOM: [usize; 2] = [5, 55];

/// Resources that are looked up in a large table: its hashes have a random key, by which one takes more steps than another.
const RESOURCES: usize = 1_024;

const fn call(name: &'static str, times: [usize; 2], prepare: fn() -> Result<Work, String>) -> Case {
    Case {
        name,
        units: 1,
        times,
        prepare,
    }
}

macro_rules! request {
    ($name:literal, $engine:literal, $mode:literal, $asked:ident, $depth:literal) => {
        Case {
            name: $name,
            units: Serving::requests($depth),
            times: [5, 5 + 80 / $depth],
            prepare: || {
                let mut serving = Serving::start($engine, $mode, Asked::$asked, $depth)?;
                Ok(Box::new(move || serving.batch()))
            },
        }
    };
}

/// Every case.
pub const CASES: &[Case] = &[
    call("head_parse_49b", OFTEN, || parse_head(wrk())),
    call("head_parse_208b", OFTEN, || parse_head(inputs::TECHEMPOWER)),
    call("head_parse_320b", OFTEN, || parse_head(inputs::API)),
    call("head_parse_line_208b", OFTEN, parse_line),
    call("framing_check_496b", OFTEN, check_framing),
    call("header_ids_8", OFTEN, header_ids),
    call("query_6_params_62b", OFTEN, || decode_params(inputs::QUERY.into())),
    call("form_100_fields_3kb", SELDOM, || decode_params(inputs::form(100))),
    call("form_1_text_17kb", SELDOM, || decode_params(inputs::escaped_form())),
    call("cookies_4_96b", OFTEN, decode_cookies),
    call("percent_decode_17kb", SELDOM, decode_percent),
    call("percent_encode_17kb", SELDOM, encode_percent),
    call("path_normalized_25b", OFTEN, || normalize(inputs::PATHS[0])),
    call("path_normalized_2_escapes_34b", OFTEN, || normalize(inputs::PATHS[1])),
    call("file_path_3_segments", OFTEN, decode_file_path),
    call("json_read_100b", OFTEN, || read_json(100)),
    call("json_read_1kb", SELDOM, || read_json(1_000)),
    call("json_read_10kb", SELDOM, || read_json(10_000)),
    call("multipart_5_fields_10kb_file", SELDOM, read_multipart),
    call("accept_browser_of_3", OFTEN, negotiate),
    call("range_3", OFTEN, select_range),
    call("if_none_match_1_tag", OFTEN, evaluate_condition),
    call("route_text_in_10", OFTEN, || find_route(10, "/v1/r1", 0)),
    call("route_2_params_in_10", OFTEN, || {
        find_route(10, "/v1/r1/4711/parts/17", 2)
    }),
    Case {
        name: "route_2_params_in_10000",
        units: RESOURCES,
        times: [1, 21],
        prepare: find_spread_routes,
    },
    call("record_request_write_1_header", OFTEN, || write_record(1)),
    call("record_request_write_8_headers", OFTEN, || write_record(8)),
    call("command_response_read_13b", OFTEN, read_command),
    request!("lane_x1", "auto", "inline", Bare, 1),
    request!("lane_x16", "auto", "inline", Bare, 16),
    request!("lane_x1_worker", "auto", "worker", Bare, 1),
    request!("lane_x16_worker", "auto", "worker", Bare, 16),
    request!("lane_x1_json_body", "auto", "inline", Json, 1),
    request!("lane_x16_json_body", "auto", "inline", Json, 16),
    request!("lane_x1_route", "auto", "inline", Text, 1),
    request!("lane_x16_route", "auto", "inline", Text, 16),
    request!("lane_x1_route_2_params", "auto", "inline", Params, 1),
    request!("lane_x16_route_2_params", "auto", "inline", Params, 16),
    request!("lane_x1_constant", "auto", "inline", Constant, 1),
    request!("lane_x16_constant", "auto", "inline", Constant, 16),
    request!("lane_x1_not_found", "auto", "inline", Missing, 1),
    request!("lane_x16_not_found", "auto", "inline", Missing, 16),
    request!("hyper_x1", "hyper", "inline", Bare, 1),
    request!("hyper_x16", "hyper", "inline", Bare, 16),
];

/// The case of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

fn wrk() -> &'static str {
    std::str::from_utf8(crate::REQUEST).unwrap_or_default()
}

/// A call that is never wrong, since [`Case::prepare`] has looked at one.
fn work<T>(mut call: impl FnMut() -> T + 'static) -> Result<Work, String> {
    Ok(Box::new(move || {
        black_box(call());
        Ok(())
    }))
}

fn parse_head(head: &'static str) -> Result<Work, String> {
    let mut space = Space::new();
    if !matches!(head::parse(head.as_bytes(), &LIMITS, &mut space), Parsed::Plain(_)) {
        return Err("the head is not plain".into());
    }
    work(move || {
        let mut space = Space::new();
        matches!(
            head::parse(black_box(head.as_bytes()), &LIMITS, &mut space),
            Parsed::Plain(_)
        )
    })
}

fn parse_line() -> Result<Work, String> {
    let head = inputs::TECHEMPOWER.as_bytes();
    let line = head.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let (_, fields) = head.split_at(line);
    head::parse_line(head, fields, &LIMITS).ok_or("the head is not plain")?;
    work(move || head::parse_line(black_box(head), black_box(fields), &LIMITS))
}

fn check_framing() -> Result<Work, String> {
    let mut framing = Framing::new();
    work(move || framing.check(black_box(inputs::BROWSER.as_bytes()), &LIMITS))
}

fn header_ids() -> Result<Work, String> {
    let headers = inputs::headers(8);
    let names: Vec<String> = headers.keys().map(ToString::to_string).collect();
    work(move || {
        names
            .iter()
            .fold(0, |sum, name| sum + names::header_id(black_box(name)))
    })
}

fn decode_params(input: String) -> Result<Work, String> {
    let mut output = Vec::new();
    work(move || {
        output.clear();
        params::decode(black_box(input.as_bytes()), inputs::PARAMS_MOST, &mut output)
    })
}

fn decode_cookies() -> Result<Work, String> {
    let mut output = Vec::new();
    work(move || {
        output.clear();
        let input = black_box(inputs::COOKIES.as_bytes());
        cookies::decode(input, Values::Decoded, inputs::PARAMS_MOST, &mut output)
    })
}

fn decode_percent() -> Result<Work, String> {
    let input = inputs::escaped_form();
    let mut output = Vec::new();
    work(move || {
        output.clear();
        percent::decode(black_box(input.as_bytes()), Style::Form, &mut output)
    })
}

fn encode_percent() -> Result<Work, String> {
    let input = inputs::escaped_form();
    let mut output = Vec::new();
    work(move || {
        output.clear();
        percent::encode(black_box(input.as_bytes()), Style::Uri, &mut output);
    })
}

fn normalize(path: &'static str) -> Result<Work, String> {
    work(move || target::normalized(black_box(path.as_bytes())).len())
}

fn decode_file_path() -> Result<Work, String> {
    work(|| file_path::decode(black_box(inputs::FILE_PATH.as_bytes()), false))
}

fn read_json(size: usize) -> Result<Work, String> {
    let text = inputs::json_text(size);
    let mut tape = Vec::new();
    json::decode(&text, inputs::JSON_SETTINGS, &mut tape).map_err(|malformed| format!("{malformed:?}"))?;
    work(move || {
        tape.clear();
        json::decode(black_box(&text), inputs::JSON_SETTINGS, &mut tape)
    })
}

fn read_multipart() -> Result<Work, String> {
    let body = inputs::multipart(&inputs::noise(10_000));
    let mut output = Vec::new();
    multipart::decode(&body, inputs::MULTIPART_SETTINGS, &mut output).map_err(|malformed| format!("{malformed:?}"))?;
    work(move || {
        output.clear();
        multipart::decode(black_box(&body), inputs::MULTIPART_SETTINGS, &mut output)
    })
}

fn negotiate() -> Result<Work, String> {
    work(|| negotiation::accept(black_box(Some(inputs::ACCEPT)), black_box(&inputs::OFFERED)))
}

fn select_range() -> Result<Work, String> {
    work(|| range::select(black_box(b"bytes=0-0,500-999,-1"), 10_000))
}

fn evaluate_condition() -> Result<Work, String> {
    let validators = inputs::VALIDATORS;
    let conditions = conditional::Conditions {
        if_none_match: validators.etag,
        ..conditional::Conditions::default()
    };
    work(move || conditional::evaluate(black_box(&conditions), &validators))
}

fn find_route(routes: usize, path: &'static str, params: usize) -> Result<Work, String> {
    let router = Router::compile(Table::of_routes(routes).words()).map_err(|error| error.to_string())?;
    let get = Method::of("GET");
    match router.find(get, path, None, None) {
        Found::Endpoint(_, found) if found.len() == params => {}
        other => return Err(format!("{path} in {routes} routes: {other:?}")),
    }
    work(move || {
        matches!(
            router.find(black_box(get), black_box(path), None, None),
            Found::Endpoint(..)
        )
    })
}

fn find_spread_routes() -> Result<Work, String> {
    let routes = 10_000;
    let router = Router::compile(Table::of_routes(routes).words()).map_err(|error| error.to_string())?;
    let get = Method::of("GET");
    let paths: Vec<String> = (0..RESOURCES)
        .map(|n| format!("/v1/r{}/4711/parts/17", 1_000 + n * (routes / 4 - 1_000) / RESOURCES))
        .collect();
    let is_found = move |path: &String| {
        let found = router.find(black_box(get), path, None, None);
        matches!(found, Found::Endpoint(_, params) if params.len() == 2)
    };
    if !paths.iter().all(&is_found) {
        return Err("a path has no endpoint".into());
    }
    work(move || black_box(&paths).iter().filter(|path| is_found(path)).count())
}

fn write_record(count: usize) -> Result<Work, String> {
    let headers = inputs::headers(count);
    let head = inputs::request_head();
    let mut out = Vec::with_capacity(4096);
    work(move || {
        out.clear();
        records::write_request(black_box(&mut out), &head, &headers, &[]);
    })
}

fn read_command() -> Result<Work, String> {
    let outbox = inputs::response_command();
    work(move || {
        for command in Commands::new(black_box(&outbox)) {
            let Ok(Command::Response(_, response)) = command else {
                continue;
            };
            let response = response.share(&outbox);
            let read = response.for_each_header(|name, value| {
                black_box((name, value));
            });
            let _ = black_box((read, response.body()));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_works_and_has_a_name_of_its_own() -> Result<(), String> {
        for case in CASES {
            assert_eq!(
                CASES.iter().filter(|one| one.name == case.name).count(),
                1,
                "{}",
                case.name
            );
            assert!(case.times[0] < case.times[1], "{}", case.name);
            let mut work = case.prepare()?;
            work().map_err(|error| format!("{}: {error}", case.name))?;
        }
        Ok(())
    }

    #[test]
    fn names_tell_the_sizes_of_heads() {
        let heads = [
            (wrk(), 49),
            (inputs::TECHEMPOWER, 208),
            (inputs::API, 320),
            (inputs::BROWSER, 496),
        ];
        for (head, bytes) in heads {
            assert_eq!(head.len(), bytes, "{head}");
        }
    }
}
