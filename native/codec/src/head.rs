//! Parses plain request heads: those that mean the same to every reader, and nothing unusual.
//!
//! The rules are a strict part of what is a request at all, so that most heads take the short way: whatever is not plain is
//! for [`HeadScan`](crate::framing::HeadScan) to look for faults in, and then for [`any::parse`].
//!
//! # Invariants
//! - A plain head is of HTTP/1.1, has a method of [`names::METHODS`] but CONNECT, a path of characters that every URI
//!   parser takes, CRLF at the end of each line, one Host, no field name twice, no Expect or Upgrade, a body
//!   of a length or in chunks and not both,
//!   and a Connection of exactly `close` or `keep-alive`, if there is one.
//! - Nothing is allocated, and each byte of a head is looked at a small, fixed number of times.

pub mod any;

use std::mem::MaybeUninit;
use std::ops::Range;

use hinny_core::names;

use crate::framing::{Limits, parse_length};
use crate::{near, target};

/// The most fields of a plain head.
const FIELDS_MAX: usize = 64;

/// Where a head is parsed into.
#[derive(Debug)]
pub struct Space<'b> {
    fields: [MaybeUninit<httparse::Header<'b>>; FIELDS_MAX],
    ids: [u16; FIELDS_MAX],
}

impl Space<'_> {
    /// Room for one head.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            fields: [const { MaybeUninit::uninit() }; FIELDS_MAX],
            ids: [0; FIELDS_MAX],
        }
    }
}

impl Default for Space<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// What some bytes at the start of a request are.
#[derive(Debug)]
pub enum Parsed<'h, 'b> {
    /// They begin with a whole plain head.
    Plain(Head<'h, 'b>),
    /// They may become one.
    Partial,
    /// They begin with something else.
    Odd,
}

/// A plain request head.
#[derive(Debug)]
pub struct Head<'h, 'b> {
    /// Its length in bytes, with the empty line.
    pub length: usize,
    /// What its first line says.
    pub line: RequestLine<'b>,
    /// The method, if it has no id.
    pub method: &'b str,
    /// Authority of an absolute target; whether it is one is not checked.
    pub authority: Option<&'b [u8]>,
    /// Value of the Host field; whether it is a host is not checked. A plain head has one.
    pub host: Option<&'b [u8]>,
    /// Value of the Content-Length field.
    pub content_length: Option<u64>,
    /// Whether the body comes in chunks.
    pub is_chunked: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the connection ends with the response, as the client or its version says.
    pub close: bool,
    /// Whether it is of HTTP/1.0.
    pub is_http_10: bool,
    /// Whether it is plain: only such a head is worth comparing the next one with.
    pub is_plain: bool,
    /// Those of one name stand in a row.
    fields: &'h [httparse::Header<'b>],
    ids: &'h [u16],
    names: usize,
    field_bytes: &'b [u8],
}

/// The request line of a plain head.
#[derive(Clone, Copy, Debug)]
pub struct RequestLine<'b> {
    /// Its length in bytes, with CRLF.
    pub length: usize,
    /// Id of the method, see [`names::METHODS`].
    pub method: u8,
    /// Path of the target, ASCII.
    pub path: &'b [u8],
    /// Query of the target, without `?`, ASCII.
    pub query: Option<&'b [u8]>,
    /// Whether the target has a `%`.
    pub escaped: bool,
}

impl<'b> Head<'_, 'b> {
    /// The fields of a plain head as sent, with the empty line.
    #[must_use]
    pub const fn field_bytes(&self) -> &'b [u8] {
        self.field_bytes
    }

    /// The number of different names.
    #[must_use]
    pub const fn name_count(&self) -> usize {
        self.names
    }

    /// Each field, those of one name in a row: id of its name (see [`names::HEADERS`], 0 if it is not listed), name as sent,
    /// value without the white space around it.
    pub fn fields(&self) -> impl Iterator<Item = (u16, &'b str, &'b [u8])> {
        self.ids
            .iter()
            .zip(self.fields)
            .map(|(id, field)| (*id, field.name, field.value))
    }
}

