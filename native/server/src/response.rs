//! Makes HTTP responses of what Java encoded, and of errors.
//!
//! # Invariants
//! - The framing is hyper's: a handler's Transfer-Encoding is dropped, and so is its Content-Length when the body's own
//!   length is known, because a wrong one lets the client misread everything that follows (RFC 9112 §6.3). Of a body that
//!   comes in chunks it is kept: hyper sends no byte more, and closes the connection if it gets less.
//! - Responses to HEAD, 204, 205 and 304 have no content (RFC 9110 §6.4.1); a HEAD or 304 response keeps the
//!   Content-Length that the handler gives it (§8.6).

use std::borrow::Cow;
use std::rc::Rc;

use bytes::Bytes;
use hinny_core::commands::ResponseCommand;
use hinny_core::error::Kind;
use hinny_core::status::{self, ErrorFormat};
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, SERVER, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};

use crate::connection::Connection;
use crate::exchange::OpenExchange;
use crate::files::FileParts;
use crate::files::{FileAnswer, FileContent};
use crate::response_body::{ChunkedBody, FileBody, ResponseBody, WholeBody};

/// Where the content of a handler's response comes from.
pub(crate) enum Content {
    /// It came with the head.
    Whole(Bytes),
    /// It comes in chunks.
    Chunked(OpenExchange),
    /// It is a file's.
    File(FileParts),
}

impl Content {
    /// Its length, if that is known and says something: a response to HEAD without a body tells no length.
    fn length(&self, head_request: bool) -> Option<u64> {
        match self {
            Self::Whole(bytes) => Some(bytes.len() as u64).filter(|length| !head_request || *length > 0),
            Self::Chunked(_) => None,
            Self::File(file) => Some(file.length()),
        }
    }
}

/// The response that a handler gave.
///
/// # Errors
/// [`Kind::ResponseInvalid`] if a header field is none; Java has checked that, so it is a defect there.
pub(crate) fn from_command(
    connection: &Rc<Connection>,
    head_request: bool,
    command: &ResponseCommand<Bytes>,
    content: Content,
) -> Result<Response<ResponseBody>, Kind> {
    let status = command.status();
    let bodiless = has_no_content(status, head_request);
    let keep_length = status == StatusCode::NOT_MODIFIED || (head_request && !has_no_length(status));
    let mut headers = connection.spare_headers.take();
    let mut has_server = false;
    let mut length = None;
    let filled = command.for_each_header(|name, value| {
        if name == TRANSFER_ENCODING {
            return;
        }
        if name == CONTENT_LENGTH {
            length = length.or_else(|| parse_length(value.as_bytes()));
            return;
        }
        has_server |= name == SERVER;
        headers.append(name, value);
    });
    if let Err(kind) = filled {
        headers.clear();
        connection.spare_headers.replace(headers);
        return Err(kind);
    }
    if let Some(server) = &connection.state.options.server_header
        && !has_server
    {
        headers.insert(SERVER, server.clone());
    }
    let mut response = Response::new(ResponseBody::default());
    if bodiless {
        let content_length = content.length(head_request).filter(|_| head_request);
        if let Some(length) = length.or(content_length).filter(|_| keep_length) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            let announced = if head_request { 0 } else { length };
            *response.body_mut() = ResponseBody::Whole(WholeBody::announced(announced));
        }
    } else {
        *response.body_mut() = match content {
            Content::Whole(bytes) => ResponseBody::Whole(WholeBody::new(&connection.state, bytes)),
            Content::File(file) => ResponseBody::File(Box::new(FileBody::new(Rc::clone(connection), file))),
            Content::Chunked(exchange) => {
                if let Some(length) = length {
                    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
                }
                ResponseBody::Chunked(Box::new(ChunkedBody::new(Rc::clone(connection), exchange)))
            }
        };
    }
    // A response that is still being produced may still read.
    let leaves_body = connection.leaves_body() && !matches!(response.body(), ResponseBody::Chunked(_));
    if (connection.is_at_last_request() || leaves_body) && !says_close(&headers) {
        headers.append(CONNECTION, HeaderValue::from_static("close"));
    }
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The response with a file.
pub(crate) fn from_file_answer(
    connection: &Rc<Connection>,
    head_request: bool,
    answer: FileAnswer,
) -> Response<ResponseBody> {
    connection.state.switches.metrics.core_responses.add(1);
    let mut headers = connection.spare_headers.take();
    for (name, value) in answer.fields() {
        headers.append(name, value.clone());
    }
    if let Some(server) = &connection.state.options.server_header {
        headers.insert(SERVER, server.clone());
    }
    if let Some(length) = answer.content_length().filter(|_| head_request) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if connection.is_at_last_request() || connection.leaves_body() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let mut response = Response::new(ResponseBody::default());
    *response.status_mut() = answer.status();
    *response.headers_mut() = headers;
    *response.body_mut() = match answer.into_content() {
        FileContent::No => ResponseBody::default(),
        FileContent::Whole(bytes) => ResponseBody::Whole(WholeBody::new(&connection.state, bytes)),
        FileContent::Parts(parts) => ResponseBody::File(Box::new(FileBody::new(Rc::clone(connection), parts))),
    };
    response
}

/// Makes a response fit a client of HTTP/1.0. A body of a length that nobody knows ends there with the connection, whatever the
/// client asked for (RFC 9112 §6.3). To one that asked for a connection that stays, hyper says `keep-alive`, even
/// beside a `close`, unless the response is of HTTP/1.0 itself (RFC 9112 §9.3).
pub(crate) fn speak_http_10(response: &mut Response<ResponseBody>) {
    if matches!(response.body(), ResponseBody::Chunked(_)) && !response.headers().contains_key(CONTENT_LENGTH) {
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if says_close(response.headers()) {
        *response.version_mut() = Version::HTTP_10;
    }
}

/// Whether a Connection field has the option `close`.
fn says_close(headers: &HeaderMap) -> bool {
    let mut options = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// The answer to an error.
///
/// # Errors
/// The kind itself, if nothing can be sent.
pub(crate) fn from_kind(
    connection: &Connection,
    kind: Kind,
    format: ErrorFormat,
) -> Result<Response<ResponseBody>, Kind> {
    let answer = status::answer(kind).ok_or(kind)?;
    connection.refused(answer.status, &kind);
    let (content_type, body) = answer.content(format);
    let body = match body {
        Cow::Borrowed(body) => Bytes::from_static(body),
        Cow::Owned(body) => body.into(),
    };
    let mut response = Response::new(ResponseBody::from(body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(content_range) = answer.content_range().and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(CONTENT_RANGE, content_range);
    }
    if let Some(codings) = answer.accept_encoding() {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(codings));
    }
    if let Some(server) = &connection.state.options.server_header {
        headers.insert(SERVER, server.clone());
    }
    if let Some(seconds) = answer.retry_after_seconds {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if answer.close || connection.is_at_last_request() || connection.leaves_body() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Whether a response has no content, whatever its handler gives (RFC 9110 §6.4.1).
pub(crate) const fn has_no_content(status: StatusCode, head_request: bool) -> bool {
    head_request
        || matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
        )
}

/// Whether a response with this status never has content, so that no Content-Length can tell of any (RFC 9110 §8.6,
/// §15.3.5, §15.3.6).
pub(crate) const fn has_no_length(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT)
}

/// `1*DIGIT` (RFC 9110 §8.6).
pub(crate) fn parse_length(value: &[u8]) -> Option<u64> {
    let digits = str::from_utf8(value).ok()?;
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?
}
