//! Writes responses as bytes.
//!
//! # Invariants
//! - Names are in lower case. The order is: the handler's fields in its order, `server`, a Content-Length that tells of no
//!   content or is the handler's own, `connection`, what frames the content, `date`. hyper writes the same bytes for the same
//!   response.
//! - The framing is ours: a handler's Transfer-Encoding is dropped, and so is its Content-Length when the length of the
//!   content is known, because a wrong one lets the client misread everything that follows (RFC 9112 §6.3). Of content that
//!   comes in chunks it is kept, and no byte more is sent.
//! - Responses to HEAD, 204, 205 and 304 have no content (RFC 9110 §6.4.1); a HEAD or 304 response keeps the Content-Length
//!   that the handler gives it (§8.6).
//! - What does not decode, or would break the message in two, is refused and leaves nothing behind.

use hinny_core::commands::{Field, ResponseCommand};
use hinny_core::error::Kind;
use hinny_core::names;
use hinny_core::status::Answer;
use http::StatusCode;

use crate::files::FileAnswer;

/// What a response says besides what its handler or its error does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// The request's method is HEAD.
    pub(crate) head_request: bool,
    /// The request is of HTTP/1.0, and so is the response.
    pub(crate) http_10: bool,
    /// The connection ends with it.
    pub(crate) close: bool,
    /// The client knows that without being told.
    pub(crate) close_is_understood: bool,
    /// The line of the Server field, if there is one.
    pub(crate) server: &'a [u8],
    /// The line of the Date field.
    pub(crate) date: &'a [u8],
}

/// How much content a handler's response has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Length {
    /// So many bytes, which came with it. None at all is not told to a HEAD.
    Whole(u64),
    /// So many bytes, of a file.
    File(u64),
    /// Nobody knows: it comes in pieces.
    Unknown,
}

/// How the content behind a head is framed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ContentFraming {
    /// There is none.
    NoContent,
    /// So many bytes.
    Sized(u64),
    /// In chunks (RFC 9112 §7.1).
    Chunked,
    /// It ends where the connection does (RFC 9112 §6.3).
    ToEnd,
}

/// A head that was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WrittenHead {
    /// The connection ends with the response.
    pub(crate) close: bool,
    pub(crate) framing: ContentFraming,
}

/// Room for the head of most responses.
const HEAD_ESTIMATE: usize = 256;

/// Appends a handler's whole response; returns whether the connection ends with it.
///
/// # Errors
/// [`Kind::ResponseInvalid`] if a header field is none; Java has checked that, so it is a defect there.
pub(crate) fn write_response<B: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    command: &ResponseCommand<B>,
    frame: &Frame<'_>,
) -> Result<bool, Kind> {
    let body = command.body_bytes();
    out.reserve(HEAD_ESTIMATE + body.len());
    let head = write_head(out, command, Length::Whole(body.len() as u64), frame)?;
    if head.framing != ContentFraming::NoContent {
        out.extend_from_slice(body);
    }
    Ok(head.close)
}

