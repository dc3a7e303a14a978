//! The boundary's byte layout: what Rust writes for Java (records, in the inbox) and what Java writes for Rust
//! (commands, in the outbox).
//!
//! # Invariants
//! - Integers are little-endian; every record and command is a multiple of 8 bytes and starts with its own length.
//! - A record holds ids, lengths and bytes, never an address.
//! - Every constant below is listed in [`LAYOUT`]; a test compares Java's `Records` with it.
//!
//! A request record is `fixed part | header index | texts | header texts | body | what was parsed`; a response command is
//! `fixed part | header index | header texts | body`. A body that is not whole goes on in chunks; chunks and signals
//! look the same in both directions, and name the exchange that they belong to. A header index entry is `u16 name id, u16 name length, u32 value
//! length`; a name with an id has no text. Texts are the bytes of the wire, one Latin-1 character each.

use bytes::Bytes;
use http::HeaderMap;

use crate::layout::layout;
use crate::names;

layout! {
    /// Changes with every change of this layout; both sides compare it at load.
    ABI_VERSION: i32 = 8;

    /// Record type: a request for a handler.
    REQUEST: u8 = 1;
    /// Record type: a log event of the core.
    LOG: u8 = 2;
    /// Record and command type: a piece of a body, of the request as a record, of the response as a command.
    CHUNK: u8 = 3;
    /// Record and command type: something about an exchange that is no more than a number.
    SIGNAL: u8 = 4;
    /// Command type: a handler's response.
    RESPONSE: u8 = 1;
    /// Command type: an exchange that ends in an error.
    FAIL: u8 = 2;

    /// `poll` result: the loop has drained and is gone.
    CLOSED: i32 = -1;
    /// `poll` result: the next record is larger than the inbox array.
    GROW_INBOX: i32 = -2;
    /// Bit of `poll`'s result above the number of records: so many bytes of responses wait for clients that nothing that
    /// can wait should be added.
    POLL_FULL_BIT: i32 = 32;

    /// u32: length of the record.
    REQUEST_LENGTH: usize = 0;
    /// u8: record type.
    REQUEST_TYPE: usize = 4;
    /// u8: `FLAG_…`.
    REQUEST_FLAGS: usize = 5;
    /// u8: method id.
    REQUEST_METHOD: usize = 6;
    /// u8: length of the remote address.
    REQUEST_REMOTE_ADDR_LENGTH: usize = 7;
    /// u64: exchange id.
    REQUEST_EXCHANGE: usize = 8;
    /// u16: length of the method's text, 0 if it has an id.
    REQUEST_METHOD_LENGTH: usize = 16;
    /// u16: number of distinct header names.
    REQUEST_HEADER_COUNT: usize = 18;
    /// u16: length of the path.
    REQUEST_URI_LENGTH: usize = 20;
    /// u16: length of the query string.
    REQUEST_QUERY_LENGTH: usize = 22;
    /// u16: length of the server name.
    REQUEST_SERVER_NAME_LENGTH: usize = 24;
    /// u16: server port.
    REQUEST_SERVER_PORT: usize = 26;
    /// u32: length of the body.
    REQUEST_BODY_LENGTH: usize = 28;
    /// u32: number of the endpoint that the request's route names, from 1; 0 for the server's own handler.
    REQUEST_ENDPOINT: usize = 32;
    /// u16: number of path parameters. If there are any, they stand behind the body, before what was parsed, in the same way:
    /// a head (`PARSED_HEAD_SIZE`), for each a u32 length (`PARAM_NOT_ASCII`, `PARAM_ABSENT`), and then their texts, without
    /// escapes.
    REQUEST_PARAM_COUNT: usize = 36;
    /// Start of the header index.
    REQUEST_HEADERS: usize = 40;
    /// Size of a header index entry.
    HEADER_ENTRY_SIZE: usize = 8;

    /// Request flag: HTTP/1.0.
    FLAG_HTTP_10: u8 = 1;
    /// Request flag: the connection is encrypted.
    FLAG_HTTPS: u8 = 2;
    /// Request flag: the target has a `?`.
    FLAG_QUERY: u8 = 4;
    /// Request flag: the message has a body, which may be empty.
    FLAG_BODY: u8 = 8;
    /// Request flag: the body goes on in chunks, which come when a signal asks for them.
    FLAG_BODY_STREAM: u8 = 16;
    /// Request flag: the parameters of the query string stand behind the body, from the next multiple of 8 on.
    FLAG_QUERY_PARSED: u8 = 32;
    /// Request flag: the parameters of the form that the body is stand behind that.
    FLAG_FORM_PARSED: u8 = 64;
    /// Request flag: the tape of the JSON text that the body is stands behind that.
    FLAG_JSON_PARSED: u8 = 128;
    /// Size of what stands before each of them: u32 its length, without what fills it up to a multiple of 8, u32 settings.
    PARSED_HEAD_SIZE: usize = 8;
    /// u32: settings for who reads what was parsed.
    PARSED_SETTINGS: usize = 4;
    /// Setting of a tape: keys become keywords.
    PARSED_KEYWORD_KEYS: u32 = 1;
    /// Bit of the length of a path parameter: the text is UTF-8, or meant to be.
    PARAM_NOT_ASCII: u32 = 0x8000_0000;
    /// In place of a length: the path has no such parameter, as a group of a regular expression that took no part.
    PARAM_ABSENT: u32 = 0xFFFF_FFFF;

    /// u8: level, 1 (error) to 5 (trace).
    LOG_LEVEL: usize = 5;
    /// u16: length of the target.
    LOG_TARGET_LENGTH: usize = 16;
    /// u32: length of the message.
    LOG_MESSAGE_LENGTH: usize = 20;
    /// Start of target and message.
    LOG_TEXT: usize = 24;

    /// u32: length of the command.
    RESPONSE_LENGTH: usize = 0;
    /// u8: command type.
    RESPONSE_TYPE: usize = 4;
    /// u8: `FLAG_RESPONSE_…`.
    RESPONSE_FLAGS: usize = 5;
    /// u16: status.
    RESPONSE_STATUS: usize = 6;
    /// u64: exchange id.
    RESPONSE_EXCHANGE: usize = 8;
    /// u32: length of the body.
    RESPONSE_BODY_LENGTH: usize = 16;
    /// u16: number of header fields.
    RESPONSE_HEADER_COUNT: usize = 20;
    /// Start of the header index.
    RESPONSE_HEADERS: usize = 24;
    /// Response flag: the body is not nil.
    FLAG_RESPONSE_BODY: u8 = 1;
    /// Response flag: the body goes on in chunks.
    FLAG_RESPONSE_STREAM: u8 = 2;
    /// Response flag: the body is the path of a file, whose content is the response's.
    FLAG_RESPONSE_FILE: u8 = 4;

    /// u8: `FLAG_CHUNK_…`.
    CHUNK_FLAGS: usize = 5;
    /// u64: exchange id of a chunk.
    CHUNK_EXCHANGE: usize = 8;
    /// u32: length of the bytes.
    CHUNK_BODY_LENGTH: usize = 16;
    /// Start of the bytes.
    CHUNK_BODY: usize = 24;
    /// What a chunk that is not empty counts besides its bytes, in credit and against `:exchange-buffer-bytes`: about the
    /// memory that it takes besides them. Else a body in pieces of a byte could take a hundred times what it may.
    CHUNK_COST: usize = 96;
    /// Chunk flag: the body ends with it.
    FLAG_CHUNK_LAST: u8 = 1;

    /// u8: `SIGNAL_…`.
    SIGNAL_CODE: usize = 5;
    /// u64: exchange id of a signal.
    SIGNAL_EXCHANGE: usize = 8;
    /// u32: what the code says.
    SIGNAL_AMOUNT: usize = 16;
    /// Size of a signal.
    SIGNAL_SIZE: usize = 24;
    /// Signal: the receiver of a streamed body has taken so much more (each chunk's bytes and `CHUNK_COST`), or asks for
    /// the first time.
    SIGNAL_CREDIT: u8 = 1;
    /// Signal, command: the handler reads no more of the request body.
    SIGNAL_DISCARD: u8 = 2;
    /// Signal, record: the request body ends in an error, one of `KIND_…`.
    SIGNAL_BODY_FAILED: u8 = 3;
    /// Signal, record: the exchange is over although its response is not complete; why is one of `KIND_…`.
    SIGNAL_GONE: u8 = 4;
    /// Signal, record, of no exchange: the requests behind it name endpoints of the route table with this version.
    SIGNAL_ROUTES: u8 = 5;
    /// Signal, record: the client has ended its side. It may have left, or wait for the response.
    SIGNAL_INPUT_ENDED: u8 = 6;
    /// Signal, command: that the client has ended its side ends the exchange.
    SIGNAL_ABANDON: u8 = 7;

    /// u8: error kind of a FAIL command.
    FAIL_KIND: usize = 5;
    /// u16: length of the request's `Accept` in a FAIL command.
    FAIL_ACCEPT_LENGTH: usize = 6;
    /// u64: exchange id of a FAIL command.
    FAIL_EXCHANGE: usize = 8;
    /// Size of a FAIL command, without the `Accept` at its end.
    FAIL_SIZE: usize = 16;
    /// Where the `Accept` of a FAIL command starts.
    FAIL_ACCEPT: usize = 16;
    /// Error kind: the handler threw.
    KIND_HANDLER_THREW: u8 = 1;
    /// Error kind: the handler's return value is not a response.
    KIND_RESPONSE_INVALID: u8 = 2;
    /// Error kind: the worker queue is full.
    KIND_OVERLOADED: u8 = 3;
    /// Error kind: the client has left, or was cut off.
    KIND_DISCONNECTED: u8 = 4;
    /// Error kind: the handler took too long.
    KIND_HANDLER_TIMEOUT: u8 = 5;
    /// Error kind: the request body did not arrive in time.
    KIND_BODY_TIMEOUT: u8 = 6;
    /// Error kind: the request body is too large.
    KIND_BODY_TOO_LARGE: u8 = 7;
    /// Error kind: the request body is not framed as its head says.
    KIND_BODY_MALFORMED: u8 = 8;
    /// Error kind: a defect of the core, or a file that cannot be read.
    KIND_INTERNAL: u8 = 9;
    /// Error kind: the content of the request is not what it is said to be, which the handler found.
    KIND_CONTENT_MALFORMED: u8 = 10;
}

