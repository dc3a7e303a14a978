//! hyper's service: turns a request into a record, waits for the reply, and turns the reply into a response.
//!
//! # Invariants
//! - A request without a body is written to the inbox and dropped inside `call`: hyper then allocates nothing for it,
//!   and its header map becomes the response's.
//! - What RFC 9110/9112 forbid and hyper lets pass is refused here, before a handler sees it.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hinny_core::error::{HeadFault, Kind};
use hinny_core::records::{self, FLAG_HTTP_10, METHOD_LENGTH_MAX, RequestHead};
use http::header::TRANSFER_ENCODING;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::Service;

use crate::body::ArrivingRequest;
use crate::connection::Connection;
use crate::exchange::{OpenExchange, Reply};
use crate::response::{self, WholeBody};

/// What a request's head may add to its body's length in the inbox.
pub(crate) const RECORD_HEAD_ESTIMATE: usize = 4 << 10;

/// A header field that triggers a fault, for the boundary tests; heeded only with `Options::test_faults`.
const FAULT_HEADER: &str = "x-hinny-fault";

/// The service of one connection.
pub(crate) struct HttpService {
    connection: Rc<Connection>,
}

impl HttpService {
    pub(crate) const fn new(connection: Rc<Connection>) -> Self {
        Self { connection }
    }
}

impl Service<Request<Incoming>> for HttpService {
    type Response = Response<WholeBody>;
    type Error = Kind;
    type Future = ResponseFuture;

    fn call(&self, request: Request<Incoming>) -> ResponseFuture {
        let connection = Rc::clone(&self.connection);
        if connection.state.options.test_faults {
            trigger_fault(&connection, request.headers());
        }
        let head_request = *request.method() == Method::HEAD;
        let (parts, body) = request.into_parts();
        let progress = if body.is_end_stream() {
            dispatch(&connection, parts, &[])
        } else {
            check_line(&parts)
                .and_then(|()| check_transfer_encoding(&parts.headers))
                .and_then(|()| connection.with_server_name(&parts, |_, _| ()))
                .and_then(|()| ArrivingRequest::new(&connection, parts, body))
                .map(|arriving| Progress::Arriving(Box::new(arriving)))
        };
        ResponseFuture {
            connection,
            head_request,
            progress: progress.unwrap_or_else(Progress::Failed),
        }
    }
}

/// The response to one request.
pub(crate) struct ResponseFuture {
    connection: Rc<Connection>,
    head_request: bool,
    progress: Progress,
}

enum Progress {
    Arriving(Box<ArrivingRequest>),
    Dispatched(OpenExchange),
    Failed(Kind),
}

impl Future for ResponseFuture {
    type Output = Result<Response<WholeBody>, Kind>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Progress::Arriving(arriving) = &mut this.progress {
            let whole = ready!(arriving.poll_whole(&this.connection, cx));
            let arrived = std::mem::replace(&mut this.progress, Progress::Failed(Kind::Internal));
            this.progress = match (whole, arrived) {
                (Ok(()), Progress::Arriving(request)) => {
                    dispatch(&this.connection, request.parts, &request.chunks).unwrap_or_else(Progress::Failed)
                }
                (Err(kind), _) => Progress::Failed(kind),
                (Ok(()), other) => other,
            };
        }
        let reply = match &this.progress {
            Progress::Dispatched(exchange) => ready!(exchange.poll_reply(cx)),
            Progress::Failed(kind) => Reply::Fail(*kind),
            Progress::Arriving(_) => Reply::Fail(Kind::Internal),
        };
        let response = match reply {
            Reply::Response(command) => {
                response::from_command(&this.connection, this.head_request, &command).or_else(|kind| {
                    log::error!("a response command does not decode: {kind}");
                    response::from_kind(&this.connection, kind)
                })
            }
            Reply::Fail(kind) => response::from_kind(&this.connection, kind),
        };
        this.connection.answered();
        Poll::Ready(response)
    }
}

/// Writes the request's record and opens its exchange.
fn dispatch(connection: &Rc<Connection>, parts: Parts, chunks: &[Bytes]) -> Result<Progress, Kind> {
    check_line(&parts)?;
    let state = &connection.state;
    let exchange = OpenExchange::open(state).ok_or(Kind::Overloaded)?;
    connection.with_server_name(&parts, |host, port| {
        let head = RequestHead {
            exchange: exchange.id(),
            method: &parts.method,
            flags: if parts.version == Version::HTTP_10 {
                FLAG_HTTP_10
            } else {
                0
            },
            uri: parts.uri.path(),
            query: parts.uri.query(),
            server_name: host.unwrap_or(&connection.local_addr),
            server_port: port.unwrap_or(connection.local_port),
            remote_addr: &connection.remote_addr,
        };
        state.push_record(|out| records::write_request(out, &head, &parts.headers, chunks));
    })?;
    state.switches.metrics.requests.add(1);
    connection.dispatched();
    let mut headers = parts.headers;
    headers.clear();
    connection.spare_headers.replace(headers);
    Ok(Progress::Dispatched(exchange))
}

/// Checks method and target.
fn check_line(parts: &Parts) -> Result<(), Kind> {
    let (method, path) = (&parts.method, parts.uri.path());
    let is_target = path.starts_with('/') || (path == "*" && *method == Method::OPTIONS);
    let fault = if *method == Method::CONNECT {
        HeadFault::ConnectTarget
    } else if method.as_str().len() > METHOD_LENGTH_MAX {
        HeadFault::MethodTooLong
    } else if !is_target {
        HeadFault::TargetInvalid
    } else {
        return Ok(());
    };
    Err(Kind::HeadMalformed(fault))
}

/// RFC 9112 §6.1: what precedes `chunked` would have to be decoded, and a second `chunked` is forbidden.
fn check_transfer_encoding(headers: &HeaderMap) -> Result<(), Kind> {
    let mut values = headers.get_all(TRANSFER_ENCODING).iter();
    let first_is_right = values
        .next()
        .is_none_or(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    if first_is_right && values.next().is_none() {
        Ok(())
    } else {
        Err(Kind::HeadMalformed(HeadFault::TransferEncodingInvalid))
    }
}

fn trigger_fault(connection: &Connection, headers: &HeaderMap) {
    match headers.get(FAULT_HEADER).map(http::HeaderValue::as_bytes) {
        Some(b"connection") => panic!("test fault: connection"),
        Some(b"poll") => connection.state.arm_poll_fault(),
        _ => {}
    }
}
