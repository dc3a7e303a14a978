//! From replies to bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use hinny_core::commands::ResponseCommand;
use hinny_core::error::Kind;
use hinny_core::status;

use super::response_bytes::{self, Frame};
use super::{Http1, OpenRequest, Refused, sending, settle};
use crate::connection::Connection;
use crate::exchange::Reply;
use crate::files::Outcome;

/// Writes the whole response to the oldest request. Its exchange is over.
pub(crate) fn answer<B: AsRef<[u8]>>(connection: &Rc<Connection>, command: &ResponseCommand<B>) {
    fenced(connection, |engine| {
        if let Some(request) = engine.open.pop_front() {
            respond(connection, engine, &request, command);
            go_on(connection, engine);
        }
    });
}

/// Writes the answer to an error of the oldest request. Its exchange is over.
pub(crate) fn fail(connection: &Rc<Connection>, kind: Kind) {
    fenced(connection, |engine| {
        if let Some(request) = engine.open.pop_front() {
            refuse(connection, engine, &request, kind);
            go_on(connection, engine);
        }
    });
}

/// A reply was kept with its exchange. It is looked at when the outbox is applied: by then there may be more of it.
pub(crate) fn stored(connection: &Rc<Connection>) {
    fenced(connection, |engine| {
        engine.stored += 1;
        let_flush(connection, engine);
    });
}

/// More came of the response that is being sent, or it has come to its end.
pub(crate) fn go_on_sending(connection: &Rc<Connection>) {
    fenced(connection, |engine| {
        sending::go_on(connection, engine, None);
        let_flush(connection, engine);
    });
}

/// Runs `body`; if it panics, that ends this connection and no other.
fn fenced(connection: &Connection, body: impl FnOnce(&mut Http1)) {
    let mut engine = connection.http1.borrow_mut();
    if catch_unwind(AssertUnwindSafe(|| body(&mut engine))).is_err() {
        drop(engine);
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
    let engine = &mut *connection.http1.borrow_mut();
    if let Some(request) = engine.open.pop_front() {
        let kind = Kind::HandlerTimeout;
        connection.state.end_exchange(request.exchange, Some(kind));
        refuse(connection, engine, &request, kind);
        go_on(connection, engine);
    }
}

/// Writes the replies that waited for the last one, and sees to it that all are sent.
pub(super) fn go_on(connection: &Rc<Connection>, engine: &mut Http1) {
    while engine.stored > 0
        && engine.sending.is_none()
        && let Some(oldest) = engine.open.front()
        && let Some(reply) = connection.state.take_stored(oldest.exchange, connection)
    {
        engine.stored -= 1;
        if let Some(request) = engine.open.pop_front() {
            match reply {
                Reply::Response(command) if command.is_whole() => respond(connection, engine, &request, &command),
                Reply::Response(command) => sending::begin(connection, engine, request, command),
                Reply::Fail(kind) => refuse(connection, engine, &request, kind),
                Reply::File(outcome) => respond_file(connection, engine, request, outcome),
            }
        }
    }
    let_flush(connection, engine);
}

/// What was written goes to the socket when the outbox is applied.
fn let_flush(connection: &Rc<Connection>, engine: &mut Http1) {
    if !std::mem::replace(&mut engine.replied, true) {
        connection.state.replied.borrow_mut().push(Rc::clone(connection));
    }
}

/// Writes a whole response.
pub(super) fn respond<B: AsRef<[u8]>>(
    connection: &Connection,
    engine: &mut Http1,
    request: &OpenRequest,
    command: &ResponseCommand<B>,
) {
    let close = is_last(connection, engine, request, false);
    let written = with_frame(connection, request, close, |out, frame| {
        let start = out.len();
        let written = response_bytes::write_response(out, command, frame);
        // A large one counts less the longer it is ago.
        engine.response_bytes = (out.len() - start).max(engine.response_bytes / 2);
        written
    });
    match written {
        Ok(true) => end(connection, engine),
        Ok(false) => {}
        Err(kind) => {
            log::error!("a response command does not decode: {kind}");
            refuse(connection, engine, request, kind);
        }
    }
}

/// Writes what becomes of a request for a file.
pub(super) fn respond_file(connection: &Rc<Connection>, engine: &mut Http1, request: OpenRequest, outcome: Outcome) {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(kind) => return refuse(connection, engine, &request, kind),
    };
    connection.state.switches.metrics.core_responses.add(1);
    if !answer.is_whole() {
        return sending::begin_file(connection, engine, request, answer);
    }
    let close = is_last(connection, engine, &request, false);
    with_frame(connection, &request, close, |out, frame| {
        let start = out.len();
        response_bytes::write_file_head(out, &answer, frame);
        out.extend_from_slice(answer.whole_content());
        engine.response_bytes = (out.len() - start).max(engine.response_bytes / 2);
    });
    if close {
        end(connection, engine);
    }
}

