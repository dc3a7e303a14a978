//! The rival of the load benches: a hyper server with the endpoints of the Hinny application.
//!
//! Built as hyper's TechEmpower entry is: one `current_thread` runtime a core, a listener each on the
//! same port, a backlog of 4096, `pipeline_flush` on, no timer (so no header-read timeout), the
//! request kept until the answer is made. Where the entry boxes its bodies for the sake of other
//! endpoints, this one does not.
//!
//! # Invariants
//! - Every listener is bound before `listening on …` is printed: no connection is refused after it.
//! - The JSON text is serialised for each request; nothing of an answer but constants and the customers of `/service`
//!   outlives it.
//!
//! # Threads
//! One event loop a thread: the main thread and `hyper-peer-N`. They share nothing.

#![forbid(unsafe_code)]

mod service;

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::thread;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue, SERVER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use tokio::runtime;

/// Connections that wait to be accepted, for each listener; TechEmpower's figure.
const BACKLOG: i32 = 4096;

const USAGE: &str = "usage: hinny-hyper-peer [--threads N] [--port PORT]";

static SERVER_NAME: HeaderValue = HeaderValue::from_static("hyper");
static TEXT_PLAIN: HeaderValue = HeaderValue::from_static("text/plain");
static APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What the command line sets.
#[derive(Debug)]
struct Options {
    threads: usize,
    port: u16,
}

/// The object that `/json` answers.
#[derive(Debug, Serialize)]
struct Message<'a> {
    message: &'a str,
}

fn main() -> ExitCode {
    let options = match parse_options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("hinny-hyper-peer: {message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hinny-hyper-peer: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the options; the message of an error names the argument.
fn parse_options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        threads: thread::available_parallelism().map_or(1, usize::from),
        port: 0,
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        let invalid = || format!("{name} cannot be {value:?}");
        match name.as_str() {
            "--threads" => {
                options.threads = value.parse().map_err(|_| invalid())?;
                if options.threads == 0 {
                    return Err(invalid());
                }
            }
            "--port" => options.port = value.parse().map_err(|_| invalid())?,
            _ => return Err(format!("unknown argument {name}")),
        }
    }
    Ok(options)
}

/// Binds every listener, says where, and serves until a listener fails.
fn run(options: &Options) -> io::Result<()> {
    service::prepare();
    let first = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port)))?;
    let address = first.local_addr()?;
    let others = (1..options.threads)
        .map(|_| bind(address))
        .collect::<io::Result<Vec<_>>>()?;
    for (index, listener) in others.into_iter().enumerate() {
        thread::Builder::new()
            .name(format!("hyper-peer-{}", index + 1))
            .spawn(move || {
                if let Err(error) = serve(listener) {
                    eprintln!("hinny-hyper-peer: listener {}: {error}", index + 1);
                }
            })?;
    }
    println!("listening on {address}");
    serve(first)
}

/// Binds a listener that shares its port; accepted connections inherit `TCP_NODELAY`.
fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Runs one event loop on this thread.
fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        // A task of its own, so that accepting is scheduled like the connections are.
        match runtime.spawn(accept(listener)).await {
            Ok(result) => result,
            Err(error) => Err(io::Error::other(error)),
        }
    })
}

/// Accepts connections and serves each in a task, until accepting fails for good.
async fn accept(listener: TcpListener) -> io::Result<()> {
    let mut http = http1::Builder::new();
    http.pipeline_flush(true);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        let connection = http.serve_connection(TokioIo::new(stream), service_fn(answer));
        // A client that goes away is an error here; it concerns nobody else.
        tokio::spawn(async move { drop(connection.await) });
    }
}

/// Answers one request; any method will do, as in the TechEmpower entry.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
    Ok(match request.uri().path() {
        "/plaintext" => ok(&TEXT_PLAIN, Bytes::from_static(b"Hello, World!")),
        "/json" => {
            let message = Message {
                message: "Hello, World!",
            };
            ok(&APPLICATION_JSON, serde_json::to_vec(&message)?.into())
        }
        "/service" => {
            let (head, body) = request.into_parts();
            let order = body.collect().await?.to_bytes();
            match service::answer(head.uri.query().unwrap_or_default(), &order) {
                Ok(json) => ok(&APPLICATION_JSON, json.into()),
                Err(service::Kind::Malformed) => empty(StatusCode::BAD_REQUEST),
                Err(service::Kind::Unknown) => empty(StatusCode::NOT_FOUND),
            }
        }
        "/order" => {
            let body = request.into_body().collect().await?.to_bytes();
            let order: serde_json::Value = serde_json::from_slice(&body)?;
            let email = order["customer"]["email"].as_str().unwrap_or_default();
            ok(&TEXT_PLAIN, Bytes::copy_from_slice(email.as_bytes()))
        }
        _ => empty(StatusCode::NOT_FOUND),
    })
}

/// An answer that is its status.
fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response.headers_mut().insert(SERVER, SERVER_NAME.clone());
    response
}

/// A 200 with this body; hyper adds `content-length` and `date`.
fn ok(content_type: &HeaderValue, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    let headers = response.headers_mut();
    headers.insert(SERVER, SERVER_NAME.clone());
    headers.insert(CONTENT_TYPE, content_type.clone());
    response
}
