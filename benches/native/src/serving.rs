//! Requests that are sent, answered and read on one thread, so that a run does the same each time.
//!
//! # Invariants
//! - Every connection has sent its batch before the loop turns: how many requests a turn has does not depend on threads.
//! - What the client does is little, and the same for every server.
//!
//! # Threads
//! One, which is the loop's and the client's.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::routes::{CONSTANT_REQUEST, MISSING_REQUEST, PARAMS_REQUEST, Table};
use crate::{BODY, Driver, JSON, REQUEST};

/// Connections of the client.
pub const CONNECTIONS: usize = 32;

/// What is sent, and who answers it how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    /// GET, to a server without routes.
    Bare,
    /// POST of a small JSON text with parameters, to a server without routes, which parses both.
    Json,
    /// GET of a path that has a handler behind a route.
    Text,
    /// The same with two parameters in the path.
    Params,
    /// GET of a constant response, which the core gives.
    Constant,
    /// GET of what no route has: a 404 by the core.
    Missing,
}

impl Asked {
    const fn request(self) -> &'static [u8] {
        match self {
            Self::Bare | Self::Text => REQUEST,
            Self::Json => JSON,
            Self::Params => PARAMS_REQUEST,
            Self::Constant => CONSTANT_REQUEST,
            Self::Missing => MISSING_REQUEST,
        }
    }

    const fn body(self) -> &'static [u8] {
        match self {
            Self::Missing => b"Not Found",
            _ => BODY,
        }
    }

    /// Whether the requests come to the driver.
    const fn reaches_handler(self) -> bool {
        !matches!(self, Self::Constant | Self::Missing)
    }

    const fn needs_routes(self) -> bool {
        !matches!(self, Self::Bare | Self::Json)
    }
}

/// A server and its client.
#[derive(Debug)]
pub struct Serving {
    driver: Driver,
    connections: Vec<Connection>,
    asked: Asked,
    depth: usize,
}

/// A connection that has had one answer.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    batch: Vec<u8>,
    answers: Vec<u8>,
    read: usize,
}

impl Serving {
    /// Starts a server with this `:http1-engine` and `:handler-mode`; each connection has its first answer.
    ///
    /// # Errors
    /// A text that says what failed.
    pub fn start(http1_engine: &str, handler_mode: &str, asked: Asked, depth: usize) -> Result<Self, String> {
        let mut driver = Driver::start(http1_engine, handler_mode)?;
        if asked.needs_routes() {
            driver.set_routes(&Table::of_site(handler_mode))?;
        }
        let mut serving = Self {
            driver,
            connections: Vec::new(),
            asked,
            depth,
        };
        for _ in 0..CONNECTIONS {
            let connection = serving.connect().map_err(|error| error.to_string())?;
            serving.connections.push(connection);
        }
        Ok(serving)
    }

    fn connect(&mut self) -> std::io::Result<Connection> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.driver.engine.port()))?;
        stream.set_nodelay(true)?;
        stream.write_all(self.asked.request())?;
        stream.set_nonblocking(true)?;
        let (mut first, mut length) = ([0; 4096], 0);
        while !first[..length].ends_with(self.asked.body()) {
            match stream.read(&mut first[length..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(more) => length += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.turn(),
                Err(error) => return Err(error),
            }
        }
        Ok(Connection {
            stream,
            batch: self.asked.request().repeat(self.depth),
            answers: vec![0; length * self.depth],
            read: 0,
        })
    }

    fn turn(&mut self) {
        self.driver.engine.wake(0);
        self.driver.turn();
    }

    /// The requests of a [`Self::batch`].
    #[must_use]
    pub const fn requests(depth: usize) -> usize {
        CONNECTIONS * depth
    }

    /// Sends pipelined requests over each connection, answers all, and reads the answers.
    ///
    /// # Errors
    /// What a socket says, or that an answer is not the expected one.
    pub fn batch(&mut self) -> Result<(), String> {
        for connection in &mut self.connections {
            connection.read = 0;
            connection
                .stream
                .write_all(&connection.batch)
                .map_err(|error| error.to_string())?;
        }
        if self.asked.reaches_handler() {
            self.driver.serve(Self::requests(self.depth));
        }
        for index in 0..self.connections.len() {
            while !self.connections[index].has_read().map_err(|error| error.to_string())? {
                self.turn();
            }
            if !self.connections[index].answers.ends_with(self.asked.body()) {
                return Err("an answer is not the expected one".into());
            }
        }
        Ok(())
    }
}

impl Connection {
    /// Reads what is there; whether that was all.
    fn has_read(&mut self) -> std::io::Result<bool> {
        while self.read < self.answers.len() {
            match self.stream.read(&mut self.answers[self.read..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(more) => self.read += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
