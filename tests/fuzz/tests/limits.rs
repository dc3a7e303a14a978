//! Requests just below and just above every limit, whole and in two pieces.

use hinny_fuzz::difference::Pairs;
use hinny_fuzz::input::CUT;
use hinny_fuzz::setting::SETTINGS;

/// A request with a body of so many bytes.
fn with_body(length: usize) -> String {
    let body = "b".repeat(length);
    format!("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A request with a target of so many bytes.
fn with_target(length: usize) -> String {
    format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "t".repeat(length - 1))
}

/// A request with so many header fields.
fn with_fields(count: usize) -> String {
    let fields: String = (1..count).map(|n| format!("X-{n}: {n}\r\n")).collect();
    format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n")
}

/// A request with a head of so many bytes.
fn with_head(length: usize) -> String {
    let (before, behind) = ("GET / HTTP/1.1\r\nHost: x\r\nA: ", "\r\n\r\n");
    let value = "v".repeat(length - before.len() - behind.len());
    format!("{before}{value}{behind}")
}

fn requests() -> Vec<String> {
    let bodies = [0, 1, 31, 32, 33, 63, 64, 65, 99, 100, 101, 255, 256, 257];
    let mut requests: Vec<String> = bodies.into_iter().map(with_body).collect();
    requests.extend((62..=66).chain(98..=102).map(with_target));
    requests.extend((1..=10).chain(63..=65).chain(98..=102).map(with_fields));
    requests.extend((1022..=1026).chain(1498..=1502).map(with_head));
    requests
}

#[test]
fn limits_are_where_hyper_has_them() {
    let mut pairs = Pairs::new();
    let next = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n";
    for setting in 0..SETTINGS {
        for request in requests() {
            for cut in [0, request.len() / 2, request.len() - 1] {
                let (start, end) = request.as_bytes().split_at(cut);
                let data = [&[b'@' + setting as u8, b'@'], start, &[CUT], end, next].concat();
                if let Err(difference) = pairs.check(&data) {
                    panic!("{}\n{difference}", data.escape_ascii());
                }
            }
        }
    }
}
