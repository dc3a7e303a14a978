//! Request bodies on their way to a handler: small ones are collected first, others are streamed while it reads.
//!
//! # Invariants
//! - At most `:inline-body-bytes` (and one read of hyper's) are collected, less where there is no room for so much
//!   ([`Collected`]); of a body that is to be parsed all of it. Of a streamed body, at most what the handler
//!   asked for is handed over, and nothing is read from hyper before it asks. So a slow handler stops the client, and
//!   `100 Continue` is sent when the handler first reads (RFC 9110 §10.1.1).
//! - A client that waits for `100 Continue` in vain is told that its connection ends, and its body is not waited for.
//! - `:max-body-bytes` holds for both. What the handler leaves unread is read and dropped up to
//!   `:max-unread-body-bytes`; dropping hyper's body before its end closes the connection (RFC 9112 §9.3).

use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hinny_core::error::Kind;
use hinny_core::options::RouteOptions;
use hinny_core::records;
use http::Version;
use http::header::EXPECT;
use http::request::Parts;
use http_body::Body;
use hyper::body::Incoming;

use crate::collected::Collected;
use crate::connection::Connection;
use crate::event_loop::LoopState;
use crate::exchange::{Demand, Reply};
use crate::parse::BodyKind;
use crate::service;
use crate::timeouts::{Phase, RequestTimeouts};

/// The largest chunk record; the driver's inbox has room for some of them.
const CHUNK_BYTES_MAX: usize = 32 << 10;

/// Smaller chunks of a request body are copied together.
const SMALL_CHUNK_BYTES: usize = 1 << 10;

/// A request whose body is still arriving.
pub(crate) struct ArrivingRequest {
    pub(crate) parts: Parts,
    chunks: Vec<Bytes>,
    /// Small chunks that follow those.
    small: Vec<u8>,
    body: Incoming,
    length: u64,
    limit: u64,
    /// A body of more bytes is streamed.
    inline_limit: u64,
    collected: Collected,
    /// There is no room to collect more.
    is_crowded: bool,
    options: RouteOptions,
}

/// What a handler is given.
pub(crate) enum Arrival {
    /// The whole body.
    Whole,
    /// A first part; the rest follows on demand.
    First,
}

impl ArrivingRequest {
    /// # Errors
    /// [`Kind::BodyTooLarge`] if the request says so itself.
    pub(crate) fn new(
        connection: &Connection,
        parts: Parts,
        body: Incoming,
        options: &RouteOptions,
    ) -> Result<Self, Kind> {
        let parsed_limit = BodyKind::of_request(&parts.headers).parsed_limit(options);
        let limit = options.max_body_bytes.min(parsed_limit.unwrap_or(u64::MAX));
        if body.size_hint().lower() > limit {
            return Err(Kind::BodyTooLarge { limit });
        }
        connection.request_timeouts.set(RequestTimeouts::from(options));
        connection.enter(Phase::Body);
        Ok(Self {
            parts,
            chunks: Vec::new(),
            small: Vec::new(),
            body,
            length: 0,
            limit,
            inline_limit: parsed_limit.map_or(options.inline_body_bytes, |_| u64::MAX),
            collected: Collected::new(&connection.state),
            is_crowded: false,
            options: *options,
        })
    }

