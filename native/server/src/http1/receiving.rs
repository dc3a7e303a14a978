//! A request body that is still arriving: collected for a handler that is to be given all of it, handed over while its
//! handler reads, or dropped.
//!
//! # Invariants
//! - Of a body that is handed over, nothing is taken that the handler has not asked for: a slow handler stops the client,
//!   and `100 Continue` is sent when the handler first reads (RFC 9110 §10.1.1).
//! - Of a body that nobody reads, at most `:max-unread-body-bytes` are dropped; where more is left, or the client still
//!   waits for `100 Continue`, the connection ends with the response.

use std::rc::Rc;
use std::task::{Context, Poll};

use hinny_codec::framing::{BodyDecoder, Decoded};
use hinny_core::error::Kind;
use hinny_core::records;

use super::requests::{self, FirstPart};
use super::{Http1, OpenRequest, Refused, replies};
use crate::collected::Collected;
use crate::connection::Connection;
use crate::exchange::Demand;

/// The largest chunk record; the driver's inbox has room for some of them.
const CHUNK_BYTES_MAX: usize = 32 << 10;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A body that is still arriving.
pub(super) struct Receiving {
    pub(super) decoder: BodyDecoder,
    pub(super) to: Receiver,
    /// Bytes so far.
    pub(super) length: u64,
    /// The most that it may have.
    pub(super) limit: u64,
    /// How long the client may take from one piece to the next.
    pub(super) read_ms: u64,
    /// The client waits for `100 Continue`.
    pub(super) awaits_continue: bool,
    /// How its request is answered if it fails before anybody was given it.
    pub(super) head_request: bool,
    pub(super) http_10: bool,
}

/// Who the body is for.
pub(super) enum Receiver {
    /// A handler that is given it when it is whole, or when it has more than `most` bytes.
    Collector {
        head: Vec<u8>,
        body: Vec<u8>,
        most: u64,
        counted: Collected,
    },
    /// The handler of this exchange, as it reads.
    Handler(u64),
    /// Nobody: so many bytes more are dropped.
    Nobody(u64),
}

/// What became of bytes.
pub(super) enum Fed {
    /// The body has come to its end.
    Ended,
    /// More are needed.
    Input,
    /// Something else is.
    Turn,
    /// There will be no more requests.
    Failed,
}

impl Receiving {
    /// Whether the connection must end with the response to `request` because of what is still to come of its body, of which so
    /// many bytes are here.
    pub(super) fn outlasts(&self, request: &OpenRequest, is_produced: bool, here: usize, most: u64) -> bool {
        let is_its = match self.to {
            Receiver::Handler(exchange) => exchange == request.exchange,
            Receiver::Nobody(_) => true,
            Receiver::Collector { .. } => false,
        };
        is_its && (self.awaits_continue || !is_produced && self.to_come(here) > most)
    }

    /// How many bytes are still to come at least, of which so many are here.
    fn to_come(&self, here: usize) -> u64 {
        self.decoder.remaining().saturating_sub(here as u64)
    }
}

/// Gives bytes to the body that is arriving; returns how many are used.
pub(super) fn feed(connection: &Rc<Connection>, engine: &mut Http1, bytes: &[u8], cx: &Context<'_>) -> (usize, Fed) {
    let Some(mut receiving) = engine.receiving.take() else {
        return (0, Fed::Ended);
    };
    let mut used = 0;
    let fed = loop {
        let step = match receiving.to {
            Receiver::Collector { .. } => collect(connection, engine, &mut receiving, &bytes[used..], cx),
            Receiver::Handler(exchange) => hand_over(connection, engine, &mut receiving, exchange, &bytes[used..], cx),
            Receiver::Nobody(left) => drop_some(connection, &mut receiving, left, &bytes[used..]),
        };
        match step {
            Step::Used(count) => used += count,
            Step::Done(fed) => break fed,
            Step::Failed(kind) => {
                engine.receiving = Some(receiving);
                fail(connection, engine, kind);
                return (bytes.len(), Fed::Failed);
            }
            Step::GiveUp => {
                connection.wait_for_body(None);
                engine.closing = true;
                return (bytes.len(), Fed::Failed);
            }
        }
    };
    match fed {
        Fed::Ended => connection.wait_for_body(None),
        Fed::Input => {
            connection.wait_for_body(Some(receiving.read_ms));
            engine.receiving = Some(receiving);
        }
        Fed::Turn | Fed::Failed => {
            connection.wait_for_body(None);
            engine.receiving = Some(receiving);
        }
    }
    (used, fed)
}

enum Step {
    /// So many bytes are used; it goes on.
    Used(usize),
    Done(Fed),
    Failed(Kind),
    /// What is left is not waited for.
    GiveUp,
}

/// Reads the next data, at most `most` bytes; notes how much came.
fn decode<'b>(
    connection: &Connection,
    receiving: &mut Receiving,
    bytes: &'b [u8],
    most: usize,
) -> Result<Decoded<'b>, Kind> {
    let limits = connection.limits();
    let decoded = receiving.decoder.decode(bytes, most, limits);
    let decoded = decoded.map_err(|_| Kind::BodyMalformed)?;
    receiving.length += decoded.data.len() as u64;
    if receiving.length > receiving.limit {
        return Err(Kind::BodyTooLarge { limit: receiving.limit });
    }
    Ok(decoded)
}