/// The bytes of a record that all types have in common: length, type and, but for LOG, exchange id.
pub const RECORD_HEAD: usize = 16;

/// The longest method that a record can hold, in bytes.
pub const METHOD_LENGTH_MAX: usize = 1024;

/// What a request record says besides header fields and body.
#[derive(Debug)]
pub struct RequestHead<'a> {
    /// Exchange id.
    pub exchange: u64,
    /// Id of the method, 0 if it is not in [`names::METHODS`].
    pub method_id: u8,
    /// The method, at most [`METHOD_LENGTH_MAX`] bytes; not looked at if it has an id.
    pub method: &'a str,
    /// `FLAG_HTTP_10`, `FLAG_HTTPS` and `FLAG_BODY_STREAM`; the others are set here.
    pub flags: u8,
    /// Path of the target as sent, at most 65,535 bytes.
    pub uri: &'a [u8],
    /// Query string without `?`, as sent.
    pub query: Option<&'a [u8]>,
    /// Host without port.
    pub server_name: &'a str,
    /// Port.
    pub server_port: u16,
    /// Address of the peer, at most 45 bytes.
    pub remote_addr: &'a str,
    /// Number of the endpoint, 0 for none.
    pub endpoint: u32,
}

/// A request record that is being written: its fixed part is, its header fields follow, [`Self::finish`] ends it.
#[derive(Debug)]
pub struct RequestWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    next_entry: usize,
}

