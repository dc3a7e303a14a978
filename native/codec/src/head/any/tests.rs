use proptest::prelude::*;

use super::*;
use crate::framing::HeadScan;
use crate::head;

const LIMITS: Limits = Limits {
    target_bytes: 1 << 12,
    head_bytes: 1 << 14,
    field_count: 100,
};

/// What a head says, in words.
fn said(head: &str) -> String {
    let mut space = Space::default();
    match parse(head.as_bytes(), &LIMITS, &mut space) {
        Err(fault) => format!("{fault:?}"),
        Ok(head) => words(&head),
    }
}

fn words(head: &Head<'_, '_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut words = format!("{}{} {}", head.line.method, head.method, text(head.line.path));
    let mut add = |word: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push_str(&format!(" {word}={value}"));
        }
    };
    add("query", head.line.query.map(text));
    add("authority", head.authority.map(text));
    add("host", head.host.map(text));
    add("length", head.content_length.map(|length| length.to_string()));
    for (word, is) in [
        ("chunked", head.is_chunked),
        ("continue", head.expects_continue),
        ("close", head.close),
        ("1.0", head.is_http_10),
        ("escaped", head.line.escaped),
    ] {
        add(word, is.then(String::new));
    }
    let fields: Vec<String> = head
        .fields()
        .map(|(_, name, value)| format!("{}:{}", name.to_ascii_lowercase(), text(value)))
        .collect();
    format!("{words} {} {}", head.name_count(), fields.join("|"))
}

#[test]
fn heads() {
    let table = [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "1 / host=x 1 host:x"),
        ("GET / HTTP/1.0\r\n\r\n", "1 / close= 1.0= 0 "),
        (
            "GET / HTTP/1.0\r\nConnection: a, Keep-Alive\r\n\r\n",
            "1 / 1.0= 1 connection:a, Keep-Alive",
        ),
        (
            "BREW /a?b=c?d HTTP/1.1\r\nHost:x\r\n\r\n",
            "0BREW /a query=b=c?d host=x 1 host:x",
        ),
        (
            "GET http://a:1/b%20?c HTTP/1.1\r\nHost: x\r\n\r\n",
            "1 /b%20 query=c authority=a:1 host=x escaped= 1 host:x",
        ),
        (
            "GET a+b://c?d HTTP/1.1\r\nHost: x\r\n\r\n",
            "1 / query=d authority=c host=x 1 host:x",
        ),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "6 * host=x 1 host:x"),
        (
            "POST / HTTP/1.1\r\nA: 1\r\nHost: x\r\na: 2\r\nB: 3\r\nA: 4\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
            "3 / host=x chunked= continue= 5 a:1|a:2|a:4|host:x|b:3|transfer-encoding:chunked|expect:100-continue",
        ),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: x\r\nConnection: CLOSE\r\n\r\n",
            "1 / host=x close= 2 host:x|connection:x|connection:CLOSE",
        ),
        ("GET / HTTP/1.1\r\n\r\n", "HostMissing"),
        ("GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n", "HostRepeated"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n", "ConnectTarget"),
        ("GET * HTTP/1.1\r\nHost: x\r\n\r\n", "TargetInvalid"),
        ("GET a HTTP/1.1\r\nHost: x\r\n\r\n", "TargetInvalid"),
        ("GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", "TargetInvalid"),
        ("GET /%2 HTTP/1.1\r\nHost: x\r\n\r\n", "TargetInvalid"),
        ("GE{T / HTTP/1.1\r\nHost: x\r\n\r\n", "SyntaxInvalid"),
        ("GET / HTTP/1.1\r\nHo st: x\r\n\r\n", "SyntaxInvalid"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: \u{1}\r\n\r\n", "SyntaxInvalid"),
    ];
    for (head, expected) in table {
        assert_eq!(said(head), expected, "{head:?}");
    }
    let long = format!("{} / HTTP/1.1\r\nHost: x\r\n\r\n", "A".repeat(METHOD_LENGTH_MAX + 1));
    assert_eq!(said(&long), "MethodTooLong");
}

proptest! {
    /// A plain head is the same head here.
    #[test]
    fn plain_heads_are_parsed_alike(
        method in prop::sample::select(vec!["GET", "POST", "BREW"]),
        target in "/[a-c%2?]{0,6}",
        fields in prop::collection::vec((
            prop::sample::select(vec!["Host", "A", "b", "Content-Length", "Connection", "Content-Type"]),
            prop::sample::select(vec!["x", "12", "close", "keep-alive", ""]),
        ), 0..5),
    ) {
        let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let bytes = format!("{method} {target} HTTP/1.1\r\n{fields}\r\n").into_bytes();
        let mut plain_space = head::Space::new();
        if let head::Parsed::Plain(plain) = head::parse(&bytes, &LIMITS, &mut plain_space) {
            prop_assert_eq!(HeadScan::new().check(&bytes, &LIMITS), Ok(Some(bytes.len())));
            let mut space = Space::default();
            let any = parse(&bytes, &LIMITS, &mut space).expect("it is plain");
            prop_assert_eq!((words(&any), any.length, any.line.length), (words(&plain), plain.length, plain.line.length));
        }
    }
}
