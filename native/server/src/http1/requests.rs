//! From bytes to records.

use std::rc::Rc;
use std::task::Context;

use hinny_codec::authority::{self, Authority};
use hinny_codec::framing::{BodyDecoder, Fault, HeadScan};
use hinny_codec::head::{self, Head, Parsed, Space, any};
use hinny_core::error::{HeadFault, Kind};
use hinny_core::names;
use hinny_core::options::RouteOptions;
use hinny_core::records::{FLAG_BODY_STREAM, FLAG_HTTP_10, RepeatedRequest, RequestHead, RequestWriter};
use hinny_router::{Asked, Method};

use super::fault::kind_of;
use super::last_head::{BodyFraming, NewHead};
use super::receiving::{self, Fed, Receiver, Receiving};
use super::{CutHead, Http1, Next, OPEN_BYTES_MAX, OPEN_MAX, OpenRequest, Refused, replies};
use crate::collected::{Collected, UNCOUNTED_BYTES};
use crate::connection::Connection;
use crate::event_loop::LoopState;
use crate::exchange::Exchange;
use crate::file_reply::FileTarget;
use crate::files::Lookup;
use crate::parse::{self, BodyKind};
use crate::route_table::RouteTable;
use crate::routing::{Destination, RoutedRequest, Target};
use crate::service::RECORD_HEAD_ESTIMATE;
use crate::socket::HOLD_BYTES;
use crate::test_faults::{FAULT_HEADER, TestFaults};
use crate::timeouts::RequestTimeouts;

/// The ids of the methods that are safe (RFC 9110 §9.2.1), a bit each: GET, HEAD, OPTIONS, TRACE.
const SAFE_METHODS: u32 = 1 << 1 | 1 << 2 | 1 << 6 | 1 << 8;
const HEAD: u8 = 2;

/// Hands over the requests that wait; whether there were any.
pub(super) fn take_rest(connection: &Rc<Connection>, engine: &mut Http1, cx: &Context<'_>) -> bool {
    let mut rest = std::mem::take(&mut engine.rest);
    let before = engine.next;
    let (taken, next) = take(connection, engine, &rest, cx);
    if taken == rest.len() {
        connection.state.give_back(rest);
    } else {
        rest.drain(..taken);
        engine.rest = rest;
    }
    engine.next = next;
    taken > 0 || next != before
}

/// Hands over the requests at the start of `bytes`. Returns how many bytes they were, and what the others wait for.
pub(super) fn take(connection: &Rc<Connection>, engine: &mut Http1, bytes: &[u8], cx: &Context<'_>) -> (usize, Next) {
    let mut space = Space::new();
    let table = connection.state.routes();
    let table = table.as_deref();
    let mut taken = 0;
    loop {
        if engine.receiving.is_some() {
            let (used, fed) = receiving::feed(connection, engine, &bytes[taken..], cx);
            taken += used;
            match fed {
                Fed::Ended | Fed::Failed => {}
                Fed::Input => return (taken, Next::Input),
                Fed::Turn => return (taken, Next::Turn),
            }
        }
        if engine.closing {
            return (bytes.len(), Next::Input);
        }
        engine.whole_at = 0;
        let rest = &bytes[taken..];
        let Some(first) = rest.first() else {
            return (taken, Next::Input);
        };
        let step = if matches!(first, b'\r' | b'\n') {
            take_empty_line(connection, engine, rest)
        } else {
            let known = if engine.cut_head.is_none() {
                take_known(connection, engine, table, rest, cx)
            } else {
                None
            };
            known.unwrap_or_else(|| take_new(connection, engine, table, rest, &mut space, cx))
        };
        match step {
            Ok(length) => taken += length,
            Err(next) => return (taken, next),
        }
    }
}

/// RFC 9112 §2.2: an empty line before a request is ignored, one.
fn take_empty_line(connection: &Connection, engine: &mut Http1, bytes: &[u8]) -> Result<usize, Next> {
    let fault = match bytes {
        [b'\r', ..] if engine.emptied => Fault::EmptyLines,
        [b'\r'] => return Err(Next::Input),
        [b'\r', b'\n', ..] => {
            engine.emptied = true;
            return Ok(2);
        }
        [b'\r', ..] => Fault::BareCr,
        _ => Fault::BareLf,
    };
    Ok(refuse(engine, kind_of(fault, &connection.state.limits), bytes, false))
}

