use bytes::Bytes;
use hinny_core::commands::{Command, Commands};
use hinny_core::error::HeadFault;
use hinny_core::records::{
    FLAG_RESPONSE_BODY, HEADER_ENTRY_SIZE, RESPONSE, RESPONSE_BODY_LENGTH, RESPONSE_FLAGS, RESPONSE_HEADER_COUNT,
    RESPONSE_HEADERS, RESPONSE_STATUS, RESPONSE_TYPE,
};
use hinny_core::status;

use super::*;

const DATE: &[u8] = b"date: now\r\n";

const KEEP: Frame<'_> = Frame {
    head_request: false,
    http_10: false,
    close: false,
    close_is_understood: false,
    server: b"server: hinny\r\n",
    date: DATE,
};

const HEAD: Frame<'_> = Frame {
    head_request: true,
    ..KEEP
};

const CLOSE: Frame<'_> = Frame { close: true, ..KEEP };

/// A RESPONSE command with these fields; a name that is listed goes as its id.
fn outbox(status: u16, fields: Fields<'_>, body: &str) -> Bytes {
    let mut command = vec![0; RESPONSE_HEADERS + fields.len() * HEADER_ENTRY_SIZE];
    command[RESPONSE_TYPE] = RESPONSE;
    command[RESPONSE_FLAGS] = FLAG_RESPONSE_BODY;
    command[RESPONSE_STATUS..][..2].copy_from_slice(&status.to_le_bytes());
    command[RESPONSE_BODY_LENGTH..][..4].copy_from_slice(&(body.len() as u32).to_le_bytes());
    command[RESPONSE_HEADER_COUNT..][..2].copy_from_slice(&(fields.len() as u16).to_le_bytes());
    for (n, (name, value)) in fields.iter().enumerate() {
        let id = names::header_id(name);
        let text = if id == 0 { name } else { "" };
        let entry = RESPONSE_HEADERS + n * HEADER_ENTRY_SIZE;
        command[entry..][..2].copy_from_slice(&id.to_le_bytes());
        command[entry + 2..][..2].copy_from_slice(&(text.len() as u16).to_le_bytes());
        command[entry + 4..][..4].copy_from_slice(&(value.len() as u32).to_le_bytes());
        command.extend_from_slice(text.as_bytes());
        command.extend_from_slice(value.as_bytes());
    }
    command.extend_from_slice(body.as_bytes());
    let length = command.len().next_multiple_of(8);
    command.resize(length, 0);
    command[..4].copy_from_slice(&(length as u32).to_le_bytes());
    command.into()
}

type Fields<'a> = &'a [(&'a str, &'a str)];

/// Status and fields of a response, its frame; its bytes, and whether the connection ends with it.
type Row<'a> = (u16, Fields<'a>, &'a Frame<'a>, &'a str, bool);

/// Status, Content-Length and body of a handler, the frame; Content-Length and body of the message.
type BodilessRow<'a> = (u16, Option<&'a str>, &'a str, &'a Frame<'a>, Option<&'a str>, &'a str);

/// The response behind `before`, and whether the connection ends with it.
fn written(status: u16, fields: Fields<'_>, body: &str, frame: &Frame<'_>) -> Result<(String, bool), (Kind, Vec<u8>)> {
    let outbox = outbox(status, fields, body);
    let Some(Ok(Command::Response(_, command))) = Commands::new(&outbox).next() else {
        panic!("no response");
    };
    let mut out = b"before".to_vec();
    match write_response(&mut out, &command, frame) {
        Ok(close) => Ok((String::from_utf8(out.split_off(6)).unwrap(), close)),
        Err(kind) => Err((kind, out)),
    }
}

