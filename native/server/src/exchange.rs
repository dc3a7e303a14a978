//! Exchanges that a handler has, and the two bodies that may still be on their way.
//!
//! # Invariants
//! - An exchange is answered at most once; a second reply, or one for an exchange that is gone, is stale and dropped.
//! - An exchange ends when its [`OpenExchange`] is dropped: when its response is with hyper to the last byte, or because
//!   the client left. In the second case the driver of the loop is told, once.
//! - At most `:exchange-buffer-bytes` of a request body are handed over that the handler has not taken: chunks go out
//!   against credit. Of a response body Java sends no more than that without credit.

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hinny_core::commands::ResponseCommand;
use hinny_core::error::Kind;
use hinny_core::records;

use crate::connection::Connection;
use crate::event_loop::LoopState;
use crate::files::Outcome;
use crate::http1;

/// What came back for an exchange.
#[derive(Debug)]
pub(crate) enum Reply {
    Response(ResponseCommand<Bytes>),
    Fail(Kind),
    /// The core has looked for the file that is asked for.
    File(Outcome),
}

/// An exchange that was handed to a handler.
#[derive(Default)]
pub(crate) struct Exchange {
    reply: Waiting,
    bodies: Option<Box<Bodies>>,
}

#[derive(Default)]
enum Waiting {
    /// The connection's HTTP/1 engine waits for the reply.
    Http1(Rc<Connection>),
    /// It sends the response, whose body goes on.
    Sending(Rc<Connection>),
    #[default]
    NotPolled,
    Polled(Waker),
    Answered(Reply),
    Taken,
}

/// The bodies that are streamed.
#[derive(Debug, Default)]
struct Bodies {
    request: RequestCredit,
    response: ResponseChunks,
}

/// What the handler wants of the request body.
#[derive(Debug, Default)]
struct RequestCredit {
    bytes: usize,
    discarded: bool,
    waker: Option<Waker>,
}

/// What the handler has sent of the response body and hyper has not taken.
#[derive(Debug, Default)]
struct ResponseChunks {
    chunks: VecDeque<Bytes>,
    /// Taken since the last credit was given.
    taken: usize,
    ended: bool,
    /// Why it breaks off behind the chunks.
    aborted: Option<Kind>,
    waker: Option<Waker>,
}

/// What comes next of a response body.
#[derive(Debug)]
pub(crate) enum NextChunk {
    /// So much.
    Bytes(Bytes),
    /// Something, later.
    NotYet,
    /// Nothing.
    End,
    /// Nothing, and it is not complete.
    Aborted(Kind),
}

/// What the handler lets its request body do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Demand {
    /// It takes so many bytes more, in one chunk.
    Bytes(usize),
    /// It takes none: it said so, or it has answered.
    Nothing,
}

/// The owner of an exchange; dropping it ends the exchange.
pub(crate) struct OpenExchange {
    id: u64,
    state: Rc<LoopState>,
    /// Why the exchange ends before its response is complete; `None` once it is.
    ends_as: Option<Kind>,
}

impl OpenExchange {
    /// Opens an exchange.
    ///
    /// # Errors
    /// [`Kind::ExchangeLimit`] when no more may be open at once.
    pub(crate) fn open(state: &Rc<LoopState>) -> Result<Self, Kind> {
        if !state.may_open_exchange() {
            return Err(Kind::ExchangeLimit);
        }
        let id = state.open_exchange(Exchange::default()).ok_or(Kind::ExchangeLimit)?;
        Ok(Self::adopt(state, id))
    }

    /// Becomes the owner of an exchange that has none.
    pub(crate) fn adopt(state: &Rc<LoopState>, id: u64) -> Self {
        Self {
            id,
            state: Rc::clone(state),
            ends_as: Some(Kind::Disconnected),
        }
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) const fn state(&self) -> &Rc<LoopState> {
        &self.state
    }

    /// The response is with hyper to its end, or the handler gave none and knows it.
    pub(crate) fn complete(&mut self) {
        self.ends_as = None;
    }

    /// The exchange ends without the handler; what it sends later is stale.
    pub(crate) fn end_as(&mut self, kind: Kind) {
        self.ends_as = Some(kind);
    }

