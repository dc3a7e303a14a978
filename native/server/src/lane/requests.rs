//! From bytes to records.

use std::rc::Rc;
use std::task::Context;

use hinny_codec::head::{self, Head, Parsed, Space};
use hinny_codec::negotiation;
use hinny_core::error::Kind;
use hinny_core::names;
use hinny_core::options::RouteOptions;
use hinny_core::records::{RepeatedRequest, RequestHead, RequestWriter};
use hinny_core::status::{ErrorFormat, Failure};
use hinny_router::Asked;

use super::last_head::{Known, NewHead};
use super::{Lane, Next, OpenRequest, replies};
use crate::collected::UNCOUNTED_BYTES;
use crate::connection::Connection;
use crate::exchange::Exchange;
use crate::file_reply::FileTarget;
use crate::files::Lookup;
use crate::parse::{self, BodyKind};
use crate::route_table::RouteTable;
use crate::routing::{Destination, RoutedRequest};
use crate::service::RECORD_HEAD_ESTIMATE;
use crate::socket::HOLD_BYTES;
use crate::test_faults::FAULT_HEADER;

/// The ids of the methods that are safe (RFC 9110 §9.2.1), a bit each: GET, HEAD, OPTIONS, TRACE.
const SAFE_METHODS: u32 = 1 << 1 | 1 << 2 | 1 << 6 | 1 << 8;
const HEAD: u8 = 2;

const ACCEPT_COLON: &[u8] = b"accept:";

/// Hands over the requests that wait in the lane; whether there were any.
pub(super) fn take_rest(connection: &Rc<Connection>, lane: &mut Lane, cx: &Context<'_>) -> bool {
    let mut rest = std::mem::take(&mut lane.rest);
    let (taken, next) = take(connection, lane, &rest, cx);
    if taken == rest.len() {
        connection.state.give_back(rest);
    } else {
        rest.drain(..taken);
        lane.rest = rest;
    }
    wait_for(connection, lane, next);
    taken > 0 || next != Next::Turn
}

/// Notes what the rest waits for. A cut request is shown to the guard: a fault in it is hyper's to answer, now and not
/// when it is complete.
pub(super) fn wait_for(connection: &Connection, lane: &mut Lane, next: Next) {
    lane.next = next;
    if next == Next::Input && !lane.rest.is_empty() {
        connection.guard.restart();
        if connection.guard.arrived(&lane.rest) < lane.rest.len() {
            lane.next = Next::Hyper;
        }
    }
}

/// Hands over the requests at the start of `bytes`. Returns how many bytes they were, and what the others wait for.
pub(super) fn take(connection: &Rc<Connection>, lane: &mut Lane, bytes: &[u8], cx: &Context<'_>) -> (usize, Next) {
    let mut space = Space::new();
    let table = connection.state.routes();
    let table = table.as_ref().map(|table| &***table);
    let mut taken = 0;
    while taken < bytes.len() && !lane.closing {
        let rest = &bytes[taken..];
        let known = take_known(connection, lane, table, rest, cx);
        match known.unwrap_or_else(|| take_new(connection, lane, table, rest, &mut space, cx)) {
            Ok(length) => taken += length,
            Err(next) => return (taken, next),
        }
    }
    if lane.closing && taken < bytes.len() {
        taken = bytes.len();
    }
    (taken, Next::Input)
}

