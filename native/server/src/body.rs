//! Reads a request body to its end before the handler is called.
//!
//! # Invariants
//! - At most `:max-body-bytes` are kept.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hinny_core::error::Kind;
use http::request::Parts;
use http_body::Body;
use hyper::body::Incoming;

use crate::connection::Connection;
use crate::service;
use crate::timeouts::Phase;

/// A request whose body is still arriving.
pub(crate) struct ArrivingRequest {
    pub(crate) parts: Parts,
    pub(crate) chunks: Vec<Bytes>,
    body: Incoming,
    length: u64,
}

impl ArrivingRequest {
    /// # Errors
    /// [`Kind::BodyTooLarge`] if the request says so itself.
    pub(crate) fn new(connection: &Connection, parts: Parts, body: Incoming) -> Result<Self, Kind> {
        let limit = connection.state.options.max_body_bytes;
        if body.size_hint().lower() > limit {
            return Err(Kind::BodyTooLarge { limit });
        }
        connection.enter(Phase::Body);
        Ok(Self {
            parts,
            chunks: Vec::new(),
            body,
            length: 0,
        })
    }

    /// Ready when the whole body is here and the inbox has room for it.
    pub(crate) fn poll_whole(&mut self, connection: &Connection, cx: &mut Context<'_>) -> Poll<Result<(), Kind>> {
        let limit = connection.state.options.max_body_bytes;
        loop {
            if self.body.is_end_stream() {
                connection.body_arrived();
                return self.poll_room(connection, cx);
            }
            if connection.take_expired() {
                return Poll::Ready(Err(Phase::Body.expiry()));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => {
                    connection.body_arrived();
                    return self.poll_room(connection, cx);
                }
                Some(Ok(frame)) => {
                    // Trailer fields have no place in a Ring request.
                    if let Ok(chunk) = frame.into_data() {
                        self.length += chunk.len() as u64;
                        if self.length > limit {
                            return Poll::Ready(Err(Kind::BodyTooLarge { limit }));
                        }
                        self.chunks.push(chunk);
                    }
                }
                Some(Err(error)) if error.is_incomplete_message() => return Poll::Ready(Err(Kind::Disconnected)),
                Some(Err(_)) => return Poll::Ready(Err(Kind::BodyMalformed)),
            }
        }
    }

    fn poll_room(&self, connection: &Connection, cx: &Context<'_>) -> Poll<Result<(), Kind>> {
        let mut inbox = connection.state.inbox.borrow_mut();
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        if inbox.has_room(length.saturating_add(service::RECORD_HEAD_ESTIMATE)) {
            Poll::Ready(Ok(()))
        } else {
            inbox.wait_for_room(cx.waker().clone());
            Poll::Pending
        }
    }
}
