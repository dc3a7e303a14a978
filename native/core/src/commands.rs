//! Reads the commands that Java wrote into the outbox.
//!
//! # Invariants
//! - Every length is checked before it is used: a broken command is a [`Broken`], never a panic. Those behind it are read,
//!   unless it does not even say where it ends.
//! - A response is a slice of the outbox's one buffer; nothing is copied. While the outbox is read it is borrowed; who
//!   must keep it for longer shares the buffer ([`ResponseCommand::share`]).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::error::Kind;
use crate::names;
use crate::records::{
    CHUNK, CHUNK_BODY, CHUNK_BODY_LENGTH, CHUNK_EXCHANGE, CHUNK_FLAGS, FAIL, FAIL_ACCEPT, FAIL_ACCEPT_LENGTH,
    FAIL_EXCHANGE, FAIL_KIND, FLAG_CHUNK_LAST, FLAG_RESPONSE_BODY, FLAG_RESPONSE_FILE, FLAG_RESPONSE_STREAM,
    HEADER_ENTRY_SIZE, RESPONSE, RESPONSE_BODY_LENGTH, RESPONSE_EXCHANGE, RESPONSE_FLAGS, RESPONSE_HEADER_COUNT,
    RESPONSE_HEADERS, RESPONSE_STATUS, RESPONSE_TYPE, SIGNAL, SIGNAL_ABANDON, SIGNAL_AMOUNT, SIGNAL_CODE,
    SIGNAL_CREDIT, SIGNAL_DISCARD, SIGNAL_EXCHANGE, get_u16, get_u32, get_u64, length_at,
};

/// One command of the outbox.
#[derive(Debug)]
pub enum Command<'a> {
    /// A handler's response.
    Response(u64, ResponseCommand<&'a [u8]>),
    /// An exchange that ends in an error, and the request's `Accept`, empty for none.
    Fail(u64, Kind, &'a [u8]),
    /// A piece of a response body.
    Chunk {
        /// Exchange id.
        exchange: u64,
        /// The bytes, which may be none.
        bytes: Bytes,
        /// Whether the body ends with it.
        last: bool,
    },
    /// The handler has taken so many bytes of the request body, or asks for them.
    Credit(u64, usize),
    /// The handler reads no more of the request body.
    Discard(u64),
    /// That the client has ended its side ends the exchange.
    Abandon(u64),
}

/// The outbox does not decode: a defect of the Java side, never the fault of a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Broken {
    /// Where in the outbox.
    pub offset: usize,
    /// The exchange that it is for, if it says so.
    pub exchange: Option<u64>,
}

/// An iterator over the commands of an outbox.
#[derive(Debug)]
pub struct Commands<'a> {
    outbox: &'a Bytes,
    /// Where the command begins that was read last.
    start: usize,
    /// Where the next one begins.
    offset: usize,
}

impl<'a> Commands<'a> {
    /// Reads `outbox` from its start.
    #[must_use]
    pub const fn new(outbox: &'a Bytes) -> Self {
        Self {
            outbox,
            start: 0,
            offset: 0,
        }
    }

    /// The exchange of the command that was read last.
    #[must_use]
    pub fn exchange(&self) -> Option<u64> {
        get_u64(self.outbox.get(self.start..self.offset)?, RESPONSE_EXCHANGE)
    }

    /// Where the command ends that begins here.
    fn end(&self) -> Option<usize> {
        let end = self.offset.checked_add(length_at(self.outbox, self.offset)?)?;
        (end <= self.outbox.len()).then_some(end)
    }