/// Notes that `bytes` begin with what is no request, or one that cannot be served: it is answered when everything before it
/// is. Returns how many bytes are done with: all.
fn refuse(engine: &mut Http1, kind: Kind, bytes: &[u8], http_10: bool) -> usize {
    let is_head_known = !matches!(kind, Kind::HeadMalformed(HeadFault::FramingInvalid));
    engine.refused = Some(Refused {
        kind,
        head_request: is_head_known && bytes.starts_with(b"HEAD "),
        http_10,
    });
    engine.closing = true;
    engine.cut_head = None;
    bytes.len()
}

/// Hands over the first request if it has the header fields of the last one; `None` if not. Returns how many bytes it was,
/// or what it waits for.
fn take_known(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    table: Option<&RouteTable>,
    bytes: &[u8],
    cx: &Context<'_>,
) -> Option<Result<usize, Next>> {
    let known = engine.last_head.known()?;
    let state = &connection.state;
    let same_line = known.line.known.parse(bytes, &known.bytes);
    let mut is_same = same_line.is_some();
    let line = match same_line {
        Some(line) => line,
        None => head::parse_line(bytes, &known.bytes, &state.limits)?,
    };
    let asking = Asking {
        method: line.method,
        close: known.close,
        http_10: false,
    };
    let (body, kind) = (known.body, known.kind);
    let head_end = line.length + known.bytes.len();
    let target = match table {
        None => state.own_handler(),
        Some(table) => {
            let again = is_same.then(|| state.routed_again(table, &known.line.route));
            match again.flatten() {
                Some(target) => target,
                None => match state.routed(table, &RoutedRequest::from(&line), None)? {
                    Destination::Handler(target) => {
                        is_same = false;
                        target
                    }
                    core if body == BodyFraming::None => {
                        return Some(answer(connection, engine, &asking, core).map(|()| head_end));
                    }
                    _ => return None,
                },
            }
        }
    };
    known.template.as_ref()?;
    let options = target.options;
    let mut collected = None;
    let (body, end) = match body {
        BodyFraming::None => (&[][..], head_end),
        BodyFraming::Sized(length) if length as u64 > longest_body(options, kind) => return None,
        BodyFraming::Sized(length) => match bytes.get(head_end..head_end + length) {
            Some(body) => (body, head_end + length),
            None => {
                engine.whole_at = head_end + length;
                return Some(Err(wait_for_body(connection, options)));
            }
        },
        BodyFraming::Chunked => {
            let (body, length) = whole_chunked(state, &bytes[head_end..], longest_body(options, kind))?;
            (&*collected.insert(body).bytes, head_end + length)
        }
    };
    if !may_hand_over(connection, engine, line.method, body.len(), cx) {
        return Some(Err(Next::Turn));
    }
    let parsed = parse::parse(state, options.parse, line.query, kind, &[body]);
    if parsed.is_err() && !engine.is_idle() {
        return Some(Err(Next::Turn));
    }
    if let Some(exchange) = open(connection, engine, &asking, options, parsed) {
        let template = engine.last_head.known()?.template.as_ref()?;
        let parsed = state.parsed.borrow();
        let request = RepeatedRequest {
            exchange,
            endpoint: target.endpoint,
            method_id: line.method,
            uri: line.path,
            query: line.query,
            body,
            found: parsed.found(),
        };
        state.push_record(|out| template.write(out, request));
        if let Some(last) = engine.last_head.hit() {
            if is_same {
                last.hit();
            } else {
                last.miss(&line, bytes, |route| state.keep_route(&target, route));
            }
        }
        state.switches.metrics.requests.add(1);
    }
    Some(Ok(end))
}

