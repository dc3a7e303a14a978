//! hyper's service: turns a request into a record, waits for the reply, and turns the reply into a response.
//!
//! # Invariants
//! - A request without a body is written to the inbox and dropped inside `call`: hyper then allocates nothing for it,
//!   and its header map becomes the response's.
//! - What RFC 9110/9112 forbid and hyper lets pass is refused here, before a handler sees it.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hinny_codec::{negotiation, target};
use hinny_core::commands::ResponseCommand;
use hinny_core::error::{HeadFault, Kind};
use hinny_core::names;
use hinny_core::options::Parse;
use hinny_core::records::{self, FLAG_BODY_STREAM, FLAG_HTTP_10, METHOD_LENGTH_MAX, RequestHead};
use hinny_core::status::Failure;
use hinny_router::{Asked, Method as RequestMethod};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::Service;
use tokio::task::JoinHandle;

use crate::body::{Arrival, ArrivingRequest, BodyRest};
use crate::collected::Collected;
use crate::connection::Connection;
use crate::event_loop::LoopState;
use crate::exchange::{OpenExchange, Reply};
use crate::file_reply::FileTarget;
use crate::files::FileParts;
use crate::files::{Lookup, Outcome};
use crate::parse::{self, BodyKind};
use crate::response::{self, Content};
use crate::response_body::{self, ResponseBody};
use crate::route_table::RouteTable;
use crate::routing::{Destination, RoutedRequest, Target};
use crate::test_faults::{FAULT_HEADER, TestFaults};
use crate::timeouts::{Phase, RequestTimeouts};

/// What a request's head may add to its body's length in the inbox.
pub(crate) const RECORD_HEAD_ESTIMATE: usize = 4 << 10;

/// Ids of exchanges are never 0.
const NO_EXCHANGE: u64 = 0;

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
    type Response = Response<ResponseBody>;
    type Error = Kind;
    type Future = ResponseFuture;

    fn call(&self, request: Request<Incoming>) -> ResponseFuture {
        let connection = Rc::clone(&self.connection);
        connection.guard.request_taken();
        connection.state.hold_half(&connection, 0);
        if connection.state.options.test_faults {
            trigger_fault(&connection, request.headers());
        }
        let head_request = *request.method() == Method::HEAD;
        let http_10 = request.version() == Version::HTTP_10;
        if let Some(exchange) = connection.adopted.borrow_mut().pop_front() {
            // The request stands for the one that the lane has read; the handler has that.
            connection.dispatched(exchange.id(), connection.state.options.route.on_loop, false);
            return ResponseFuture {
                connection: Rc::clone(&connection),
                head_request,
                http_10,
                accept: None,
                progress: Progress::Dispatched(exchange),
                collected: None,
            };
        }
        // Until it has its response, the end of the client's side is not for hyper.
        connection.enter(Phase::Handler);
        let (parts, body) = request.into_parts();
        let accept = parts.headers.get(ACCEPT).cloned();
        let progress = check_line(&parts).and_then(|()| begin(&connection, parts, body));
        ResponseFuture {
            connection,
            head_request,
            http_10,
            accept,
            progress: progress.unwrap_or_else(Progress::failed),
            collected: None,
        }
    }
}

/// The response to one request.
pub(crate) struct ResponseFuture {
    connection: Rc<Connection>,
    head_request: bool,
    http_10: bool,
    /// What the client accepts; looked at when an error is answered.
    accept: Option<HeaderValue>,
    progress: Progress,
    /// What the request's body counts until the response begins.
    collected: Option<Collected>,
}

enum Progress {
    Arriving(Box<ArrivingRequest>),
    /// The core has the response.
    Answered(ResponseCommand<Bytes>),
    /// The core has found the file that is asked for, or not.
    File(Outcome),
    Dispatched(OpenExchange),
    /// The handler answered with a file, which is being opened.
    Opening(Box<Opening>),
    Failed(Failure),
}

impl Progress {
    fn failed(kind: Kind) -> Self {
        Self::Failed(kind.into())
    }
}

struct Opening {
    command: ResponseCommand<Bytes>,
    file: JoinHandle<io::Result<FileParts>>,
}