/// Writes the answer to an error.
pub(super) fn refuse(connection: &Connection, engine: &mut Http1, request: &OpenRequest, kind: Kind) {
    let close = is_last(connection, engine, request, false);
    let Some(answer) = status::answer(kind) else {
        return end(connection, engine);
    };
    connection.state.switches.metrics.errors_answered.add(1);
    with_frame(connection, request, close, |out, frame| {
        response_bytes::write_answer(out, answer, frame);
    });
    if answer.close || close {
        end(connection, engine);
    }
}

/// Answers what is no request, or one that cannot be served.
pub(super) fn refuse_bytes(connection: &Connection, engine: &mut Http1, refused: Refused) {
    log::debug!("connection of {} ended: {}", connection.remote_addr, refused.kind);
    let request = OpenRequest {
        exchange: 0,
        since_ms: 0,
        handler_ms: 0,
        head_request: refused.head_request,
        http_10: refused.http_10,
        asks_to_close: false,
        counted: None,
        safe: false,
        close: true,
    };
    refuse(connection, engine, &request, refused.kind);
}

/// Whether the connection ends with the response to a request. In a drain, one that leaves nothing open is the last. `is_produced`:
/// its handler may still read while it writes the response.
pub(super) fn is_last(connection: &Connection, engine: &Http1, request: &OpenRequest, is_produced: bool) -> bool {
    let state = &connection.state;
    let leaves_nothing = engine.open.is_empty() && engine.refused.is_none();
    let left_most = state.options.max_unread_body_bytes;
    let receiving = engine.receiving.as_ref();
    request.close
        || leaves_nothing && (engine.closing || engine.has_heard_all() || state.draining.get())
        || receiving.is_some_and(|receiving| receiving.outlasts(request, is_produced, engine.rest.len(), left_most))
}

pub(super) fn with_frame<T>(
    connection: &Connection,
    request: &OpenRequest,
    close: bool,
    write: impl FnOnce(&mut Vec<u8>, &Frame<'_>) -> T,
) -> T {
    let state = &connection.state;
    let mut date = state.date.borrow_mut();
    let frame = Frame {
        head_request: request.head_request,
        http_10: request.http_10,
        close_is_understood: request.http_10 && request.asks_to_close,
        close,
        server: &state.server_line,
        date: date.line(state.now_ms()),
    };
    write(connection.socket.borrow_mut().buffer(state), &frame)
}

/// The response just written is the connection's last. Requests behind it are no longer served.
pub(super) fn end(connection: &Connection, engine: &mut Http1) {
    engine.closing = true;
    engine.stored = 0;
    engine.refused = None;
    engine.receiving = None;
    connection.wait_for_body(None);
    for request in engine.open.drain(..) {
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
    if connection.http1.borrow().stored > 0 {
        go_on(connection, &mut connection.http1.borrow_mut());
    }
    let flushed = connection.socket.borrow_mut().try_flush(&connection.state);
    connection.track_blocking();
    let engine = &mut *connection.http1.borrow_mut();
    engine.replied = false;
    match flushed {
        Ok(true) => connection.bytes_left(),
        Ok(false) => connection.wake(),
        Err(error) => {
            log::debug!("cannot write to {}: {error}", connection.remote_addr);
            return connection.cut();
        }
    }
    settle(connection, engine);
    if engine.needs_poll() {
        connection.wake();
    }
}
