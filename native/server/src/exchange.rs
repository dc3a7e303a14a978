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
use hinny_core::status::Failure;

use crate::connection::Connection;
use crate::event_loop::LoopState;
use crate::files::Outcome;
use crate::lane;

/// What came back for an exchange.
#[derive(Debug)]
pub(crate) enum Reply {
    Response(ResponseCommand<Bytes>),
    Fail(Failure),
    /// The core has looked for the file that is asked for.
    File(Outcome),
}

impl Reply {
    /// Whether all of it is there.
    fn is_whole(&self) -> bool {
        match self {
            Self::Response(command) => command.is_whole(),
            Self::Fail(_) | Self::File(Err(_)) => true,
            Self::File(Ok(answer)) => answer.is_whole(),
        }
    }
}

/// An exchange that was handed to a handler.
#[derive(Default)]
pub(crate) struct Exchange {
    reply: Waiting,
    bodies: Option<Box<Bodies>>,
    /// What its request takes in memory.
    request_bytes: u64,
    /// What its reply takes while it waits.
    reply_bytes: u64,
}

#[derive(Default)]
enum Waiting {
    /// The connection's fast lane sends the reply.
    Lane(Rc<Connection>),
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
    /// Handed over and not taken.
    untaken: u64,
    discarded: bool,
    waker: Option<Waker>,
}

/// What the handler has sent of the response body and hyper has not taken.
#[derive(Debug, Default)]
struct ResponseChunks {
    chunks: VecDeque<Bytes>,
    /// What they take.
    bytes: u64,
    /// Taken since the last credit was given.
    taken: usize,
    ended: bool,
    /// Why it breaks off behind the chunks.
    aborted: Option<Kind>,
    waker: Option<Waker>,
}