impl ResponseFuture {
    /// Waits for as much of the request as the handler is to be given at once, and gives it that.
    fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Progress::Arriving(arriving) = &mut self.progress else {
            return Poll::Ready(());
        };
        let arrival = ready!(arriving.poll_arrival(&self.connection, cx));
        self.connection.state.hold_half(&self.connection, 0);
        let Progress::Arriving(mut request) = std::mem::replace(&mut self.progress, Progress::failed(Kind::Internal))
        else {
            return Poll::Ready(());
        };
        let chunks = request.take_chunks();
        self.collected = Some(request.take_collected(&self.connection));
        // Matched again: meanwhile there may be another table, or another request's parameters in the loop's memory.
        let table = self.connection.state.routes();
        let destination = || {
            destination(
                &self.connection,
                table.as_ref().map(|table| &***table),
                &request.parts,
                true,
            )
        };
        self.progress = match arrival.map(|arrival| (arrival, destination())) {
            Ok((Arrival::Whole, Destination::Handler(target))) => {
                dispatch(&self.connection, request.parts, &chunks, false, &target)
            }
            Ok((Arrival::First, Destination::Handler(target))) => {
                let (parts, rest) = request.split();
                dispatch(&self.connection, parts, &chunks, true, &target).inspect(|progress| {
                    if let Progress::Dispatched(exchange) = progress {
                        rest.stream(&self.connection, exchange.id());
                    }
                })
            }
            Ok((arrival, core)) => {
                let (parts, rest) = request.split();
                let progress = answer(&self.connection, core, &parts);
                if matches!(arrival, Arrival::First) {
                    drop_body(&self.connection, rest);
                }
                progress
            }
            Err(kind) => Err(kind),
        }
        .unwrap_or_else(Progress::failed);
        Poll::Ready(())
    }

    fn poll_response(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<ResponseBody>, Kind>> {
        ready!(self.poll_arrival(cx));
        if let Progress::Dispatched(exchange) = &mut self.progress {
            let reply = match exchange.poll_reply(cx) {
                Poll::Ready(reply) => reply,
                Poll::Pending if self.connection.take_expired() => Reply::Fail(Phase::Handler.expiry().into()),
                Poll::Pending => return Poll::Pending,
            };
            if let Reply::Response(command) = &reply
                && command.is_whole()
            {
                exchange.complete();
                let body = command.body().unwrap_or_default();
                return Poll::Ready(self.respond(command, Content::Whole(body)));
            }
            match self.take_reply(reply) {
                Ok(Some(response)) => return Poll::Ready(Ok(response)),
                Ok(None) => {}
                Err(failure) => self.progress = Progress::Failed(failure),
            }
        }
        if matches!(self.progress, Progress::File(_))
            && let Progress::File(outcome) = std::mem::replace(&mut self.progress, Progress::failed(Kind::Internal))
        {
            return Poll::Ready(match outcome {
                Ok(answer) => Ok(response::from_file_answer(&self.connection, self.head_request, answer)),
                Err(kind) => self.refuse(kind.into()),
            });
        }
        if let Progress::Answered(command) = &self.progress {
            return Poll::Ready(self.respond(command, Content::Whole(command.body().unwrap_or_default())));
        }
        if let Progress::Opening(opening) = &mut self.progress {
            let opened =
                ready!(Pin::new(&mut opening.file).poll(cx)).unwrap_or_else(|lost| Err(io::Error::other(lost)));
            let progress = std::mem::replace(&mut self.progress, Progress::failed(Kind::FileUnreadable));
            if let Progress::Opening(opening) = progress {
                match opened {
                    Ok(file) => return Poll::Ready(self.respond(&opening.command, Content::File(file))),
                    Err(error) => {
                        log::error!("cannot send the file {}: {error}", path_of(&opening.command).display());
                    }
                }
            }
        }
        let Progress::Failed(failure) = self.progress else {
            return Poll::Ready(Err(Kind::Internal));
        };
        Poll::Ready(self.refuse(failure))
    }

    /// The answer to an error, told as the client wants it.
    fn refuse(&self, failure: Failure) -> Result<Response<ResponseBody>, Kind> {
        let format = match &self.accept {
            Some(accept) => negotiation::error_format(Some(accept.as_bytes())),
            None => failure.format,
        };
        response::from_kind(&self.connection, failure.kind, format)
    }

    /// The response of a reply that is not whole; `None` if a file must be opened first.
    fn take_reply(&mut self, reply: Reply) -> Result<Option<Response<ResponseBody>>, Failure> {
        let progress = std::mem::replace(&mut self.progress, Progress::failed(Kind::Internal));
        let Progress::Dispatched(mut exchange) = progress else {
            return Err(Kind::Internal.into());
        };
        let command = match reply {
            Reply::Response(command) => command,
            Reply::File(outcome) => {
                exchange.complete();
                self.progress = Progress::File(outcome);
                return Ok(None);
            }
            Reply::Fail(failure) => {
                if failure.kind.is_from_handler() {
                    exchange.complete();
                } else {
                    exchange.end_as(failure.kind);
                }
                return Err(failure);
            }
        };
        if command.is_streamed() {
            if let Some(first) = command.body() {
                exchange.state().deliver_first_chunk(exchange.id(), &first);
            }
            let response = self.respond(&command, Content::Chunked(exchange));
            return response.map(Some).map_err(Failure::from);
        }
        exchange.complete();
        let path = path_of(&command);
        let file = tokio::task::spawn_blocking(move || response_body::open_file(&path));
        self.progress = Progress::Opening(Box::new(Opening { command, file }));
        Ok(None)
    }

    fn respond(&self, command: &ResponseCommand<Bytes>, content: Content) -> Result<Response<ResponseBody>, Kind> {
        response::from_command(&self.connection, self.head_request, command, content).or_else(|kind| {
            log::error!("a response command does not decode: {kind}");
            self.refuse(kind.into())
        })
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, Kind>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(self.poll_response(cx));
        if self.http_10
            && let Ok(response) = &mut response
        {
            response::speak_http_10(response);
        }
        match &response {
            Ok(response) if !matches!(response.body(), ResponseBody::Whole(_)) => self.connection.responding(),
            _ => self.connection.answered(),
        }
        Poll::Ready(response)
    }
}

