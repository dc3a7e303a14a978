use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

mod beside_hyper;

const LIMITS: Limits = Limits {
    target_bytes: 40,
    head_bytes: 300,
    field_count: 5,
};

/// What became of bytes that came in pieces.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Verdict {
    fault: Option<Fault>,
    heads: u64,
    in_head: bool,
    in_body: bool,
}

/// Gives the bytes in pieces that end at `cuts`; returns the verdict and how many of them may be passed on.
fn check(bytes: &[u8], cuts: &[usize], limits: &Limits) -> (Verdict, usize) {
    let mut framing = Framing::new();
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    ends.extend([0, bytes.len()]);
    ends.sort_unstable();
    let mut passed = 0;
    for piece in ends.windows(2) {
        match framing.check(&bytes[piece[0]..piece[1]], limits) {
            Ok(()) => passed = piece[1],
            Err(refused) => {
                passed = piece[0] + refused.passable;
                assert_eq!(Some(refused.fault), framing.fault());
                let again = framing.check(b"GET / HTTP/1.1\r\n\r\n", limits);
                let expected = Refused {
                    passable: 0,
                    fault: refused.fault,
                };
                assert_eq!(again, Err(expected), "a fault is for ever");
                break;
            }
        }
    }
    let verdict = Verdict {
        fault: framing.fault(),
        heads: framing.heads(),
        in_head: framing.is_in_head(),
        in_body: framing.is_in_body(),
    };
    (verdict, passed)
}