/// Looks for a plain head at the start of `bytes`.
pub fn parse<'h, 'b>(bytes: &'b [u8], limits: &Limits, space: &'h mut Space<'b>) -> Parsed<'h, 'b> {
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, &mut space.fields) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Odd,
    };
    let httparse::Request {
        path: Some(target),
        version: Some(1),
        headers: fields,
        ..
    } = request
    else {
        return Parsed::Odd;
    };
    let fields: &[httparse::Header<'b>] = fields;
    if length > limits.head_bytes
        || target.len() > limits.target_bytes
        || fields.len() > limits.field_count
        || !has_strict_lines(bytes, length, fields)
    {
        return Parsed::Odd;
    }
    let target = target.as_bytes();
    let seen = classes(target);
    if target[0] != b'/' || seen & OTHER != 0 {
        return Parsed::Odd;
    }
    let (Some((method, _)), Some((path, query))) = (split_method(bytes), split_target(target, seen)) else {
        return Parsed::Odd;
    };
    let Some(said) = Said::by(fields, &mut space.ids) else {
        return Parsed::Odd;
    };
    let Some(host) = said.host else {
        return Parsed::Odd;
    };
    Parsed::Plain(Head {
        length,
        line: RequestLine {
            length: field_start(bytes, &fields[0]),
            method,
            path,
            query,
            escaped: seen & PERCENT != 0,
        },
        method: "",
        authority: None,
        host: Some(host),
        content_length: said.content_length,
        is_chunked: said.is_chunked,
        expects_continue: false,
        close: said.close,
        is_http_10: false,
        is_plain: true,
        names: fields.len(),
        field_bytes: &bytes[field_start(bytes, &fields[0])..length],
        fields,
        ids: &space.ids[..fields.len()],
    })
}

/// What the fields say that matters here.
#[derive(Default)]
struct Said<'b> {
    host: Option<&'b [u8]>,
    content_length: Option<u64>,
    is_chunked: bool,
    close: bool,
}

impl<'b> Said<'b> {
    /// Reads the fields and notes the ids of their names. `None` if they are not plain.
    fn by(fields: &[httparse::Header<'b>], ids: &mut [u16; FIELDS_MAX]) -> Option<Self> {
        let mut said = Self::default();
        let mut seen = 0_u128;
        for (n, field) in fields.iter().enumerate() {
            let id = names::header_id(field.name);
            ids[n] = id;
            match id {
                0 => {
                    let repeats = |(id, other): (&u16, &httparse::Header<'_>)| {
                        *id == 0 && other.name.eq_ignore_ascii_case(field.name)
                    };
                    if ids.iter().zip(&fields[..n]).any(repeats) {
                        return None;
                    }
                    continue;
                }
                names::HOST => said.host = Some(field.value),
                names::CONTENT_LENGTH => said.content_length = Some(parse_length(field.value)?),
                names::CONNECTION if field.value.eq_ignore_ascii_case(b"close") => said.close = true,
                names::CONNECTION if field.value.eq_ignore_ascii_case(b"keep-alive") => {}
                names::TRANSFER_ENCODING if field.value.eq_ignore_ascii_case(b"chunked") => said.is_chunked = true,
                names::CONNECTION | names::EXPECT | names::TRANSFER_ENCODING | names::UPGRADE => return None,
                _ => {}
            }
            let bit = 1_u128 << id;
            if seen & bit != 0 {
                return None;
            }
            seen |= bit;
        }
        (!said.is_chunked || said.content_length.is_none()).then_some(said)
    }
}

// Each id has its bit.
const _: () = assert!(names::HEADERS.len() < u128::BITS as usize);

/// Whether each line ends in CRLF, and none stands before the request line: httparse takes a lone LF for a line end, and
/// skips empty lines.
fn has_strict_lines(bytes: &[u8], length: usize, fields: &[httparse::Header<'_>]) -> bool {
    let begins_behind_cr = |field: &httparse::Header<'_>| {
        let start = field_start(bytes, field);
        start >= 2 && bytes[start - 2] == b'\r'
    };
    !matches!(bytes[0], b'\r' | b'\n') && bytes[..length].ends_with(b"\r\n\r\n") && fields.iter().all(begins_behind_cr)
}

/// Where in `bytes` a field begins that was parsed from them.
fn field_start(bytes: &[u8], field: &httparse::Header<'_>) -> usize {
    field.name.as_ptr() as usize - bytes.as_ptr() as usize
}

/// Looks for a plain head at the start of `bytes` whose lines behind the first one are `fields`, with the empty line. They
/// are known to be plain: what [`parse`] says of such a head, this says too, for less.
#[must_use]
pub fn parse_line<'b>(bytes: &'b [u8], fields: &[u8], limits: &Limits) -> Option<RequestLine<'b>> {
    let (method, rest) = split_method(bytes)?;
    let (target, behind) = rest.split_at(near::find(b' ', rest)?);
    let seen = classes(target);
    let behind = behind.strip_prefix(VERSION)?;
    let length = bytes.len() - behind.len();
    if seen & OTHER != 0
        || target.len() > limits.target_bytes
        || length + fields.len() > limits.head_bytes
        || target.first() != Some(&b'/')
        || !behind.starts_with(fields)
    {
        return None;
    }
    let (path, query) = split_target(target, seen)?;
    Some(RequestLine {
        length,
        method,
        path,
        query,
        escaped: seen & PERCENT != 0,
    })
}