/// The path in a response command, as Java spells it for the system.
fn path_of(command: &ResponseCommand<Bytes>) -> PathBuf {
    OsString::from_vec(command.body().unwrap_or_default().to_vec()).into()
}

/// Begins with a request whose head is right.
fn begin(connection: &Rc<Connection>, parts: Parts, body: Incoming) -> Result<Progress, Kind> {
    let has_body = !body.is_end_stream();
    let table = connection.state.routes();
    let destination = destination(connection, table.as_ref().map(|table| &***table), &parts, has_body);
    if !matches!(destination, Destination::Handler(_)) || has_body {
        // Else it is looked at when the record is written.
        connection.with_server_name(&parts, |_, _| ())?;
    }
    match destination {
        Destination::Handler(target) if has_body => ArrivingRequest::new(connection, parts, body, target.options)
            .map(|arriving| Progress::Arriving(Box::new(arriving))),
        Destination::Handler(target) => dispatch(connection, parts, &[], false, &target),
        core => {
            let progress = answer(connection, core, &parts);
            if has_body {
                let options = &connection.state.options.route;
                drop_body(connection, BodyRest::new(&parts, body, 0, options));
            }
            progress
        }
    }
}

/// Who answers a request.
fn destination<'r>(
    connection: &'r Connection,
    table: Option<&'r RouteTable>,
    parts: &Parts,
    has_body: bool,
) -> Destination<'r> {
    let state = &connection.state;
    let Some(table) = table else {
        return Destination::Handler(state.own_handler());
    };
    let request = RoutedRequest {
        method: RequestMethod {
            id: names::method_id(&parts.method),
            text: parts.method.as_str(),
        },
        path: parts.uri.path().as_bytes(),
        query: parts.uri.query().map(str::as_bytes),
        escaped: true,
    };
    if let Some(destination) = state.routed(table, &request, None) {
        return destination;
    }
    let accepts: Vec<&[u8]> = parts
        .headers
        .get_all(ACCEPT)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let accept = accepts.join(&b","[..]);
    let asked = Asked {
        has_body,
        content_type: parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes),
        accept: (!accepts.is_empty()).then_some(accept.as_slice()),
    };
    let destination = state.routed(table, &request, Some(&asked));
    destination.unwrap_or(Destination::Refused(Kind::Internal))
}

/// The core answers without the body.
fn drop_body(connection: &Rc<Connection>, rest: BodyRest) {
    connection.dispatched(NO_EXCHANGE, false, true);
    rest.stream(connection, NO_EXCHANGE);
}