/// Hands over the first request if it has the header fields of the last one; `None` if not. Returns how many bytes it was,
/// or what it waits for.
fn take_known(
    connection: &Rc<Connection>,
    lane: &mut Lane,
    table: Option<&RouteTable>,
    bytes: &[u8],
    cx: &Context<'_>,
) -> Option<Result<usize, Next>> {
    let known = lane.last_head.known()?;
    let same_line = known.line.known.parse(bytes, &known.bytes);
    let mut is_same = same_line.is_some();
    let line = match same_line {
        Some(line) => line,
        None => head::parse_line(bytes, &known.bytes, connection.guard.limits())?,
    };
    let end = line.length + known.bytes.len() + known.content_length;
    let state = &connection.state;
    let asking = Asking {
        method: line.method,
        close: known.close,
        fields: bytes.get(line.length..line.length + known.bytes.len())?,
    };
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
                    core => {
                        return Some(match known_body(connection, known, &state.options.route, bytes, end)? {
                            Ok(_) => answer(connection, lane, &asking, core).map(|()| end),
                            Err(next) => Err(next),
                        });
                    }
                },
            }
        }
    };
    let options = target.options;
    let body = match known_body(connection, known, options, bytes, end)? {
        Ok(body) => body,
        Err(next) => return Some(Err(next)),
    };
    known.template.as_ref()?;
    if !may_hand_over(connection, lane, line.method, body.len(), cx) {
        return Some(Err(Next::Turn));
    }
    let parsed = parse::parse(state, options.parse, line.query, known.kind, &[body]);
    if parsed.is_err() && !lane.open.is_empty() {
        return Some(Err(Next::Turn));
    }
    if let Some(exchange) = open(connection, lane, &asking, options, end, parsed) {
        let template = lane.last_head.known()?.template.as_ref()?;
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
        if let Some(last) = lane.last_head.hit() {
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

/// The body of the request with the known head that ends at `end`, or what it waits for; `None` if it is too long for the
/// lane.
#[inline]
fn known_body<'b>(
    connection: &Connection,
    known: &Known,
    options: &RouteOptions,
    bytes: &'b [u8],
    end: usize,
) -> Option<Result<&'b [u8], Next>> {
    if known.content_length == 0 {
        return Some(Ok(&[]));
    }
    if known.content_length as u64 > longest_body(options, known.kind) {
        return None;
    }
    let body = bytes.get(end - known.content_length..end);
    Some(body.ok_or_else(|| wait_for_body(connection, options)))
}

/// Hands over the first request. Returns how many bytes it was, or what it waits for.
fn take_new<'b>(
    connection: &Rc<Connection>,
    lane: &mut Lane,
    table: Option<&RouteTable>,
    bytes: &'b [u8],
    space: &mut Space<'b>,
    cx: &Context<'_>,
) -> Result<usize, Next> {
    let state = &connection.state;
    let head = match head::parse(bytes, connection.guard.limits(), space) {
        Parsed::Plain(head) => head,
        Parsed::Partial => return Err(Next::Input),
        Parsed::Odd => return Err(Next::Hyper),
    };
    let method = head.line.method;
    let destination = match table {
        None => Destination::Handler(state.own_handler()),
        Some(table) => {
            let asked = table.asks().then(|| asked(&head));
            let found = state.routed(table, &RoutedRequest::from(&head.line), asked.as_ref());
            found.unwrap_or(Destination::Refused(Kind::Internal))
        }
    };
    let options = options(connection, &destination);
    let kind = BodyKind::of(
        head.content_length.and_then(|_| value(&head, names::CONTENT_TYPE)),
        || value(&head, names::CONTENT_ENCODING).is_some_and(parse::is_coding),
    );
    let body_length = body_length(connection, &head, kind, options).ok_or(Next::Hyper)?;
    let end = head.length + body_length;
    let body = bytes
        .get(head.length..end)
        .ok_or_else(|| wait_for_body(connection, options))?;
    let asking = Asking {
        method,
        close: head.close,
        fields: &bytes[head.line.length..head.length],
    };
    let fields = NewHead {
        bytes: &bytes[head.line.length..head.length],
        content_length: body_length,
        kind,
        close: head.close,
    };
    let target = match destination {
        Destination::Handler(target) => target,
        core => {
            match core {
                Destination::Files(endpoint) => answer_file(connection, lane, &asking, endpoint, &head)?,
                core => answer(connection, lane, &asking, core)?,
            }
            lane.last_head.miss(&fields, None);
            return Ok(end);
        }
    };
    if !may_hand_over(connection, lane, method, body.len(), cx) {
        return Err(Next::Turn);
    }
    let parsed = parse::parse(state, options.parse, head.line.query, kind, &[body]);
    if parsed.is_err() && !lane.open.is_empty() {
        return Err(Next::Turn);
    }
    if let Some(exchange) = open(connection, lane, &asking, options, end, parsed) {
        write_record(connection, exchange, target.endpoint, &head, body, |record| {
            lane.last_head.miss(&fields, Some(record));
        });
        state.switches.metrics.requests.add(1);
    }
    Ok(end)
}

/// What holds for a request.
fn options<'a>(connection: &'a Connection, destination: &Destination<'a>) -> &'a RouteOptions {
    match destination {
        Destination::Handler(target) => target.options,
        Destination::Refused(_) | Destination::Answered(_) | Destination::Files(_) => &connection.state.options.route,
    }
}