#[test]
fn responses_with_a_body() {
    let table: &[Row<'_>] = &[
        (
            200,
            &[("content-type", "text/plain")],
            &KEEP,
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nserver: hinny\r\ncontent-length: 2\r\ndate: now\r\n\r\nhi",
            false,
        ),
        (
            404,
            &[("X-A", "1"), ("content-length", "7"), ("transfer-encoding", "chunked")],
            &CLOSE,
            "HTTP/1.1 404 Not Found\r\nx-a: 1\r\nserver: hinny\r\nconnection: close\r\ncontent-length: 2\r\ndate: now\r\n\r\nhi",
            true,
        ),
        (
            299,
            &[("server", "own"), ("date", "then")],
            &KEEP,
            "HTTP/1.1 299 <none>\r\nserver: own\r\ndate: then\r\ncontent-length: 2\r\n\r\nhi",
            false,
        ),
        (
            200,
            &[
                ("connection", "a"),
                ("x-b", "2"),
                ("connection", "b, Close"),
                ("trailer", "c"),
                ("trailer", "d"),
            ],
            &CLOSE,
            "HTTP/1.1 200 OK\r\nconnection: a, b, Close\r\nx-b: 2\r\ntrailer: c, d\r\nserver: hinny\r\ncontent-length: 2\r\ndate: now\r\n\r\nhi",
            true,
        ),
        (
            200,
            &[("connection", "keep-alive")],
            &CLOSE,
            "HTTP/1.1 200 OK\r\nconnection: keep-alive, close\r\nserver: hinny\r\ncontent-length: 2\r\ndate: now\r\n\r\nhi",
            true,
        ),
        (
            200,
            &[("connection", "close")],
            &Frame { server: b"", ..KEEP },
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\ndate: now\r\n\r\nhi",
            true,
        ),
    ];
    for (status, fields, frame, expected, close) in table {
        let result = written(*status, fields, "hi", frame).unwrap();
        assert_eq!(result, ((*expected).to_owned(), *close), "{status} {fields:?}");
    }
}

/// The framing of a response: its Content-Length, and its body.
#[test]
fn responses_without_content() {
    let table: &[BodilessRow<'_>] = &[
        (200, None, "", &KEEP, Some("0"), ""),
        (200, Some("9"), "", &KEEP, Some("0"), ""),
        (200, None, "hi", &HEAD, Some("2"), ""),
        (200, None, "", &HEAD, None, ""),
        (200, Some("9"), "hi", &HEAD, Some("9"), ""),
        (200, Some("+9"), "hi", &HEAD, Some("2"), ""),
        (204, Some("9"), "hi", &KEEP, None, ""),
        (204, Some("9"), "hi", &HEAD, None, ""),
        (205, Some("9"), "hi", &KEEP, Some("0"), ""),
        (205, Some("9"), "hi", &HEAD, None, ""),
        (304, Some("9"), "hi", &KEEP, Some("9"), ""),
        (304, None, "hi", &KEEP, None, ""),
        (304, None, "hi", &HEAD, Some("2"), ""),
    ];
    for (status, own, body, frame, length, content) in table {
        let fields: Vec<_> = own.iter().map(|length| ("content-length", *length)).collect();
        let (text, _) = written(*status, &fields, body, frame).unwrap();
        let (head, rest) = text.split_once("\r\n\r\n").unwrap();
        let found = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        assert_eq!((found, rest), (*length, *content), "{status} {own:?} {body:?}");
    }
}

#[test]
fn what_would_break_the_message_is_refused_and_leaves_nothing() {
    for (name, value) in [
        ("a b", "1"),
        ("", "1"),
        ("a\n", "b"),
        ("\u{e9}", "b"),
        ("content-type", "a\r\nb: c"),
        ("content-length", "1\n"),
        ("x", "a\0"),
        ("x", "\u{7f}"),
    ] {
        let result = written(200, &[("x-a", "1"), (name, value)], "hi", &KEEP);
        let expected = (Kind::ResponseInvalid, b"before".to_vec());
        assert_eq!(result, Err(expected), "{name:?} {value:?}");
    }
}

#[test]
fn answers_to_errors() {
    let table = [
        (
            Kind::ExchangeLimit,
            &KEEP,
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nserver: hinny\r\nretry-after: 1\r\n\
             content-length: 19\r\ndate: now\r\n\r\nService Unavailable",
        ),
        (
            Kind::HandlerThrew,
            &HEAD,
            "HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain\r\nserver: hinny\r\ncontent-length: 21\r\n\
             date: now\r\n\r\n",
        ),
        (
            Kind::RangeNotSatisfiable { length: 7 },
            &KEEP,
            "HTTP/1.1 416 Range Not Satisfiable\r\ncontent-type: text/plain\r\ncontent-range: bytes */7\r\n\
             server: hinny\r\ncontent-length: 21\r\ndate: now\r\n\r\nRange Not Satisfiable",
        ),
        (
            Kind::HeadMalformed(HeadFault::HostMissing),
            &KEEP,
            "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nserver: hinny\r\nconnection: close\r\n\
             content-length: 11\r\ndate: now\r\n\r\nBad Request",
        ),
    ];
    for (kind, frame, expected) in table {
        let mut out = Vec::new();
        write_answer(&mut out, status::answer(kind).unwrap(), frame);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
