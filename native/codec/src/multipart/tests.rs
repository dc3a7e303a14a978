use memchr::memmem;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::parser::PADDING_MAX;
use super::*;
use crate::malformed::Malformed;

mod heads;
mod results;

/// A part in words: name, file's name, type, data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) name: Vec<u8>,
    pub(super) filename: Option<Vec<u8>>,
    pub(super) content_type: Option<Vec<u8>>,
    pub(super) data: Vec<u8>,
    pub(super) ended: bool,
}

/// What a body holds, and the reason and the position in it if it is malformed.
pub(super) type Read = (Vec<Said>, Option<(u8, usize)>);

const HEAD_BYTES_MAX: usize = 200;

/// Reads a body in pieces that end at these positions and at its end, as a caller does: what is left of a piece stands in
/// front of the next.
fn read(delimiter: &[u8], body: &[u8], ends: &[usize]) -> Read {
    let form = Form::new(delimiter, HEAD_BYTES_MAX);
    let mut said: Vec<Said> = Vec::new();
    let (mut state, mut from) = (State::Start, 0);
    for end in ends.iter().copied().chain([body.len()]) {
        let piece = &body[from..end];
        let mut parser = form.parse(state, piece, end == body.len());
        loop {
            match parser.next_event() {
                Ok(Some(Event::Part(part))) => said.push(Said {
                    name: part.name().to_vec(),
                    filename: part.filename().map(<[u8]>::to_vec),
                    content_type: part.content_type().map(<[u8]>::to_vec),
                    ..Said::default()
                }),
                Ok(Some(Event::Data(data))) => {
                    assert!(!data.is_empty());
                    let part = said.last_mut().unwrap();
                    assert!(!part.ended);
                    part.data.extend_from_slice(&piece[data]);
                }
                Ok(Some(Event::PartEnd)) => said.last_mut().unwrap().ended = true,
                Ok(None) => break,
                Err(malformed) => return (said, Some((malformed.reason, from + malformed.position))),
            }
        }
        assert!(parser.used() <= piece.len());
        let left = piece.len() - parser.used();
        assert!(left <= delimiter.len() + PADDING_MAX + 2 || parser.state() == State::Head && left < HEAD_BYTES_MAX);
        state = parser.state();
        from += parser.used();
    }
    assert_eq!(State::End, state);
    (said, None)
}

/// The parts of a body with the boundary `b`, as `name=data`; the same ones whatever the pieces.
fn parts(body: &str) -> String {
    let body = body.as_bytes();
    let whole = read(b"\r\n--b", body, &[]);
    for at in 0..body.len() {
        assert_eq!(whole, read(b"\r\n--b", body, &[at]), "split at {at}");
    }
    let every: Vec<usize> = (0..body.len()).collect();
    assert_eq!(whole, read(b"\r\n--b", body, &every));
    let mut words: Vec<String> = whole.0.iter().map(word).collect();
    words.extend(
        whole
            .1
            .map(|(reason, position)| format!("wrong {reason} at {position}")),
    );
    words.join(" ")
}

fn word(part: &Said) -> String {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let mut word = text(&part.name);
    if let Some(filename) = &part.filename {
        word += &format!("<{}>", text(filename));
    }
    if let Some(content_type) = &part.content_type {
        word += &format!("({})", text(content_type));
    }
    word + "=" + &text(&part.data) + if part.ended { "" } else { "..." }
}

fn part(name: &str, data: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{data}\r\n")
}

