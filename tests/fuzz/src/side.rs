//! One server, driven over one connection at a time as Java drives it.
//!
//! # Invariants
//! - A piece is on its way to the end before anything else is done: polls follow until some in a row brought neither a
//!   record nor a byte. On the loopback interface what was written is there at once, and a poll that is woken looks at
//!   the sockets once, so nothing waits for time.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::BytesMut;
use hinny_core::metrics;
use hinny_core::options::Options;
use hinny_server::{Engine, EventLoop, Turn};

use crate::client::{self, Client};
use crate::handler::{self, PART_BYTES, Reading};
use crate::input::{Answering, Ending, Input};
use crate::record::{self, Record, Request};
use crate::setting::{Http1, Setting};

/// So many polls in a row with no effect mean that nothing is left to do. One lets the loop hear of bytes, the next
/// acts on them.
const QUIET_POLLS: usize = 2;

/// A server that does not settle after so many polls has lost its way.
const POLLS_MAX: usize = 50_000;

/// A server that reads notices within so many polls that its client has left.
const POLLS_TO_NOTICE: usize = 20;

/// What stands for the server's own port in a request.
pub const OWN_PORT: u16 = 1;

const INBOX_BYTES: usize = 256 << 10;

/// What a client and a handler saw of a connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Transcript {
    /// The requests that the handler was given.
    pub exchanges: Vec<Exchange>,
    /// The bytes that the client received, with a fixed date.
    pub output: Vec<u8>,
    /// The server has closed the connection.
    pub closed: bool,
    /// How much of it there was when the server had settled after each piece.
    pub marks: Vec<Mark>,
    /// How much the server's counters grew.
    pub counted: Vec<(&'static str, u64)>,
}

/// A request, and what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// As much of a streamed body as the handler was given.
    pub rest: Vec<u8>,
    /// How the streamed body ended.
    pub rest_end: Option<BodyEnd>,
    /// The kind with which the exchange ended before its response was complete.
    pub gone: Option<usize>,
    answered: bool,
}

/// The end of a streamed body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyEnd {
    /// Its last byte.
    Last,
    /// An error of this kind.
    Failed(usize),
}

/// What had happened at some time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mark {
    /// Requests with the handler.
    pub exchanges: usize,
    /// Bytes that the client had.
    pub output: usize,
    /// The server had closed.
    pub closed: bool,
}

impl Transcript {
    /// How many responses there are, interim ones not counted, and where the last one starts in the output.
    #[must_use]
    pub fn final_responses(&self) -> (usize, usize) {
        client::final_responses(&self.output)
    }
}

/// A server of one event loop.
#[derive(Debug)]
pub struct Side {
    engine: Arc<Engine>,
    event_loop: EventLoop,
    inbox: Vec<u8>,
    outbox: BytesMut,
}

impl Side {
    /// Starts a server.
    ///
    /// # Errors
    /// A text that says what failed.
    pub fn start(setting: Setting, http1: Http1) -> Result<Self, String> {
        let options = Options::decode(setting.encoded(http1).as_bytes()).map_err(|error| error.to_string())?;
        let engine = Engine::start(options).map_err(|error| error.to_string())?;
        let event_loop = EventLoop::open(&engine, 0).map_err(|error| error.to_string())?;
        Ok(Self {
            engine,
            event_loop,
            inbox: Vec::with_capacity(INBOX_BYTES),
            outbox: BytesMut::with_capacity(INBOX_BYTES),
        })
    }

    /// Sends what a test case says over a new connection.
    ///
    /// # Errors
    /// A text that says what the server did that no server may do.
    pub fn run(&mut self, input: &Input<'_>) -> Result<Transcript, String> {
        let before = self.engine.metrics();
        let client = Client::connect(self.engine.port()).map_err(|error| format!("cannot connect: {error}"))?;
        let mut visit = Visit {
            side: self,
            client,
            answering: input.answering,
            held: input.answering.is_at_end(),
            ids: HashMap::new(),
            waiting: Vec::new(),
            files: 0,
            answers: 0,
            seen: Transcript::default(),
        };
        let result = visit
            .settle()
            .and_then(|()| visit.send(input))
            .and_then(|()| visit.leave());
        let mut seen = visit.seen;
        result.map_err(|fault| format!("{fault}\n{seen}"))?;
        client::fix_dates(&mut seen.output);
        let after = self.engine.metrics();
        for ((name, before), after) in metrics::NAMES.iter().zip(before).zip(after) {
            seen.counted.push((name, after.wrapping_sub(before)));
        }
        Ok(seen)
    }

