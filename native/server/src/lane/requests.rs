//! From bytes to records.

use std::rc::Rc;
use std::task::Context;

use hinny_codec::head::{self, Head, Parsed, Space};
use hinny_core::error::Kind;
use hinny_core::names;
use hinny_core::records::{RequestHead, RequestWriter};

use super::{Lane, Next, OPEN_BYTES_MAX, OPEN_MAX, OpenRequest, replies};
use crate::connection::Connection;
use crate::exchange::Exchange;
use crate::parse::{self, BodyKind};
use crate::service::{FAULT_HEADER, RECORD_HEAD_ESTIMATE};
use crate::socket::HOLD_BYTES;

/// Ids of the methods that are safe (RFC 9110 §9.2.1): GET, HEAD, OPTIONS, TRACE.
const SAFE_METHODS: [u8; 4] = [1, 2, 6, 8];
const HEAD: u8 = 2;

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
    let mut taken = 0;
    while taken < bytes.len() && !lane.closing {
        let rest = &bytes[taken..];
        match take_known(connection, lane, rest, cx).unwrap_or_else(|| take_new(connection, lane, rest, &mut space, cx))
        {
            Ok(length) => taken += length,
            Err(next) => return (taken, next),
        }
    }
    if lane.closing && taken < bytes.len() {
        // Dropped unread, it would make the kernel reset the connection.
        connection.end_early();
        taken = bytes.len();
    }
    (taken, Next::Input)
}

/// Hands over the first request if it has the header fields of the last one; `None` if not. Returns how many bytes it was,
/// or what it waits for.
fn take_known(
    connection: &Rc<Connection>,
    lane: &mut Lane,
    bytes: &[u8],
    cx: &Context<'_>,
) -> Option<Result<usize, Next>> {
    let known = lane.last_head.known()?;
    let line = head::parse_line(bytes, &known.bytes, connection.guard.limits())?;
    let body_start = line.length + known.bytes.len();
    let end = body_start + known.content_length;
    let Some(body) = bytes.get(body_start..end) else {
        return Some(Err(Next::Input));
    };
    if !may_hand_over(connection, lane, line.method, body.len(), cx) {
        return Some(Err(Next::Turn));
    }
    let close = known.close;
    let parsed = parse::parse(&connection.state, line.query, known.kind, &[body]);
    if parsed.is_err() && !lane.open.is_empty() {
        return Some(Err(Next::Turn));
    }
    let opened = open(connection, lane, line.method, close, parsed);
    if let Some(request) = opened {
        let template = &lane.last_head.known()?.template;
        let state = &connection.state;
        state.push_record(|out| {
            let start = out.len();
            template.write(out, request.exchange, line.method, line.path, line.query, body);
            state.parsed.borrow().add_to(out, start);
        });
        lane.last_head.hit();
        handed_over(connection, lane, request);
    }
    Some(Ok(end))
}

/// Hands over the first request. Returns how many bytes it was, or what it waits for.
fn take_new<'b>(
    connection: &Rc<Connection>,
    lane: &mut Lane,
    bytes: &'b [u8],
    space: &mut Space<'b>,
    cx: &Context<'_>,
) -> Result<usize, Next> {
    let head = match head::parse(bytes, connection.guard.limits(), space) {
        Parsed::Plain(head) => head,
        Parsed::Partial => return Err(Next::Input),
        Parsed::Odd => return Err(Next::Hyper),
    };
    let kind = body_kind(connection, &head);
    let body_length = body_length(connection, &head, kind).ok_or(Next::Hyper)?;
    let end = head.length + body_length;
    let body = bytes.get(head.length..end).ok_or(Next::Input)?;
    if !may_hand_over(connection, lane, head.line.method, body.len(), cx) {
        return Err(Next::Turn);
    }
    let parsed = parse::parse(&connection.state, head.line.query, kind, &[body]);
    if parsed.is_err() && !lane.open.is_empty() {
        return Err(Next::Turn);
    }
    if let Some(request) = open(connection, lane, head.line.method, head.close, parsed) {
        let fields = &bytes[head.line.length..head.length];
        write_record(connection, request.exchange, &head, body, |record| {
            lane.last_head.miss(fields, record, body_length, kind, head.close);
        });
        handed_over(connection, lane, request);
    }
    Ok(end)
}