/// The first line of a plain head, to be known again.
#[derive(Debug, Default)]
pub struct KnownLine {
    /// With CRLF; empty for none.
    bytes: Vec<u8>,
    method: u8,
    path: Range<usize>,
    query: Option<Range<usize>>,
    escaped: bool,
}

impl KnownLine {
    /// Becomes the line that `bytes` begin with.
    pub fn set(&mut self, line: &RequestLine<'_>, bytes: &[u8]) {
        let start = names::METHODS[usize::from(line.method) - 1].len() + 1;
        let end = start + line.path.len();
        self.bytes.clear();
        self.bytes.extend_from_slice(&bytes[..line.length]);
        self.method = line.method;
        self.path = start..end;
        self.query = line.query.map(|query| end + 1..end + 1 + query.len());
        self.escaped = line.escaped;
    }

    /// What [`parse_line`] says of `bytes`, if they begin with this line, and with `fields` behind it as it did before.
    #[inline]
    #[must_use]
    pub fn parse<'b>(&self, bytes: &'b [u8], fields: &[u8]) -> Option<RequestLine<'b>> {
        let is_same = !self.bytes.is_empty() && bytes.strip_prefix(&*self.bytes)?.starts_with(fields);
        is_same.then(|| RequestLine {
            length: self.bytes.len(),
            method: self.method,
            path: &bytes[self.path.clone()],
            query: self.query.clone().map(|query| &bytes[query]),
            escaped: self.escaped,
        })
    }
}

/// What follows a target.
const VERSION: &[u8] = b" HTTP/1.1\r\n";

/// The id of the method that `bytes` begin with, and what follows the space behind it. All methods of the list but the
/// last, CONNECT.
#[inline]
const fn split_method(bytes: &[u8]) -> Option<(u8, &[u8])> {
    Some(match bytes {
        [b'G', b'E', b'T', b' ', rest @ ..] => (1, rest),
        [b'H', b'E', b'A', b'D', b' ', rest @ ..] => (2, rest),
        [b'P', b'O', b'S', b'T', b' ', rest @ ..] => (3, rest),
        [b'P', b'U', b'T', b' ', rest @ ..] => (4, rest),
        [b'D', b'E', b'L', b'E', b'T', b'E', b' ', rest @ ..] => (5, rest),
        [b'O', b'P', b'T', b'I', b'O', b'N', b'S', b' ', rest @ ..] => (6, rest),
        [b'P', b'A', b'T', b'C', b'H', b' ', rest @ ..] => (7, rest),
        [b'T', b'R', b'A', b'C', b'E', b' ', rest @ ..] => (8, rest),
        _ => return None,
    })
}

/// Path and query of a target that is known to begin with `/`; `seen` has the classes of its bytes.
#[inline]
fn split_target(target: &[u8], seen: u8) -> Option<(&[u8], Option<&[u8]>)> {
    if seen & (PERCENT | QUESTION) == 0 {
        return Some((target, None));
    }
    let (path, query) = match target.iter().position(|byte| *byte == b'?') {
        Some(at) => (&target[..at], Some(&target[at + 1..])),
        None => (target, None),
    };
    if seen & PERCENT != 0 && !target::is_path(path) {
        return None;
    }
    Some((path, query))
}

/// The classes of all bytes.
#[inline]
fn classes(target: &[u8]) -> u8 {
    target
        .iter()
        .fold(0, |seen, byte| seen | TARGET_CLASS[usize::from(*byte)])
}

const PLAIN: u8 = 0;
const PERCENT: u8 = 1;
const QUESTION: u8 = 2;
const OTHER: u8 = 4;

/// Of each byte, what it is in a target: one that the `http` crate takes in paths and queries alike, or not.
static TARGET_CLASS: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'%' => PERCENT,
            b'?' => QUESTION,
            b'!' | b'$'..=b';' | b'=' | b'@'..=b'_' | b'a'..=b'z' | b'|' | b'~' => PLAIN,
            _ => OTHER,
        };
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests;
