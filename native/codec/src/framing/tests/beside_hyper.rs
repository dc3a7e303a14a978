//! The same bytes to hyper, one at a time: after each, both must have seen as many heads and as many whole bodies.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use proptest::prelude::*;

use super::{LIMITS, stream};
use crate::framing::Framing;

/// A socket that gives what it is given, and takes whatever is written.
#[derive(Clone, Default)]
struct Wire(Rc<RefCell<Vec<u8>>>);

impl Read for Wire {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let mut bytes = self.0.borrow_mut();
        if bytes.is_empty() {
            return Poll::Pending;
        }
        let length = bytes.len().min(buf.remaining());
        buf.put_slice(&bytes[..length]);
        bytes.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Requests that hyper has given to the service, and those whose body has come to its end.
#[derive(Default)]
struct Seen {
    heads: Cell<u64>,
    bodies: Cell<u64>,
    broken: Cell<bool>,
}

async fn serve(request: Request<Incoming>, seen: Rc<Seen>) -> Result<Response<String>, Infallible> {
    seen.heads.set(seen.heads.get() + 1);
    let mut body = pin!(request.into_body());
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        if frame.is_err() {
            seen.broken.set(true);
            return Ok(Response::new(String::new()));
        }
    }
    seen.bodies.set(seen.bodies.get() + 1);
    Ok(Response::new(String::new()))
}

/// Gives the bytes that the framing passes to hyper. Returns the byte after which the two differ.
fn first_difference(bytes: &[u8]) -> Option<usize> {
    let wire = Wire::default();
    let seen = Rc::new(Seen::default());
    let service = service_fn(|request| serve(request, Rc::clone(&seen)));
    let mut hyper = pin!(http1::Builder::new().serve_connection(wire.clone(), service));
    let mut cx = Context::from_waker(Waker::noop());
    let mut framing = Framing::new();
    for (at, byte) in bytes.iter().enumerate() {
        if framing.check(&[*byte], &LIMITS).is_err() {
            return None;
        }
        wire.0.borrow_mut().push(*byte);
        for _ in 0..4 {
            if hyper.as_mut().poll(&mut cx).is_ready() || seen.broken.get() {
                // hyper found another fault, or was asked to close: it will not see what follows.
                return None;
            }
        }
        let bodies = framing.heads() - u64::from(framing.is_in_body());
        if (seen.heads.get(), seen.bodies.get()) != (framing.heads(), bodies) {
            return Some(at);
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn hyper_frames_what_passes_alike(bytes in stream()) {
        let difference = first_difference(&bytes);
        prop_assert_eq!(difference, None, "{:?}", difference.map(|at| bytes[..=at].escape_ascii().to_string()));
    }
}

/// Why there is a guard: hyper takes the one length and drops the other, and nobody can see it any more.
#[test]
fn hyper_alone_takes_a_length_beside_a_transfer_encoding() {
    let wire = Wire::default();
    let seen = Rc::new(Seen::default());
    let service = service_fn(|request| serve(request, Rc::clone(&seen)));
    let mut hyper = pin!(http1::Builder::new().serve_connection(wire.clone(), service));
    let bytes = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    wire.0.borrow_mut().extend_from_slice(bytes);
    let _ = hyper.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!((seen.heads.get(), seen.bodies.get()), (1, 1));
    assert!(Framing::new().check(bytes, &LIMITS).is_err());
}