impl ResponseChunks {
    /// Counts a chunk; what it takes.
    fn count(&mut self, chunk: &[u8]) -> u64 {
        let cost = (chunk.len() + records::CHUNK_COST) as u64;
        self.bytes += cost;
        cost
    }
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
    /// Opens an exchange for a request that takes so many bytes.
    ///
    /// # Errors
    /// Those of [`LoopState::admit`].
    pub(crate) fn open(state: &Rc<LoopState>, bytes: usize) -> Result<Self, Kind> {
        state.admit(bytes)?;
        let exchange = Exchange {
            request_bytes: bytes as u64,
            ..Exchange::default()
        };
        let id = state.open_exchange(exchange).ok_or(Kind::ExchangeLimit)?;
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
            return Poll::Ready(Reply::Fail(Kind::Internal.into()));
        };
        match &exchange.reply {
            Waiting::Polled(waker) if waker.will_wake(cx.waker()) => Poll::Pending,
            Waiting::Answered(_) => match std::mem::replace(&mut exchange.reply, Waiting::Taken) {
                Waiting::Answered(reply) => {
                    self.state.release_response(std::mem::take(&mut exchange.reply_bytes));
                    Poll::Ready(reply)
                }
                Waiting::Lane(_) | Waiting::NotPolled | Waiting::Polled(_) | Waiting::Taken => Poll::Pending,
            },
            Waiting::NotPolled | Waiting::Polled(_) => {
                exchange.reply = Waiting::Polled(cx.waker().clone());
                Poll::Pending
            }
            Waiting::Taken | Waiting::Lane(_) => Poll::Ready(Reply::Fail(Kind::Internal.into())),
        }
    }

    /// Waits for a part of the response body; `None` at its end.
    pub(crate) fn poll_chunk(&self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, Kind>>> {
        let mut exchanges = self.state.exchanges.borrow_mut();
        let Some(response) = exchanges.get_mut(self.id).and_then(Exchange::response) else {
            return Poll::Ready(Some(Err(Kind::Internal)));
        };
        if let Some(chunk) = response.chunks.pop_front() {
            let cost = chunk.len() + records::CHUNK_COST;
            response.taken += cost;
            response.bytes -= cost as u64;
            let enough = response.taken >= self.state.options.exchange_buffer_bytes / 4;
            let credit = if enough && !response.ended {
                std::mem::take(&mut response.taken)
            } else {
                0
            };
            drop(exchanges);
            self.state.release_response(cost as u64);
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
    /// An exchange whose reply is the lane's to send.
    pub(crate) fn in_lane(connection: &Rc<Connection>, request_bytes: usize) -> Self {
        Self {
            reply: Waiting::Lane(Rc::clone(connection)),
            request_bytes: request_bytes as u64,
            ..Self::default()
        }
    }

    fn bodies(&mut self) -> &mut Bodies {
        self.bodies.get_or_insert_default()
    }

    fn response(&mut self) -> Option<&mut ResponseChunks> {
        Some(&mut self.bodies.as_mut()?.response)
    }
}

impl LoopState {
    /// Gives an exchange its id; `None` if no id is left.
    pub(crate) fn open_exchange(&self, exchange: Exchange) -> Option<u64> {
        let request_bytes = exchange.request_bytes;
        let id = self.exchanges.borrow_mut().insert(exchange)?;
        self.switches.metrics.exchanges_open.add(1);
        self.pending.exchanges.add(1);
        self.pending.requests.add(request_bytes);
        Some(id)
    }

    /// Counts an exchange that was removed no longer, with all that it held.
    #[inline]
    fn uncount(&self, exchange: &Exchange) {
        self.switches.metrics.exchanges_open.decrement();
        if self.pending.exchanges.remove(1) {
            self.tell_room();
        }
        let bodies = exchange.bodies.as_deref();
        self.release_request(exchange.request_bytes + bodies.map_or(0, |bodies| bodies.request.untaken));
        self.release_response(exchange.reply_bytes + bodies.map_or(0, |bodies| bodies.response.bytes));
    }

    /// Counts what the record of a request takes, if that is known only when it is written.
    pub(crate) fn count_request(&self, id: u64, bytes: usize) {
        if let Some(exchange) = self.exchanges.borrow_mut().get_mut(id) {
            let before = std::mem::replace(&mut exchange.request_bytes, bytes as u64);
            self.pending.requests.add(bytes as u64);
            self.release_request(before);
        }
    }

    /// Ends an exchange. With a kind, the driver of the loop learns that it ended before its response was complete.
    pub(crate) fn end_exchange(&self, id: u64, ends_as: Option<Kind>) {
        let Some(exchange) = self.exchanges.borrow_mut().remove(id) else {
            return;
        };
        self.uncount(&exchange);
        if let Some(kind) = ends_as {
            let code = usize::from(kind.code());
            self.push_record(|out| records::write_signal(out, id, records::SIGNAL_GONE, code));
        }
        wake(exchange.bodies.and_then(|bodies| bodies.request.waker));
    }

    /// Makes the reply of an exchange wait for [`OpenExchange::poll_reply`].
    pub(crate) fn leave_lane(&self, id: u64) {
        if let Some(exchange) = self.exchanges.borrow_mut().get_mut(id)
            && matches!(exchange.reply, Waiting::Lane(_))
        {
            exchange.reply = Waiting::NotPolled;
        }
    }

    /// Takes the reply that was stored for an exchange, if it is whole; the exchange is over then.
    pub(crate) fn take_stored(&self, id: u64) -> Option<Reply> {
        let mut exchanges = self.exchanges.borrow_mut();
        match &exchanges.get_mut(id)?.reply {
            Waiting::Answered(reply) if reply.is_whole() => {}
            _ => return None,
        }
        let exchange = exchanges.remove(id)?;
        self.uncount(&exchange);
        let Waiting::Answered(reply) = exchange.reply else {
            return None;
        };
        Some(reply)
    }

    /// Whether a reply is stored for an exchange.
    pub(crate) fn has_stored(&self, id: u64) -> bool {
        let mut exchanges = self.exchanges.borrow_mut();
        matches!(
            exchanges.get_mut(id),
            Some(Exchange {
                reply: Waiting::Answered(_),
                ..
            })
        )
    }

    /// Hands a response to its exchange.
    pub(crate) fn deliver_response(&self, id: u64, command: ResponseCommand<&[u8]>, outbox: &Bytes) {
        if command.is_whole()
            && let Some(connection) = self.end_next_in_lane(id)
        {
            return lane::answer(&connection, &command);
        }
        let in_lane = matches!(
            self.exchanges.borrow_mut().get_mut(id),
            Some(Exchange {
                reply: Waiting::Lane(_),
                ..
            })
        );
        // In the lane it may wait long, and must not keep the outbox alive.
        let command = if in_lane { command.copy() } else { command.share(outbox) };
        self.deliver(id, Reply::Response(command));
    }

    /// Ends the exchange if its reply is the next that its lane sends.
    fn end_next_in_lane(&self, id: u64) -> Option<Rc<Connection>> {
        let mut exchanges = self.exchanges.borrow_mut();
        match &exchanges.get_mut(id)?.reply {
            Waiting::Lane(connection) if connection.lane.borrow().is_next(id) => {}
            _ => return None,
        }
        let exchange = exchanges.remove(id)?;
        self.uncount(&exchange);
        let Waiting::Lane(connection) = exchange.reply else {
            return None;
        };
        Some(connection)
    }

    /// Hands a reply to its exchange. An error for one whose response has begun breaks that off.
    pub(crate) fn deliver(&self, id: u64, reply: Reply) {
        if let Reply::Fail(failure) = &reply
            && let Some(connection) = self.end_next_in_lane(id)
        {
            return lane::fail(&connection, *failure);
        }
        if let Reply::File(_) = &reply
            && reply.is_whole()
            && let Some(connection) = self.end_next_in_lane(id)
        {
            return lane::answer_file(&connection, reply);
        }
        let mut exchanges = self.exchanges.borrow_mut();
        let Some(exchange) = exchanges.get_mut(id) else {
            return self.stale();
        };
        let waker = match (&mut exchange.reply, &reply) {
            (Waiting::Lane(_) | Waiting::NotPolled | Waiting::Polled(_), _) => {
                if let Reply::Response(command) = &reply {
                    exchange.reply_bytes = command.len() as u64;
                    self.pending.responses.add(exchange.reply_bytes);
                    if command.is_streamed() {
                        exchange.bodies();
                    }
                }
                match std::mem::replace(&mut exchange.reply, Waiting::Answered(reply)) {
                    Waiting::Polled(waker) => Some(waker),
                    Waiting::Lane(connection) => {
                        drop(exchanges);
                        return lane::stored(&connection);
                    }
                    _ => None,
                }
            }
            (Waiting::Answered(Reply::Response(_)) | Waiting::Taken, Reply::Fail(failure)) => {
                let Some(response) = exchange.response().filter(|response| !response.ended) else {
                    return self.stale();
                };
                response.aborted = Some(failure.kind);
                response.waker.take()
            }
            _ => return self.stale(),
        };
        drop(exchanges);
        wake(waker);
    }

    /// Adds a piece to a response body.
    pub(crate) fn deliver_chunk(&self, id: u64, chunk: Bytes, last: bool) {
        let mut exchanges = self.exchanges.borrow_mut();
        let response = exchanges.get_mut(id).and_then(Exchange::response);
        let Some(response) = response.filter(|response| !response.ended) else {
            return self.stale();
        };
        if !chunk.is_empty() {
            self.pending.responses.add(response.count(&chunk));
            response.chunks.push_back(chunk);
        }
        response.ended = last;
        let waker = response.waker.take();
        drop(exchanges);
        wake(waker);
    }

    /// Adds the piece that came with the response's head.
    pub(crate) fn deliver_first_chunk(&self, id: u64, chunk: &[u8]) {
        let mut exchanges = self.exchanges.borrow_mut();
        if let Some(response) = exchanges.get_mut(id).and_then(Exchange::response)
            && !chunk.is_empty()
        {
            // It may wait long for a slow client, and must not keep the whole outbox alive.
            self.pending.responses.add(response.count(chunk));
            response.chunks.push_front(Bytes::copy_from_slice(chunk));
        }
    }

    /// Tells the driver that the client of an exchange has ended its side.
    pub(crate) fn tell_input_ended(&self, id: u64) {
        self.push_record(|out| records::write_signal(out, id, records::SIGNAL_INPUT_ENDED, 0));
    }

    /// Ends an exchange whose response is not complete, as if its client had left.
    pub(crate) fn abandon(&self, id: u64) {
        if self.is_unanswered(id) || self.is_streamed(id) {
            let code = usize::from(Kind::Disconnected.code());
            self.push_record(|out| records::write_signal(out, id, records::SIGNAL_GONE, code));
            self.deliver(id, Reply::Fail(Kind::Disconnected.into()));
        }
    }

    /// Whether a part of the response to come is with the handler.
    fn is_streamed(&self, id: u64) -> bool {
        let mut exchanges = self.exchanges.borrow_mut();
        let response = exchanges.get_mut(id).and_then(Exchange::response);
        response.is_some_and(|response| !response.ended)
    }

    /// Whether the handler has not answered yet.
    pub(crate) fn is_unanswered(&self, id: u64) -> bool {
        let mut exchanges = self.exchanges.borrow_mut();
        let reply = exchanges.get_mut(id).map(|exchange| &exchange.reply);
        matches!(reply, Some(Waiting::Lane(_) | Waiting::NotPolled | Waiting::Polled(_)))
    }

    /// The handler asks for more of its request body (`Some`) or for no more of it (`None`).
    pub(crate) fn demand(&self, id: u64, credit: Option<usize>) {
        let mut exchanges = self.exchanges.borrow_mut();
        // For an exchange that is over this is no news.
        let Some(request) = exchanges.get_mut(id).map(|exchange| &mut exchange.bodies().request) else {
            return;
        };
        match credit {
            Some(bytes) => {
                request.bytes = request.bytes.saturating_add(bytes);
                let taken = request.untaken.min(bytes as u64);
                request.untaken -= taken;
                self.release_request(taken);
            }
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
        // Who has something to take gives credit for it, and is looked at again then.
        let may_have_more = request.untaken == 0 || self.pending.requests.has_room(1);
        if request.bytes > records::CHUNK_COST && may_have_more {
            return Poll::Ready(Demand::Bytes(request.bytes - records::CHUNK_COST));
        }
        request.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Counts a chunk of so many bytes that was handed over against the credit.
    pub(crate) fn spend(&self, id: u64, bytes: usize) {
        if let Some(exchange) = self.exchanges.borrow_mut().get_mut(id) {
            let request = &mut exchange.bodies().request;
            let cost = bytes + records::CHUNK_COST;
            request.bytes = request.bytes.saturating_sub(cost);
            request.untaken += cost as u64;
            self.pending.requests.add(cost as u64);
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
