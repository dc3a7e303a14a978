//! What the codecs are measured with: the same inputs for times (criterion) and for instructions ([`crate::cases`]).

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use hinny_codec::conditional::Validators;
use hinny_codec::framing::Limits;
use hinny_codec::json::Settings;
use hinny_core::records;
use http::{HeaderMap, HeaderName, HeaderValue};

/// What a server allows by default, nearly.
pub const LIMITS: Limits = Limits {
    target_bytes: 8 << 10,
    head_bytes: 32 << 10,
    field_count: 100,
};

/// A head as TechEmpower's generator sends it, of 208 bytes.
pub const TECHEMPOWER: &str = "GET /plaintext HTTP/1.1\r\n\
    Host: techempower:8080\r\n\
    Accept: application/json,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7\r\n\
    User-Agent: wrk/4.2.0 (linux)\r\n\
    Connection: keep-alive\r\n\r\n";

/// A head as a client of an API sends it, of 320 bytes.
pub const API: &str = "POST /v1/orders/471?expand=lines HTTP/1.1\r\n\
    Host: api.example.com\r\n\
    User-Agent: example-client/2.7.1\r\n\
    Accept: application/json\r\n\
    Accept-Encoding: gzip, deflate\r\n\
    Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n\
    Content-Type: application/json\r\n\
    Content-Length: 41\r\n\
    X-Request-Id: 7f3a2c9e-1111-2222-3333-444455556666\r\n\r\n";

/// A head as a browser sends it, of 496 bytes.
pub const BROWSER: &str = "GET /articles/2031/a-title-of-some-length?page=2 HTTP/1.1\r\n\
    Host: www.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1.2.3.4.5.6\r\n\
    Connection: keep-alive\r\n\
    Cache-Control: max-age=0\r\n\r\n";

/// As many parameters as a server allows by default.
pub const PARAMS_MOST: u32 = 1024;

/// Six parameters, two of them with escapes.
pub const QUERY: &str = "q=native+codecs&page=2&size=50&sort=name&tag=http%2F1.1&lang=en";

/// A session, a setting and what a consent banner leaves.
pub const COOKIES: &str =
    "session=0123456789abcdef0123456789abcdef; theme=dark; lang=en-US; consent=%7B%22all%22%3Atrue%7D";

/// The path of a file, three segments.
pub const FILE_PATH: &str = "assets/css/site.css";

/// Paths without and with escapes.
pub const PATHS: [&str; 2] = ["/users/4711/orders/17/all", "/users/J%c3%bcrgen/orders/%41/all17"];

/// What a browser accepts.
pub const ACCEPT: &[u8] = b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
/// What a handler offers.
pub const OFFERED: [&[u8]; 3] = [b"application/json", b"text/html", b"application/edn"];

/// What a server knows of a file.
pub const VALIDATORS: Validators<'static> = Validators {
    etag: Some(b"\"3e8-ae1b981bc490a00\""),
    last_modified: Some(784_111_777),
    is_date_strong: true,
};

/// How JSON is read by default.
pub const JSON_SETTINGS: Settings = Settings {
    depth: 512,
    big_decimals: false,
};

/// What begins each part of a multipart body.
pub const DELIMITER: &[u8] = b"\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW";

/// Last piece, state 0, a head of 10 KiB at most.
pub const MULTIPART_SETTINGS: u64 = 10_240 << 32 | (DELIMITER.len() as u64) << 16 | 1 << 8;

/// A form of so many fields with a short text each.
#[must_use]
pub fn form(fields: usize) -> String {
    (0..fields)
        .map(|n| format!("field{n}=a+value+of+some+length&"))
        .collect()
}

/// A form of one long text with many escapes.
#[must_use]
pub fn escaped_form() -> String {
    format!("text={}", "Gr%C3%BC%C3%9Fe+aus+M%C3%BCnchen.+".repeat(500))
}

/// An object with an array of records, as an API sends them, of about so many bytes.
#[must_use]
pub fn json_text(size: usize) -> Vec<u8> {
    let mut text = String::from("{\"status\":\"ok\",\"page\":3,\"items\":[");
    let mut id = 1000;
    while text.len() + 40 < size || id == 1000 {
        let more = if size < 200 { "" } else { RECORD_END };
        let comma = if id == 1000 { "" } else { "," };
        let city = if id % 3 == 0 { "Zürich" } else { "Oslo" };
        let note = if id % 4 == 0 { "\"line\\nbreak\"" } else { "null" };
        let price = id * 7919 % 100_000;
        let _ = write!(
            text,
            "{comma}{{\"id\":{id},\"name\":\"alpha bravo {id}\",\"price\":{}.{:02}{}}}",
            price / 100,
            price % 100,
            more.replace("CITY", city).replace("NOTE", note),
        );
        id += 1;
    }
    text.push_str("],\"total\":120}");
    text.into_bytes()
}

const RECORD_END: &str = ",\"uuid\":\"0f8fad5b-d9cb-469f-a165-70867728950e\",\"quantity\":17,\"active\":true,\"note\":NOTE,\
    \"place\":{\"city\":\"CITY\",\"lat\":59.913},\"tags\":[\"new\",\"delta\"]";

/// A delimiter as the codec wants it in front of a multipart form with five fields and a file.
#[must_use]
pub fn multipart(file: &[u8]) -> Vec<u8> {
    let mut form = DELIMITER.to_vec();
    for field in 0..5 {
        form.extend_from_slice(if field == 0 { &DELIMITER[2..] } else { DELIMITER });
        form.extend_from_slice(
            format!("\r\nContent-Disposition: form-data; name=\"field-{field}\"\r\n\r\na value of some length")
                .as_bytes(),
        );
    }
    form.extend_from_slice(DELIMITER);
    form.extend_from_slice(
        b"\r\nContent-Disposition: form-data; name=\"file\"; filename=\"picture.png\"\r\nContent-Type: image/png\r\n\r\n",
    );
    form.extend_from_slice(file);
    form.extend_from_slice(DELIMITER);
    form.extend_from_slice(b"--\r\n");
    form
}

/// Bytes of a file that is compressed, so that all occur alike.
#[must_use]
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24).to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// The first so many header fields of a request, as hyper has them.
#[must_use]
pub fn headers(count: usize) -> HeaderMap {
    [
        ("host", "127.0.0.1:8080"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("accept-language", "en-US,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br"),
        ("cookie", "session=0123456789abcdef; theme=dark"),
        ("x-request-id", "7f3a2c9e-1111-2222-3333-444455556666"),
        ("x-custom", "value"),
    ]
    .into_iter()
    .take(count)
    .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
    .collect()
}

/// What a request record says besides its header fields.
#[must_use]
pub const fn request_head() -> records::RequestHead<'static> {
    records::RequestHead {
        exchange: 1 << 32,
        method_id: 1,
        method: "GET",
        flags: 0,
        uri: b"/plaintext",
        query: None,
        server_name: "127.0.0.1",
        server_port: 8080,
        remote_addr: "127.0.0.1",
        endpoint: 0,
    }
}

/// A response with Content-Type and a body of 13 bytes, as `Outbox` writes it.
#[must_use]
pub fn response_command() -> Bytes {
    let mut out = BytesMut::new();
    crate::write_response(&mut out, &[0; 8]);
    out.freeze()
}