fn collect(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    receiving: &mut Receiving,
    bytes: &[u8],
    cx: &Context<'_>,
) -> Step {
    let Receiver::Collector { most, .. } = receiving.to else {
        return Step::GiveUp;
    };
    let is_whole = receiving.decoder.has_ended();
    if is_whole || receiving.length > most {
        let nobody = Receiver::Nobody(connection.state.options.max_unread_body_bytes);
        let Receiver::Collector {
            head, body, counted, ..
        } = std::mem::replace(&mut receiving.to, nobody)
        else {
            return Step::GiveUp;
        };
        let first = FirstPart { body: &body, is_whole };
        return match requests::hand_over_collected(connection, engine, &head, &first, counted, cx) {
            Ok(_) if is_whole => Step::Done(Fed::Ended),
            Ok(Some(exchange)) => {
                receiving.to = Receiver::Handler(exchange);
                Step::Used(0)
            }
            // It was refused.
            Ok(None) => Step::Used(0),
            Err((_, counted)) => {
                receiving.to = Receiver::Collector {
                    head,
                    body,
                    most,
                    counted,
                };
                Step::Done(Fed::Turn)
            }
        };
    }
    if receiving.awaits_continue {
        if !engine.is_idle() {
            return Step::Done(Fed::Turn);
        }
        say_continue(connection, receiving);
    }
    if bytes.is_empty() {
        return Step::Done(Fed::Input);
    }
    match decode(connection, receiving, bytes, usize::MAX) {
        Ok(Decoded { data, used }) => {
            if let Receiver::Collector {
                body, most, counted, ..
            } = &mut receiving.to
            {
                body.extend_from_slice(data);
                // Without room it is streamed, what is here first.
                if *most < u64::MAX && !counted.grow(receiving.length) {
                    *most = 0;
                }
            }
            Step::Used(used)
        }
        Err(kind) => Step::Failed(kind),
    }
}

fn hand_over(
    connection: &Rc<Connection>,
    engine: &Http1,
    receiving: &mut Receiving,
    exchange: u64,
    bytes: &[u8],
    cx: &Context<'_>,
) -> Step {
    let state = &connection.state;
    let credit = match state.poll_demand(exchange, cx) {
        Poll::Pending => return Step::Done(Fed::Turn),
        Poll::Ready(Demand::Nothing) => {
            // What is here already costs nothing.
            receiving.to = Receiver::Nobody(state.options.max_unread_body_bytes + bytes.len() as u64);
            return Step::Used(0);
        }
        Poll::Ready(Demand::Bytes(credit)) => credit.min(CHUNK_BYTES_MAX),
    };
    if state.poll_room(credit + records::CHUNK_BODY, cx).is_pending() {
        return Step::Done(Fed::Turn);
    }
    if receiving.decoder.has_ended() {
        state.push_record(|out| records::write_chunk(out, exchange, &[], true));
        return Step::Done(Fed::Ended);
    }
    if receiving.awaits_continue {
        if engine.is_next(exchange) {
            say_continue(connection, receiving);
        } else if engine.is_sending(exchange) {
            // Its client has the final response instead, and sends the body or does not.
            receiving.awaits_continue = false;
        } else {
            return Step::Done(Fed::Turn);
        }
    }
    if bytes.is_empty() {
        return Step::Done(Fed::Input);
    }
    match decode(connection, receiving, bytes, credit) {
        Ok(Decoded { data, used }) => {
            if !data.is_empty() {
                state.spend(exchange, data.len());
                state.push_record(|out| records::write_chunk(out, exchange, data, false));
            }
            Step::Used(used)
        }
        Err(kind) => Step::Failed(kind),
    }
}

fn drop_some(connection: &Connection, receiving: &mut Receiving, left: u64, bytes: &[u8]) -> Step {
    if receiving.decoder.has_ended() {
        return Step::Done(Fed::Ended);
    }
    if receiving.awaits_continue || receiving.to_come(bytes.len()) > left {
        return Step::GiveUp;
    }
    if bytes.is_empty() {
        return Step::Done(Fed::Input);
    }
    match decode(connection, receiving, bytes, usize::MAX) {
        Ok(Decoded { data, used }) if data.len() as u64 <= left => {
            receiving.to = Receiver::Nobody(left - data.len() as u64);
            Step::Used(used)
        }
        Ok(_) | Err(_) => Step::GiveUp,
    }
}

fn say_continue(connection: &Connection, receiving: &mut Receiving) {
    receiving.awaits_continue = false;
    let mut socket = connection.socket.borrow_mut();
    socket.buffer(&connection.state).extend_from_slice(CONTINUE);
}

/// The body that is arriving has failed, if there is one. Whoever reads it learns of it; unless the request was answered,
/// the client does too.
pub(super) fn fail(connection: &Rc<Connection>, engine: &mut Http1, kind: Kind) {
    let Some(receiving) = engine.receiving.take() else {
        return;
    };
    connection.wait_for_body(None);
    engine.closing = true;
    match receiving.to {
        Receiver::Collector { .. } => {
            engine.refused = Some(Refused {
                kind,
                head_request: receiving.head_request,
                http_10: receiving.http_10,
            });
        }
        Receiver::Handler(exchange) => {
            let (state, code) = (&connection.state, usize::from(kind.code()));
            state.push_record(|out| records::write_signal(out, exchange, records::SIGNAL_BODY_FAILED, code));
            if state.store_failure(exchange, kind) {
                engine.stored += 1;
                replies::go_on(connection, engine);
            }
        }
        Receiver::Nobody(_) => {}
    }
}