    /// Waits for the reply.
    pub(crate) fn poll_reply(&self, cx: &Context<'_>) -> Poll<Reply> {
        let mut exchanges = self.state.exchanges.borrow_mut();
        let Some(exchange) = exchanges.get_mut(self.id) else {
            return Poll::Ready(Reply::Fail(Kind::Internal));
        };
        match &exchange.reply {
            Waiting::Polled(waker) if waker.will_wake(cx.waker()) => Poll::Pending,
            Waiting::Answered(_) => match std::mem::replace(&mut exchange.reply, Waiting::Taken) {
                Waiting::Answered(reply) => Poll::Ready(reply),
                _ => Poll::Pending,
            },
            Waiting::NotPolled | Waiting::Polled(_) => {
                exchange.reply = Waiting::Polled(cx.waker().clone());
                Poll::Pending
            }
            Waiting::Taken | Waiting::Http1(_) | Waiting::Sending(_) => Poll::Ready(Reply::Fail(Kind::Internal)),
        }
    }

    /// Waits for a part of the response body; `None` at its end.
    pub(crate) fn poll_chunk(&self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, Kind>>> {
        let mut exchanges = self.state.exchanges.borrow_mut();
        let Some(response) = exchanges.get_mut(self.id).and_then(Exchange::response) else {
            return Poll::Ready(Some(Err(Kind::Internal)));
        };
        if let Some(chunk) = response.chunks.pop_front() {
            response.taken += chunk.len() + records::CHUNK_COST;
            let enough = response.taken >= self.state.options.exchange_buffer_bytes / 4;
            let credit = if enough && !response.ended {
                std::mem::take(&mut response.taken)
            } else {
                0
            };
            drop(exchanges);
            if credit > 0 {
                self.state
                    .push_record(|out| records::write_signal(out, self.id, records::SIGNAL_CREDIT, credit));
            }
            return Poll::Ready(Some(Ok(chunk)));
        }
        if let Some(kind) = response.aborted {
            return Poll::Ready(Some(Err(kind)));
        }
        if response.ended {
            return Poll::Ready(None);
        }
        response.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether the response body ends with what [`Self::poll_chunk`] gave last.
    pub(crate) fn is_ended(&self) -> bool {
        let mut exchanges = self.state.exchanges.borrow_mut();
        exchanges
            .get_mut(self.id)
            .and_then(Exchange::response)
            .is_some_and(|response| response.ended && response.aborted.is_none() && response.chunks.is_empty())
    }
}

impl Drop for OpenExchange {
    fn drop(&mut self) {
        self.state.end_exchange(self.id, self.ends_as);
    }
}

impl Exchange {
    /// An exchange whose reply the HTTP/1 engine sends.
    pub(crate) fn of_http1(connection: &Rc<Connection>) -> Self {
        Self {
            reply: Waiting::Http1(Rc::clone(connection)),
            bodies: None,
        }
    }

    fn bodies(&mut self) -> &mut Bodies {
        self.bodies.get_or_insert_default()
    }

    /// The connection whose HTTP/1 engine sends the response.
    fn sender(&self) -> Option<Rc<Connection>> {
        match &self.reply {
            Waiting::Sending(connection) => Some(Rc::clone(connection)),
            _ => None,
        }
    }

    fn response(&mut self) -> Option<&mut ResponseChunks> {
        Some(&mut self.bodies.as_mut()?.response)
    }
}

impl LoopState {
    /// Gives an exchange its id; `None` if no id is left.
    pub(crate) fn open_exchange(&self, exchange: Exchange) -> Option<u64> {
        let id = self.exchanges.borrow_mut().insert(exchange)?;
        self.switches.metrics.exchanges_open.add(1);
        Some(id)
    }

    /// Ends an exchange. With a kind, the driver of the loop learns that it ended before its response was complete.
    pub(crate) fn end_exchange(&self, id: u64, ends_as: Option<Kind>) {
        let Some(exchange) = self.exchanges.borrow_mut().remove(id) else {
            return;
        };
        self.switches.metrics.exchanges_open.decrement();
        if let Some(kind) = ends_as {
            let code = usize::from(kind.code());
            self.push_record(|out| records::write_signal(out, id, records::SIGNAL_GONE, code));
        }
        wake(exchange.bodies.and_then(|bodies| bodies.request.waker));
    }

    /// Takes the reply that was stored for an exchange of `connection`. The exchange is over then, unless the body of its
    /// response goes on: then it ends with that.
    pub(crate) fn take_stored(&self, id: u64, connection: &Rc<Connection>) -> Option<Reply> {
        let mut exchanges = self.exchanges.borrow_mut();
        let exchange = exchanges.get_mut(id)?;
        match &exchange.reply {
            Waiting::Answered(Reply::Response(command)) if command.is_streamed() => {
                let sending = Waiting::Sending(Rc::clone(connection));
                let Waiting::Answered(reply) = std::mem::replace(&mut exchange.reply, sending) else {
                    return None;
                };
                return Some(reply);
            }
            Waiting::Answered(Reply::Fail(kind)) if !kind.is_from_handler() => {
                let kind = *kind;
                drop(exchanges);
                self.end_exchange(id, Some(kind));
                return Some(Reply::Fail(kind));
            }
            Waiting::Answered(_) => {}
            _ => return None,
        }
        let Waiting::Answered(reply) = exchanges.remove(id)?.reply else {
            return None;
        };
        self.switches.metrics.exchanges_open.decrement();
        Some(reply)
    }

    /// Hands a response to its exchange.
    pub(crate) fn deliver_response(&self, id: u64, command: ResponseCommand<&[u8]>, outbox: &Bytes) {
        if command.is_whole()
            && let Some(connection) = self.end_next_of_http1(id)
        {
            return http1::answer(&connection, &command);
        }
        let in_http1 = matches!(
            self.exchanges.borrow_mut().get_mut(id),
            Some(Exchange {
                reply: Waiting::Http1(_),
                ..
            })
        );
        // It may wait long for those before it, and must not keep the outbox alive.
        let command = if in_http1 {
            command.copy()
        } else {
            command.share(outbox)
        };
        self.deliver(id, Reply::Response(command));
    }

    /// Ends the exchange if its reply is the next that its connection sends.
    fn end_next_of_http1(&self, id: u64) -> Option<Rc<Connection>> {
        let mut exchanges = self.exchanges.borrow_mut();
        match &exchanges.get_mut(id)?.reply {
            Waiting::Http1(connection) if connection.http1.borrow().is_next(id) => {}
            _ => return None,
        }
        let Waiting::Http1(connection) = exchanges.remove(id)?.reply else {
            return None;
        };
        self.switches.metrics.exchanges_open.decrement();
        Some(connection)
    }

    /// Hands a reply to its exchange. An error for one whose response has begun breaks that off.
    pub(crate) fn deliver(&self, id: u64, reply: Reply) {
        if let Reply::Fail(kind) = &reply
            && let Some(connection) = self.end_next_of_http1(id)
        {
            return http1::fail(&connection, *kind);
        }
        if let Some(connection) = self.store(id, reply) {
            http1::stored(&connection);
        }
    }

    /// Stores a reply for an exchange; returns the connection whose HTTP/1 engine is to look at it.
    fn store(&self, id: u64, reply: Reply) -> Option<Rc<Connection>> {
        let mut exchanges = self.exchanges.borrow_mut();
        let Some(exchange) = exchanges.get_mut(id) else {
            self.stale();
            return None;
        };
        let waker = match (&mut exchange.reply, &reply) {
            (Waiting::Http1(_) | Waiting::NotPolled | Waiting::Polled(_), _) => {
                if let Reply::Response(command) = &reply
                    && command.is_streamed()
                {
                    exchange.bodies();
                }
                match std::mem::replace(&mut exchange.reply, Waiting::Answered(reply)) {
                    Waiting::Polled(waker) => Some(waker),
                    Waiting::Http1(connection) => return Some(connection),
                    _ => None,
                }
            }
            (Waiting::Answered(Reply::Response(_)) | Waiting::Sending(_) | Waiting::Taken, Reply::Fail(kind)) => {
                let sender = exchange.sender();
                let Some(response) = exchange.response().filter(|response| !response.ended) else {
                    self.stale();
                    return None;
                };
                response.aborted = Some(*kind);
                if sender.is_some() {
                    return sender;
                }
                response.waker.take()
            }
            _ => {
                self.stale();
                return None;
            }
        };
        drop(exchanges);
        wake(waker);
        None
    }

    /// Lets an exchange that has no reply yet fail, for who then looks at what is stored. `false` if it has one.
    pub(crate) fn store_failure(&self, id: u64, kind: Kind) -> bool {
        self.is_unanswered(id) && {
            let _ = self.store(id, Reply::Fail(kind));
            true
        }
    }

    /// Adds a piece to a response body.
    pub(crate) fn deliver_chunk(&self, id: u64, chunk: Bytes, last: bool) {
        let mut exchanges = self.exchanges.borrow_mut();
        let response = exchanges.get_mut(id).and_then(Exchange::response);
        let Some(response) = response.filter(|response| !response.ended) else {
            return self.stale();
        };
        if !chunk.is_empty() {
            response.chunks.push_back(chunk);
        }
        response.ended = last;
        let waker = response.waker.take();
        let sender = exchanges.get_mut(id).and_then(|exchange| exchange.sender());
        drop(exchanges);
        wake(waker);
        if let Some(connection) = sender {
            http1::go_on_sending(&connection);
        }
    }

    /// Takes the next part of a response body that is being sent.
    pub(crate) fn take_chunk(&self, id: u64) -> NextChunk {
        let mut exchanges = self.exchanges.borrow_mut();
        let Some(response) = exchanges.get_mut(id).and_then(Exchange::response) else {
            return NextChunk::Aborted(Kind::Internal);
        };
        let Some(chunk) = response.chunks.pop_front() else {
            return match response {
                ResponseChunks {
                    aborted: Some(kind), ..
                } => NextChunk::Aborted(*kind),
                ResponseChunks { ended: true, .. } => NextChunk::End,
                _ => NextChunk::NotYet,
            };
        };
        response.taken += chunk.len() + records::CHUNK_COST;
        let enough = response.taken >= self.options.exchange_buffer_bytes / 4;
        if enough && !response.ended {
            let credit = std::mem::take(&mut response.taken);
            drop(exchanges);
            self.push_record(|out| records::write_signal(out, id, records::SIGNAL_CREDIT, credit));
        }
        NextChunk::Bytes(chunk)
    }

    /// Adds the piece that came with the response's head.
    pub(crate) fn deliver_first_chunk(&self, id: u64, chunk: &[u8]) {
        let mut exchanges = self.exchanges.borrow_mut();
        if let Some(response) = exchanges.get_mut(id).and_then(Exchange::response)
            && !chunk.is_empty()
        {
            // It may wait long for a slow client, and must not keep the whole outbox alive.
            response.chunks.push_front(Bytes::copy_from_slice(chunk));
        }
    }

    /// Whether the handler has not answered yet.
    pub(crate) fn is_unanswered(&self, id: u64) -> bool {
        let mut exchanges = self.exchanges.borrow_mut();
        let reply = exchanges.get_mut(id).map(|exchange| &exchange.reply);
        matches!(reply, Some(Waiting::Http1(_) | Waiting::NotPolled | Waiting::Polled(_)))
    }

    /// The handler asks for more of its request body (`Some`) or for no more of it (`None`).
    pub(crate) fn demand(&self, id: u64, credit: Option<usize>) {
        let mut exchanges = self.exchanges.borrow_mut();
        // For an exchange that is over this is no news.
        let Some(request) = exchanges.get_mut(id).map(|exchange| &mut exchange.bodies().request) else {
            return;
        };
        match credit {
            Some(bytes) => request.bytes = request.bytes.saturating_add(bytes),
            None => request.discarded = true,
        }
        let waker = request.waker.take();
        drop(exchanges);
        wake(waker);
    }

    /// Waits until the handler wants something of the request body of an exchange. An exchange that is over wants
    /// nothing.
    pub(crate) fn poll_demand(&self, id: u64, cx: &Context<'_>) -> Poll<Demand> {
        let mut exchanges = self.exchanges.borrow_mut();
        let Some(exchange) = exchanges.get_mut(id) else {
            return Poll::Ready(Demand::Nothing);
        };
        let request = &mut exchange.bodies().request;
        if request.discarded {
            return Poll::Ready(Demand::Nothing);
        }
        if request.bytes > records::CHUNK_COST {
            return Poll::Ready(Demand::Bytes(request.bytes - records::CHUNK_COST));
        }
        request.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Counts a chunk of so many bytes that was handed over against the credit.
    pub(crate) fn spend(&self, id: u64, bytes: usize) {
        if let Some(exchange) = self.exchanges.borrow_mut().get_mut(id) {
            let request = &mut exchange.bodies().request;
            request.bytes = request.bytes.saturating_sub(bytes + records::CHUNK_COST);
        }
    }

    fn stale(&self) {
        self.switches.metrics.replies_stale.add(1);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
