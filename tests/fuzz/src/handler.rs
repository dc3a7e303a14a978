//! The handler of both servers: what it answers, and what it reads of a body, is in the path and the query.
//!
//! | path | answer |
//! |---|---|
//! | `/b3` | 200 with three thousand bytes |
//! | `/e` | 200 without a body (nil) |
//! | `/f1` | FAIL of kind 1 |
//! | `/h4` | 200 with header fields of its own, number 4 of [`FIELDS`] |
//! | `/i` | a file; with `/ix` one that is not there |
//! | `/s3` | 200 in three chunks; `/s3l` with Content-Length, `/s3x` breaks off |
//! | `/304` | that status with a body |
//! | others | 200 with method, path and the length of the body |
//!
//! A streamed request body is read to its end before the answer; with `n` in the query not at all, with `p` in part.

use bytes::{BufMut, BytesMut};
use hinny_core::names;
use hinny_core::records::{
    CHUNK, CHUNK_BODY, CHUNK_BODY_LENGTH, CHUNK_COST, CHUNK_EXCHANGE, CHUNK_FLAGS, FAIL, FAIL_EXCHANGE, FAIL_KIND,
    FAIL_SIZE, FLAG_CHUNK_LAST, FLAG_RESPONSE_BODY, FLAG_RESPONSE_FILE, FLAG_RESPONSE_STREAM, HEADER_ENTRY_SIZE,
    KIND_HANDLER_THREW, KIND_OVERLOADED, KIND_RESPONSE_INVALID, RESPONSE, RESPONSE_BODY_LENGTH, RESPONSE_EXCHANGE,
    RESPONSE_FLAGS, RESPONSE_HEADER_COUNT, RESPONSE_HEADERS, RESPONSE_STATUS, RESPONSE_TYPE, SIGNAL, SIGNAL_AMOUNT,
    SIGNAL_CODE, SIGNAL_CREDIT, SIGNAL_DISCARD, SIGNAL_EXCHANGE, SIGNAL_SIZE,
};

use crate::record::Request;

/// A header field.
pub type Field = (&'static str, &'static [u8]);

/// Header fields of answers. Those of one name stand together, as they come from one entry of a Ring map: hyper puts them
/// together, the fast lane leaves them where they are.
pub const FIELDS: [&[Field]; 16] = [
    &[],
    &[("Content-Type", b"text/html"), ("X-Own-Name", b"v")],
    &[("server", b"own"), ("content-length", b"3")],
    &[("connection", b"close")],
    &[("connection", b"keep-alive"), ("keep-alive", b"timeout=5")],
    &[("date", b"Thu, 01 Jan 1970 00:00:00 GMT")],
    &[("transfer-encoding", b"chunked")],
    &[("set-cookie", b"a=1"), ("Set-Cookie", b"b=2"), ("x-behind", b"")],
    &[("content-length", b"99999"), ("content-length", b"4")],
    &[("content-length", b"x")],
    &[("connection", b"Upgrade, close"), ("upgrade", b"h2c")],
    &[("x-tab", b"a\tb"), ("x-high", b"\xe4\xff")],
    &[("connection", b"x-own"), ("x-own", b"1"), ("trailer", b"x")],
    &[("connection", b"close"), ("connection", b"keep-alive")],
    &[("server", b"a"), ("server", b"b"), ("vary", b"*")],
    &[("connection", b"CLOSE"), ("date", b""), ("etag", b"\"\"")],
];

const PLAIN: &[Field] = &[("content-type", b"text/plain")];

/// The file that is answered.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

/// The bytes of a chunk of an answer.
const CHUNK_TEXT: &[u8] = b"chunk";

/// What a handler reads of a body that reads a part.
pub const PART_BYTES: usize = 5;

/// What the handler does with a request body that is streamed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading {
    /// It reads it to its end, and then answers.
    All,
    /// It answers when it has read [`PART_BYTES`], if there are as many.
    Part,
    /// It answers at once.
    Nothing,
}