#[test]
fn bodies_of_every_shape() {
    let a = part("a", "1");
    let file = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\n--\r\n-\r\n\r\n--B";
    let open = a.trim_end();
    let cases = [
        ("two fields", format!("{a}{}--b--\r\n", part("b", "")), "a=1 b="),
        (
            "a file",
            format!("{file}\r\n--b--\r\n"),
            "f<x.txt>(text/plain)=--\\r\\n-\\r\\n\\r\\n--B",
        ),
        ("no end of the last line", format!("{a}--b--"), "a=1"),
        ("an epilogue", format!("{a}--b--\r\n\r\n{a}--b--"), "a=1"),
        ("an epilogue in the last line", format!("{a}--b--{a}"), "a=1"),
        ("a preamble", format!("of no meaning--b\r\n{a}--b--\r\n"), "a=1"),
        ("an empty line before", format!("\r\n{a}--b--\r\n"), "a=1"),
        ("a bare line feed before", format!("x\n{a}--b--\r\n"), "a=1"),
        (
            "spaces behind the boundary",
            format!("{}--b-- \r\n", a.replace("--b", "--b \t ")),
            "a=1",
        ),
        (
            "a bare line feed behind the boundary",
            format!("{}--b--", a.replace("--b\r\n", "--b\n")),
            "a=1",
        ),
        ("no part", "--b--\r\n".into(), ""),
        ("an empty body", String::new(), ""),
        ("no delimiter", "a=1&b=2\r\n--".into(), ""),
        ("another boundary", format!("{}--c--\r\n", a.replace("--b", "--c")), ""),
        (
            "line ends as data",
            format!("{}--b--", part("a", "\r\n\r\r\n-")),
            "a=\\r\\n\\r\\r\\n-",
        ),
        (
            "a bare line feed in front of what looks like a delimiter",
            format!("{}--b--", part("a", "\n--b\n")),
            "a=\\n--b\\n",
        ),
        ("a part without fields", format!("--b\r\n\r\nx\r\n{a}--b--"), "a=1"),
        (
            "a part without a name",
            format!("--b\r\nA: b\r\n\r\nx\r\n{a}--b--"),
            "a=1",
        ),
        (
            "one that is nested",
            format!(
                "--b\r\nContent-Disposition: form-data; name=n\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nx\r\n--i--\r\n{a}--b--"
            ),
            "n(multipart/mixed; boundary=i)=--i\\r\\n\\r\\nx\\r\\n--i-- a=1",
        ),
        ("truncated in data", open.into(), "a=1... wrong 4 at 50"),
        (
            "truncated in a head",
            "--b\r\nContent-Disposition: form-data; name=a\r\n".into(),
            "wrong 4 at 45",
        ),
        ("truncated in the first delimiter", "--b\r".into(), "wrong 4 at 4"),
        (
            "truncated in a delimiter",
            format!("{open}\r\n--b"),
            "a=1... wrong 4 at 55",
        ),
        (
            "truncated in the closing delimiter",
            format!("{open}\r\n--b-"),
            "a=1... wrong 4 at 56",
        ),
        (
            "a longer boundary",
            format!("{open}\r\n--bb\r\n"),
            "a=1... wrong 2 at 50",
        ),
        ("a longer boundary at first", "--bb\r\n".into(), "wrong 2 at 0"),
        (
            "a longer boundary in the preamble",
            "x\r\n--bb\r\n".into(),
            "wrong 2 at 2",
        ),
        (
            "a hyphen behind a boundary",
            format!("{open}\r\n--b-\r\n"),
            "a=1... wrong 2 at 50",
        ),
        (
            "spaces without end",
            format!("--b{}", " ".repeat(PADDING_MAX + 1)),
            "wrong 2 at 0",
        ),
        (
            "a head without end",
            format!("{a}--b\r\n{}", "x".repeat(HEAD_BYTES_MAX)),
            "a=1 wrong 3 at 57",
        ),
        (
            "a head that is too large",
            format!("{a}--b\r\n{}\r\n\r\n", "x".repeat(HEAD_BYTES_MAX - 3)),
            "a=1 wrong 3 at 57",
        ),
        (
            "a head as large as may be",
            format!("--b\r\n{}\r\n\r\n\r\n{a}--b--", "x".repeat(HEAD_BYTES_MAX - 4)),
            "a=1",
        ),
        (
            "a NUL in the name of a file",
            "--b\r\nContent-Disposition: form-data; name=a; filename=\"a\0b\"\r\n\r\n".into(),
            "wrong 5 at 5",
        ),
    ];
    for (name, body, expected) in cases {
        assert_eq!(expected, parts(&body), "{name}");
    }
}

