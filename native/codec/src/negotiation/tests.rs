use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

type Choice = fn(Option<&[u8]>, &[&[u8]]) -> Option<usize>;

/// What is chosen of offers that stand between spaces, `406` if nothing is.
fn chosen<'a>(choice: Choice, field: Option<&str>, offered: &'a str) -> &'a str {
    let offers: Vec<&str> = offered.split(' ').collect();
    let bytes: Vec<&[u8]> = offers.iter().map(|offer| offer.as_bytes()).collect();
    choice(field.map(str::as_bytes), &bytes).map_or("406", |index| offers[index])
}

fn check(choice: Choice, rows: &[(&str, &str, &str)]) {
    for (field, offered, expected) in rows {
        assert_eq!(
            *expected,
            chosen(choice, Some(field), offered),
            "{field:?} of {offered:?}"
        );
    }
}

#[test]
fn media_types_by_accept() {
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
    const RFC: &str =
        "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
    check(
        accept,
        &[
            ("application/json", "text/html application/json", "application/json"),
            ("application/json", "text/html", "406"),
            ("*/*", "text/html application/json", "text/html"),
            (
                "application/*",
                "text/html application/json application/xml",
                "application/json",
            ),
            ("APPLICATION/JSON", "application/json", "application/json"),
            (BROWSER, "application/json text/html", "text/html"),
            (BROWSER, "application/json application/xml", "application/xml"),
            (BROWSER, "application/json text/csv", "application/json"),
            (
                "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
                "text/csv image/gif",
                "image/gif",
            ),
            ("text/html, *; q=.2", "text/csv", "text/csv"),
            // Equal weights: what is named more exactly, earlier, offered earlier.
            (
                "*/*, application/json",
                "text/html application/json",
                "application/json",
            ),
            ("text/*, text/csv", "text/html text/csv", "text/csv"),
            ("text/csv, text/html", "text/html text/csv", "text/csv"),
            ("text/*", "text/html text/csv", "text/html"),
            // The most exact range counts, whatever its weight.
            ("*/*, text/html;q=0", "text/html text/csv", "text/csv"),
            ("*/*, text/html;q=0", "text/html", "406"),
            ("text/html;q=0.1, */*;q=0.5", "text/html text/csv", "text/csv"),
            (
                "text/html;q=0.1, text/html;q=0.9, text/csv;q=0.5",
                "text/csv text/html",
                "text/html",
            ),
            (
                RFC,
                "text/html;level=3 text/plain text/plain;format=flowed",
                "text/plain;format=flowed",
            ),
            (RFC, "image/jpeg text/plain;format=fixed text/html", "image/jpeg"),
            (RFC, "text/plain;format=fixed text/html", "text/plain;format=fixed"),
            ("text/html;level=1", "text/html", "406"),
            (
                "text/html;level=1",
                "text/html;level=2 text/html;LEVEL=\"1\";a=b",
                "text/html;LEVEL=\"1\";a=b",
            ),
            ("text/html;level=a", "text/html;level=A", "406"),
            (
                "text/html;charset=UTF-8",
                "text/html;charset=utf-8",
                "text/html;charset=utf-8",
            ),
            (
                "text/html;a=\"x,y;z\\\"\";q=0.5, text/csv;q=0.4",
                "text/csv text/html;a=\"x,y;z\\\"\"",
                "text/html;a=\"x,y;z\\\"\"",
            ),
            ("text/html;q=0.5;level=1", "text/html", "text/html"),
            // Weights.
            ("text/html;q=0.001, text/csv;q=0.002", "text/html text/csv", "text/csv"),
            ("text/html;q=0.9999, text/csv;q=1", "text/html text/csv", "text/csv"),
            ("text/html;q=0.5 , text/csv;Q=0.6", "text/html text/csv", "text/csv"),
            ("text/html;q=0.000", "text/html", "406"),
            ("text/html;q=5, text/csv", "text/csv text/html", "text/html"),
            ("text/html;q=x, text/csv;q=0.1", "text/html text/csv", "text/csv"),
            ("text/html;q=-1, text/csv;q=0.1", "text/html text/csv", "text/csv"),
            ("text/html;q=., text/csv;q=0.1", "text/html text/csv", "text/csv"),
            // What is no range is skipped; without any other the field is none.
            ("html, text/csv", "text/html text/csv", "text/csv"),
            ("html", "text/html", "text/html"),
            ("*/html", "text/csv", "text/csv"),
            ("", "text/html", "text/html"),
            (" , ,;q=0", "text/html", "text/html"),
            ("text/html;a=\"unclosed, text/csv", "text/csv", "406"),
            ("text/html", "nonsense", "406"),
        ],
    );
    assert_eq!("text/html", chosen(accept, None, "text/html text/csv"));
    assert_eq!(None, accept(None, &[]));
    assert_eq!(None, accept(Some(b"*/*"), &[]));
}