    /// Ready when as much of the body is here as the handler is to be given at once, and the inbox has room for it.
    pub(crate) fn poll_arrival(
        &mut self,
        connection: &Connection,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Arrival, Kind>> {
        let limit = self.limit;
        loop {
            if self.body.is_end_stream() {
                ready!(self.poll_room(connection, cx));
                return Poll::Ready(Ok(Arrival::Whole));
            }
            if self.is_to_be_streamed() {
                ready!(self.poll_room(connection, cx));
                return Poll::Ready(Ok(Arrival::First));
            }
            if connection.take_expired() {
                return Poll::Ready(Err(Phase::Body.expiry()));
            }
            let frame = Pin::new(&mut self.body).poll_frame(cx);
            if frame.is_pending() && connection.guard.has_broken_body() {
                return Poll::Ready(Err(Kind::BodyMalformed));
            }
            match ready!(frame) {
                None => {
                    ready!(self.poll_room(connection, cx));
                    return Poll::Ready(Ok(Arrival::Whole));
                }
                // Trailer fields have no place in a Ring request.
                Some(Ok(frame)) => {
                    if let Ok(chunk) = frame.into_data() {
                        self.length += chunk.len() as u64;
                        if self.length > limit {
                            return Poll::Ready(Err(Kind::BodyTooLarge { limit }));
                        }
                        self.collect(chunk);
                        self.is_crowded = self.may_be_streamed() && !self.collected.grow(self.length);
                        let held = usize::try_from(self.length).unwrap_or(usize::MAX);
                        connection.state.hold_half(connection, held);
                    }
                }
                Some(Err(error)) => return Poll::Ready(Err(fault(&error))),
            }
        }
    }

    /// Keeps a chunk. Small ones are gathered, so that a body in pieces of a byte takes no more memory than another.
    fn collect(&mut self, chunk: Bytes) {
        if chunk.len() < SMALL_CHUNK_BYTES && !self.chunks.is_empty() {
            self.small.extend_from_slice(&chunk);
        } else {
            self.end_small();
            self.chunks.push(chunk);
        }
    }

    fn end_small(&mut self) {
        if !self.small.is_empty() {
            self.chunks.push(std::mem::take(&mut self.small).into());
        }
    }

    /// What has arrived, in order; it is taken off.
    pub(crate) fn take_chunks(&mut self) -> Vec<Bytes> {
        self.end_small();
        std::mem::take(&mut self.chunks)
    }

    /// Takes off what counts for it; it counts until that is dropped.
    pub(crate) fn take_collected(&mut self, connection: &Connection) -> Collected {
        std::mem::replace(&mut self.collected, Collected::new(&connection.state))
    }

    /// Whether it is not to be parsed.
    const fn may_be_streamed(&self) -> bool {
        self.inline_limit < u64::MAX
    }

    fn is_to_be_streamed(&self) -> bool {
        self.may_be_streamed()
            && (self.is_crowded
                || self.length + self.body.size_hint().lower() > self.inline_limit
                || self.length >= self.inline_limit
                || self.parts.headers.contains_key(EXPECT))
    }

    fn poll_room(&self, connection: &Connection, cx: &Context<'_>) -> Poll<()> {
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        connection
            .state
            .poll_room(length.saturating_add(service::RECORD_HEAD_ESTIMATE), cx)
    }

    /// The head, and what is to be streamed.
    pub(crate) fn split(self) -> (Parts, BodyRest) {
        let rest = BodyRest::new(&self.parts, self.body, self.length, &self.options);
        (self.parts, rest)
    }
}

/// The part of a request body that was not collected.
pub(crate) struct BodyRest {
    body: Incoming,
    /// What was.
    length: u64,
    awaits_continue: bool,
    options: RouteOptions,
}

impl BodyRest {
    /// What is left of a request's body behind its first `length` bytes.
    pub(crate) fn new(parts: &Parts, body: Incoming, length: u64, options: &RouteOptions) -> Self {
        Self {
            body,
            length,
            awaits_continue: length == 0 && parts.version == Version::HTTP_11 && parts.headers.contains_key(EXPECT),
            options: *options,
        }
    }

    /// Goes on with the body in a task of its own. For an exchange that is none it is read and dropped.
    pub(crate) fn stream(self, connection: &Rc<Connection>, exchange: u64) {
        connection.await_continue(self.awaits_continue);
        connection.set_unread_body(self.body.size_hint().lower());
        let stream = StreamedBody {
            state: Rc::clone(&connection.state),
            connection: Rc::clone(connection),
            exchange,
            body: self.body,
            length: self.length,
            options: self.options,
        };
        tokio::task::spawn_local(stream.run());
    }
}

/// The rest of a request body, on its way to the handler.
struct StreamedBody {
    state: Rc<LoopState>,
    connection: Rc<Connection>,
    exchange: u64,
    body: Incoming,
    length: u64,
    options: RouteOptions,
}

impl StreamedBody {
    async fn run(mut self) {
        match self.hand_over().await {
            Ok(true) => self.connection.body_arrived(),
            Ok(false) => self.drop_rest().await,
            Err(kind) => self.fail(kind),
        }
    }

    /// Hands the body over as the handler asks for it; whether it came to its end.
    async fn hand_over(&mut self) -> Result<bool, Kind> {
        let limit = self.options.max_body_bytes;
        while let Demand::Bytes(_) = poll_fn(|cx| self.state.poll_demand(self.exchange, cx)).await {
            let Some(mut chunk) = self.next_chunk().await? else {
                self.push(&[], true).await;
                return Ok(true);
            };
            self.length += chunk.len() as u64;
            if self.length > limit {
                return Err(Kind::BodyTooLarge { limit });
            }
            while !chunk.is_empty() {
                match poll_fn(|cx| self.state.poll_demand(self.exchange, cx)).await {
                    Demand::Nothing => return Ok(false),
                    Demand::Bytes(credit) => {
                        let piece = chunk.split_to(chunk.len().min(credit).min(CHUNK_BYTES_MAX));
                        self.state.spend(self.exchange, piece.len());
                        self.push(&piece, false).await;
                    }
                }
            }
        }
        Ok(false)
    }