/// Appends the head of a handler's response.
///
/// # Errors
/// As [`write_response`].
pub(crate) fn write_head<B: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    command: &ResponseCommand<B>,
    length: Length,
    frame: &Frame<'_>,
) -> Result<WrittenHead, Kind> {
    let start = out.len();
    let written = write_lines(out, command, length, frame);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn write_lines<B: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    command: &ResponseCommand<B>,
    length: Length,
    frame: &Frame<'_>,
) -> Result<WrittenHead, Kind> {
    let status = command.status();
    write_status(out, status, frame.http_10);
    let said = write_fields(out, command, frame)?;
    if !said.server {
        out.extend_from_slice(frame.server);
    }
    let bodiless = has_no_content(status, frame.head_request);
    let framing = match length {
        _ if bodiless => ContentFraming::NoContent,
        Length::Whole(length) | Length::File(length) => ContentFraming::Sized(length),
        Length::Unknown => match said.length {
            Some(length) => ContentFraming::Sized(length),
            None if frame.http_10 => ContentFraming::ToEnd,
            None => ContentFraming::Chunked,
        },
    };
    // A length that tells of no content, or that the handler gave, stands before Connection, any other one behind it.
    let (before, behind) = if bodiless && status == StatusCode::RESET_CONTENT && !frame.head_request {
        (None, Some(0))
    } else if bodiless && has_no_length(status) {
        (None, None)
    } else if bodiless {
        (
            said.length
                .or_else(|| length.told_to_head().filter(|_| frame.head_request)),
            None,
        )
    } else {
        match (framing, length) {
            (ContentFraming::Sized(own), Length::Unknown) => (Some(own), None),
            (ContentFraming::Sized(known), _) => (None, Some(known)),
            _ => (None, None),
        }
    };
    if let Some(length) = before {
        write_length(out, length);
    }
    let close = frame.close || framing == ContentFraming::ToEnd;
    if !said.connection {
        write_persistence(out, close, frame);
    }
    if let Some(length) = behind {
        write_length(out, length);
    }
    if framing == ContentFraming::Chunked {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    if !said.date {
        out.extend_from_slice(frame.date);
    }
    out.extend_from_slice(b"\r\n");
    Ok(WrittenHead {
        close: close || said.close,
        framing,
    })
}

impl Length {
    /// What a HEAD is told, whose handler tells nothing.
    const fn told_to_head(self) -> Option<u64> {
        match self {
            Self::Whole(0) | Self::Unknown => None,
            Self::Whole(length) | Self::File(length) => Some(length),
        }
    }
}

/// Appends what stands before the bytes of a chunk (RFC 9112 §7.1).
pub(crate) fn write_chunk_size(out: &mut Vec<u8>, length: usize) {
    let mut digits = [0; 16];
    let mut at = digits.len();
    let mut rest = length;
    while rest > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b"0123456789ABCDEF"[rest & 15];
        rest >>= 4;
    }
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
}

/// Appends the answer to an error.
pub(crate) fn write_answer(out: &mut Vec<u8>, answer: Answer, frame: &Frame<'_>) {
    let (content_type, body) = answer.content();
    write_status(out, answer.status, frame.http_10);
    write_field(out, b"content-type", content_type.as_bytes());
    if let Some(content_range) = answer.content_range() {
        write_field(out, b"content-range", content_range.as_bytes());
    }
    out.extend_from_slice(frame.server);
    if let Some(seconds) = answer.retry_after_seconds {
        write_field(out, b"retry-after", itoa::Buffer::new().format(seconds).as_bytes());
    }
    write_persistence(out, answer.close || frame.close, frame);
    write_length(out, body.len() as u64);
    out.extend_from_slice(frame.date);
    out.extend_from_slice(b"\r\n");
    if !frame.head_request {
        out.extend_from_slice(&body);
    }
}

/// Appends the head of a response with a file.
pub(crate) fn write_file_head(out: &mut Vec<u8>, answer: &FileAnswer, frame: &Frame<'_>) {
    let length = answer.content_length();
    out.reserve(HEAD_ESTIMATE);
    write_status(out, answer.status(), frame.http_10);
    answer.write_fields(out);
    out.extend_from_slice(frame.server);
    // As in `write_lines`.
    if let Some(length) = length.filter(|_| frame.head_request) {
        write_length(out, length);
    }
    write_persistence(out, frame.close, frame);
    if let Some(length) = length.filter(|_| !frame.head_request) {
        write_length(out, length);
    }
    out.extend_from_slice(frame.date);
    out.extend_from_slice(b"\r\n");
}

/// Writes what is not understood without a word: that the connection ends, or to a client of HTTP/1.0 that it does not
/// (RFC 9112 §9.3).
fn write_persistence(out: &mut Vec<u8>, close: bool, frame: &Frame<'_>) {
    if close && frame.close_is_understood {
        return;
    }
    if close {
        out.extend_from_slice(b"connection: close\r\n");
    } else if frame.http_10 {
        out.extend_from_slice(b"connection: keep-alive\r\n");
    }
}

/// What the handler's fields say that matters for the rest.
#[derive(Default)]
struct Said {
    server: bool,
    date: bool,
    connection: bool,
    close: bool,
    length: Option<u64>,
    trailer: bool,
}