fn post(lines: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: x\r\n{lines}\r\n{body}")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

/// Bytes that are right: after them, how many heads were complete, and whether a head or a body has begun.
#[test]
fn right_bytes_pass() {
    let table: &[(&str, String, (u64, bool, bool))] = &[
        ("nothing", String::new(), (0, false, false)),
        ("CR", "\r".into(), (0, false, false)),
        ("empty line", "\r\n".into(), (0, false, false)),
        ("one byte", "G".into(), (0, true, false)),
        ("empty line and one byte", "\r\nG".into(), (0, true, false)),
        ("request line", "GET / HTTP/1.1\r\n".into(), (0, true, false)),
        ("no last byte", "GET / HTTP/1.1\r\n\r".into(), (0, true, false)),
        ("no fields", "GET / HTTP/1.1\r\n\r\n".into(), (1, false, false)),
        ("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n".into(), (1, false, false)),
        (
            "asterisk",
            "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".into(),
            (1, false, false),
        ),
        (
            "absolute",
            "GET http://x/?q HTTP/1.1\r\nHost: x\r\n\r\n".into(),
            (1, false, false),
        ),
        (
            "two and an empty line",
            "GET / HTTP/1.1\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n".into(),
            (2, false, false),
        ),
        (
            "target at the limit",
            format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(39)),
            (1, false, false),
        ),
        (
            "fields at the limit",
            format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(5)),
            (1, false, false),
        ),
        (
            "head at the limit",
            format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(277)),
            (1, false, false),
        ),
        (
            "LF and colon within a target",
            "GET /a:b HTTP/1.1\r\n\r\n".into(),
            (1, false, false),
        ),
        (
            "names that only begin alike",
            post(
                "Content-Length-X: y\r\nContent-Lengt: z\r\nTransfer-Encodings: a\r\n",
                "",
            ),
            (1, false, false),
        ),
        (
            "expectations",
            post("Expect: 100-Continue \r\nexpect:100-continue\r\nExpected: x\r\n", ""),
            (1, false, false),
        ),
        (
            "expectation of HTTP/1.0",
            "GET / HTTP/1.0\r\nExpect: x\r\n\r\n".into(),
            (1, false, false),
        ),
        ("length 0", post("Content-Length: 0\r\n", ""), (1, false, false)),
        (
            "length, no body yet",
            post("Content-Length: 3\r\n", ""),
            (1, false, true),
        ),
        (
            "length, a part",
            post("Content-Length: 3\r\n", "\n\n"),
            (1, false, true),
        ),
        (
            "length, the whole",
            post("Content-Length: 3\r\n", "\n\n\n"),
            (1, false, false),
        ),
        (
            "length in HTTP/1.0",
            "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n\n".into(),
            (1, false, false),
        ),
        (
            "length in any case, zeros, space",
            post("cONTENT-lENGTH:\t 0003 \t\r\n", "\n\n\n"),
            (1, false, false),
        ),
        (
            "largest length",
            post("Content-Length: 18446744073709551613\r\n", "a"),
            (1, false, true),
        ),
        (
            "body, then a head",
            post("Content-Length: 3\r\n", "\n\n\nG"),
            (1, true, false),
        ),
        (
            "body, then an empty line",
            post("Content-Length: 3\r\n", "\n\n\n\r\n"),
            (1, false, false),
        ),
        ("chunked, no body yet", chunked(""), (1, false, true)),
        (
            "chunked in any case, with space",
            post("tRANSFER-eNCODING: \t CHUNKED \t\r\n", "0\r\n\r\n"),
            (1, false, false),
        ),
        ("empty chunked body", chunked("0\r\n\r\n"), (1, false, false)),
        ("last chunk, no end", chunked("0\r\n"), (1, false, true)),
        (
            "chunks",
            chunked("3\r\na\nb\r\n00A\r\n0123456789\r\n0b\r\n0123456789a\r\n000\r\n\r\n"),
            (1, false, false),
        ),
        (
            "16 digits",
            chunked("0000000000000001\r\na\r\n0000000000000000\r\n\r\n"),
            (1, false, false),
        ),
        ("largest chunk", chunked("FFFFFFFFFFFFFFFF\r\na"), (1, false, true)),
        (
            "extensions",
            chunked("1;a;b=\"c d\t\u{e4}\"\r\na\r\n0 \t;z\r\n\r\n"),
            (1, false, false),
        ),
        (
            "trailer fields",
            chunked("0\r\nA: b\r\nContent-Type: c\r\nTE: d\r\n\r\n"),
            (1, false, false),
        ),
        (
            "trailer fields at the limit",
            chunked(&format!("0\r\n{}\r\n", "a: b\r\n".repeat(5))),
            (1, false, false),
        ),
        (
            "trailers at the limit",
            chunked(&format!("0\r\na: {}\r\n\r\n", "b".repeat(293))),
            (1, false, false),
        ),
        (
            "chunked body, then a head",
            chunked("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\nG"),
            (2, true, false),
        ),
    ];
    for (name, bytes, (heads, in_head, in_body)) in table {
        let expected = Verdict {
            fault: None,
            heads: *heads,
            in_head: *in_head,
            in_body: *in_body,
        };
        let every_byte: Vec<usize> = (0..bytes.len()).collect();
        for cuts in [&[][..], &every_byte] {
            assert_eq!(
                check(bytes.as_bytes(), cuts, &LIMITS),
                (expected.clone(), bytes.len()),
                "{name}"
            );
        }
    }
}

