use super::*;

const LIMITS: Limits = Limits {
    target_bytes: 30,
    head_bytes: 200,
    field_count: 5,
};

/// What a head says, in words; `partial` or `odd` if it is not plain.
fn parsed(bytes: &[u8]) -> String {
    let mut space = Space::new();
    match parse(bytes, &LIMITS, &mut space) {
        Parsed::Partial => "partial".into(),
        Parsed::Odd => "odd".into(),
        Parsed::Plain(head) => {
            let mut text = format!(
                "{} {} {:?} {:?} {}",
                names::METHODS[usize::from(head.line.method) - 1],
                str::from_utf8(head.line.path).unwrap(),
                head.line.query.map(|query| str::from_utf8(query).unwrap()),
                head.content_length,
                head.close
            );
            assert_eq!(head.name_count(), head.fields().count());
            let fields = &bytes[head.line.length..head.length];
            let line = parse_line(bytes, fields, &LIMITS).unwrap();
            assert_eq!(format!("{line:?}"), format!("{:?}", head.line));
            let mut known = KnownLine::default();
            assert!(known.parse(bytes, fields).is_none());
            known.set(&line, bytes);
            let again = known.parse(bytes, fields);
            assert_eq!(format!("{again:?}"), format!("{:?}", Some(&head.line)));
            assert!(known.parse(&bytes[1..], fields).is_none());
            assert!(known.parse(&bytes[..head.length - 1], fields).is_none());
            for (id, name, value) in head.fields() {
                let known = names::header_text(id).unwrap_or("-");
                text += &format!(" [{known} {name} {}]", String::from_utf8_lossy(value));
            }
            text
        }
    }
}

fn with(lines: &str) -> String {
    format!("GET /a HTTP/1.1\r\nHost: x\r\n{lines}\r\n")
}

#[test]
fn plain_heads() {
    let table: &[(String, &str)] = &[
        (with(""), "GET /a None None false [host Host x]"),
        (
            with("X-A:  b c \t\r\n"),
            "GET /a None None false [host Host x] [- X-A b c]",
        ),
        (
            with("content-LENGTH: 07\r\n"),
            "GET /a None Some(7) false [host Host x] [content-length content-LENGTH 07]",
        ),
        (
            with("Connection: Close\r\n"),
            "GET /a None None true [host Host x] [connection Connection Close]",
        ),
        (
            with("Connection: keep-alive\r\n"),
            "GET /a None None false [host Host x] [connection Connection keep-alive]",
        ),
        (
            "PATCH /%20?a?%zz HTTP/1.1\r\nhost:\r\n\r\nrest".into(),
            "PATCH /%20 Some(\"a?%zz\") None false [host host ]",
        ),
        (
            "OPTIONS /? HTTP/1.1\r\nHost: x\r\n\r\n".into(),
            "OPTIONS / Some(\"\") None false [host Host x]",
        ),
    ];
    for (bytes, expected) in table {
        assert_eq!(parsed(bytes.as_bytes()), *expected, "{bytes:?}");
    }
}

#[test]
fn odd_heads() {
    let table = [
        "\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /a HTTP/1.1\nHost: x\r\n\r\n".to_owned(),
        "GET /a HTTP/1.1\r\nHost: x\n\r\n".to_owned(),
        "GET /a HTTP/1.1\r\nHost: x\r\n\n".to_owned(),
        "GET /a HTTP/1.0\r\nHost: x\r\n\r\n".to_owned(),
        "GET /a HTTP/1.1\r\n\r\n".to_owned(),
        "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "CONNECT /a HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "PURGE /a HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "get /a HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /%2 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /<> HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(30)),
        with(&format!("A: {}\r\n", "a".repeat(200))),
        with("A: b\r\nC: d\r\nE: f\r\nG: h\r\nI: j\r\n"),
        with("Host: x\r\n"),
        with("A: b\r\na: c\r\n"),
        with("Accept: b\r\naccept: c\r\n"),
        with("Content-Length: 1\r\nContent-Length: 1\r\n"),
        with("Content-Length: +1\r\n"),
        with("Content-Length:\r\n"),
        with("Transfer-Encoding: gzip\r\n"),
        with("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
        with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        with("Expect: 100-continue\r\n"),
        with("Upgrade: h2c\r\n"),
        with("Connection: keep-alive, TE\r\n"),
        with("A : b\r\n"),
        with("A: b\r\n c\r\n"),
        with("A: \0\r\n"),
        with(": b\r\n"),
    ];
    for bytes in table {
        assert_eq!(parsed(bytes.as_bytes()), "odd", "{bytes:?}");
    }
}

/// Lines before fields that are plain: one is a request line of a plain head if and only if the other parser says so.
#[test]
fn request_lines_before_known_fields() {
    let fields = "Host: x\r\n\r\n";
    let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(29));
    let longer = format!("GET /{} HTTP/1.1\r\n", "a".repeat(30));
    for line in [
        "GET / HTTP/1.1\r\n",
        "OPTIONS /a?b?c HTTP/1.1\r\n",
        "DELETE /%20 HTTP/1.1\r\n",
        "GET /? HTTP/1.1\r\n",
        &long,
        &longer,
        "GET /%2 HTTP/1.1\r\n",
        "GET / HTTP/1.0\r\n",
        "GET / HTTP/1.1\n",
        "GET  / HTTP/1.1\r\n",
        "GET /  HTTP/1.1\r\n",
        "GET /\u{e9} HTTP/1.1\r\n",
        "GET /#a HTTP/1.1\r\n",
        "GET a HTTP/1.1\r\n",
        "GET HTTP/1.1\r\n",
        "CONNECT /a HTTP/1.1\r\n",
        "OPTIONSX /a HTTP/1.1\r\n",
        " GET / HTTP/1.1\r\n",
        "\r\nGET / HTTP/1.1\r\n",
        "get / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n",
    ] {
        let bytes = format!("{line}{fields}");
        let is_plain = parsed(bytes.as_bytes()) != "odd" && !line.contains("A: b");
        let known = parse_line(bytes.as_bytes(), fields.as_bytes(), &LIMITS);
        assert_eq!(known.is_some(), is_plain, "{line:?}");
        for end in 0..bytes.len() {
            let cut = parse_line(&bytes.as_bytes()[..end], fields.as_bytes(), &LIMITS);
            assert!(cut.is_none(), "{line:?} cut at {end}");
        }
    }
}

#[test]
fn the_limits_themselves_are_within() {
    let target = "/".repeat(LIMITS.target_bytes);
    let head = format!("GET {target} HTTP/1.1\r\nHost: x\r\nA: b\r\nC: d\r\nE: f\r\nG: ");
    let filler = "h".repeat(LIMITS.head_bytes - head.len() - 4);
    assert!(parsed(format!("{head}{filler}\r\n\r\n").as_bytes()).starts_with("GET"));
    assert_eq!(parsed(format!("{head}{filler}h\r\n\r\n").as_bytes()), "odd");
}

#[test]
fn each_beginning_of_a_plain_head_is_partial() {
    let bytes = with("Content-Length: 3\r\nX-A: b\r\n");
    for end in 0..bytes.len() {
        assert_eq!(parsed(&bytes.as_bytes()[..end]), "partial", "{:?}", &bytes[..end]);
    }
}