/// How the handler reads the body of this request.
#[must_use]
pub fn reading(request: &Request) -> Reading {
    match request.query.as_deref().unwrap_or_default() {
        _ if !request.is_streamed() => Reading::Nothing,
        query if query.contains('n') => Reading::Nothing,
        query if query.contains('p') => Reading::Part,
        _ => Reading::All,
    }
}

/// Asks for as much of the body as the handler reads.
pub fn ask(out: &mut BytesMut, exchange: u64, reading: Reading) {
    let amount = match reading {
        Reading::All => 1 << 20,
        Reading::Part => PART_BYTES + CHUNK_COST,
        Reading::Nothing => return,
    };
    signal(out, exchange, SIGNAL_CREDIT, amount as u32);
}

/// Asks on, after a chunk that was smaller than what was asked for.
pub fn ask_on(out: &mut BytesMut, exchange: u64) {
    signal(out, exchange, SIGNAL_CREDIT, CHUNK_COST as u32);
}

/// Writes the answer to a request of whose body `length` bytes were read; whether it was a file's path, which is
/// opened on another thread.
pub fn answer(out: &mut BytesMut, exchange: u64, request: &Request, length: usize, body_is_open: bool) -> bool {
    let is_head = request.method == "HEAD";
    let mut path = request.uri.bytes().skip(1);
    let (first, second, third) = (path.next(), path.next(), path.next());
    let number = second.map_or(0, |byte| usize::from(byte % 16));
    let mut answer = Answer {
        exchange,
        status: 200,
        flags: FLAG_RESPONSE_BODY,
        fields: PLAIN,
        length: None,
    };
    let text = format!("{} {} {length}", request.method, request.uri);
    match first {
        Some(b'b') => answer.write(out, &[b'b'; 1000].repeat(number)),
        Some(b'e') => {
            answer.flags = 0;
            answer.write(out, b"");
        }
        Some(b'f') => fail(
            out,
            exchange,
            [KIND_HANDLER_THREW, KIND_RESPONSE_INVALID, KIND_OVERLOADED][number % 3],
        ),
        Some(b'h') => {
            answer.fields = FIELDS[number];
            answer.write(out, text.as_bytes());
        }
        Some(b'i') => {
            answer.flags |= FLAG_RESPONSE_FILE;
            let path = if second == Some(b'x') {
                "/nowhere/to/be/found"
            } else {
                FILE
            };
            answer.write(out, path.as_bytes());
        }
        Some(b's') if is_head => {
            answer.flags = 0;
            answer.write(out, b"");
        }
        Some(b's') => stream(out, answer, number % 8, third),
        Some(digit @ b'2'..=b'5') => {
            let tens = [second, third].map(|byte| byte.map_or(0, |byte| u16::from(byte % 10)));
            answer.status = u16::from(digit - b'0') * 100 + tens[0] * 10 + tens[1];
            answer.write(out, text.as_bytes());
        }
        _ => answer.write(out, text.as_bytes()),
    }
    if body_is_open {
        signal(out, exchange, SIGNAL_DISCARD, 0);
    }
    first == Some(b'i')
}

fn stream(out: &mut BytesMut, mut answer: Answer, chunks: usize, variant: Option<u8>) {
    let exchange = answer.exchange;
    answer.flags = FLAG_RESPONSE_STREAM;
    // With the head comes a first part or none; the end comes with the last chunk or behind it.
    let first = if chunks % 2 == 1 { b"first".as_slice() } else { b"" };
    if !first.is_empty() {
        answer.flags |= FLAG_RESPONSE_BODY;
    }
    let (breaks_off, ends_behind) = (variant == Some(b'x'), chunks.is_multiple_of(3));
    if variant == Some(b'l') {
        answer.length = Some((first.len() + chunks * CHUNK_TEXT.len()).to_string());
    }
    answer.write(out, first);
    for n in 1..=chunks {
        chunk(out, exchange, CHUNK_TEXT, n == chunks && !ends_behind && !breaks_off);
    }
    if breaks_off {
        fail(out, exchange, KIND_HANDLER_THREW);
    } else if ends_behind {
        chunk(out, exchange, b"", true);
    }
}

