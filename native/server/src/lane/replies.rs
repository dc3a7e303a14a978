//! From replies to bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use hinny_core::commands::ResponseCommand;
use hinny_core::error::Kind;
use hinny_core::status::{self, Failure};

use super::{Lane, OpenRequest, settle};
use crate::connection::Connection;
use crate::exchange::Reply;
use crate::files::Outcome;
use crate::response_bytes::{self, Frame};

/// Writes the whole response to the oldest request. Its exchange is over.
pub(crate) fn answer<B: AsRef<[u8]>>(connection: &Rc<Connection>, command: &ResponseCommand<B>) {
    fenced(connection, |lane| {
        if let Some(request) = lane.open.pop_front() {
            respond(connection, lane, &request, command);
            go_on(connection, lane);
        }
    });
}

/// Writes the answer to an error of the oldest request. Its exchange is over.
pub(crate) fn fail(connection: &Rc<Connection>, failure: Failure) {
    fenced(connection, |lane| {
        if let Some(request) = lane.open.pop_front() {
            refuse(connection, lane, &request, failure);
            go_on(connection, lane);
        }
    });
}

/// Writes what becomes of the oldest request, which is for a file. Its exchange is over.
pub(crate) fn answer_file(connection: &Rc<Connection>, reply: Reply) {
    fenced(connection, |lane| {
        if let (Reply::File(outcome), Some(request)) = (reply, lane.open.pop_front()) {
            respond_file(connection, lane, &request, outcome);
            go_on(connection, lane);
        }
    });
}

/// A reply was kept with its exchange: it is not the oldest request's, or not whole.
pub(crate) fn stored(connection: &Rc<Connection>) {
    fenced(connection, |lane| {
        lane.stored += 1;
        go_on(connection, lane);
    });
}

/// Runs `body`; if it panics, that ends this connection and no other.
fn fenced(connection: &Connection, body: impl FnOnce(&mut Lane)) {
    let mut lane = connection.lane.borrow_mut();
    if catch_unwind(AssertUnwindSafe(|| body(&mut lane))).is_err() {
        drop(lane);
        panicked(connection);
    }
}

fn panicked(connection: &Connection) {
    connection.state.switches.metrics.panics.add(1);
    log::error!("connection of {} ended: {}", connection.remote_addr, Kind::Internal);
    connection.cut();
}

/// The oldest request has had no response for too long.
pub(super) fn time_out(connection: &Rc<Connection>) {
    let lane = &mut *connection.lane.borrow_mut();
    if let Some(request) = lane.open.pop_front() {
        let kind = Kind::HandlerTimeout;
        connection.state.end_exchange(request.exchange, Some(kind));
        refuse(connection, lane, &request, kind.into());
        go_on(connection, lane);
    }
}

/// Writes the replies that waited for the last one, and sees to it that all are sent.
fn go_on(connection: &Rc<Connection>, lane: &mut Lane) {
    while lane.stored > 0
        && let Some(oldest) = lane.open.front()
    {
        let Some(reply) = connection.state.take_stored(oldest.exchange) else {
            lane.adopt = connection.state.has_stored(oldest.exchange);
            break;
        };
        lane.stored -= 1;
        if let Some(request) = lane.open.pop_front() {
            match reply {
                Reply::Response(command) => respond(connection, lane, &request, &command),
                Reply::Fail(failure) => refuse(connection, lane, &request, failure),
                Reply::File(outcome) => respond_file(connection, lane, &request, outcome),
            }
        }
    }
    if !std::mem::replace(&mut lane.replied, true) {
        connection.state.replied.borrow_mut().push(Rc::clone(connection));
    }
}

/// Writes a whole response.
pub(super) fn respond<B: AsRef<[u8]>>(
    connection: &Connection,
    lane: &mut Lane,
    request: &OpenRequest,
    command: &ResponseCommand<B>,
) {
    let close = is_last(connection, lane, request);
    let written = with_frame(connection, request, close, |out, frame| {
        let start = out.len();
        let written = response_bytes::write_response(out, command, frame);
        lane.responded(out.len() - start);
        written
    });
    match written {
        Ok(true) => end(connection, lane),
        Ok(false) => {}
        Err(kind) => {
            log::error!("a response command does not decode: {kind}");
            refuse(connection, lane, request, kind.into());
        }
    }
}

/// Writes what becomes of a request for a file.
pub(super) fn respond_file(connection: &Connection, lane: &mut Lane, request: &OpenRequest, outcome: Outcome) {
    let answer = match outcome {
        Ok(answer) if answer.is_whole() => answer,
        Ok(_) => return refuse(connection, lane, request, Kind::Internal.into()),
        Err(kind) => {
            let format = request.format;
            return refuse(connection, lane, request, Failure { kind, format });
        }
    };
    connection.state.switches.metrics.core_responses.add(1);
    let close = is_last(connection, lane, request);
    with_frame(connection, request, close, |out, frame| {
        let start = out.len();
        response_bytes::write_file_answer(out, &answer, frame);
        lane.responded(out.len() - start);
    });
    if close {
        end(connection, lane);
    }
}

/// Writes the answer to an error.
pub(super) fn refuse(connection: &Connection, lane: &mut Lane, request: &OpenRequest, failure: Failure) {
    let close = is_last(connection, lane, request);
    let Some(answer) = status::answer(failure.kind) else {
        return end(connection, lane);
    };
    connection.refused(answer.status, &failure.kind);
    with_frame(connection, request, close, |out, frame| {
        response_bytes::write_answer(out, answer, failure.format, frame);
    });
    if answer.close || close {
        end(connection, lane);
    }
}

/// In a drain, or when the client has ended its side, a response that leaves nothing open is the last one.
fn is_last(connection: &Connection, lane: &Lane, request: &OpenRequest) -> bool {
    request.close || (lane.input_ended || connection.state.draining.get()) && lane.open.is_empty()
}

fn with_frame<T>(
    connection: &Connection,
    request: &OpenRequest,
    close: bool,
    write: impl FnOnce(&mut Vec<u8>, &Frame<'_>) -> T,
) -> T {
    let state = &connection.state;
    let mut date = state.date.borrow_mut();
    let frame = Frame {
        head_request: request.head_request,
        close,
        server: &state.server_line,
        date: date.line(state.now_ms()),
    };
    write(connection.socket.borrow_mut().buffer(state), &frame)
}

/// The response just written is the connection's last. Requests behind it are no longer served.
fn end(connection: &Connection, lane: &mut Lane) {
    lane.closing = true;
    lane.stored = 0;
    for request in lane.open.drain(..) {
        connection
            .state
            .end_exchange(request.exchange, Some(Kind::Disconnected));
    }
}

/// Sends what was written while the outbox was applied. A panic ends this connection and no other.
pub(crate) fn flush(connection: &Rc<Connection>) {
    if catch_unwind(AssertUnwindSafe(|| flush_unfenced(connection))).is_err() {
        panicked(connection);
    }
}

fn flush_unfenced(connection: &Rc<Connection>) {
    let flushed = connection.socket.borrow_mut().try_flush(&connection.state);
    connection.track_blocking();
    let lane = &mut *connection.lane.borrow_mut();
    lane.replied = false;
    match flushed {
        Ok(true) => connection.bytes_left(),
        Ok(false) => connection.wake(),
        Err(error) => {
            log::debug!("cannot write to {}: {error}", connection.remote_addr);
            return connection.cut();
        }
    }
    settle(connection, lane);
    if lane.needs_poll() {
        connection.wake();
    }
}
