//! From bytes to records.

use std::rc::Rc;
use std::task::Context;

use hinny_codec::head::{self, Head, Parsed, Space};
use hinny_core::error::Kind;
use hinny_core::records::{RequestHead, RequestWriter};

use super::{Lane, Next, OPEN_BYTES_MAX, OPEN_MAX, OpenRequest, replies};
use crate::connection::Connection;
use crate::exchange::Exchange;
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
        let head = match head::parse(rest, connection.guard.limits(), &mut space) {
            Parsed::Plain(head) => head,
            Parsed::Partial => return (taken, Next::Input),
            Parsed::Odd => return (taken, Next::Hyper),
        };
        let Some(body_length) = body_length(connection, &head) else {
            return (taken, Next::Hyper);
        };
        let end = head.length + body_length;
        if rest.len() < end {
            return (taken, Next::Input);
        }
        if !may_hand_over(connection, lane, &head, body_length, cx) {
            return (taken, Next::Turn);
        }
        hand_over(connection, lane, &head, &rest[head.length..end]);
        taken += end;
        if lane.open.back().is_some_and(|request| request.close) {
            lane.closing = true;
        }
    }
    if lane.closing && taken < bytes.len() {
        // Dropped unread, it would make the kernel reset the connection.
        connection.end_early();
        taken = bytes.len();
    }
    (taken, Next::Input)
}

/// The length of the request's body, if the request is the lane's to serve.
fn body_length(connection: &Connection, head: &Head<'_, '_>) -> Option<usize> {
    let options = &connection.state.options;
    let length = head.content_length.unwrap_or(0);
    let has_fault = options.test_faults
        && head
            .fields()
            .any(|(_, name, _)| name.eq_ignore_ascii_case(FAULT_HEADER));
    if length > options.inline_body_bytes.min(options.max_body_bytes) || has_fault {
        return None;
    }
    connection.knows_host(head.host).then_some(())?;
    usize::try_from(length).ok()
}

/// Whether it is the request's turn. If not, the task is woken when it may be.
fn may_hand_over(
    connection: &Connection,
    lane: &Lane,
    head: &Head<'_, '_>,
    body_length: usize,
    cx: &Context<'_>,
) -> bool {
    let state = &connection.state;
    if let Some(newest) = lane.open.back() {
        let is_room = lane.open.len() < OPEN_MAX && lane.open.len() * lane.response_bytes < OPEN_BYTES_MAX;
        let side_by_side = newest.safe && is_safe(head) && is_room;
        if !side_by_side || !state.may_open_exchange() {
            return false;
        }
    }
    connection.socket.borrow().waiting() <= HOLD_BYTES
        && (body_length == 0 || state.poll_room(body_length + RECORD_HEAD_ESTIMATE, cx).is_ready())
}

fn is_safe(head: &Head<'_, '_>) -> bool {
    SAFE_METHODS.contains(&head.method)
}

/// Writes the request's record and opens its exchange. If there are too many of them, answers that: nothing is open then.
fn hand_over(connection: &Rc<Connection>, lane: &mut Lane, head: &Head<'_, '_>, body: &[u8]) {
    let state = &connection.state;
    let requests = connection.lane_requests.get() + 1;
    connection.lane_requests.set(requests);
    let request = OpenRequest {
        exchange: 0,
        since_ms: state.now_ms.get(),
        head_request: head.method == HEAD,
        safe: is_safe(head),
        close: head.close || requests >= state.options.max_requests_per_connection,
    };
    let exchange = state
        .may_open_exchange()
        .then(|| state.open_exchange(Exchange::in_lane(connection)))
        .flatten();
    let Some(exchange) = exchange else {
        return replies::refuse(connection, lane, &request, Kind::ExchangeLimit);
    };
    connection.with_last_host(|host, port| {
        let record = RequestHead {
            exchange,
            method_id: head.method,
            method: "",
            flags: 0,
            uri: head.path,
            query: head.query,
            server_name: host,
            server_port: port.unwrap_or(connection.local_port),
            remote_addr: &connection.remote_addr,
        };
        state.push_record(|out| {
            let mut writer = RequestWriter::new(out, &record, head.field_count());
            for (id, name, value) in head.fields() {
                writer.field(id, name, value);
            }
            writer.finish([body]);
        });
    });
    state.switches.metrics.requests.add(1);
    lane.last_turn = state.turn.get();
    lane.open.push_back(OpenRequest { exchange, ..request });
}
