//! Records as Java reads them.

use std::collections::BTreeMap;

use hinny_core::names;
use hinny_core::records::{
    CHUNK, CHUNK_BODY, CHUNK_BODY_LENGTH, CHUNK_FLAGS, FLAG_BODY_STREAM, FLAG_CHUNK_LAST, FLAG_QUERY,
    HEADER_ENTRY_SIZE, LOG, REQUEST, REQUEST_BODY_LENGTH, REQUEST_EXCHANGE, REQUEST_FLAGS, REQUEST_HEADER_COUNT,
    REQUEST_HEADERS, REQUEST_METHOD, REQUEST_METHOD_LENGTH, REQUEST_QUERY_LENGTH, REQUEST_REMOTE_ADDR_LENGTH,
    REQUEST_SERVER_NAME_LENGTH, REQUEST_SERVER_PORT, REQUEST_TYPE, REQUEST_URI_LENGTH, SIGNAL, SIGNAL_AMOUNT,
    SIGNAL_BODY_FAILED, SIGNAL_CODE, SIGNAL_CREDIT, SIGNAL_EXCHANGE, SIGNAL_GONE, SIGNAL_INPUT_ENDED, length_at,
};

/// A record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Record {
    /// A request, and its exchange.
    Request(u64, Box<Request>),
    /// A piece of a request body, and whether it is the last.
    Chunk(u64, Vec<u8>, bool),
    /// The body ends in an error of this kind.
    BodyFailed(u64, usize),
    /// The exchange is over before its response was complete.
    Gone(u64, usize),
    /// What does not concern a handler.
    Other,
}

/// A request as a handler sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path.
    pub uri: String,
    /// What follows the `?`, if there is one.
    pub query: Option<String>,
    /// `FLAG_…`
    pub flags: u8,
    /// Host.
    pub server_name: String,
    /// Port.
    pub server_port: u16,
    /// Address of the client.
    pub remote_addr: String,
    /// Header fields.
    pub headers: BTreeMap<String, String>,
    /// As much of the body as came with the record.
    pub body: String,
}

impl Request {
    /// Whether the body goes on in chunks.
    #[must_use]
    pub const fn is_streamed(&self) -> bool {
        self.flags & FLAG_BODY_STREAM != 0
    }
}

/// Reads all records of an inbox.
///
/// # Errors
/// A text that says where it does not decode.
pub fn read_all(mut inbox: &[u8]) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    while !inbox.is_empty() {
        let record = length_at(inbox, 0).and_then(|length| inbox.split_at_checked(length));
        let read = record.and_then(|(record, rest)| Some((read(record)?, rest)));
        let Some((record, rest)) = read else {
            return Err(format!("a record does not decode: {}", inbox.escape_ascii()));
        };
        records.push(record);
        inbox = rest;
    }
    Ok(records)
}

fn read(record: &[u8]) -> Option<Record> {
    let mut rest = Texts(record);
    Some(match *record.get(REQUEST_TYPE)? {
        REQUEST => Record::Request(u64_at(record, REQUEST_EXCHANGE)?, Box::new(request(record)?)),
        CHUNK => {
            rest.take(CHUNK_BODY)?;
            let body = rest.take(u32_at(record, CHUNK_BODY_LENGTH)?)?;
            rest.is_padding().then_some(())?;
            let last = record[CHUNK_FLAGS] & FLAG_CHUNK_LAST != 0;
            Record::Chunk(u64_at(record, SIGNAL_EXCHANGE)?, body.to_vec(), last)
        }
        SIGNAL => {
            let (exchange, amount) = (u64_at(record, SIGNAL_EXCHANGE)?, u32_at(record, SIGNAL_AMOUNT)?);
            match record[SIGNAL_CODE] {
                SIGNAL_BODY_FAILED => Record::BodyFailed(exchange, amount),
                SIGNAL_GONE => Record::Gone(exchange, amount),
                SIGNAL_CREDIT | SIGNAL_INPUT_ENDED => Record::Other,
                _ => return None,
            }
        }
        LOG => Record::Other,
        _ => return None,
    })
}

fn request(record: &[u8]) -> Option<Request> {
    let header_count = u16_at(record, REQUEST_HEADER_COUNT)?;
    let mut texts = Texts(record);
    texts.take(REQUEST_HEADERS + header_count * HEADER_ENTRY_SIZE)?;
    let method = texts.text(u16_at(record, REQUEST_METHOD_LENGTH)?)?;
    let method = match (usize::from(record[REQUEST_METHOD]), method.as_str()) {
        (0, text) if !text.is_empty() => method,
        (id, "") => (*names::METHODS.get(id.checked_sub(1)?)?).to_owned(),
        _ => return None,
    };
    let uri = texts.text(u16_at(record, REQUEST_URI_LENGTH)?)?;
    let query = texts.text(u16_at(record, REQUEST_QUERY_LENGTH)?)?;
    let server_name = texts.text(u16_at(record, REQUEST_SERVER_NAME_LENGTH)?)?;
    let remote_addr = texts.text(usize::from(record[REQUEST_REMOTE_ADDR_LENGTH]))?;
    let mut headers = BTreeMap::new();
    for n in 0..header_count {
        let entry = REQUEST_HEADERS + n * HEADER_ENTRY_SIZE;
        let id = u16::try_from(u16_at(record, entry)?).ok()?;
        let text = texts.text(u16_at(record, entry + 2)?)?;
        let name = match (id, text.as_str()) {
            (0, name) if names::header_id(name) == 0 => text,
            (id, "") => names::header_name(id)?.as_str().to_owned(),
            _ => return None,
        };
        let value = texts.text(u32_at(record, entry + 4)?)?;
        if headers.insert(name, value).is_some() {
            return None;
        }
    }
    let body = texts.text(u32_at(record, REQUEST_BODY_LENGTH)?)?;
    let flags = record[REQUEST_FLAGS];
    if !texts.is_padding() || (flags & FLAG_QUERY == 0 && !query.is_empty()) {
        return None;
    }
    Some(Request {
        method,
        uri,
        query: (flags & FLAG_QUERY != 0).then_some(query),
        flags,
        server_name,
        server_port: u16::try_from(u16_at(record, REQUEST_SERVER_PORT)?).ok()?,
        remote_addr,
        headers,
        body,
    })
}

/// What of a record has not been read.
struct Texts<'a>(&'a [u8]);

impl<'a> Texts<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn text(&mut self, length: usize) -> Option<String> {
        Some(self.take(length)?.iter().map(|byte| char::from(*byte)).collect())
    }

    fn is_padding(&self) -> bool {
        self.0.len() < 8 && self.0.iter().all(|byte| *byte == 0)
    }
}

fn u16_at(record: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(*record.get(at..)?.first_chunk()?)))
}

fn u32_at(record: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*record.get(at..)?.first_chunk()?)).ok()
}

fn u64_at(record: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*record.get(at..)?.first_chunk()?))
}