/// Who waits for the rest of a body here does not know its route, and how long that may take.
fn wait_for_body(connection: &Connection, options: &RouteOptions) -> Next {
    if options.body_read_timeout_ms == connection.state.options.route.body_read_timeout_ms {
        Next::Input
    } else {
        Next::Hyper
    }
}

/// What a request says that its response depends on.
struct Asking<'b> {
    /// Id of the method.
    method: u8,
    /// The client will close the connection after the response.
    close: bool,
    /// The header fields with the empty line; looked at when an error is answered.
    fields: &'b [u8],
}

impl Asking<'_> {
    /// An error as the client wants to be told.
    fn failure(&self, kind: Kind) -> Failure {
        Failure {
            kind,
            format: self.error_format(),
        }
    }

    fn error_format(&self) -> ErrorFormat {
        let lines = self.fields.split(|byte| *byte == b'\n');
        let accept = lines
            .filter_map(|line| line.split_at_checked(ACCEPT_COLON.len()))
            .find(|(name, _)| name.eq_ignore_ascii_case(ACCEPT_COLON));
        negotiation::error_format(accept.map(|(_, value)| value.trim_ascii()))
    }
}

/// What a request says about content. A body that is announced and empty is none, as for hyper.
fn asked<'b>(head: &Head<'_, 'b>) -> Asked<'b> {
    Asked {
        has_body: head.content_length.is_some_and(|length| length > 0),
        content_type: value(head, names::CONTENT_TYPE),
        accept: value(head, names::ACCEPT),
    }
}

/// The value of a field, by the id of its name.
fn value<'b>(head: &Head<'_, 'b>, name: u16) -> Option<&'b [u8]> {
    head.fields().find(|(id, _, _)| *id == name).map(|(_, _, value)| value)
}

/// Whether it is the turn of a request that the core answers.
fn may_answer(connection: &Connection, lane: &Lane) -> Result<(), Next> {
    if lane.open.is_empty() && connection.socket.borrow().waiting() <= HOLD_BYTES {
        Ok(())
    } else {
        Err(Next::Turn)
    }
}

/// Answers a request that is the core's to answer, when it is its turn.
fn answer(
    connection: &Rc<Connection>,
    lane: &mut Lane,
    asking: &Asking<'_>,
    core: Destination<'_>,
) -> Result<(), Next> {
    may_answer(connection, lane)?;
    let request = begin(connection, asking, &connection.state.options.route);
    match core {
        Destination::Answered(response) if connection.state.may_answer(response.command().len()).is_err() => {
            replies::refuse(connection, lane, &request, asking.failure(Kind::BytesLimit));
        }
        Destination::Answered(response) => {
            let response = response.told(|| asking.error_format());
            connection.core_answered(response.command());
            replies::respond(connection, lane, &request, response.command());
        }
        Destination::Refused(kind) => replies::refuse(connection, lane, &request, asking.failure(kind)),
        Destination::Handler(_) | Destination::Files(_) => {
            replies::refuse(connection, lane, &request, asking.failure(Kind::Internal))
        }
    }
    Ok(())
}

/// Answers a request for a file, when it is its turn, or lets somebody look for the file.
fn answer_file(
    connection: &Rc<Connection>,
    lane: &mut Lane,
    asking: &Asking<'_>,
    endpoint: u32,
    head: &Head<'_, '_>,
) -> Result<(), Next> {
    may_answer(connection, lane)?;
    let (state, options) = (&connection.state, &connection.state.options.route);
    let target = FileTarget {
        head: asking.method == HEAD,
        path: head.line.path,
        query: head.line.query,
    };
    let fields = head.fields().map(|(id, _, value)| (id, value));
    match state.find_file(endpoint, &target, fields) {
        Lookup::Known(outcome) => {
            let mut request = begin(connection, asking, options);
            if outcome.is_err() {
                request.format = asking.error_format();
            }
            replies::respond_file(connection, lane, &request, outcome);
        }
        Lookup::Unknown(look) => {
            if let Some(exchange) = open(connection, lane, asking, options, 0, Ok(())) {
                if let Some(request) = lane.open.back_mut() {
                    request.format = asking.error_format();
                }
                state.look(endpoint, exchange, look);
            }
        }
    }
    Ok(())
}

