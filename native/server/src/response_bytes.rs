//! Writes responses as bytes, where hyper does not: the fast lane's, and answers to a request that never became one.
//!
//! # Invariants
//! - Names are in lower case. The order is: the handler's fields in its order, `server`, `connection`, `content-length`,
//!   `date`. hyper writes the same bytes for the same response.
//! - The framing rules are those of [`crate::response`].
//! - What does not decode, or would break the message in two, is refused and leaves nothing behind.

use hinny_core::commands::{Field, ResponseCommand};
use hinny_core::error::Kind;
use hinny_core::names;
use hinny_core::status::{Answer, ErrorFormat};
use http::StatusCode;

use crate::files::FileAnswer;
use crate::response::{has_no_content, has_no_length, parse_length};

/// What a response says besides what its handler or its error does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// The request's method is HEAD.
    pub(crate) head_request: bool,
    /// The connection ends with it.
    pub(crate) close: bool,
    /// The line of the Server field, if there is one.
    pub(crate) server: &'a [u8],
    /// The line of the Date field.
    pub(crate) date: &'a [u8],
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
    let start = out.len();
    let written = write_whole(out, command, frame);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn write_whole<B: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    command: &ResponseCommand<B>,
    frame: &Frame<'_>,
) -> Result<bool, Kind> {
    let status = command.status();
    let body = command.body_bytes();
    out.reserve(HEAD_ESTIMATE + body.len());
    write_status(out, status);
    let said = write_fields(out, command, frame)?;
    if !said.server {
        out.extend_from_slice(frame.server);
    }
    let bodiless = has_no_content(status, frame.head_request);
    let length = if !bodiless || status == StatusCode::RESET_CONTENT && !frame.head_request {
        Some(if bodiless { 0 } else { body.len() as u64 })
    } else if has_no_length(status) {
        None
    } else {
        let own = Some(body.len() as u64).filter(|length| frame.head_request && *length > 0);
        said.length.or(own)
    };
    // As hyper does it: a length that tells of no content is a field before Connection, any other one stands behind it.
    let (before, behind) = if bodiless && (frame.head_request || status != StatusCode::RESET_CONTENT) {
        (length, None)
    } else {
        (None, length)
    };
    if let Some(length) = before {
        write_length(out, length);
    }
    if frame.close && !said.connection {
        out.extend_from_slice(b"connection: close\r\n");
    }
    if let Some(length) = behind {
        write_length(out, length);
    }
    if !said.date {
        out.extend_from_slice(frame.date);
    }
    out.extend_from_slice(b"\r\n");
    if !bodiless {
        out.extend_from_slice(body);
    }
    Ok(frame.close || said.close)
}

/// Appends the answer to an error.
pub(crate) fn write_answer(out: &mut Vec<u8>, answer: Answer, format: ErrorFormat, frame: &Frame<'_>) {
    let (content_type, body) = answer.content(format);
    write_status(out, answer.status);
    write_field(out, b"content-type", content_type.as_bytes());
    if let Some(content_range) = answer.content_range() {
        write_field(out, b"content-range", content_range.as_bytes());
    }
    if let Some(codings) = answer.accept_encoding() {
        write_field(out, b"accept-encoding", codings.as_bytes());
    }
    out.extend_from_slice(frame.server);
    if let Some(seconds) = answer.retry_after_seconds {
        write_field(out, b"retry-after", itoa::Buffer::new().format(seconds).as_bytes());
    }
    if answer.close || frame.close {
        out.extend_from_slice(b"connection: close\r\n");
    }
    write_length(out, body.len() as u64);
    out.extend_from_slice(frame.date);
    out.extend_from_slice(b"\r\n");
    if !frame.head_request {
        out.extend_from_slice(&body);
    }
}

/// Appends a response with a file whose content is in memory.
pub(crate) fn write_file_answer(out: &mut Vec<u8>, answer: &FileAnswer, frame: &Frame<'_>) {
    let content = answer.whole_content();
    out.reserve(HEAD_ESTIMATE + content.len());
    write_status(out, answer.status());
    answer.write_fields(out);
    out.extend_from_slice(frame.server);
    // As in `write_whole`.
    let length = answer.content_length();
    if let Some(length) = length.filter(|_| frame.head_request) {
        write_length(out, length);
    }
    if frame.close {
        out.extend_from_slice(b"connection: close\r\n");
    }
    if let Some(length) = length.filter(|_| !frame.head_request) {
        write_length(out, length);
    }
    out.extend_from_slice(frame.date);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(content);
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
                said.close = write_connection(out, command, frame.close);
            }
            names::TRAILER if said.trailer || !may_be_chunked(command.status(), frame.head_request) => {}
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

fn write_status(out: &mut Vec<u8>, status: StatusCode) {
    if status == StatusCode::OK {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(b"HTTP/1.1 ");
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