fn write_fields<B: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    command: &ResponseCommand<B>,
    frame: &Frame<'_>,
) -> Result<Said, Kind> {
    let mut said = Said::default();
    for field in command.fields() {
        let has_control = |seen, byte: &u8| seen | CONTROL[usize::from(*byte)];
        if field.value.iter().fold(false, has_control) {
            return Err(Kind::ResponseInvalid);
        }
        match field.id {
            0 => write_named(out, field)?,
            names::TRANSFER_ENCODING => {}
            names::CONTENT_LENGTH => said.length = said.length.or_else(|| parse_length(field.value)),
            names::CONNECTION if said.connection => {}
            names::CONNECTION => {
                said.connection = true;
                said.close = write_connection(out, command, frame.close && !frame.close_is_understood);
            }
            names::TRAILER
                if said.trailer || frame.http_10 || !may_be_chunked(command.status(), frame.head_request) => {}
            names::TRAILER => {
                said.trailer = true;
                write_list(out, command, field.id, b"");
            }
            id => {
                said.server |= id == names::SERVER;
                said.date |= id == names::DATE;
                let name = names::header_text(id).ok_or(Kind::ResponseInvalid)?;
                write_field(out, name.as_bytes(), field.value);
            }
        }
    }
    Ok(said)
}

/// Writes all values of Connection as one field; whether they say `close`.
fn write_connection<B: AsRef<[u8]>>(out: &mut Vec<u8>, command: &ResponseCommand<B>, close: bool) -> bool {
    let says_close = command
        .fields()
        .filter(|field| field.id == names::CONNECTION)
        .flat_map(|field| field.value.split(|byte| *byte == b','))
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"));
    let more: &[u8] = if close && !says_close { b"close" } else { b"" };
    write_list(out, command, names::CONNECTION, more);
    says_close
}

/// Writes all values of a name as one field, and one more if there is one.
fn write_list<B: AsRef<[u8]>>(out: &mut Vec<u8>, command: &ResponseCommand<B>, id: u16, more: &[u8]) {
    let own = command.fields().filter(|field| field.id == id);
    let all = own
        .map(|field| field.value)
        .chain(Some(more).filter(|more| !more.is_empty()));
    out.extend_from_slice(names::header_text(id).unwrap_or_default().as_bytes());
    out.extend_from_slice(b": ");
    for (n, value) in all.enumerate() {
        if n > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(value);
    }
    out.extend_from_slice(b"\r\n");
}

/// Whether the message could have a chunked body, as hyper sees it; fields about that are left out of others.
const fn may_be_chunked(status: StatusCode, head_request: bool) -> bool {
    !head_request && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

fn write_status(out: &mut Vec<u8>, status: StatusCode, http_10: bool) {
    if status == StatusCode::OK && !http_10 {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(if http_10 { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or("<none>").as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn write_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Writes a field whose name is not listed: a token (RFC 9110 §5.6.2).
fn write_named(out: &mut Vec<u8>, field: Field<'_>) -> Result<(), Kind> {
    if field.name.is_empty() || !field.name.iter().all(|byte| is_token_byte(*byte)) {
        return Err(Kind::ResponseInvalid);
    }
    let start = out.len();
    write_field(out, field.name, field.value);
    out[start..start + field.name.len()].make_ascii_lowercase();
    Ok(())
}

/// Whether a response has no content, whatever its handler gives (RFC 9110 §6.4.1).
const fn has_no_content(status: StatusCode, head_request: bool) -> bool {
    head_request
        || matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
        )
}

/// Whether a response with this status never has content, so that no Content-Length can tell of any (RFC 9110 §8.6,
/// §15.3.5, §15.3.6).
const fn has_no_length(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT)
}

/// `1*DIGIT` (RFC 9110 §8.6).
fn parse_length(value: &[u8]) -> Option<u64> {
    let digits = str::from_utf8(value).ok()?;
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

fn write_length(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"content-length: ");
    out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Of each byte, whether a field's value must not have it (RFC 9110 §5.5).
static CONTROL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < b' ' as usize {
        table[byte] = byte != b'\t' as usize;
        byte += 1;
    }
    table[0x7f] = true;
    table
};

const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

#[cfg(test)]
mod tests;