/// Hands over the first request. Returns how many bytes it was, or what it waits for.
fn take_new<'b>(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    table: Option<&RouteTable>,
    bytes: &'b [u8],
    space: &mut Space<'b>,
    cx: &Context<'_>,
) -> Result<usize, Next> {
    let limits = &connection.state.limits;
    if let Some(cut) = &mut engine.cut_head {
        match cut.scan.check(&bytes[cut.seen..], limits) {
            Ok(None) => {
                cut.seen = bytes.len();
                return Err(Next::Input);
            }
            Ok(Some(_)) => engine.cut_head = None,
            Err(fault) => return Ok(refuse(engine, kind_of(fault, limits), bytes, false)),
        }
    }
    let is_syntax = match head::parse(bytes, limits, space) {
        Parsed::Plain(head) => return take_request(connection, engine, table, bytes, &head, cx),
        Parsed::Partial => true,
        Parsed::Odd => false,
    };
    let mut scan = HeadScan::new();
    match scan.check(bytes, limits) {
        Ok(None) if !is_syntax => Ok(refuse(
            engine,
            Kind::HeadMalformed(HeadFault::SyntaxInvalid),
            bytes,
            false,
        )),
        Ok(None) => {
            engine.cut_head = Some(Box::new(CutHead {
                scan,
                seen: bytes.len(),
            }));
            Err(Next::Input)
        }
        Ok(Some(length)) => match any::parse(&bytes[..length], limits, &mut any::Space::default()) {
            Ok(head) => take_request(connection, engine, table, bytes, &head, cx),
            Err(fault) => Ok(refuse(engine, Kind::HeadMalformed(fault), bytes, false)),
        },
        Err(fault) => Ok(refuse(engine, kind_of(fault, limits), bytes, false)),
    }
}

/// Does what becomes of the request that `bytes` begin with. Returns how many bytes are done with, or what it waits for.
fn take_request(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    table: Option<&RouteTable>,
    bytes: &[u8],
    head: &Head<'_, '_>,
    cx: &Context<'_>,
) -> Result<usize, Next> {
    let state = &connection.state;
    if state.options.test_faults {
        trigger_fault(connection, head);
    }
    let Some(server) = server(connection, head) else {
        let kind = Kind::HeadMalformed(HeadFault::HostInvalid);
        return Ok(refuse(engine, kind, bytes, head.is_http_10));
    };
    let request = AskedRequest { head, server };
    let destination = request.destination(connection, table);
    let Destination::Handler(target) = destination else {
        return answer_core(connection, engine, &request, destination, bytes);
    };
    let options = target.options;
    let kind = request.body_kind();
    let limit = options
        .max_body_bytes
        .min(kind.parsed_limit(options).unwrap_or(u64::MAX));
    let sized = head.content_length.filter(|length| *length > 0);
    if sized.is_some_and(|length| length > limit) {
        return Ok(refuse(engine, Kind::BodyTooLarge { limit }, bytes, head.is_http_10));
    }
    let is_parsed = kind.parsed_limit(options).is_some();
    let most = if is_parsed {
        limit
    } else {
        limit.min(options.inline_body_bytes)
    };
    let waits_for_whole = is_parsed || !head.expects_continue;
    let mut collected = None;
    let whole = if let Some(length) = sized.filter(|length| *length <= most && waits_for_whole) {
        let end = usize::try_from(length).map_or(usize::MAX, |length| head.length.saturating_add(length));
        match bytes.get(head.length..end) {
            Some(body) => Some((body, end)),
            None if head.expects_continue || length > UNCOUNTED_BYTES => None,
            None => {
                engine.whole_at = end;
                return Err(wait_for_body(connection, options));
            }
        }
    } else if head.is_chunked && waits_for_whole {
        whole_chunked(state, &bytes[head.length..], most.min(UNCOUNTED_BYTES))
            .map(|(body, length)| (&*collected.insert(body).bytes, head.length + length))
    } else if sized.is_none() && !head.is_chunked {
        Some((&[][..], head.length))
    } else {
        None
    };
    let body_length = whole.map_or(0, |(body, _)| body.len());
    if !may_hand_over(connection, engine, head.line.method, body_length, cx) {
        return Err(Next::Turn);
    }
    if let Some((body, end)) = whole {
        let first = FirstPart { body, is_whole: true };
        hand_over(connection, engine, &request, &target, &first)?;
        return Ok(end);
    }
    let is_collected =
        waits_for_whole && (is_parsed || head.is_chunked && most > 0 || sized.is_some_and(|n| n <= most));
    let to = if is_collected {
        Receiver::Collector {
            head: bytes[..head.length].to_vec(),
            body: Vec::new(),
            most: if is_parsed { u64::MAX } else { most },
            counted: Collected::new(state),
        }
    } else {
        let first = FirstPart {
            body: &[],
            is_whole: false,
        };
        match hand_over(connection, engine, &request, &target, &first)? {
            Some(exchange) => Receiver::Handler(exchange),
            None if engine.closing => return Ok(bytes.len()),
            None => Receiver::Nobody(state.options.max_unread_body_bytes),
        }
    };
    receive(connection, engine, head, to, limit, options);
    Ok(head.length)
}

