//! The socket of a connection, with the responses that have not been written to it yet.
//!
//! hyper writes and flushes once per response. Here its writes go into a buffer and its flushes do nothing; the
//! connection's task writes the buffer out at the end of each of its polls, so the responses of one turn leave with
//! one system call.
//!
//! # Invariants
//! - At most [`HOLD_BYTES`] are buffered; beyond that hyper's write waits for the socket, so a slow reader stops it.
//! - The buffer belongs to the connection only while it holds bytes.
//! - The descriptor is closed when the connection's task ends ([`Socket::close`]), whoever else still knows the connection.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::connection::Connection;
use crate::event_loop::LoopState;

/// The most that is buffered for a connection: some hundred small responses.
pub(crate) const HOLD_BYTES: usize = 32 << 10;

/// How often a peer is asked that has ended its side, and so says nothing more by itself.
const PROBE_EVERY: Duration = Duration::from_secs(15);

/// A socket and its write buffer.
pub(crate) struct Socket {
    /// `None` when it is closed.
    stream: Option<TcpStream>,
    /// What was read and is to be read again.
    again: VecDeque<u8>,
    out: Vec<u8>,
    sent: usize,
    blocked: bool,
    /// Something went out since this was last looked at.
    progress: bool,
    /// The client has ended its side.
    ended: bool,
    /// We have ended ours.
    shut: bool,
}

impl Socket {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self {
            stream: Some(stream),
            again: VecDeque::new(),
            out: Vec::new(),
            sent: 0,
            blocked: false,
            progress: false,
            ended: false,
            shut: false,
        }
    }

    /// Whether the last response is not in the buffer to its end, because the client does not read.
    pub(crate) const fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// The number of bytes that wait to be written.
    pub(crate) const fn waiting(&self) -> usize {
        self.out.len() - self.sent
    }

    /// What the buffer takes.
    pub(crate) const fn held_bytes(&self) -> usize {
        self.out.capacity()
    }

    /// Whether the client took something since the last call.
    pub(crate) const fn take_progress(&mut self) -> bool {
        std::mem::replace(&mut self.progress, false)
    }

    /// The buffer, to add whole messages to.
    pub(crate) fn buffer(&mut self, state: &LoopState) -> &mut Vec<u8> {
        if self.out.capacity() == 0 {
            self.out = state.spare_buffer();
        }
        &mut self.out
    }

    /// Whether the client has ended its side, and all that it sent was read.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended && self.again.is_empty()
    }

    /// The descriptor, while it is open.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(AsFd::as_fd)
    }

    /// Lets the kernel ask now and then whether the peer, which says no more, still knows the connection: if not, that ends
    /// it.
    pub(crate) fn watch_peer(&self) {
        if let Some(stream) = &self.stream {
            // Without it a client that has left is found when something is sent to it.
            let _ = sockopt::set_socket_keepalive(stream, true)
                .and_then(|()| sockopt::set_tcp_keepidle(stream, PROBE_EVERY))
                .and_then(|()| sockopt::set_tcp_keepintvl(stream, PROBE_EVERY));
        }
    }

    /// Closes the descriptor.
    pub(crate) fn close(&mut self) {
        self.stream = None;
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(stream))
    }

    /// Gives bytes back that the next reads are to return.
    pub(crate) fn put_back(&mut self, bytes: Vec<u8>) {
        self.again = bytes.into();
    }

    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.again.is_empty() {
            let (first, _) = self.again.as_slices();
            let length = first.len().min(buf.remaining());
            buf.put_slice(&first[..length]);
            self.again.drain(..length);
            if self.again.is_empty() {
                self.again = VecDeque::new();
            }
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(self.stream()?.poll_read(cx, buf))?;
        self.ended |= buf.filled().len() == before && buf.remaining() > 0;
        Poll::Ready(Ok(()))
    }

    /// Takes bytes into the buffer, or writes them at once if they are many.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        state: &LoopState,
    ) -> Poll<io::Result<usize>> {
        self.blocked = true;
        if self.waiting() + bytes.len() > HOLD_BYTES {
            ready!(self.poll_flush(cx, state))?;
            if bytes.len() > HOLD_BYTES {
                let written = ready!(self.stream()?.poll_write(cx, bytes))?;
                self.blocked = written < bytes.len();
                self.progress = true;
                return Poll::Ready(Ok(written));
            }
        }
        self.buffer(state).extend_from_slice(bytes);
        self.blocked = false;
        Poll::Ready(Ok(bytes.len()))
    }

    /// Writes the buffer to the socket and gives the buffer back.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>, state: &LoopState) -> Poll<io::Result<()>> {
        while self.waiting() > 0 {
            let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            let written = ready!(Pin::new(stream).poll_write(cx, &self.out[self.sent..]))?;
            self.advance(written)?;
        }
        self.give_back(state);
        Poll::Ready(Ok(()))
    }

    /// [`Self::poll_flush`] for who will not be woken; `false` if the socket does not take all now.
    pub(crate) fn try_flush(&mut self, state: &LoopState) -> io::Result<bool> {
        while self.waiting() > 0 {
            let stream = self.stream.as_ref().ok_or(io::ErrorKind::NotConnected)?;
            match stream.try_write(&self.out[self.sent..]) {
                Ok(written) => self.advance(written)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.give_back(state);
        Ok(true)
    }

    fn advance(&mut self, written: usize) -> io::Result<()> {
        self.sent += written;
        self.progress = true;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(())
    }

    fn give_back(&mut self, state: &LoopState) {
        state.give_back(std::mem::take(&mut self.out));
        self.sent = 0;
    }

    /// Ends our side of the connection.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.shut {
            return Poll::Ready(Ok(()));
        }
        self.shut = true;
        self.stream()?.poll_shutdown(cx)
    }
}

/// The socket as hyper sees it.
pub(crate) struct HttpIo(pub(crate) Rc<Connection>);

impl AsyncRead for HttpIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.0.guard.fault().is_some() || self.0.hides_end() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let result = self.0.socket.borrow_mut().poll_read(cx, buf);
        let arrived = &buf.filled()[before..];
        if arrived.is_empty() {
            if self.0.socket.borrow().has_ended() {
                self.0.input_ended();
            }
            return if self.0.hides_end() { Poll::Pending } else { result };
        }
        let (length, passable) = (arrived.len(), self.0.bytes_arrived(arrived));
        if passable == length {
            return result;
        }
        buf.set_filled(before + passable);
        // No bytes would mean the end of the stream.
        if passable == 0 { Poll::Pending } else { result }
    }
}

impl AsyncWrite for HttpIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = self.0.socket.borrow_mut().poll_write(cx, buf, &self.0.state);
        if result.is_ready() {
            self.0.bytes_left();
        }
        result
    }

    /// The connection's task flushes; see the module's head.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}