impl<'a> RequestWriter<'a> {
    /// Appends the beginning of a request record to `out`. `field_count` calls of [`Self::field`] must follow.
    pub fn new(out: &'a mut Vec<u8>, head: &RequestHead<'_>, field_count: usize) -> Self {
        let start = out.len();
        let method_text = if head.method_id == 0 { head.method } else { "" };
        let query = head.query.unwrap_or_default();
        let flags = head.flags | if head.query.is_some() { FLAG_QUERY } else { 0 };

        let mut fixed = [0_u8; REQUEST_HEADERS];
        fixed[REQUEST_TYPE] = REQUEST;
        fixed[REQUEST_FLAGS] = flags;
        fixed[REQUEST_METHOD] = head.method_id;
        fixed[REQUEST_REMOTE_ADDR_LENGTH] = low_u8(head.remote_addr.len());
        put_u64(&mut fixed, REQUEST_EXCHANGE, head.exchange);
        put_u16(&mut fixed, REQUEST_METHOD_LENGTH, method_text.len());
        put_u16(&mut fixed, REQUEST_HEADER_COUNT, field_count);
        put_u16(&mut fixed, REQUEST_URI_LENGTH, head.uri.len());
        put_u16(&mut fixed, REQUEST_QUERY_LENGTH, query.len());
        put_u16(&mut fixed, REQUEST_SERVER_NAME_LENGTH, head.server_name.len());
        put_u16(&mut fixed, REQUEST_SERVER_PORT, usize::from(head.server_port));
        put_u32(&mut fixed, REQUEST_ENDPOINT, head.endpoint as usize);
        out.extend_from_slice(&fixed);
        let next_entry = out.len();
        out.resize(next_entry + field_count * HEADER_ENTRY_SIZE, 0);
        if !method_text.is_empty() {
            out.extend_from_slice(method_text.as_bytes());
        }
        out.extend_from_slice(head.uri);
        if !query.is_empty() {
            out.extend_from_slice(query);
        }
        out.extend_from_slice(head.server_name.as_bytes());
        out.extend_from_slice(head.remote_addr.as_bytes());
        Self { out, start, next_entry }
    }