/// Begins to receive the body of a request.
fn receive(
    connection: &Connection,
    engine: &mut Http1,
    head: &Head<'_, '_>,
    to: Receiver,
    limit: u64,
    options: &RouteOptions,
) {
    let decoder = match head.content_length {
        _ if head.is_chunked => BodyDecoder::chunked(),
        Some(length) if length > 0 => BodyDecoder::sized(length),
        _ => return,
    };
    connection.begin_body();
    engine.receiving = Some(Box::new(Receiving {
        decoder,
        to,
        length: 0,
        limit,
        read_ms: options.body_read_timeout_ms,
        awaits_continue: head.expects_continue,
        head_request: head.line.method == HEAD,
        http_10: head.is_http_10,
    }));
}

/// What of a request's body the handler is given with the request.
pub(super) struct FirstPart<'a> {
    pub(super) body: &'a [u8],
    pub(super) is_whole: bool,
}

/// Hands over a request whose body was collected. Returns its exchange if it has one.
pub(super) fn hand_over_collected(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    head: &[u8],
    first: &FirstPart<'_>,
    counted: Collected,
    cx: &Context<'_>,
) -> Result<Option<u64>, (Next, Collected)> {
    let mut space = any::Space::default();
    let Ok(head) = any::parse(head, &connection.state.limits, &mut space) else {
        return Ok(None);
    };
    if !may_hand_over(connection, engine, head.line.method, first.body.len(), cx) {
        return Err((Next::Turn, counted));
    }
    let Some(server) = server(connection, &head) else {
        return Ok(None);
    };
    let request = AskedRequest { head: &head, server };
    // Matched again: meanwhile there may be another table, or another request's parameters in the loop's memory.
    let table = connection.state.routes();
    let done = match request.destination(connection, table.as_deref()) {
        Destination::Handler(target) => hand_over(connection, engine, &request, &target, first),
        core => answer_asked(connection, engine, &request, core).map(|()| None),
    };
    match done {
        Ok(Some(exchange)) => {
            if let Some(newest) = engine.open.back_mut() {
                newest.counted = Some(counted);
            }
            Ok(Some(exchange))
        }
        Ok(None) => Ok(None),
        Err(next) => Err((next, counted)),
    }
}

/// Hands a request to its handler. Returns its exchange, `None` if it was answered.
fn hand_over(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    request: &AskedRequest<'_, '_>,
    target: &Target<'_>,
    first: &FirstPart<'_>,
) -> Result<Option<u64>, Next> {
    let (state, head, options) = (&connection.state, request.head, target.options);
    let kind = if first.is_whole {
        request.body_kind()
    } else {
        BodyKind::Opaque
    };
    let parsed = parse::parse(state, options.parse, head.line.query, kind, &[first.body]);
    if parsed.is_err() && !engine.is_idle() {
        return Err(Next::Turn);
    }
    let asking = request.asking();
    let Some(exchange) = open(connection, engine, &asking, options, parsed) else {
        return Ok(None);
    };
    let fields = first.is_whole.then(|| request.new_head()).flatten();
    request.write_record(connection, exchange, target.endpoint, first, |record| {
        if let Some(fields) = &fields {
            engine.last_head.miss(fields, Some(record));
        }
    });
    state.switches.metrics.requests.add(1);
    Ok(Some(exchange))
}

/// Answers a request that is the core's to answer, when it is its turn; what is not here of its body is dropped.
fn answer_core(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    request: &AskedRequest<'_, '_>,
    core: Destination<'_>,
    bytes: &[u8],
) -> Result<usize, Next> {
    may_answer(connection, engine)?;
    let (state, head) = (&connection.state, request.head);
    let length = head.content_length.unwrap_or(0);
    let end = usize::try_from(length).map_or(usize::MAX, |length| head.length.saturating_add(length));
    let is_here = !head.is_chunked && end <= bytes.len();
    if !is_here {
        let left = state.options.max_unread_body_bytes;
        receive(
            connection,
            engine,
            head,
            Receiver::Nobody(left),
            u64::MAX,
            &state.options.route,
        );
    }
    answer_asked(connection, engine, request, core)?;
    if is_here && let Some(fields) = request.new_head() {
        engine.last_head.miss(&fields, None);
    }
    Ok(if is_here { end } else { head.length })
}