#[test]
fn codings_by_accept_encoding() {
    check(
        accept_encoding,
        &[
            ("gzip, deflate, br", "br gzip identity", "gzip"),
            ("gzip;q=0.8, br", "gzip br identity", "br"),
            ("gzip", "br identity", "identity"),
            ("br;q=0.1", "identity br", "br"),
            ("br;q=0.1, identity;q=0.5", "br identity", "identity"),
            ("gzip;q=0", "gzip identity", "identity"),
            ("*", "br identity", "br"),
            ("*;q=0", "br identity", "406"),
            ("*;q=0, identity;q=0.1", "br identity", "identity"),
            ("identity;q=0", "br identity", "406"),
            ("identity;q=0, *", "identity br", "br"),
            ("identity;q=0, gzip;q=0.1", "identity gzip", "gzip"),
            ("x-gzip", "gzip identity", "gzip"),
            ("GZIP", "X-Gzip identity", "X-Gzip"),
            ("x-br", "br", "406"),
            ("", "gzip identity", "identity"),
            ("", "gzip", "406"),
            ("gzip;q=0.5, *;q=0.4", "br gzip", "gzip"),
        ],
    );
    assert_eq!("identity", chosen(accept_encoding, None, "br identity"));
    assert_eq!("br", chosen(accept_encoding, None, "br gzip"));
}

#[test]
fn weights_of_codings() {
    for (field, coding, expected) in [
        (Some("gzip, deflate, br, zstd"), "br", 1000),
        (Some("gzip, deflate, br, zstd"), "gzip", 1000),
        (Some("gzip, deflate, br, zstd"), "identity", 1),
        (Some("gzip;q=0.5, *;q=0.2"), "gzip", 500),
        (Some("gzip;q=0.5, *;q=0.2"), "br", 200),
        (Some("gzip;q=0.5, *;q=0.2"), "identity", 200),
        (Some("gzip;q=0, *"), "gzip", 0),
        (Some("identity;q=1, *;q=0"), "br", 0),
        (Some("identity;q=1, *;q=0"), "identity", 1000),
        (Some("identity;q=0"), "identity", 0),
        (Some("*;q=0"), "identity", 0),
        (Some("x-gzip"), "gzip", 1000),
        (Some("GZIP;q=0.001"), "gzip", 1),
        (Some("gzip;q=0.1, gzip;q=0.9"), "gzip", 900),
        (Some("br; q=x"), "br", 0),
        (Some(""), "br", 0),
        (Some(""), "identity", 1),
        (None, "br", 0),
        (None, "identity", 1000),
    ] {
        let weight = coding_weight(field.map(str::as_bytes), coding.as_bytes());
        assert_eq!(expected, weight, "{field:?} {coding}");
    }
}