    /// Adds a header field. The name is written in lower case; it is not looked at if it has an id.
    pub fn field(&mut self, id: u16, name: &str, value: &[u8]) {
        if id == 0 {
            let text = self.out.len();
            self.out.extend_from_slice(name.as_bytes());
            self.out[text..].make_ascii_lowercase();
            put_u16(self.out, self.next_entry + 2, name.len());
        } else {
            put_u16(self.out, self.next_entry, usize::from(id));
            if id == names::CONTENT_LENGTH || id == names::TRANSFER_ENCODING {
                self.out[self.start + REQUEST_FLAGS] |= FLAG_BODY;
            }
        }
        self.out.extend_from_slice(value);
        put_u32(self.out, self.next_entry + 4, value.len());
        self.next_entry += HEADER_ENTRY_SIZE;
    }

    /// Adds another value to the last field, joined as the Ring SPEC says.
    pub fn join(&mut self, value: &[u8]) {
        let entry = self.next_entry - HEADER_ENTRY_SIZE;
        let is_cookie = get_u16(self.out, entry) == Some(names::COOKIE);
        self.out.push(if is_cookie { b';' } else { b',' });
        self.out.extend_from_slice(value);
        let joined = get_u32(self.out, entry + 4).unwrap_or(0) + 1 + value.len();
        put_u32(self.out, entry + 4, joined);
    }

    /// Adds the body and ends the record.
    pub fn finish<'b>(self, body: impl IntoIterator<Item = &'b [u8]>) {
        let mut length = 0;
        for chunk in body {
            self.out.extend_from_slice(chunk);
            length += chunk.len();
        }
        put_u32(self.out, self.start + REQUEST_BODY_LENGTH, length);
        finish(self.out, self.start);
    }
}

/// What is the same in the records of all requests of a connection whose header fields are the same.
#[derive(Debug)]
pub struct RequestTemplate {
    fixed: [u8; REQUEST_HEADERS],
    /// Header index, server name, remote address, header texts.
    bytes: Vec<u8>,
    index_length: usize,
}

/// What is not the same in them.
#[derive(Clone, Copy, Debug)]
pub struct RepeatedRequest<'a> {
    /// Exchange id.
    pub exchange: u64,
    /// Number of the endpoint, 0 for none.
    pub endpoint: u32,
    /// Id of the method, which has one.
    pub method_id: u8,
    /// Path of the target as sent.
    pub uri: &'a [u8],
    /// Query string without `?`, as sent.
    pub query: Option<&'a [u8]>,
    /// The whole body.
    pub body: &'a [u8],
    /// What was found in it.
    pub found: FoundInRequest<'a>,
}

/// What was found in a request before its handler has it, as its record holds that behind the body.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoundInRequest<'a> {
    /// The number of path parameters.
    pub param_count: u16,
    /// The flags that say what was parsed.
    pub flags: u8,
    /// What [`write_params`] made of the parameters, if there are any, and then what [`end_parsed`] made of each result,
    /// in the order of the flags.
    pub bytes: &'a [u8],
}

impl RequestTemplate {
    /// The template of a request record whose method has an id; `None` if `record` is none.
    #[must_use]
    pub fn of(record: &[u8]) -> Option<Self> {
        let fixed: [u8; REQUEST_HEADERS] = *record.first_chunk()?;
        let length_of = |at| get_u16(&fixed, at).map(usize::from);
        let index_length = length_of(REQUEST_HEADER_COUNT)? * HEADER_ENTRY_SIZE;
        let index = record.get(REQUEST_HEADERS..REQUEST_HEADERS + index_length)?;
        let names = length_of(REQUEST_SERVER_NAME_LENGTH)? + usize::from(fixed[REQUEST_REMOTE_ADDR_LENGTH]);
        let texts = index.chunks_exact(HEADER_ENTRY_SIZE).try_fold(names, |sum, entry| {
            Some(sum + usize::from(get_u16(entry, 2)?) + get_u32(entry, 4)?)
        })?;
        let start = REQUEST_HEADERS + index_length + length_of(REQUEST_URI_LENGTH)? + length_of(REQUEST_QUERY_LENGTH)?;
        let texts = record.get(start..start + texts)?;
        let mut bytes = Vec::with_capacity(index_length + texts.len());
        bytes.extend_from_slice(index);
        bytes.extend_from_slice(texts);
        Some(Self {
            fixed,
            bytes,
            index_length,
        })
    }

