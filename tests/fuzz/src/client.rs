//! The client of a test case, and what can be read from the bytes that it received.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use memchr::memmem;

/// A client that reads without waiting.
pub(crate) struct Client {
    stream: Option<TcpStream>,
    pub(crate) received: Vec<u8>,
    pub(crate) closed: bool,
}

impl Client {
    pub(crate) fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        // Its port is free again when it has left, however many test cases follow.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        Ok(Self {
            stream: Some(stream),
            received: Vec::new(),
            closed: false,
        })
    }

    /// Whether it could be sent.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        let sent = self.stream.as_mut().map(|stream| stream.write_all(bytes));
        matches!(sent, Some(Ok(())))
    }

    pub(crate) fn receive(&mut self) {
        let mut scratch = [0; 16 << 10];
        while let Some(stream) = self.stream.as_mut().filter(|_| !self.closed) {
            match stream.read(&mut scratch) {
                Ok(0) => self.closed = true,
                Ok(length) => self.received.extend_from_slice(&scratch[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.closed = true,
            }
        }
    }

    pub(crate) fn end(&mut self) {
        // A connection that is closed already has no side to end.
        let _ = self.stream.as_ref().map(|stream| stream.shutdown(Shutdown::Write));
    }

    pub(crate) fn leave(&mut self) {
        self.stream = None;
    }
}

/// How many responses the output has, interim ones not counted, and where the last one starts.
pub(crate) fn final_responses(output: &[u8]) -> (usize, usize) {
    const VERSION: &[u8] = b"HTTP/1.";
    const STATUS: usize = VERSION.len() + 2;
    let is_final = |at: &usize| matches!(output.get(at + STATUS), Some(b'2'..=b'5'));
    let starts = memmem::find_iter(output, VERSION).filter(is_final);
    starts.fold((0, 0), |(count, _), at| (count + 1, at))
}

/// Replaces the value of every date field of today, which a server writes itself; a handler's is of 1970.
pub(crate) fn fix_dates(output: &mut [u8]) {
    const NAME: &[u8] = b"\r\ndate: ";
    const VALUE_LENGTH: usize = 29;
    let fields: Vec<usize> = memmem::find_iter(output, NAME).collect();
    for field in fields {
        if let Some((value, behind)) = output[field + NAME.len()..].split_at_mut_checked(VALUE_LENGTH)
            && value.ends_with(b" GMT")
            && memmem::find(value, b" 1970 ").is_none()
            && behind.starts_with(b"\r\n")
        {
            value.fill(b'D');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_fixed() {
        let mut output = b"HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n".to_vec();
        fix_dates(&mut output);
        assert_eq!(
            output,
            [b"HTTP/1.1 200 OK\r\ndate: ".as_slice(), &[b'D'; 29], b"\r\n\r\n"].concat()
        );
    }
}