fn answer_asked(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    request: &AskedRequest<'_, '_>,
    core: Destination<'_>,
) -> Result<(), Next> {
    match core {
        Destination::Files(endpoint) => answer_file(connection, engine, &request.asking(), endpoint, request.head),
        core => answer(connection, engine, &request.asking(), core),
    }
}

/// The bodies of requests in chunks are put together in memory of the loop's.
struct Unchunked<'s> {
    state: &'s LoopState,
    bytes: Vec<u8>,
}

impl Drop for Unchunked<'_> {
    fn drop(&mut self) {
        self.state.body_buffer.replace(std::mem::take(&mut self.bytes));
    }
}

/// A body in chunks that is here to its end, and how many bytes it is on the wire; `None` if it is not, has a fault, or more
/// than `most` bytes.
fn whole_chunked<'s>(state: &'s LoopState, bytes: &[u8], most: u64) -> Option<(Unchunked<'s>, usize)> {
    let mut collected = Unchunked {
        state,
        bytes: state.body_buffer.take(),
    };
    collected.bytes.clear();
    let mut decoder = BodyDecoder::chunked();
    let mut used = 0;
    while !decoder.has_ended() {
        let rest = &bytes[used..];
        let decoded = decoder.decode(rest, usize::MAX, &state.limits).ok()?;
        used += decoded.used;
        collected.bytes.extend_from_slice(decoded.data);
        if decoded.used == rest.len() && !decoder.has_ended() || collected.bytes.len() as u64 > most {
            return None;
        }
    }
    Some((collected, used))
}

/// The rest of a body is waited for, so long as its route says.
fn wait_for_body(connection: &Connection, options: &RouteOptions) -> Next {
    connection.request_timeouts.set(RequestTimeouts::from(options));
    connection.begin_body();
    connection.wait_for_body(Some(options.body_read_timeout_ms));
    Next::Input
}

/// What a request says that its response depends on.
struct Asking {
    /// Id of the method.
    method: u8,
    /// The client will close the connection after the response.
    close: bool,
    http_10: bool,
}

/// A request whose head is right.
struct AskedRequest<'h, 'b> {
    head: &'h Head<'h, 'b>,
    server: Server<'b>,
}

/// Which server a request is for, as far as it says that.
#[derive(Clone, Copy)]
enum Server<'b> {
    /// What its target says.
    Target(Authority<'b>),
    /// What its Host field says, which is the last one of the connection.
    LastHost,
    /// Nothing.
    Unsaid,
}

/// RFC 9112 §3.2.2: the authority of an absolute target wins over the Host field, which must be right all the same.
fn server<'b>(connection: &Connection, head: &Head<'_, 'b>) -> Option<Server<'b>> {
    if head.host.is_some_and(|host| !connection.knows_host(host)) {
        return None;
    }
    Some(match head.authority {
        Some(text) => Server::Target(authority::parse(text)?),
        None if head.host.is_some() => Server::LastHost,
        None => Server::Unsaid,
    })
}