    /// Appends the record of a request with these header fields to `out`.
    #[inline]
    pub fn write(&self, out: &mut Vec<u8>, request: RepeatedRequest<'_>) {
        let RepeatedRequest {
            exchange,
            endpoint,
            method_id,
            uri,
            query,
            body,
            found,
        } = request;
        let start = out.len();
        let mut fixed = self.fixed;
        fixed[REQUEST_METHOD] = method_id;
        put_u32(&mut fixed, REQUEST_ENDPOINT, endpoint as usize);
        let query_flag = if query.is_some() { FLAG_QUERY } else { 0 };
        fixed[REQUEST_FLAGS] = fixed[REQUEST_FLAGS] & !FLAG_QUERY | query_flag | found.flags;
        let query = query.unwrap_or_default();
        put_u64(&mut fixed, REQUEST_EXCHANGE, exchange);
        put_u16(&mut fixed, REQUEST_URI_LENGTH, uri.len());
        put_u16(&mut fixed, REQUEST_QUERY_LENGTH, query.len());
        put_u32(&mut fixed, REQUEST_BODY_LENGTH, body.len());
        put_u16(&mut fixed, REQUEST_PARAM_COUNT, usize::from(found.param_count));
        let own = fixed.len() + self.bytes.len() + uri.len() + query.len() + body.len();
        let own = own.next_multiple_of(8);
        let length = own + found.bytes.len();
        put_u32(&mut fixed, REQUEST_LENGTH, length);
        let (index, texts) = self.bytes.split_at(self.index_length);
        out.reserve(length);
        out.extend_from_slice(&fixed);
        out.extend_from_slice(index);
        out.extend_from_slice(uri);
        if !query.is_empty() {
            out.extend_from_slice(query);
        }
        out.extend_from_slice(texts);
        if !body.is_empty() {
            out.extend_from_slice(body);
        }
        out.resize(start + own, 0);
        if !found.bytes.is_empty() {
            out.extend_from_slice(found.bytes);
        }
    }
}

/// Appends a request record to `out`. Header fields of one name become one entry.
pub fn write_request(out: &mut Vec<u8>, head: &RequestHead<'_>, headers: &HeaderMap, body: &[Bytes]) {
    let mut writer = RequestWriter::new(out, head, headers.keys_len());
    // The map gives the fields of one name in a row.
    let mut previous = None;
    for (name, value) in headers {
        if previous == Some(name) {
            writer.join(value.as_bytes());
        } else {
            writer.field(names::header_id(name.as_str()), name.as_str(), value.as_bytes());
        }
        previous = Some(name);
    }
    writer.finish(body.iter().map(Bytes::as_ref));
}

/// Adds what was found in a request to its record, with which `out` ends.
pub fn add_found(out: &mut Vec<u8>, record: usize, found: FoundInRequest<'_>) {
    out.extend_from_slice(found.bytes);
    if let Some(all) = out.get_mut(record + REQUEST_FLAGS) {
        *all |= found.flags;
    }
    put_u16(out, record + REQUEST_PARAM_COUNT, usize::from(found.param_count));
    finish(out, record);
}

/// Appends path parameters to `out`, the first `count` of `values`. `write` appends the text of one of them and says whether
/// it has bytes that are not ASCII.
pub fn write_params<T>(
    out: &mut Vec<u8>,
    count: u16,
    values: impl Iterator<Item = Option<T>>,
    mut write: impl FnMut(&mut Vec<u8>, T) -> bool,
) {
    let start = out.len();
    let mut entry = start + PARSED_HEAD_SIZE;
    out.resize(entry + usize::from(count) * 4, 0);
    for value in values.take(usize::from(count)) {
        let text = out.len();
        let length = match value {
            None => PARAM_ABSENT,
            Some(value) => {
                let bit = if write(out, value) { PARAM_NOT_ASCII } else { 0 };
                u32::try_from(out.len() - text).unwrap_or(0) | bit
            }
        };
        out[entry..entry + 4].copy_from_slice(&length.to_le_bytes());
        entry += 4;
    }
    end_parsed(out, start, 0);
}