    fn metric(&self, name: &str) -> u64 {
        let values = self.engine.metrics();
        metrics::NAMES
            .iter()
            .zip(values)
            .find(|(n, _)| **n == name)
            .map_or(0, |(_, value)| value)
    }
}

/// One connection to a server.
struct Visit<'a> {
    side: &'a mut Side,
    client: Client,
    answering: Answering,
    held: bool,
    /// Exchanges by id.
    ids: HashMap<u64, usize>,
    /// Exchanges that the handler may answer, by id and in the order in which it could.
    waiting: Vec<u64>,
    /// Answers that are files.
    files: usize,
    answers: usize,
    seen: Transcript,
}

impl Visit<'_> {
    fn send(&mut self, input: &Input<'_>) -> Result<(), String> {
        let mut was_held = self.held;
        for piece in input.pieces() {
            self.held = input.answering.is_at_end() || piece.held;
            was_held |= self.held;
            if !self.client.send(&piece.bytes) {
                break;
            }
            self.settle()?;
            if !was_held {
                self.seen.marks.push(self.mark());
            }
        }
        if input.ending == Ending::Leaves {
            return Ok(());
        }
        self.held = false;
        self.settle()?;
        if input.ending == Ending::EndsItsSide {
            self.client.end();
            self.settle()?;
        }
        self.seen.closed = self.client.closed;
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark {
            exchanges: self.seen.exchanges.len(),
            output: self.client.received.len(),
            closed: self.client.closed,
        }
    }

    /// Polls until nothing happens any more.
    fn settle(&mut self) -> Result<(), String> {
        let mut quiet = 0;
        for _ in 0..POLLS_MAX {
            let records = self.poll()?;
            let before = self.client.received.len();
            self.client.receive();
            if records > 0 || self.client.received.len() > before || !self.side.outbox.is_empty() || self.awaits_file()
            {
                quiet = 0;
                continue;
            }
            quiet += 1;
            if quiet == QUIET_POLLS {
                if self.held || self.waiting.is_empty() {
                    return Ok(());
                }
                self.answer_at_rest();
                quiet = 0;
            }
        }
        Err(format!("no end of activity: {:?}", self.mark()))
    }

    /// Another thread opens files; its result comes when it comes.
    fn awaits_file(&self) -> bool {
        self.files > 0 && self.waiting.is_empty() && !self.client.closed && {
            let (responses, _) = client::final_responses(&self.client.received);
            let unfinished = self
                .seen
                .exchanges
                .iter()
                .filter(|exchange| exchange.gone.is_some())
                .count();
            responses + unfinished < self.answers
        }
    }

    /// Polls once with the answers so far; returns how many records came.
    fn poll(&mut self) -> Result<usize, String> {
        let side = &mut *self.side;
        side.engine.wake(0);
        if side.event_loop.poll(side.outbox.split().freeze()) == Turn::Closed {
            return Err("the event loop has closed".into());
        }
        side.inbox.clear();
        let inbox = &mut side.inbox;
        let taken = side.event_loop.take(INBOX_BYTES, |records| {
            inbox.extend_from_slice(records);
            Ok::<_, std::convert::Infallible>(())
        });
        let Ok(taken) = taken;
        let Some(taken) = taken else {
            return Err("a record is larger than the inbox".into());
        };
        let records = record::read_all(&side.inbox)?;
        if records.len() != taken {
            return Err(format!("{taken} records were announced, {} came", records.len()));
        }
        for record in records {
            self.take(record)?;
        }
        self.answer_promptly();
        Ok(taken)
    }

    fn take(&mut self, record: Record) -> Result<(), String> {
        match record {
            Record::Request(id, mut request) => {
                if request.server_port == self.side.engine.port() {
                    request.server_port = OWN_PORT;
                }
                let reading = handler::reading(&request);
                handler::ask(&mut self.side.outbox, id, reading);
                self.seen.exchanges.push(Exchange {
                    request: *request,
                    rest: Vec::new(),
                    rest_end: None,
                    gone: None,
                    answered: false,
                });
                if self.ids.insert(id, self.seen.exchanges.len() - 1).is_some() {
                    return Err(format!("exchange id {id:x} was used twice"));
                }
                if reading == Reading::Nothing {
                    self.waiting.push(id);
                }
            }
            Record::Chunk(id, bytes, last) => {
                let exchange = self.exchange(id)?;
                exchange.rest.extend_from_slice(&bytes);
                if last {
                    exchange.rest_end = Some(BodyEnd::Last);
                }
                let reads_part = handler::reading(&exchange.request) == Reading::Part;
                let enough = last || reads_part && exchange.rest.len() >= PART_BYTES;
                if enough && !exchange.answered && !self.waiting.contains(&id) {
                    self.waiting.push(id);
                } else if reads_part && !enough {
                    handler::ask_on(&mut self.side.outbox, id);
                }
            }
            Record::BodyFailed(id, kind) => self.exchange(id)?.rest_end = Some(BodyEnd::Failed(kind)),
            Record::Gone(id, kind) => {
                let before = self.exchange(id)?.gone.replace(kind);
                self.waiting.retain(|waiting| *waiting != id);
                if before.is_some() {
                    return Err("an exchange was gone twice".into());
                }
            }
            Record::Other => {}
        }
        Ok(())
    }

    fn exchange(&mut self, id: u64) -> Result<&mut Exchange, String> {
        let index = self
            .ids
            .get(&id)
            .ok_or_else(|| format!("a record for no exchange: {id:x}"))?;
        Ok(&mut self.seen.exchanges[*index])
    }

    fn answer_promptly(&mut self) {
        if self.held {
            return;
        }
        match self.answering {
            Answering::Prompt => {
                for id in std::mem::take(&mut self.waiting) {
                    self.answer(id);
                }
            }
            Answering::Reversed => {
                for id in std::mem::take(&mut self.waiting).into_iter().rev() {
                    self.answer(id);
                }
            }
            Answering::OnePerTurn if !self.waiting.is_empty() => {
                let id = self.waiting.remove(0);
                self.answer(id);
            }
            _ => {}
        }
    }

    fn answer_at_rest(&mut self) {
        match self.answering {
            Answering::OneAtRest { newest: true } | Answering::OneAtEnd { newest: true } => {
                if let Some(id) = self.waiting.pop() {
                    self.answer(id);
                }
            }
            Answering::AllAtEnd => {
                while let Some(id) = self.waiting.pop() {
                    self.answer(id);
                }
            }
            _ => {
                let id = self.waiting.remove(0);
                self.answer(id);
            }
        }
    }

    fn answer(&mut self, id: u64) {
        let Some(exchange) = self.ids.get(&id).map(|index| &mut self.seen.exchanges[*index]) else {
            return;
        };
        exchange.answered = true;
        let length = exchange.request.body.len() + exchange.rest.len();
        let body_is_open = exchange.request.is_streamed() && exchange.rest_end.is_none();
        let is_file = handler::answer(&mut self.side.outbox, id, &exchange.request, length, body_is_open);
        self.files += usize::from(is_file);
        self.answers += 1;
    }

    /// The client goes away; the server must forget it, at the latest when the handler answers.
    fn leave(&mut self) -> Result<(), String> {
        self.seen.output = std::mem::take(&mut self.client.received);
        self.client.leave();
        let mut polls = 0;
        while self.side.metric("connections-open") > 0 {
            polls += 1;
            if polls > POLLS_TO_NOTICE {
                while let Some(id) = self.waiting.pop() {
                    self.answer(id);
                }
            }
            if polls > POLLS_MAX {
                return Err("a connection is open that its client has left".into());
            }
            self.poll()?;
        }
        // Tasks of the connection that are left.
        for _ in 0..QUIET_POLLS {
            self.poll()?;
        }
        if self.side.metric("exchanges-open") > 0 {
            return Err("an exchange is open without a connection".into());
        }
        if self.side.metric("panics") > 0 {
            return Err("the connection died of a panic".into());
        }
        if let Some(lost) = self
            .seen
            .exchanges
            .iter()
            .find(|exchange| !exchange.answered && exchange.gone.is_none())
        {
            return Err(format!("the handler is not told that its exchange is over: {lost:?}"));
        }
        Ok(())
    }
}