    /// Reads the command that was come to last.
    fn read(&self) -> Option<Command<'a>> {
        let end = self.offset;
        let bytes = self.outbox.get(self.start..end)?;
        let command = match bytes[RESPONSE_TYPE] {
            RESPONSE => Command::Response(get_u64(bytes, RESPONSE_EXCHANGE)?, ResponseCommand::parse(bytes)?),
            FAIL => Command::Fail(
                get_u64(bytes, FAIL_EXCHANGE)?,
                Kind::from_code(bytes[FAIL_KIND])?,
                bytes.get(FAIL_ACCEPT..FAIL_ACCEPT + usize::from(get_u16(bytes, FAIL_ACCEPT_LENGTH)?))?,
            ),
            CHUNK => Command::Chunk {
                exchange: get_u64(bytes, CHUNK_EXCHANGE)?,
                bytes: self.chunk_bytes(get_u32(bytes, CHUNK_BODY_LENGTH)?, end)?,
                last: bytes[CHUNK_FLAGS] & FLAG_CHUNK_LAST != 0,
            },
            SIGNAL => {
                let exchange = get_u64(bytes, SIGNAL_EXCHANGE)?;
                match bytes[SIGNAL_CODE] {
                    SIGNAL_CREDIT => Command::Credit(exchange, get_u32(bytes, SIGNAL_AMOUNT)?),
                    SIGNAL_DISCARD => Command::Discard(exchange),
                    SIGNAL_ABANDON => Command::Abandon(exchange),
                    _ => return None,
                }
            }
            _ => return None,
        };
        Some(command)
    }

    /// The bytes of the chunk that starts here and ends at `end`. They may wait long for a slow client, so they are
    /// copied unless they are most of the outbox, which they would keep alive.
    fn chunk_bytes(&self, length: usize, end: usize) -> Option<Bytes> {
        let start = self.start + CHUNK_BODY;
        let stop = start.checked_add(length).filter(|stop| *stop <= end)?;
        Some(if length * 2 > self.outbox.len() {
            self.outbox.slice(start..stop)
        } else {
            Bytes::copy_from_slice(&self.outbox[start..stop])
        })
    }
}

impl<'a> Iterator for Commands<'a> {
    type Item = Result<Command<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.offset >= self.outbox.len() {
            return None;
        }
        // First, so that it moves on whatever comes of reading it.
        let end = self.end();
        self.start = std::mem::replace(&mut self.offset, end.unwrap_or(self.outbox.len()));
        let command = end.and_then(|_| self.read());
        Some(command.ok_or_else(|| Broken {
            offset: self.start,
            exchange: end.and_then(|_| self.exchange()),
        }))
    }
}

/// A response as Java encoded it, decoded on demand.
#[derive(Clone, Debug)]
pub struct ResponseCommand<B> {
    bytes: B,
    status: StatusCode,
    header_count: usize,
    body_start: usize,
    body_length: usize,
}

/// A header field of a response.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Id of the name, 0 if it is not listed.
    pub id: u16,
    /// The name, if its id is 0.
    pub name: &'a [u8],
    /// The value.
    pub value: &'a [u8],
}

impl<'a> ResponseCommand<&'a [u8]> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let status = StatusCode::from_u16(get_u16(bytes, RESPONSE_STATUS)?).ok()?;
        let header_count = usize::from(get_u16(bytes, RESPONSE_HEADER_COUNT)?);
        let body_length = get_u32(bytes, RESPONSE_BODY_LENGTH)?;
        let mut body_start = RESPONSE_HEADERS + header_count * HEADER_ENTRY_SIZE;
        for n in 0..header_count {
            let entry = RESPONSE_HEADERS + n * HEADER_ENTRY_SIZE;
            body_start += usize::from(get_u16(bytes, entry + 2)?) + get_u32(bytes, entry + 4)?;
        }
        bytes.get(body_start..body_start.checked_add(body_length)?)?;
        Some(Self {
            bytes,
            status,
            header_count,
            body_start,
            body_length,
        })
    }

    /// The same response, which keeps `outbox` alive; it must be what this one was read from.
    #[must_use]
    pub fn share(self, outbox: &Bytes) -> ResponseCommand<Bytes> {
        ResponseCommand {
            bytes: outbox.slice_ref(self.bytes),
            status: self.status,
            header_count: self.header_count,
            body_start: self.body_start,
            body_length: self.body_length,
        }
    }

    /// The same response with memory of its own.
    #[must_use]
    pub fn copy(self) -> ResponseCommand<Bytes> {
        ResponseCommand {
            bytes: Bytes::copy_from_slice(self.bytes),
            status: self.status,
            header_count: self.header_count,
            body_start: self.body_start,
            body_length: self.body_length,
        }
    }
}

impl ResponseCommand<Bytes> {
    /// The response in the bytes of one whole command, such as Java's encoder makes; `None` if they are none.
    #[must_use]
    pub fn of(command: &[u8]) -> Option<Self> {
        let bytes = command.get(..length_at(command, 0)?)?;
        if *bytes.get(RESPONSE_TYPE)? != RESPONSE {
            return None;
        }
        ResponseCommand::parse(bytes).map(ResponseCommand::copy)
    }

