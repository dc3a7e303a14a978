//! One keep-alive connection with at most one request under way.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

/// How a right answer begins; the rest is only counted.
const BEGINNING: &[u8] = b"HTTP/1.1 200 ";

/// One keep-alive connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// The number of the request that goes out next.
    pub(crate) next: usize,
    /// The number of the request under way.
    under_way: Option<usize>,
    /// Bytes of its answer that are there.
    received: usize,
}

impl Connection {
    /// Connects; `first` is the number of its first request.
    pub(crate) fn open(address: SocketAddr, first: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            next: first,
            under_way: None,
            received: 0,
        })
    }

    /// Whether the next request can go out.
    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.is_none()
    }

    /// Sends the next request; the one after it is `step` further.
    pub(crate) fn send(&mut self, request: &[u8], step: usize) -> io::Result<()> {
        // One small request on a connection where nothing waits: it fits the socket's buffer.
        let sent = self.stream.write(request)?;
        if sent != request.len() {
            return Err(io::Error::other("a request did not fit the socket's buffer"));
        }
        self.under_way = Some(self.next);
        self.next += step;
        Ok(())
    }

    /// Reads what is there; the number of the request whose answer is now whole, if it is.
    pub(crate) fn receive(&mut self, buffer: &mut [u8], response_bytes: usize) -> io::Result<Option<usize>> {
        let read = match self.stream.read(buffer) {
            Ok(0) => return Err(io::Error::other("the server closed a connection")),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        let expected = BEGINNING.iter().skip(self.received);
        if expected.zip(&buffer[..read]).any(|(wanted, found)| wanted != found) {
            return Err(io::Error::other("an answer was not a 200"));
        }
        self.received += read;
        if self.received < response_bytes {
            return Ok(None);
        }
        if self.received > response_bytes {
            return Err(io::Error::other("an answer was longer than it should be"));
        }
        self.received = 0;
        Ok(self.under_way.take())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