/// Makes room in front of a result that will be appended to `out`; returns where that is, for [`end_parsed`].
pub fn begin_parsed(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.resize(start + PARSED_HEAD_SIZE, 0);
    start
}

/// The result that was begun at `start` is complete.
pub fn end_parsed(out: &mut Vec<u8>, start: usize, settings: u32) {
    let length = out.len() - start - PARSED_HEAD_SIZE;
    put_u32(out, start, length);
    put_u32(out, start + PARSED_SETTINGS, settings as usize);
    out.resize(out.len().next_multiple_of(8), 0);
}

/// Appends a chunk record of the exchange's request body to `out`.
pub fn write_chunk(out: &mut Vec<u8>, exchange: u64, body: &[u8], last: bool) {
    let start = out.len();
    let mut fixed = [0_u8; CHUNK_BODY];
    fixed[REQUEST_TYPE] = CHUNK;
    fixed[CHUNK_FLAGS] = if last { FLAG_CHUNK_LAST } else { 0 };
    put_u64(&mut fixed, CHUNK_EXCHANGE, exchange);
    put_u32(&mut fixed, CHUNK_BODY_LENGTH, body.len());
    out.extend_from_slice(&fixed);
    out.extend_from_slice(body);
    finish(out, start);
}

/// Appends a signal record to `out`.
pub fn write_signal(out: &mut Vec<u8>, exchange: u64, code: u8, amount: usize) {
    let start = out.len();
    let mut fixed = [0_u8; SIGNAL_SIZE];
    fixed[REQUEST_TYPE] = SIGNAL;
    fixed[SIGNAL_CODE] = code;
    put_u64(&mut fixed, SIGNAL_EXCHANGE, exchange);
    put_u32(&mut fixed, SIGNAL_AMOUNT, amount);
    out.extend_from_slice(&fixed);
    finish(out, start);
}

/// Appends a log record to `out`. A longer target is cut at 64 KiB, a longer message at 1 MiB.
pub fn write_log(out: &mut Vec<u8>, level: u8, target: &str, message: &str) {
    let start = out.len();
    let target = &target.as_bytes()[..target.len().min(usize::from(u16::MAX))];
    let message = &message.as_bytes()[..message.len().min(1 << 20)];
    let mut fixed = [0_u8; LOG_TEXT];
    fixed[REQUEST_TYPE] = LOG;
    fixed[LOG_LEVEL] = level;
    put_u16(&mut fixed, LOG_TARGET_LENGTH, target.len());
    put_u32(&mut fixed, LOG_MESSAGE_LENGTH, message.len());
    out.extend_from_slice(&fixed);
    out.extend_from_slice(target);
    out.extend_from_slice(message);
    finish(out, start);
}

/// The length of the record or command that starts at `at`, `None` if its first word is missing or no length.
#[must_use]
pub fn length_at(buffer: &[u8], at: usize) -> Option<usize> {
    let length = get_u32(buffer, at)?;
    (length >= FAIL_SIZE && length.is_multiple_of(8)).then_some(length)
}

/// Pads the record to a multiple of 8 and writes its length.
fn finish(out: &mut Vec<u8>, start: usize) {
    let length = (out.len() - start).next_multiple_of(8);
    out.resize(start + length, 0);
    put_u32(out, start + REQUEST_LENGTH, length);
}

pub(crate) fn get_u16(buffer: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*buffer.get(at..)?.first_chunk()?))
}

pub(crate) fn get_u32(buffer: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*buffer.get(at..)?.first_chunk()?)).ok()
}

pub(crate) fn get_u64(buffer: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*buffer.get(at..)?.first_chunk()?))
}

// Each caller's value has a smaller bound than the field (see `RequestHead`; hyper and `:max-head-bytes` bound the
// rest), so saturation never happens; it only keeps a broken bound from writing a wrapped length.
fn put_u16(buffer: &mut [u8], at: usize, value: usize) {
    let value = u16::try_from(value).unwrap_or(u16::MAX);
    buffer[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

fn put_u32(buffer: &mut [u8], at: usize, value: usize) {
    let value = u32::try_from(value).unwrap_or(u32::MAX);
    buffer[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn put_u64(buffer: &mut [u8], at: usize, value: u64) {
    buffer[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn low_u8(value: usize) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;