impl<'b> AskedRequest<'_, 'b> {
    fn asking(&self) -> Asking {
        Asking {
            method: self.head.line.method,
            close: self.head.close,
            http_10: self.head.is_http_10,
        }
    }

    fn has_body(&self) -> bool {
        self.head.is_chunked || self.head.content_length.is_some_and(|length| length > 0)
    }

    /// The value of a field that stands there once, by the id of its name.
    fn value(&self, name: u16) -> Option<&'b [u8]> {
        let mut values = self.head.fields().filter(|(id, _, _)| *id == name);
        let first = values.next().map(|(_, _, value)| value);
        first.filter(|_| values.next().is_none())
    }

    fn body_kind(&self) -> BodyKind {
        let has_framing = self.head.is_chunked || self.head.content_length.is_some();
        BodyKind::of(has_framing.then(|| self.value(names::CONTENT_TYPE)).flatten())
    }

    /// Who answers it.
    fn destination<'r>(&self, connection: &'r Connection, table: Option<&'r RouteTable>) -> Destination<'r> {
        let (state, line) = (&connection.state, &self.head.line);
        let Some(table) = table else {
            return Destination::Handler(state.own_handler());
        };
        let routed = RoutedRequest {
            method: Method {
                id: line.method,
                text: if line.method == 0 {
                    self.head.method
                } else {
                    names::METHODS[usize::from(line.method) - 1]
                },
            },
            path: line.path,
            query: line.query,
            escaped: line.escaped,
        };
        let mut joined = Vec::new();
        let accept = table.asks().then(|| self.accept(&mut joined)).flatten();
        let asked = table.asks().then(|| Asked {
            has_body: self.has_body(),
            content_type: self
                .head
                .fields()
                .find(|(id, _, _)| *id == names::CONTENT_TYPE)
                .map(|(_, _, value)| value),
            accept,
        });
        let found = state.routed(table, &routed, asked.as_ref());
        found.unwrap_or(Destination::Refused(Kind::Internal))
    }

    /// The values of Accept, joined by commas.
    fn accept<'j>(&self, joined: &'j mut Vec<u8>) -> Option<&'j [u8]>
    where
        'b: 'j,
    {
        let mut values = self.head.fields().filter(|(id, _, _)| *id == names::ACCEPT);
        let (_, _, first) = values.next()?;
        if self.head.is_plain {
            return Some(first);
        }
        joined.extend_from_slice(first);
        for (_, _, value) in values {
            joined.push(b',');
            joined.extend_from_slice(value);
        }
        Some(joined)
    }

    /// The head, to be known again.
    fn new_head(&self) -> Option<NewHead<'b>> {
        let head = self.head;
        let body = match head.content_length {
            _ if head.is_chunked => BodyFraming::Chunked,
            Some(length) if length > 0 => BodyFraming::Sized(usize::try_from(length).ok()?),
            _ => BodyFraming::None,
        };
        head.is_plain.then(|| NewHead {
            bytes: head.field_bytes(),
            body,
            kind: self.body_kind(),
            close: head.close,
        })
    }

    /// Writes the record of the request, and shows it to `seen` before what was parsed is added.
    fn write_record(
        &self,
        connection: &Connection,
        exchange: u64,
        endpoint: u32,
        first: &FirstPart<'_>,
        seen: impl FnOnce(&[u8]),
    ) {
        let last = connection.last_host.borrow();
        let (host, port) = match self.server {
            Server::Target(authority) => (authority.host, authority.port),
            Server::LastHost => last.host_and_port(),
            Server::Unsaid => (&*connection.local_addr, None),
        };
        let head = self.head;
        let version_flag = if head.is_http_10 { FLAG_HTTP_10 } else { 0 };
        let stream_flag = if first.is_whole { 0 } else { FLAG_BODY_STREAM };
        let record = RequestHead {
            exchange,
            method_id: head.line.method,
            method: head.method,
            flags: version_flag | stream_flag,
            uri: head.line.path,
            query: head.line.query,
            server_name: host,
            server_port: port.unwrap_or(connection.local_port),
            remote_addr: &connection.remote_addr,
            endpoint,
        };
        connection.state.push_record(|out| {
            let start = out.len();
            let mut writer = RequestWriter::new(out, &record, head.name_count());
            let mut previous: Option<&str> = None;
            for (id, name, value) in head.fields() {
                if !head.is_plain && previous.is_some_and(|previous| previous.eq_ignore_ascii_case(name)) {
                    writer.join(value);
                } else {
                    writer.field(id, name, value);
                }
                previous = Some(name);
            }
            writer.finish([first.body]);
            seen(&out[start..]);
            connection.state.parsed.borrow().add_to(out, start);
        });
    }
}

/// Whether it is the turn of a request that the core answers.
fn may_answer(connection: &Connection, engine: &Http1) -> Result<(), Next> {
    if engine.is_idle() && connection.socket.borrow().waiting() <= HOLD_BYTES {
        Ok(())
    } else {
        Err(Next::Turn)
    }
}

/// Answers a request that is the core's to answer, when it is its turn.
fn answer(connection: &Rc<Connection>, engine: &mut Http1, asking: &Asking, core: Destination<'_>) -> Result<(), Next> {
    may_answer(connection, engine)?;
    let request = begin(connection, engine, asking, &connection.state.options.route);
    match core {
        Destination::Answered(response) => {
            connection.state.count_core_response(response.command());
            replies::respond(connection, engine, &request, response.command());
        }
        Destination::Refused(kind) => replies::refuse(connection, engine, &request, kind),
        Destination::Handler(_) | Destination::Files(_) => {
            replies::refuse(connection, engine, &request, Kind::Internal);
        }
    }
    Ok(())
}