#[test]
fn languages_by_accept_language() {
    check(
        accept_language,
        &[
            ("da, en-gb;q=0.8, en;q=0.7", "en en-GB", "en-GB"),
            ("da, en-gb;q=0.8, en;q=0.7", "fr da en", "da"),
            ("en", "de en-US", "en-US"),
            ("en", "english", "406"),
            ("de-CH", "en de", "de"),
            ("de-CH, en;q=0.5", "en de", "de"),
            ("de-CH, en;q=0.5", "en de de-CH", "de-CH"),
            ("de-CH;q=0, *;q=0.5", "de-CH de", "de"),
            ("de-CH, de;q=0", "de en", "406"),
            ("de;q=0, *", "de-AT en", "en"),
            ("*;q=0.5, fr", "en fr", "fr"),
            ("zh-Hant-TW", "zh zh-Hant", "zh-Hant"),
            ("no such", "de", "de"),
            ("", "de", "de"),
            ("fr", "de", "406"),
        ],
    );
    assert_eq!("de", chosen(accept_language, None, "de en"));
}

#[test]
fn charsets_by_accept_charset() {
    check(
        accept_charset,
        &[
            ("iso-8859-5, unicode-1-1;q=0.8", "utf-8 ISO-8859-5", "ISO-8859-5"),
            ("utf-8;q=0.5, *;q=0.7", "utf-8 latin1", "latin1"),
            ("utf-8;q=0", "utf-8", "406"),
        ],
    );
    assert_eq!("utf-8", chosen(accept_charset, None, "utf-8"));
}

#[test]
fn bodies_by_their_type() {
    for (value, accepted, expected) in [
        ("application/json", "text/plain application/json", "application/json"),
        (
            "application/json; charset=utf-8",
            "application/json",
            "application/json",
        ),
        ("Application/JSON;charset=utf-8", "application/*", "application/*"),
        ("application/json", "application/json;charset=utf-8", "415"),
        (
            "application/json;charset=\"UTF-8\"",
            "application/json;charset=utf-8",
            "application/json;charset=utf-8",
        ),
        ("text/csv", "*/*", "*/*"),
        ("text/csv", "text/plain", "415"),
        ("text", "*/*", "415"),
        ("", "*/*", "415"),
        ("text/", "*/*", "415"),
        ("text/html/x", "*/*", "415"),
        ("text /html", "*/*", "415"),
    ] {
        let accepted: Vec<&str> = accepted.split(' ').collect();
        let ranges: Vec<&[u8]> = accepted.iter().map(|range| range.as_bytes()).collect();
        let chosen = content_type(value.as_bytes(), &ranges).map_or("415", |index| accepted[index]);
        assert_eq!(expected, chosen, "{value:?}");
    }
}

#[test]
fn parts_of_a_media_type() {
    let parsed = MediaType::parse(b" Text/HTML ; Charset = \"a\\\"b\" ;x; y=z;charset=2 ").unwrap();
    assert_eq!((&b"Text"[..], &b"HTML"[..]), (parsed.kind(), parsed.subtype()));
    assert_eq!(Some(&b"a\"b"[..]), parsed.parameter(b"charset").as_deref());
    assert_eq!(Some(&b"z"[..]), parsed.parameter(b"Y").as_deref());
    assert_eq!(None, parsed.parameter(b"x"));
}

/// The same choice, in the plainest way: all ranges that take an offer are sorted, then all offers.
fn plainly(field: &str, offered: &[&str], exactness: fn(&str, &str) -> Option<usize>) -> Option<usize> {
    let mut ranges: Vec<(String, u32)> = Vec::new();
    for element in field.split(',') {
        let (range, weight) = element.trim().rsplit_once(";q=").unwrap_or((element.trim(), "1"));
        let thousandths = weight.parse::<f64>().unwrap() * 1000.0;
        ranges.push((range.into(), thousandths.round() as u32));
    }
    let mut ranked: Vec<(u32, usize, i64, i64)> = Vec::new();
    for (index, offer) in offered.iter().enumerate() {
        let mut taking: Vec<(usize, u32, i64)> = ranges
            .iter()
            .enumerate()
            .filter_map(|(at, (range, weight))| {
                exactness(range, offer).map(|exactness| (exactness, *weight, -(at as i64)))
            })
            .collect();
        taking.sort_unstable();
        if let Some((exactness, weight, at)) = taking.last()
            && *weight > 0
        {
            ranked.push((*weight, *exactness, *at, -(index as i64)));
        }
    }
    ranked.sort_unstable();
    ranked.last().map(|(_, _, _, index)| usize::try_from(-index).unwrap())
}