/// A RESPONSE command to be.
struct Answer {
    exchange: u64,
    status: u16,
    flags: u8,
    fields: &'static [Field],
    /// A Content-Length beside the fields.
    length: Option<String>,
}

impl Answer {
    fn write(&self, out: &mut BytesMut, body: &[u8]) {
        let length = self.length.as_deref().map(|text| ("content-length", text.as_bytes()));
        let fields: Vec<(&str, &[u8])> = self.fields.iter().copied().chain(length).collect();
        let mut index = BytesMut::new();
        let mut texts = BytesMut::new();
        for (name, value) in &fields {
            let id = names::header_id(&name.to_ascii_lowercase());
            index.put_u16_le(id);
            index.put_u16_le(if id == 0 { name.len() as u16 } else { 0 });
            index.put_u32_le(value.len() as u32);
            if id == 0 {
                texts.put_slice(name.as_bytes());
            }
            texts.put_slice(value);
        }
        debug_assert_eq!(index.len(), fields.len() * HEADER_ENTRY_SIZE);
        let mut command = Command::new(out, RESPONSE, self.exchange, RESPONSE_HEADERS);
        command.put(RESPONSE_FLAGS, &[self.flags]);
        command.put(RESPONSE_STATUS, &self.status.to_le_bytes());
        command.put(RESPONSE_BODY_LENGTH, &(body.len() as u32).to_le_bytes());
        command.put(RESPONSE_HEADER_COUNT, &(fields.len() as u16).to_le_bytes());
        for part in [&index[..], &texts[..], body] {
            command.out.put_slice(part);
        }
        command.end();
    }
}

fn chunk(out: &mut BytesMut, exchange: u64, bytes: &[u8], last: bool) {
    const { assert!(CHUNK_EXCHANGE == RESPONSE_EXCHANGE) };
    let mut command = Command::new(out, CHUNK, exchange, CHUNK_BODY);
    command.put(CHUNK_FLAGS, &[if last { FLAG_CHUNK_LAST } else { 0 }]);
    command.put(CHUNK_BODY_LENGTH, &(bytes.len() as u32).to_le_bytes());
    command.out.put_slice(bytes);
    command.end();
}

fn signal(out: &mut BytesMut, exchange: u64, code: u8, amount: u32) {
    const { assert!(SIGNAL_EXCHANGE == RESPONSE_EXCHANGE) };
    let mut command = Command::new(out, SIGNAL, exchange, SIGNAL_SIZE);
    command.put(SIGNAL_CODE, &[code]);
    command.put(SIGNAL_AMOUNT, &amount.to_le_bytes());
    command.end();
}

fn fail(out: &mut BytesMut, exchange: u64, kind: u8) {
    const { assert!(FAIL_EXCHANGE == RESPONSE_EXCHANGE) };
    let mut command = Command::new(out, FAIL, exchange, FAIL_SIZE);
    command.put(FAIL_KIND, &[kind]);
    command.end();
}

/// A command that is being written.
struct Command<'a> {
    out: &'a mut BytesMut,
    start: usize,
}

impl<'a> Command<'a> {
    fn new(out: &'a mut BytesMut, command_type: u8, exchange: u64, fixed: usize) -> Self {
        let start = out.len();
        out.put_bytes(0, fixed);
        let mut command = Self { out, start };
        command.put(RESPONSE_TYPE, &[command_type]);
        command.put(RESPONSE_EXCHANGE, &exchange.to_le_bytes());
        command
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.out[self.start + at..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Pads the command and writes its length, which is its first word.
    fn end(mut self) {
        let length = (self.out.len() - self.start).next_multiple_of(8);
        self.out.put_bytes(0, self.start + length - self.out.len());
        self.put(0, &(length as u32).to_le_bytes());
    }
}