/// Answers what is the core's to answer.
fn answer(connection: &Rc<Connection>, core: Destination<'_>, parts: &Parts) -> Result<Progress, Kind> {
    let state = &connection.state;
    match core {
        Destination::Answered(response) => {
            let response = response.told(|| {
                let accept = parts.headers.get(ACCEPT).map(HeaderValue::as_bytes);
                negotiation::error_format(accept)
            });
            state.may_answer(response.command().len())?;
            connection.core_answered(response.command());
            Ok(Progress::Answered(response.into_own()))
        }
        Destination::Files(endpoint) => {
            let target = FileTarget {
                head: parts.method == Method::HEAD,
                path: parts.uri.path().as_bytes(),
                query: parts.uri.query().map(str::as_bytes),
            };
            let fields = parts.headers.iter();
            let fields = fields.map(|(name, value)| (names::header_id(name.as_str()), value.as_bytes()));
            Ok(match state.find_file(endpoint, &target, fields) {
                Lookup::Known(outcome) => Progress::File(outcome),
                Lookup::Unknown(look) => {
                    let exchange = OpenExchange::open(state, 0)?;
                    state.look(endpoint, exchange.id(), look);
                    connection.dispatched(NO_EXCHANGE, false, false);
                    Progress::Dispatched(exchange)
                }
            })
        }
        Destination::Refused(kind) => Err(kind),
        Destination::Handler(_) => Err(Kind::Internal),
    }
}

/// Writes the request's record and opens its exchange.
fn dispatch(
    connection: &Rc<Connection>,
    parts: Parts,
    chunks: &[Bytes],
    streamed: bool,
    target: &Target<'_>,
) -> Result<Progress, Kind> {
    let state = &connection.state;
    let body_bytes: usize = chunks.iter().map(Bytes::len).sum();
    let mut exchange = OpenExchange::open(state, body_bytes + RECORD_HEAD_ESTIMATE)?;
    if let Err(kind) = parse(state, target.options.parse, &parts, chunks, streamed) {
        // No handler knows of it.
        exchange.complete();
        return Err(kind);
    }
    let version_flag = if parts.version == Version::HTTP_10 {
        FLAG_HTTP_10
    } else {
        0
    };
    let stream_flag = if streamed { FLAG_BODY_STREAM } else { 0 };
    let written = connection.with_server_name(&parts, |host, port| {
        let head = RequestHead {
            exchange: exchange.id(),
            method_id: names::method_id(&parts.method),
            method: parts.method.as_str(),
            flags: version_flag | stream_flag,
            uri: parts.uri.path().as_bytes(),
            query: parts.uri.query().map(str::as_bytes),
            server_name: host.unwrap_or(&connection.local_addr),
            server_port: port.unwrap_or(connection.local_port),
            remote_addr: &connection.remote_addr,
            endpoint: target.endpoint,
        };
        state.push_record(|out| {
            let start = out.len();
            records::write_request(out, &head, &parts.headers, chunks);
            state.parsed.borrow().add_to(out, start);
            state.count_request(exchange.id(), out.len() - start);
        });
    });
    if let Err(kind) = written {
        // No handler knows of it.
        exchange.complete();
        return Err(kind);
    }
    state.switches.metrics.requests.add(1);
    connection.request_timeouts.set(RequestTimeouts::from(target.options));
    connection.dispatched(exchange.id(), target.options.on_loop, streamed);
    let mut headers = parts.headers;
    headers.clear();
    connection.spare_headers.replace(headers);
    Ok(Progress::Dispatched(exchange))
}

/// Parses what is asked for.
fn parse(state: &LoopState, wanted: Parse, parts: &Parts, chunks: &[Bytes], streamed: bool) -> Result<(), Kind> {
    if !wanted.is_any() {
        return Ok(());
    }
    let query = parts.uri.query().map(str::as_bytes);
    let kind = if streamed {
        BodyKind::Opaque
    } else {
        BodyKind::of_request(&parts.headers)
    };
    let pieces: Vec<&[u8]> = chunks.iter().map(Bytes::as_ref).collect();
    parse::parse(state, wanted, query, kind, &pieces)
}

/// Checks method and target.
fn check_line(parts: &Parts) -> Result<(), Kind> {
    let (method, path) = (&parts.method, parts.uri.path());
    let is_target =
        (path.starts_with('/') && target::is_path(path.as_bytes()) && parts.uri.query().is_none_or(target::is_query))
            || (path == "*" && *method == Method::OPTIONS);
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

fn trigger_fault(connection: &Connection, headers: &HeaderMap) {
    match headers.get(FAULT_HEADER).map(http::HeaderValue::as_bytes) {
        Some(b"connection") => panic!("test fault: connection"),
        Some(name) => {
            if let Some(fault) = TestFaults::named(name) {
                connection.state.arm_fault(fault);
            }
        }
        None => {}
    }
}
