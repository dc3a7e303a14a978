//! Makes HTTP responses of what Java encoded, and of errors.
//!
//! # Invariants
//! - The framing is hyper's: a handler's Transfer-Encoding is dropped, and so is its Content-Length when the body's own
//!   length is known, because a wrong one lets the client misread everything that follows (RFC 9112 §6.3).
//! - Responses to HEAD, 204 and 304 have no content (RFC 9110 §6.4.1); a HEAD or 304 response keeps the Content-Length
//!   that the handler gives it (§8.6), a 204 response has none.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use hinny_core::commands::ResponseCommand;
use hinny_core::error::Kind;
use hinny_core::status::{self, Answer};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, SERVER, TRANSFER_ENCODING};
use http::{HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

use crate::connection::Connection;

/// A response body that is there as a whole. It is handed out in pieces, because hyper keeps the memory that its
/// largest write took for as long as the connection lives.
#[derive(Debug)]
pub(crate) struct WholeBody(Bytes);

/// The largest piece.
const PIECE_BYTES: usize = 16 << 10;

impl Body for WholeBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let piece = if self.0.len() > PIECE_BYTES {
            self.0.split_to(PIECE_BYTES)
        } else {
            std::mem::take(&mut self.0)
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

/// The response that a handler gave.
///
/// # Errors
/// [`Kind::ResponseInvalid`] if a header field is none; Java has checked that, so it is a defect there.
pub(crate) fn from_command(
    connection: &Connection,
    head_request: bool,
    command: &ResponseCommand,
) -> Result<Response<WholeBody>, Kind> {
    let status = command.status();
    let body = command.body();
    let bodiless = head_request || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let keep_length = bodiless && status != StatusCode::NO_CONTENT;
    let mut headers = connection.spare_headers.take();
    let mut has_server = false;
    let filled = command.for_each_header(|name, value| {
        if name == TRANSFER_ENCODING || (name == CONTENT_LENGTH && !(keep_length && is_length(&value))) {
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
    if head_request
        && let Some(body) = &body
        && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        && !headers.contains_key(CONTENT_LENGTH)
    {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let body = body.filter(|_| !bodiless).unwrap_or_default();
    let mut response = Response::new(WholeBody(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The answer to an error.
///
/// # Errors
/// The kind itself, if nothing can be sent.
pub(crate) fn from_kind(connection: &Connection, kind: Kind) -> Result<Response<WholeBody>, Kind> {
    let answer = status::answer(kind).ok_or(kind)?;
    connection.state.switches.metrics.errors_answered.add(1);
    let mut response = Response::new(WholeBody(Bytes::from_static(reason(answer).as_bytes())));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if let Some(server) = &connection.state.options.server_header {
        headers.insert(SERVER, server.clone());
    }
    if let Some(seconds) = answer.retry_after_seconds {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if answer.close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        connection.end_early();
    }
    Ok(response)
}

/// The answer to an error while hyper waits for a request and cannot be asked to write.
pub(crate) fn raw(answer: Answer, server: Option<&HeaderValue>) -> Vec<u8> {
    let reason = reason(answer);
    let mut bytes = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: {}\r\ndate: {}\r\n",
        answer.status.as_u16(),
        reason.len(),
        httpdate::fmt_http_date(SystemTime::now()),
    )
    .into_bytes();
    if let Some(server) = server {
        bytes.extend_from_slice(b"server: ");
        bytes.extend_from_slice(server.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(reason.as_bytes());
    bytes
}

fn reason(answer: Answer) -> &'static str {
    answer.status.canonical_reason().unwrap_or("Error")
}

/// `1*DIGIT` (RFC 9110 §8.6).
fn is_length(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    !bytes.is_empty() && bytes.len() < 20 && bytes.iter().all(u8::is_ascii_digit)
}