/// Answers a request for a file, when it is its turn, or lets somebody look for the file.
fn answer_file(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    asking: &Asking,
    endpoint: u32,
    head: &Head<'_, '_>,
) -> Result<(), Next> {
    may_answer(connection, engine)?;
    let (state, options) = (&connection.state, &connection.state.options.route);
    let target = FileTarget {
        head: asking.method == HEAD,
        path: head.line.path,
        query: head.line.query,
    };
    let fields = head.fields().map(|(id, _, value)| (id, value));
    match state.find_file(endpoint, &target, fields) {
        Lookup::Known(outcome) => {
            let request = begin(connection, engine, asking, options);
            replies::respond_file(connection, engine, request, outcome);
        }
        Lookup::Unknown(look) => {
            if let Some(exchange) = open(connection, engine, asking, options, Ok(())) {
                state.look(endpoint, exchange, look);
            }
        }
    }
    Ok(())
}

/// The longest body of this kind that a handler is given whole.
fn longest_body(options: &RouteOptions, kind: BodyKind) -> u64 {
    let most = options.inline_body_bytes.min(options.max_body_bytes);
    kind.parsed_limit(options)
        .map_or(most, |limit| limit.min(options.max_body_bytes))
        .min(UNCOUNTED_BYTES)
}

/// Whether it is the request's turn. If not, the task is woken when it may be.
fn may_hand_over(connection: &Connection, engine: &Http1, method: u8, body_length: usize, cx: &Context<'_>) -> bool {
    let state = &connection.state;
    if engine.sending.is_some() {
        return false;
    }
    if let Some(newest) = engine.open.back() {
        let is_room = engine.open.len() < OPEN_MAX && engine.open.len() * engine.response_bytes < OPEN_BYTES_MAX;
        let side_by_side = newest.safe && is_safe(method) && is_room;
        if !side_by_side || !state.may_open_exchange() {
            return false;
        }
    }
    connection.socket.borrow().waiting() <= HOLD_BYTES
        && (body_length == 0 || state.poll_room(body_length + RECORD_HEAD_ESTIMATE, cx).is_ready())
}

const fn is_safe(method: u8) -> bool {
    SAFE_METHODS >> method & 1 != 0
}

/// Opens the exchange of a request, the newest one. If there are too many of them, or it cannot be parsed, answers that:
/// nothing is open then.
fn open(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    asking: &Asking,
    options: &RouteOptions,
    parsed: Result<(), Kind>,
) -> Option<u64> {
    let state = &connection.state;
    let mut request = begin(connection, engine, asking, options);
    let opened = parsed.and_then(|()| {
        let room = state.may_open_exchange();
        let exchange = room.then(|| state.open_exchange(Exchange::of_http1(connection)));
        exchange.flatten().ok_or(Kind::ExchangeLimit)
    });
    match opened {
        Ok(exchange) => {
            request.exchange = exchange;
            engine.closing = request.close;
            engine.open.push_back(request);
            Some(exchange)
        }
        Err(kind) => {
            replies::refuse(connection, engine, &request, kind);
            None
        }
    }
}

/// Counts a request; its exchange is not open.
fn begin(connection: &Connection, engine: &mut Http1, asking: &Asking, options: &RouteOptions) -> OpenRequest {
    let state = &connection.state;
    engine.emptied = false;
    let requests = connection.requests.get() + 1;
    connection.requests.set(requests);
    OpenRequest {
        exchange: 0,
        since_ms: state.now_ms(),
        handler_ms: options.handler_timeout_ms.unwrap_or(u64::MAX),
        head_request: asking.method == HEAD,
        http_10: asking.http_10,
        asks_to_close: asking.close,
        counted: None,
        safe: is_safe(asking.method),
        close: asking.close || requests >= state.options.max_requests_per_connection,
    }
}

fn trigger_fault(connection: &Connection, head: &Head<'_, '_>) {
    let fault = head
        .fields()
        .find(|(_, name, _)| name.eq_ignore_ascii_case(FAULT_HEADER));
    match fault.map(|(_, _, value)| value) {
        Some(b"connection") => panic!("test fault: connection"),
        Some(name) => {
            if let Some(fault) = TestFaults::named(name) {
                connection.state.arm_fault(fault);
            }
        }
        None => {}
    }
}
