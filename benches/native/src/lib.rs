//! A server without a JVM: it drives an event loop as Java does and answers each request with the same bytes.
//!
//! For counts that do not move with the machine (allocations, instructions per request), and for tests of the loop
//! that need no handler.
//!
//! # Threads
//! A [`Driver`] lives on one thread; clients run on others.
#![forbid(unsafe_code)]

pub mod cases;
pub mod inputs;
pub mod routes;
pub mod serving;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::BytesMut;
use hinny_core::options::Options;
use hinny_core::records::{
    FLAG_RESPONSE_BODY, HEADER_ENTRY_SIZE, REQUEST as REQUEST_RECORD, REQUEST_EXCHANGE, REQUEST_TYPE, RESPONSE,
    RESPONSE_BODY_LENGTH, RESPONSE_EXCHANGE, RESPONSE_FLAGS, RESPONSE_HEADER_COUNT, RESPONSE_HEADERS, RESPONSE_LENGTH,
    RESPONSE_STATUS, RESPONSE_TYPE, length_at,
};
use hinny_server::{Engine, EventLoop, Turn};

use crate::routes::Table;

/// The request that the benchmarks send, as wrk does.
pub const REQUEST: &[u8] = b"GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

/// A request with a small body.
pub const POST: &[u8] = b"POST /form HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\
    Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\na=1&b=2";

/// A request with a small JSON text, and parameters.
pub const JSON: &[u8] = b"POST /order?id=7&page=2 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\
    Content-Type: application/json\r\nContent-Length: 41\r\n\r\n{\"a\":[1,2.5,null],\"b\":{\"c\":\"\\u00fc x\"}}  ";

/// The body that every request is answered with.
pub const BODY: &[u8] = b"Hello, World!";

const CONTENT_TYPE_ID: u16 = 26;
const CONTENT_TYPE: &[u8] = b"text/plain";
const INBOX_BYTES: usize = 64 << 10;

/// A server of one event loop.
#[derive(Debug)]
pub struct Driver {
    /// The engine under the loop.
    pub engine: Arc<Engine>,
    event_loop: EventLoop,
    inbox: Vec<u8>,
    outbox: BytesMut,
}

impl Driver {
    /// Starts a server on a free port of the loopback address, with these values of `:http1-engine` and `:handler-mode`,
    /// which parses all that `:parse` knows.
    ///
    /// # Errors
    /// A text that says what failed.
    pub fn start(http1_engine: &str, handler_mode: &str) -> Result<Self, String> {
        let encoded = format!(
            "host\x00127.0.0.1\0port\x000\0event-loops\x001\0http1-engine\0{http1_engine}\0handler-mode\0{handler_mode}\0parse\0query,form,json\0"
        );
        let options = Options::decode(encoded.as_bytes()).map_err(|e| e.to_string())?;
        let engine = Engine::start(options).map_err(|e| e.to_string())?;
        let event_loop = EventLoop::open(&engine, 0).map_err(|e| e.to_string())?;
        Ok(Self {
            engine,
            event_loop,
            inbox: Vec::with_capacity(INBOX_BYTES),
            outbox: BytesMut::with_capacity(INBOX_BYTES),
        })
    }

    /// Gives the server these routes, from the next turn on.
    ///
    /// # Errors
    /// What is wrong with the table.
    pub fn set_routes(&mut self, table: &Table) -> Result<(), String> {
        self.engine.set_routes(table.compile()?, 1);
        Ok(())
    }

    /// Polls once with the answers to the requests of the last turn; returns how many requests came.
    pub fn turn(&mut self) -> usize {
        if self.event_loop.poll(self.outbox.split().freeze()) == Turn::Closed {
            return 0;
        }
        self.inbox.clear();
        let inbox = &mut self.inbox;
        let taken = self.event_loop.take(INBOX_BYTES, |records| {
            inbox.extend_from_slice(records);
            Ok::<_, std::convert::Infallible>(())
        });
        debug_assert!(matches!(taken, Ok(Some(_))), "a record is larger than the inbox");
        let (mut at, mut requests) = (0, 0);
        while let Some(length) = length_at(&self.inbox, at) {
            if self.inbox[at + REQUEST_TYPE] == REQUEST_RECORD {
                let exchange = &self.inbox[at + REQUEST_EXCHANGE..][..8];
                write_response(&mut self.outbox, exchange);
                requests += 1;
            }
            at += length;
        }
        requests
    }