    async fn push(&self, bytes: &[u8], last: bool) {
        poll_fn(|cx| self.state.poll_room(bytes.len() + records::CHUNK_BODY, cx)).await;
        self.state
            .push_record(|out| records::write_chunk(out, self.exchange, bytes, last));
    }

    /// The next piece of the body that is not empty; `None` at its end.
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, Kind> {
        // hyper asks for it.
        self.connection.await_continue(false);
        let (clock, wait_ms) = (&self.state.clock, self.options.body_read_timeout_ms);
        let (body, connection) = (&mut self.body, &self.connection);
        let mut poll_frame = |cx: &mut Context<'_>| {
            // When the response is out, hyper tells of the end of a sized body no sooner than of the next request.
            if body.is_end_stream() {
                return Poll::Ready(None);
            }
            let frame = Pin::new(&mut *body).poll_frame(cx).map_err(|error| fault(&error));
            if frame.is_pending() {
                if connection.guard.has_broken_body() {
                    return Poll::Ready(Some(Err(Kind::BodyMalformed)));
                }
                if connection.take_body_is_late() {
                    return Poll::Ready(Some(Err(Kind::BodyTimeout)));
                }
                connection.watch_body(cx.waker());
            }
            frame
        };
        let next = async {
            loop {
                match poll_fn(&mut poll_frame).await {
                    None => return Ok(None),
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(chunk) if !chunk.is_empty() => return Ok(Some(chunk)),
                        // Trailer fields have no place in a Ring request.
                        Ok(_) | Err(_) => {}
                    },
                    Some(Err(kind)) => return Err(kind),
                }
            }
        };
        connection.body_rate.wait(self.state.now_ms());
        let chunk = clock.within_ms(wait_ms, next).await.unwrap_or(Err(Kind::BodyTimeout));
        self.connection.body_rate.pause(self.state.now_ms());
        self.connection.set_unread_body(self.body.size_hint().lower());
        chunk
    }

    /// The handler wants no more: what is left is dropped, so that the next request can be read.
    async fn drop_rest(&mut self) {
        let mut left = self.state.options.max_unread_body_bytes;
        if self.connection.awaits_continue() || self.body.size_hint().lower() > left {
            return self.give_up();
        }
        loop {
            match self.next_chunk().await {
                Ok(Some(chunk)) if chunk.len() as u64 <= left => left -= chunk.len() as u64,
                Ok(None) => return self.connection.body_arrived(),
                Ok(Some(_)) | Err(_) => return self.give_up(),
            }
        }
    }

    /// What is left of the body is not waited for. hyper closes the connection, unless it has the rest already: then the
    /// connection goes on, and must not be taken for one whose body is on its way.
    fn give_up(&self) {
        self.connection.body_arrived();
    }

    /// The handler learns of it when it reads; unless it has answered, the client does too.
    fn fail(&self, kind: Kind) {
        let code = usize::from(kind.code());
        self.state
            .push_record(|out| records::write_signal(out, self.exchange, records::SIGNAL_BODY_FAILED, code));
        self.give_up();
        self.state.fail_unanswered(self.exchange, kind);
    }
}

/// What is wrong with a body: hyper says invalid input or data of its framing; every other error is the connection's.
fn fault(error: &hyper::Error) -> Kind {
    let io_error = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match io_error.map(io::Error::kind) {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => Kind::BodyMalformed,
        _ => Kind::Disconnected,
    }
}

impl LoopState {
    /// Ready when the inbox has room for a record of `length` bytes.
    pub(crate) fn poll_room(&self, length: usize, cx: &Context<'_>) -> Poll<()> {
        let mut inbox = self.inbox.borrow_mut();
        if inbox.has_room(length) {
            Poll::Ready(())
        } else {
            inbox.wait_for_room(cx.waker().clone());
            Poll::Pending
        }
    }

    fn fail_unanswered(&self, exchange: u64, kind: Kind) {
        if self.is_unanswered(exchange) {
            self.deliver(exchange, Reply::Fail(kind.into()));
        }
    }
}