#[test]
fn data_is_kept_back_only_where_a_delimiter_may_begin() {
    let form = Form::new(b"\r\n--bound", 100);
    for (piece, used) in [
        ("abc", 3),
        ("abc\r", 3),
        ("abc\r\n--boun", 3),
        ("abc\r\n--bund", 11),
        ("\r\r\r\n", 2),
        ("\r\n-x\r\n--", 4),
    ] {
        let mut parser = form.parse(State::Data, piece.as_bytes(), false);
        while parser.next_event().unwrap().is_some() {}
        assert_eq!(used, parser.used(), "{piece:?}");
    }
}

/// A form as a client writes it, with what is to be read from it.
fn written(delimiter: &str, fields: &[Said]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in fields {
        body.extend_from_slice(&delimiter.as_bytes()[if body.is_empty() { 2 } else { 0 }..]);
        body.extend_from_slice(b"\r\ncontent-disposition: form-data; name=\"");
        body.extend_from_slice(&part.name);
        body.extend_from_slice(b"\"");
        if let Some(filename) = &part.filename {
            body.extend_from_slice(b"; filename=\"");
            body.extend_from_slice(filename);
            body.extend_from_slice(b"\"");
        }
        if let Some(content_type) = &part.content_type {
            body.extend_from_slice(b"\r\nCONTENT-TYPE:");
            body.extend_from_slice(content_type);
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&part.data);
    }
    body.extend_from_slice(&delimiter.as_bytes()[if body.is_empty() { 2 } else { 0 }..]);
    body.extend_from_slice(b"--\r\n");
    body
}

fn any_part() -> impl Strategy<Value = Said> {
    let data = prop_oneof![
        vec(any::<u8>(), 0..80),
        vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'b')], 0..80),
    ];
    let text = || "[!-:<-\\[\\]-~é]{1,12}".prop_map(|text| text.replace('"', "%22").into_bytes());
    (
        text(),
        proptest::option::of(text()),
        proptest::option::of("[a-z]{1,5}/[a-z]{1,5}"),
        data,
    )
        .prop_map(|(name, filename, content_type, data)| Said {
            name,
            filename,
            content_type: content_type.map(String::into_bytes),
            data,
            ended: true,
        })
}

/// What bodies that are nearly well-formed are made of.
const PIECES: &[&str] = &[
    "\r\n--b",
    "\r\n--b\r\n",
    "--b",
    "\r\n",
    "\r\n\r\n",
    "--",
    "-",
    "\r",
    "\n",
    " ",
    "x",
    ";",
    "=",
    "\"",
    "\\",
    "\0",
    "Content-Disposition: form-data; name=a",
    "Content-Disposition: form-data; name=a\r\n\r\n",
    "; filename=\"b\"",
];

proptest! {
    #[test]
    fn what_is_written_is_read_whatever_the_pieces(
        boundary in "[b-]{0,6}x[a-zA-Z0-9'()+_,./:=?]{0,20}",
        fields in vec(any_part(), 0..5),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let delimiter = format!("\r\n--{boundary}");
        // A boundary that occurs in the data is the client's mistake.
        prop_assume!(fields.iter().all(|part| memmem::find(&part.data, delimiter.as_bytes()).is_none()));
        let body = written(&delimiter, &fields);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len())).collect();
        ends.sort_unstable();
        prop_assert_eq!((fields, None), read(delimiter.as_bytes(), &body, &ends));
    }

    #[test]
    fn any_bytes_are_read_alike_whatever_the_pieces(
        body in vec(select(PIECES.to_vec()), 0..30),
        cuts in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let body = body.concat().into_bytes();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        ends.sort_unstable();
        prop_assert_eq!(read(b"\r\n--b", &body, &[]), read(b"\r\n--b", &body, &ends));
    }
}