fn media_range_takes(range: &str, offer: &str) -> Option<usize> {
    let mut wanted = range.split(';');
    let mut given = offer.split(';');
    let (essence, kind) = (given.next()?, offer.split('/').next()?);
    let exactness = match wanted.next()? {
        "*/*" => 0,
        range if range == format!("{kind}/*") => 1,
        range if range == essence => 2,
        _ => return None,
    };
    let given: Vec<&str> = given.collect();
    let wanted: Vec<&str> = wanted.collect();
    wanted
        .iter()
        .all(|parameter| given.contains(parameter))
        .then_some(exactness + 3 * wanted.len())
}

proptest! {
    #[test]
    fn media_types_are_chosen_as_plainly(
        ranges in vec((select(vec!["*/*", "a/*", "a/b", "a/c", "x/b", "a/b;p=1", "a/b;p=1;r=2", "a/*;p=1"]),
                       select(vec!["", ";q=0", ";q=0.5", ";q=0.25", ";q=0.999", ";q=1", ";q=1.000"]),
                       select(vec![",", " , ", ", "])), 1..6),
        offered in vec(select(vec!["a/b", "a/c", "x/b", "x/y", "a/b;p=1", "a/b;p=2", "a/b;r=2;p=1", "a/c;p=1"]), 1..6),
    ) {
        let field: String = ranges.iter().map(|(range, weight, comma)| format!("{range}{weight}{comma}")).collect();
        let bytes: Vec<&[u8]> = offered.iter().map(|offer| offer.as_bytes()).collect();
        let plain = field.trim_end().trim_end_matches(',');
        prop_assert_eq!(plainly(plain, &offered, media_range_takes), accept(Some(field.as_bytes()), &bytes), "{}", field);
    }

    #[test]
    fn charsets_are_chosen_as_plainly(
        ranges in vec((select(vec!["*", "a", "b", "c"]), select(vec!["", ";q=0", ";q=0.5", ";q=0.3"])), 1..5),
        offered in vec(select(vec!["a", "b", "d"]), 1..4),
    ) {
        let field: Vec<String> = ranges.iter().map(|(range, weight)| format!("{range}{weight}")).collect();
        let field = field.join(", ");
        let bytes: Vec<&[u8]> = offered.iter().map(|offer| offer.as_bytes()).collect();
        let takes = |range: &str, offer: &str| (range == "*").then_some(0).or_else(|| (range == offer).then_some(1));
        prop_assert_eq!(plainly(&field, &offered, takes), accept_charset(Some(field.as_bytes()), &bytes), "{}", field);
    }

    #[test]
    fn a_coding_is_wanted_if_it_would_be_chosen(
        ranges in vec((select(vec!["*", "br", "gzip", "identity", "x-gzip"]), select(vec!["", ";q=0", ";q=0.5"])), 1..5),
        coding in select(vec!["br", "gzip", "identity"]),
    ) {
        let field: Vec<String> = ranges.iter().map(|(range, weight)| format!("{range}{weight}")).collect();
        let field = field.join(", ");
        let is_chosen = accept_encoding(Some(field.as_bytes()), &[coding.as_bytes()]).is_some();
        prop_assert_eq!(coding_weight(Some(field.as_bytes()), coding.as_bytes()) > 0, is_chosen, "{} {}", field, coding);
    }

    #[test]
    fn any_bytes_give_an_offer_or_none(field in vec(any::<u8>(), 0..60), offered in vec(vec(any::<u8>(), 0..12), 0..4)) {
        let offered: Vec<&[u8]> = offered.iter().map(Vec::as_slice).collect();
        for choice in [accept, accept_charset, accept_encoding, accept_language] {
            prop_assert!(choice(Some(&field), &offered).is_none_or(|index| index < offered.len()));
        }
        prop_assert!(content_type(&field, &offered).is_none_or(|index| index < offered.len()));
    }
}