/// The length of the request's body, if the request is the lane's to serve.
fn body_length(connection: &Connection, head: &Head<'_, '_>, kind: BodyKind) -> Option<usize> {
    let options = &connection.state.options;
    let length = head.content_length.unwrap_or(0);
    let has_fault = options.test_faults
        && head
            .fields()
            .any(|(_, name, _)| name.eq_ignore_ascii_case(FAULT_HEADER));
    let most = options.inline_body_bytes.min(options.max_body_bytes);
    if length > most.min(kind.parsed_limit(options).unwrap_or(most)) || has_fault {
        return None;
    }
    connection.knows_host(head.host).then_some(())?;
    usize::try_from(length).ok()
}

/// What the request's body is parsed as.
fn body_kind(connection: &Connection, head: &Head<'_, '_>) -> BodyKind {
    let options = &connection.state.options;
    if !options.parse.is_any() {
        return BodyKind::Opaque;
    }
    let content_type = head.fields().find(|(id, _, _)| *id == names::CONTENT_TYPE);
    BodyKind::of(options, content_type.map(|(_, _, value)| value))
}

/// Whether it is the request's turn. If not, the task is woken when it may be.
fn may_hand_over(connection: &Connection, lane: &Lane, method: u8, body_length: usize, cx: &Context<'_>) -> bool {
    let state = &connection.state;
    if let Some(newest) = lane.open.back() {
        let is_room = lane.open.len() < OPEN_MAX && lane.open.len() * lane.response_bytes < OPEN_BYTES_MAX;
        let side_by_side = newest.safe && is_safe(method) && is_room;
        if !side_by_side || !state.may_open_exchange() {
            return false;
        }
    }
    connection.socket.borrow().waiting() <= HOLD_BYTES
        && (body_length == 0 || state.poll_room(body_length + RECORD_HEAD_ESTIMATE, cx).is_ready())
}

fn is_safe(method: u8) -> bool {
    SAFE_METHODS.contains(&method)
}

/// Opens the exchange of a request. If there are too many of them, or it cannot be parsed, answers that: nothing is open
/// then.
fn open(
    connection: &Rc<Connection>,
    lane: &mut Lane,
    method: u8,
    close: bool,
    parsed: Result<(), Kind>,
) -> Option<OpenRequest> {
    let state = &connection.state;
    let requests = connection.lane_requests.get() + 1;
    connection.lane_requests.set(requests);
    let mut request = OpenRequest {
        exchange: 0,
        since_ms: state.now_ms.get(),
        head_request: method == HEAD,
        safe: is_safe(method),
        close: close || requests >= state.options.max_requests_per_connection,
    };
    let opened = parsed.and_then(|()| {
        let room = state.may_open_exchange();
        let exchange = room.then(|| state.open_exchange(Exchange::in_lane(connection)));
        exchange.flatten().ok_or(Kind::ExchangeLimit)
    });
    match opened {
        Ok(exchange) => request.exchange = exchange,
        Err(kind) => {
            replies::refuse(connection, lane, &request, kind);
            return None;
        }
    }
    Some(request)
}

/// Writes the record of a request, and shows it to `seen`.
fn write_record(connection: &Connection, exchange: u64, head: &Head<'_, '_>, body: &[u8], seen: impl FnOnce(&[u8])) {
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

/// The request's record is written.
fn handed_over(connection: &Connection, lane: &mut Lane, request: OpenRequest) {
    let state = &connection.state;
    state.switches.metrics.requests.add(1);
    lane.last_turn = state.turn.get();
    lane.closing = request.close;
    lane.open.push_back(request);
}