/// The length of the request's body, if the request is the lane's to serve.
fn body_length(connection: &Connection, head: &Head<'_, '_>, kind: BodyKind, options: &RouteOptions) -> Option<usize> {
    let length = head.content_length.unwrap_or(0);
    let has_fault = connection.state.options.test_faults
        && head
            .fields()
            .any(|(_, name, _)| name.eq_ignore_ascii_case(FAULT_HEADER));
    if length > longest_body(options, kind) || has_fault {
        return None;
    }
    connection.knows_host(head.host).then_some(())?;
    usize::try_from(length).ok()
}

/// The longest body of this kind that the lane takes: what larger ones may take in memory is counted elsewhere.
fn longest_body(options: &RouteOptions, kind: BodyKind) -> u64 {
    let most = options
        .inline_body_bytes
        .min(options.max_body_bytes)
        .min(UNCOUNTED_BYTES);
    most.min(kind.parsed_limit(options).unwrap_or(most))
}

/// Whether it is the request's turn. If not, the task is woken when it may be.
fn may_hand_over(connection: &Connection, lane: &Lane, method: u8, body_length: usize, cx: &Context<'_>) -> bool {
    let state = &connection.state;
    let waiting = connection.socket.borrow().waiting();
    if let Some(newest) = lane.open.back() {
        let side_by_side = newest.safe && is_safe(method) && lane.may_open(waiting);
        if !side_by_side || state.admit(body_length).is_err() {
            return false;
        }
    }
    waiting <= HOLD_BYTES && (body_length == 0 || state.poll_room(body_length + RECORD_HEAD_ESTIMATE, cx).is_ready())
}

const fn is_safe(method: u8) -> bool {
    SAFE_METHODS >> method & 1 != 0
}

/// Opens the exchange of a request of so many bytes, the lane's newest one. If there are too many of them, or it cannot be parsed, answers
/// that: nothing is open then.
fn open(
    connection: &Rc<Connection>,
    lane: &mut Lane,
    asking: &Asking<'_>,
    options: &RouteOptions,
    length: usize,
    parsed: Result<(), Kind>,
) -> Option<u64> {
    let state = &connection.state;
    let mut request = begin(connection, asking, options);
    let opened = parsed.and_then(|()| {
        let bytes = length + state.parsed.borrow().found().bytes.len();
        state.admit(bytes)?;
        let exchange = state.open_exchange(Exchange::in_lane(connection, bytes));
        exchange.ok_or(Kind::ExchangeLimit)
    });
    match opened {
        Ok(exchange) => {
            request.exchange = exchange;
            lane.closing = request.close;
            lane.open.push_back(request);
            Some(exchange)
        }
        Err(kind) => {
            replies::refuse(connection, lane, &request, asking.failure(kind));
            None
        }
    }
}

/// Counts a request; its exchange is not open.
fn begin(connection: &Connection, asking: &Asking<'_>, options: &RouteOptions) -> OpenRequest {
    let state = &connection.state;
    let requests = connection.lane_requests.get() + 1;
    connection.lane_requests.set(requests);
    OpenRequest {
        exchange: 0,
        since_ms: state.now_ms(),
        handler_ms: options.handler_timeout_ms.unwrap_or(u64::MAX),
        head_request: asking.method == HEAD,
        safe: is_safe(asking.method),
        close: asking.close || requests >= state.options.max_requests_per_connection,
        format: ErrorFormat::Usual,
    }
}

/// Writes the record of a request, and shows it to `seen`.
fn write_record(
    connection: &Connection,
    exchange: u64,
    endpoint: u32,
    head: &Head<'_, '_>,
    body: &[u8],
    seen: impl FnOnce(&[u8]),
) {
    connection.with_last_host(|host, port| {
        let record = RequestHead {
            exchange,
            method_id: head.line.method,
            method: "",
            flags: 0,
            uri: head.line.path,
            query: head.line.query,
            server_name: host,
            server_port: port.unwrap_or(connection.local_port),
            remote_addr: &connection.remote_addr,
            endpoint,
        };
        connection.state.push_record(|out| {
            let start = out.len();
            let mut writer = RequestWriter::new(out, &record, head.field_count());
            for (id, name, value) in head.fields() {
                writer.field(id, name, value);
            }
            writer.finish([body]);
            seen(&out[start..]);
            connection.state.parsed.borrow().add_to(out, start);
        });
    });
}