/// Bytes with a fault: what stands before `|` may be passed on, and how many heads are complete.
#[test]
fn wrong_bytes_are_refused_where_they_go_wrong() {
    use Fault::*;
    let many = "a: b\r\n".repeat(6);
    let table: &[(Fault, u64, String)] = &[
        (BareLf, 0, "|\nGET / HTTP/1.1\r\n\r\n".into()),
        (BareLf, 0, "|GET / HTTP/1.1\n\n".into()),
        (BareLf, 0, "|GET / HTTP/1.1\nHost: x\r\n\r\n".into()),
        (BareLf, 0, "|GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n".into()),
        (BareLf, 0, "|GET / HTTP/1.1\r\nHost: x\r\n\n".into()),
        (BareLf, 1, "GET / HTTP/1.1\r\n\r\n|\n".into()),
        (BareLf, 1, chunked("1|\na\n0\n\n")),
        (BareLf, 1, chunked("1;a|\na\r\n0\r\n\r\n")),
        (BareLf, 1, chunked("0\r\n|A: b\n\r\n")),
        (BareLf, 1, chunked("0\r\n|\n")),
        (BareCr, 0, "\r|GET / HTTP/1.1\r\n\r\n".into()),
        (BareCr, 0, "\r|\r\nGET / HTTP/1.1\r\n\r\n".into()),
        (BareCr, 1, chunked("1\r|a\r\n0\r\n\r\n")),
        (BareCr, 1, chunked("1;a\r|b\r\na\r\n0\r\n\r\n")),
        (EmptyLines, 0, "\r\n|\r\nGET / HTTP/1.1\r\n\r\n".into()),
        (EmptyLines, 1, "GET / HTTP/1.1\r\n\r\n\r\n|\r\n".into()),
        (RequestLineInvalid, 0, "|GET /\r\n\r\n".into()),
        (RequestLineInvalid, 0, "|GET\r\n\r\n".into()),
        (RequestLineInvalid, 0, "|GET  / HTTP/1.1\r\n\r\n".into()),
        (RequestLineInvalid, 0, "|GET /  HTTP/1.1\r\n\r\n".into()),
        (RequestLineInvalid, 0, "|GET / HTTP/1.1 \r\n\r\n".into()),
        (RequestLineInvalid, 0, "|GET /a b HTTP/1.1\r\n\r\n".into()),
        (RequestLineInvalid, 0, "|GET\t/\tHTTP/1.1\r\n\r\n".into()),
        (RequestLineInvalid, 0, "|GET / http/1.1\r\n\r\n".into()),
        (RequestLineInvalid, 0, "|GET / HTTP/1.x\r\n\r\n".into()),
        (RequestLineInvalid, 0, "|GET / HTTP/1\r\n\r\n".into()),
        (RequestLineInvalid, 0, "|GET / HTTP/1.10\r\n\r\n".into()),
        (RequestLineInvalid, 0, "| GET / HTTP/1.1\r\n\r\n".into()),
        (RequestLineInvalid, 0, "| / HTTP/1.1\r\n\r\n".into()),
        (FragmentInTarget, 0, "|GET /a#b HTTP/1.1\r\n\r\n".into()),
        (FragmentInTarget, 0, "|GET # HTTP/1.1\r\n\r\n".into()),
        (VersionUnsupported, 0, "|GET / HTTP/1.2\r\n\r\n".into()),
        (VersionUnsupported, 0, "|GET / HTTP/0.9\r\n\r\n".into()),
        (VersionUnsupported, 0, "|PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        (TargetTooLong, 0, format!("|GET /{} HTTP/1.1\r\n\r\n", "a".repeat(40))),
        (TargetTooLong, 0, format!("|GET /{}", "a".repeat(1000))),
        (
            TargetTooLong,
            1,
            format!("GET / HTTP/1.1\r\n\r\n|GET /{}# HTTP/2.0\n", "a".repeat(40)),
        ),
        (HeadTooLarge, 0, format!("|{}", "G".repeat(301))),
        (
            HeadTooLarge,
            0,
            format!("|GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(278)),
        ),
        (HeadTooLarge, 0, format!("|GET / HTTP/1.1\r\na: {}", "b".repeat(500))),
        (TooManyFields, 0, format!("|GET / HTTP/1.1\r\n{many}\r\n")),
        (
            TooManyFields,
            1,
            chunked(&format!("0\r\n{}|a: b\r\n\r\n", "a: b\r\n".repeat(5))),
        ),
        (LineFolded, 0, "|GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n".into()),
        (LineFolded, 0, "|GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n".into()),
        (LineFolded, 0, "|GET / HTTP/1.1\r\n Host: x\r\n\r\n".into()),
        (LineFolded, 0, "|GET / HTTP/1.1\r\nA: b\r\n \r\n\r\n".into()),
        (LineFolded, 1, chunked("0\r\nA: b\r\n| c\r\n\r\n")),
        (SpaceBeforeColon, 0, format!("|{}", post("Content-Length : 1\r\n", "a"))),
        (
            SpaceBeforeColon,
            0,
            format!("|{}", post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n")),
        ),
        (SpaceBeforeColon, 1, chunked("0\r\n|Content-Length : 1\r\n\r\n")),
        (ContentLengthInvalid, 0, format!("|{}", post("Content-Length:\r\n", ""))),
        (
            ContentLengthInvalid,
            0,
            format!("|{}", post("Content-Length: +1\r\n", "a")),
        ),
        (
            ContentLengthInvalid,
            0,
            format!("|{}", post("Content-Length: -1\r\n", "")),
        ),
        (
            ContentLengthInvalid,
            0,
            format!("|{}", post("Content-Length: 0x1\r\n", "")),
        ),
        (
            ContentLengthInvalid,
            0,
            format!("|{}", post("Content-Length: 1 1\r\n", "")),
        ),
        (
            ContentLengthInvalid,
            0,
            format!("|{}", post("Content-Length: 1, 1\r\n", "a")),
        ),
        (
            ContentLengthInvalid,
            0,
            format!("|{}", post("Content-Length: \u{c}1\r\n", "a")),
        ),
        (
            ContentLengthInvalid,
            0,
            format!("|{}", post("Content-Length: 18446744073709551614\r\n", "a")),
        ),
        (
            ContentLengthInvalid,
            0,
            format!("|{}", post("Content-Length: 18446744073709551617\r\n", "a")),
        ),
        (
            ContentLengthRepeated,
            0,
            format!("|{}", post("Content-Length: 1\r\nContent-Length: 2\r\n", "a")),
        ),
        (
            ContentLengthRepeated,
            0,
            format!("|{}", post("Content-Length: 1\r\ncontent-length: 1\r\n", "a")),
        ),
        (
            ContentLengthRepeated,
            0,
            format!("|{}", post("Content-Length: 0\r\nContent-Length: 0\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!("|{}", post("Transfer-Encoding:\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!("|{}", post("Transfer-Encoding: gzip\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!("|{}", post("Transfer-Encoding: identity\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!("|{}", post("Transfer-Encoding: xchunked\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!("|{}", post("Transfer-Encoding: \"chunked\"\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!("|{}", post("Transfer-Encoding: \u{b}chunked\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!("|{}", post("Transfer-Encoding: gzip, chunked\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!("|{}", post("Transfer-Encoding: chunked, chunked\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!("|{}", post("Transfer-Encoding: chunked, identity\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!("|{}", post("Transfer-Encoding: chunked;q=1\r\n", "")),
        ),
        (
            TransferEncodingInvalid,
            0,
            format!(
                "|{}",
                post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "")
            ),
        ),
        (
            TransferEncodingInHttp10,
            0,
            "|POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into(),
        ),
        (
            LengthBesideTransferEncoding,
            0,
            format!(
                "|{}",
                post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")
            ),
        ),
        (
            LengthBesideTransferEncoding,
            0,
            format!(
                "|{}",
                post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")
            ),
        ),
        (
            LengthBesideTransferEncoding,
            0,
            format!(
                "|{}",
                post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")
            ),
        ),
        (
            ExpectationUnknown,
            0,
            format!("|{}", post("Expect: 100\r\nContent-Length: 1\r\n", "a")),
        ),
        (
            ExpectationUnknown,
            0,
            format!("|{}", post("Expect: 100-continue, x\r\n", "")),
        ),
        (SpaceBeforeColon, 0, format!("|{}", post("Expect : x\r\n", ""))),
        (ChunkSizeInvalid, 1, chunked("|\r\na\r\n0\r\n\r\n")),
        (ChunkSizeInvalid, 1, chunked("0|x1\r\na\r\n0\r\n\r\n")),
        (ChunkSizeInvalid, 1, chunked("|-1\r\n")),
        (ChunkSizeInvalid, 1, chunked("|+1\r\n")),
        (ChunkSizeInvalid, 1, chunked("| 1\r\n")),
        (ChunkSizeInvalid, 1, chunked("1 |\r\na\r\n0\r\n\r\n")),
        (ChunkSizeInvalid, 1, chunked("1 |1\r\n")),
        (ChunkSizeInvalid, 1, chunked("1|g\r\n")),
        (ChunkSizeInvalid, 1, chunked("|;a\r\n")),
        (ChunkSizeInvalid, 1, chunked("0000000000000000|0\r\n\r\n")),
        (ChunkSizeInvalid, 1, chunked("1\r\na\r\n|\r\n0\r\n\r\n")),
        (ChunkExtensionInvalid, 1, chunked("1;a|\u{0}b\r\na\r\n0\r\n\r\n")),
        (ChunkExtensionInvalid, 1, chunked("1;a=\"|\u{7f}\"\r\na\r\n0\r\n\r\n")),
        (
            ChunkExtensionTooLong,
            1,
            chunked(&format!("1;{}|a\r\na\r\n0\r\n\r\n", "a".repeat(4096))),
        ),
        (
            ChunkExtensionTooLong,
            1,
            chunked(&format!("1{}| ;\r\na\r\n0\r\n\r\n", " ".repeat(4096))),
        ),
        (ChunkDataUnterminated, 1, chunked("1\r\na|b\r\n0\r\n\r\n")),
        (ChunkDataUnterminated, 1, chunked("1\r\na|\n0\r\n\r\n")),
        (ChunkDataUnterminated, 1, chunked("1\r\na\r|b0\r\n\r\n")),
        (TrailerForbidden, 1, chunked("0\r\nA: b\r\n|Content-Length: 5\r\n\r\n")),
        (TrailerForbidden, 1, chunked("0\r\n|transfer-encoding: chunked\r\n\r\n")),
        (TrailerForbidden, 1, chunked("0\r\n|HOST: y\r\n\r\n")),
        (
            TrailersTooLarge,
            1,
            chunked(&format!("0\r\na: {}\r\n\r|\n", "b".repeat(294))),
        ),
    ];
    for (fault, heads, marked) in table {
        let expected = marked.find('|').unwrap();
        let bytes = marked.replacen('|', "", 1).into_bytes();
        let (verdict, passed) = check(&bytes, &[], &LIMITS);
        assert_eq!((verdict.fault, verdict.heads), (Some(*fault), *heads), "{marked:?}");
        assert_eq!(passed, expected, "{marked:?}");
    }
}

#[test]
fn a_fault_in_a_later_message_leaves_the_earlier_ones() {
    let good = "GET / HTTP/1.1\r\n\r\n";
    let (verdict, passed) = check(format!("{good}{good}GET / HTTP/1.1\n\n{good}").as_bytes(), &[], &LIMITS);
    assert_eq!(
        (verdict.fault, verdict.heads, passed),
        (Some(Fault::BareLf), 2, 2 * good.len())
    );
}

#[test]
fn a_connection_costs_two_cache_lines_and_keeps_no_buffer() {
    assert!(size_of::<Framing>() <= 128);
    let mut framing = Framing::new();
    let bytes = chunked("1;abc\r\na\r\n0\r\nX-Trailer: v\r\n\r\n");
    for byte in bytes.as_bytes() {
        framing.check(&[*byte], &LIMITS).unwrap();
    }
    assert!(matches!(framing.place, Place::Start));
}

/// Pieces of which random messages are made: right, wrong and cut ones.
pub(super) fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n",
        b"POST /a HTTP/1.1\r\n",
        b"POST / HTTP/1.0\r\n",
        b"PUT /b?c HTTP/1.1\r\n",
        b"GET /aaaaaaaaaaaaaaaa",
        b"Host: x\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n",
        b"content-length:1 \r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding:CHUNKED\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"A: b\r\n",
        b"Cookie: a=b\r\n",
        b"\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"#",
        b":",
        b"abc",
        b"a",
        b"\0",
        b"0\r\n\r\n",
        b"0\r\n",
        b"1\r\na\r\n",
        b"3\r\nabc\r\n",
        b"a\r\n0123456789\r\n",
        b"2;x=y\r\nab\r\n",
        b"1 ;x\r\na\r\n",
        b"2\r\n",
        b"T: v\r\n",
        b"Host",
        b"-Length",
        b"HTTP/2.0\r\n",
    ];
    let word = prop_oneof![
        40 => prop::sample::select(words).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..4),
    ];
    vec(word, 0..24).prop_map(|words| words.concat())
}

/// A right message.
pub(super) fn message() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        Just((String::new(), String::new())),
        "[a-z\r\n]{0,20}".prop_map(|body| (format!("Content-Length: {}\r\n", body.len()), body)),
        vec("[a-z\r\n]{1,20}", 0..4).prop_map(|chunks| {
            let chunks: String = chunks.iter().map(|c| format!("{:x}\r\n{c}\r\n", c.len())).collect();
            ("Transfer-Encoding: chunked\r\n".into(), format!("{chunks}0\r\n\r\n"))
        }),
    ];
    (
        "[A-Z]{1,7}",
        "/[a-z]{0,9}",
        vec("[A-Bd-gi-su-z]{1,5}: [a-z ]{0,9}\r\n", 0..3),
        body,
    )
        .prop_map(|(method, target, fields, (framing, body))| {
            format!(
                "{method} {target} HTTP/1.1\r\nHost: x\r\n{}{framing}\r\n{body}",
                fields.concat()
            )
            .into_bytes()
        })
}

/// Right messages with some bytes overwritten, or pieces.
pub(super) fn stream() -> impl Strategy<Value = Vec<u8>> {
    let damage = vec(
        (
            any::<prop::sample::Index>(),
            prop::sample::select(&b"\r\n\r\n :;0a#\0\t"[..]),
        ),
        0..3,
    );
    let damaged = (vec(message(), 1..4), damage).prop_map(|(messages, damage)| {
        let mut bytes = messages.concat();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    });
    prop_oneof![
        damaged,
        (message(), pieces()).prop_map(|(message, pieces)| [message, pieces].concat())
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_split_gives_the_same_verdict(
        bytes in stream(),
        cuts in vec(any::<usize>(), 0..12),
        target_bytes in 1_usize..30,
        head_bytes in 10_usize..120,
        field_count in 1_usize..5,
    ) {
        let limits = Limits { target_bytes, head_bytes, field_count };
        for limits in [LIMITS, limits] {
            let (whole, passed_whole) = check(&bytes, &[], &limits);
            let (split, passed_split) = check(&bytes, &cuts, &limits);
            let every_byte: Vec<usize> = (0..bytes.len()).collect();
            let (single, passed_single) = check(&bytes, &every_byte, &limits);
            prop_assert_eq!(&whole, &split);
            prop_assert_eq!(&whole, &single);
            // The later a fault's line began to come, the less of it has been passed on before it was found.
            prop_assert!(passed_whole <= passed_split && passed_split <= passed_single);
            // Whatever has been passed on is right, and makes no more heads.
            let (again, _) = check(&bytes[..passed_single], &[], &limits);
            prop_assert_eq!((again.fault, again.heads), (None, whole.heads));
        }
    }

    #[test]
    fn right_messages_pass(messages in vec(message(), 0..5), cuts in vec(any::<usize>(), 0..6)) {
        let limits = Limits { target_bytes: 100, head_bytes: 1000, field_count: 100 };
        let bytes = messages.concat();
        let (verdict, passed) = check(&bytes, &cuts, &limits);
        let expected = Verdict { fault: None, heads: messages.len() as u64, in_head: false, in_body: false };
        prop_assert_eq!((verdict, passed), (expected, bytes.len()));
    }
}