    /// Polls until a client is done, which wakes the loop then: for requests of which the core answers some.
    pub fn serve_until(&mut self, done: &AtomicBool) {
        while !done.load(Ordering::Acquire) {
            self.turn();
        }
    }

    /// Answers `count` requests, and hands over the last answers.
    pub fn serve(&mut self, count: usize) {
        let mut served = 0;
        while served < count {
            served += self.turn();
        }
        self.engine.wake(0);
        self.turn();
    }
}

/// Appends the RESPONSE command that Java would encode.
fn write_response(out: &mut BytesMut, exchange: &[u8]) {
    let start = out.len();
    let length = (RESPONSE_HEADERS + HEADER_ENTRY_SIZE + CONTENT_TYPE.len() + BODY.len()).next_multiple_of(8);
    out.resize(start + length, 0);
    let command = &mut out[start..];
    let mut put = |at: usize, bytes: &[u8]| command[at..at + bytes.len()].copy_from_slice(bytes);
    put(RESPONSE_LENGTH, &(length as u32).to_le_bytes());
    put(RESPONSE_TYPE, &[RESPONSE]);
    put(RESPONSE_FLAGS, &[FLAG_RESPONSE_BODY]);
    put(RESPONSE_STATUS, &200_u16.to_le_bytes());
    put(RESPONSE_EXCHANGE, exchange);
    put(RESPONSE_BODY_LENGTH, &(BODY.len() as u32).to_le_bytes());
    put(RESPONSE_HEADER_COUNT, &1_u16.to_le_bytes());
    put(RESPONSE_HEADERS, &CONTENT_TYPE_ID.to_le_bytes());
    put(RESPONSE_HEADERS + 4, &(CONTENT_TYPE.len() as u32).to_le_bytes());
    let texts = RESPONSE_HEADERS + HEADER_ENTRY_SIZE;
    put(texts, CONTENT_TYPE);
    put(texts + CONTENT_TYPE.len(), BODY);
}

/// Sends `batches` of `depth` pipelined `request`s over one connection, and reads the answers of each before the next.
///
/// # Errors
/// What the socket says; [`std::io::ErrorKind::InvalidData`] if an answer is not the expected one.
pub fn send_requests(port: u16, request: &[u8], batches: usize, depth: usize) -> std::io::Result<()> {
    let mut client = Client::connect(port, request, BODY, depth)?;
    client.send(batches)
}

/// A connection that has had one answer.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    batch: Vec<u8>,
    answers: Vec<u8>,
    body: &'static [u8],
}

impl Client {
    /// Connects and sends one `request`; every answer to it ends in `body`.
    ///
    /// # Errors
    /// What the socket says.
    pub fn connect(port: u16, request: &[u8], body: &'static [u8], depth: usize) -> std::io::Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.write_all(request)?;
        let mut first = [0; 4096];
        let mut length = 0;
        while !first[..length].ends_with(body) {
            length += stream.read(&mut first[length..])?;
        }
        Ok(Self {
            stream,
            batch: request.repeat(depth),
            answers: vec![0; length * depth],
            body,
        })
    }

    /// Sends `batches` of pipelined requests, and reads the answers of each before the next.
    ///
    /// # Errors
    /// What the socket says; [`std::io::ErrorKind::InvalidData`] if an answer is not the expected one.
    pub fn send(&mut self, batches: usize) -> std::io::Result<()> {
        for _ in 0..batches {
            self.stream.write_all(&self.batch)?;
            self.stream.read_exact(&mut self.answers)?;
            if !self.answers.ends_with(self.body) {
                return Err(std::io::ErrorKind::InvalidData.into());
            }
        }
        Ok(())
    }
}