    /// A response of the core's own, with fields that have ids. Values must be visible ASCII and spaces.
    #[must_use]
    pub fn of_core(status: StatusCode, fields: &[(u16, &[u8])], body: &[u8]) -> Self {
        let values: usize = fields.iter().map(|(_, value)| HEADER_ENTRY_SIZE + value.len()).sum();
        let mut bytes = Vec::with_capacity(RESPONSE_HEADERS + values + body.len());
        bytes.resize(RESPONSE_HEADERS, 0);
        bytes[RESPONSE_FLAGS] = FLAG_RESPONSE_BODY;
        for (id, value) in fields {
            bytes.extend_from_slice(&id.to_le_bytes());
            bytes.extend_from_slice(&[0; 2]);
            bytes.extend_from_slice(&u32::try_from(value.len()).unwrap_or(0).to_le_bytes());
        }
        for (_, value) in fields {
            bytes.extend_from_slice(value);
        }
        let body_start = bytes.len();
        bytes.extend_from_slice(body);
        Self {
            bytes: bytes.into(),
            status,
            header_count: fields.len(),
            body_start,
            body_length: body.len(),
        }
    }
}

impl<B: AsRef<[u8]>> ResponseCommand<B> {
    fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// The length of the command in bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // It has a head.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// The status, 100 to 999.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Whether the body is all there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.bytes()[RESPONSE_FLAGS] & (FLAG_RESPONSE_STREAM | FLAG_RESPONSE_FILE) == 0
    }

    /// Whether the body goes on in chunks.
    #[must_use]
    pub fn is_streamed(&self) -> bool {
        self.bytes()[RESPONSE_FLAGS] & FLAG_RESPONSE_STREAM != 0
    }

    /// The bytes of the body, none when the handler gave nil; of one that is not whole see [`Self::body`].
    #[must_use]
    pub fn body_bytes(&self) -> &[u8] {
        &self.bytes()[self.body_start..self.body_start + self.body_length]
    }

    /// The header fields in order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let bytes = self.bytes();
        let mut text = RESPONSE_HEADERS + self.header_count * HEADER_ENTRY_SIZE;
        (0..self.header_count).map_while(move |n| {
            let (id, name_length, value_length) = self.entry(n)?;
            let value_start = text + name_length;
            let end = value_start + value_length;
            let field = Field {
                id,
                name: &bytes[text..value_start],
                value: &bytes[value_start..end],
            };
            text = end;
            Some(field)
        })
    }

    fn entry(&self, n: usize) -> Option<(u16, usize, usize)> {
        let at = RESPONSE_HEADERS + n * HEADER_ENTRY_SIZE;
        Some((
            get_u16(self.bytes(), at)?,
            usize::from(get_u16(self.bytes(), at + 2)?),
            get_u32(self.bytes(), at + 4)?,
        ))
    }
}

impl ResponseCommand<Bytes> {
    /// The same response with memory of its own.
    #[must_use]
    pub fn copied(&self) -> Self {
        Self {
            bytes: Bytes::copy_from_slice(&self.bytes),
            ..self.clone()
        }
    }

    /// The body, the first part of one that goes on, or the path of the file that it is; `None` when the handler gave nil.
    #[must_use]
    pub fn body(&self) -> Option<Bytes> {
        let present = self.bytes[RESPONSE_FLAGS] & FLAG_RESPONSE_BODY != 0;
        present.then(|| self.bytes.slice(self.body_start..self.body_start + self.body_length))
    }

    /// Gives each header field in order to `each`.
    ///
    /// # Errors
    /// [`Kind::ResponseInvalid`] for a name that is no token, an unknown name id, or a value with a control character.
    pub fn for_each_header(&self, mut each: impl FnMut(HeaderName, HeaderValue)) -> Result<(), Kind> {
        for field in self.fields() {
            let name = if field.id == 0 {
                HeaderName::from_bytes(field.name).map_err(|_| Kind::ResponseInvalid)?
            } else {
                names::header_name(field.id).ok_or(Kind::ResponseInvalid)?.clone()
            };
            let value =
                HeaderValue::from_maybe_shared(self.bytes.slice_ref(field.value)).map_err(|_| Kind::ResponseInvalid)?;
            each(name, value);
        }
        Ok(())
    }
}
