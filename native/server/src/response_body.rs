//! Response bodies as hyper takes them: whole, in chunks as the handler sends them, or out of a file.
//!
//! # Invariants
//! - A piece is at most [`PIECE_BYTES`]: hyper keeps the memory that its largest write took for as long as the
//!   connection lives.
//! - A streamed body that breaks off is an error, so hyper closes the connection without ending the message
//!   (RFC 9112 §8); but not before hyper has written what there was, or the client would see no response at all.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hinny_core::error::Kind;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::connection::Connection;
use crate::exchange::OpenExchange;
use crate::files::{self, FileParts, NextPart, Part};

/// The largest piece.
const PIECE_BYTES: usize = 16 << 10;

/// A response body.
pub(crate) enum ResponseBody {
    Whole(WholeBody),
    Chunked(Box<ChunkedBody>),
    File(Box<FileBody>),
}

/// A body that is there.
#[derive(Debug, Default)]
pub(crate) struct WholeBody {
    pub(crate) bytes: Bytes,
    /// Length of a body that is only announced: hyper sends a Content-Length of a 304 response only if it sees a body of
    /// that length, which it then does not send.
    pub(crate) announced: u64,
}

/// A body that the handler sends in chunks, as long as its exchange is open.
pub(crate) struct ChunkedBody {
    exchange: OpenExchange,
    piece: Bytes,
    /// The handler has broken it off, and hyper was given a turn to write what it has.
    broken_off: bool,
    connection: Rc<Connection>,
}

/// Content that is in a file, of the length that it had when it was opened. Of the file, twice what is read at once is in
/// memory at most: what is being sent, and what is being read.
pub(crate) struct FileBody {
    connection: Rc<Connection>,
    piece: Bytes,
    reading: Option<Reading>,
    /// Neither in `piece` nor being read.
    parts: FileParts,
}

/// Bytes of a file that are being read.
struct Reading {
    length: u64,
    bytes: JoinHandle<io::Result<Bytes>>,
}

impl Default for ResponseBody {
    fn default() -> Self {
        Self::Whole(WholeBody::default())
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(WholeBody { bytes, announced: 0 })
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Kind;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Kind>>> {
        match self.get_mut() {
            Self::Whole(body) => Poll::Ready((!body.bytes.is_empty()).then(|| frame(&mut body.bytes))),
            Self::Chunked(body) => body.poll_frame(cx),
            Self::File(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.bytes.is_empty() && body.announced == 0,
            Self::Chunked(body) => body.piece.is_empty() && body.exchange.is_ended(),
            Self::File(body) => body.is_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.bytes.len() as u64 + body.announced),
            Self::Chunked(_) => SizeHint::default(),
            Self::File(body) => SizeHint::with_exact(body.length()),
        }
    }
}

/// The next piece of `bytes`, which is taken off.
fn frame(bytes: &mut Bytes) -> Result<Frame<Bytes>, Kind> {
    let piece = if bytes.len() > PIECE_BYTES {
        bytes.split_to(PIECE_BYTES)
    } else {
        std::mem::take(bytes)
    };
    Ok(Frame::data(piece))
}

impl ChunkedBody {
    pub(crate) const fn new(connection: Rc<Connection>, exchange: OpenExchange) -> Self {
        Self {
            exchange,
            piece: Bytes::new(),
            broken_off: false,
            connection,
        }
    }

    fn poll_frame(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Kind>>> {
        if self.piece.is_empty() {
            match ready!(self.exchange.poll_chunk(cx)) {
                Some(Ok(chunk)) => self.piece = chunk,
                Some(Err(_)) if !self.broken_off => {
                    self.broken_off = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Err(kind)) => {
                    if kind.is_from_handler() {
                        self.exchange.complete();
                    } else {
                        self.exchange.end_as(kind);
                    }
                    return Poll::Ready(Some(Err(kind)));
                }
                None => {
                    self.exchange.complete();
                    return Poll::Ready(None);
                }
            }
        }
        let frame = frame(&mut self.piece);
        if self.piece.is_empty() && self.exchange.is_ended() {
            self.exchange.complete();
        }
        Poll::Ready(Some(frame))
    }
}

impl Drop for ChunkedBody {
    fn drop(&mut self) {
        if self.piece.is_empty() && self.exchange.is_ended() {
            self.exchange.complete();
        }
        self.connection.answered();
    }
}

/// Opens a regular file and reads its first bytes. Blocks: not for an event loop.
pub(crate) fn open_file(path: &Path) -> io::Result<FileParts> {
    // A FIFO is opened too, without waiting for who writes to it.
    let file = files::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let all = Part::File {
        offset: 0,
        length: metadata.len(),
    };
    let mut parts = FileParts::new(Arc::new(file), [all]);
    parts.read_first()?;
    Ok(parts)
}

impl FileBody {
    /// The parts should begin with bytes that are there.
    pub(crate) fn new(connection: Rc<Connection>, parts: FileParts) -> Self {
        let mut body = Self {
            connection,
            piece: Bytes::new(),
            reading: None,
            parts,
        };
        body.advance();
        body
    }

    /// What is still to be handed out.
    pub(crate) fn length(&self) -> u64 {
        let being_read = self.reading.as_ref().map_or(0, |reading| reading.length);
        self.piece.len() as u64 + being_read + self.parts.length()
    }

    fn is_ended(&self) -> bool {
        self.length() == 0
    }

    /// Takes the next piece if it is there, and begins to read what must be read behind it.
    fn advance(&mut self) {
        while self.reading.is_none() && (self.piece.is_empty() || self.parts.is_next_read()) {
            match self.parts.take_next() {
                None => break,
                Some(NextPart::Bytes(bytes)) => self.piece = bytes,
                Some(NextPart::Read(read)) => {
                    self.reading = Some(Reading {
                        length: read.length(),
                        bytes: tokio::task::spawn_blocking(move || read.run()),
                    });
                }
            }
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Kind>>> {
        if self.piece.is_empty() {
            self.advance();
        }
        if self.piece.is_empty() {
            let Some(reading) = &mut self.reading else {
                return Poll::Ready(None);
            };
            let read = ready!(Pin::new(&mut reading.bytes).poll(cx)).unwrap_or_else(|lost| Err(io::Error::other(lost)));
            self.reading = None;
            match read {
                Ok(bytes) => {
                    self.piece = bytes;
                    self.advance();
                }
                Err(error) => {
                    log::error!("a response breaks off, its file cannot be read on: {error}");
                    return Poll::Ready(Some(Err(Kind::FileUnreadable)));
                }
            }
        }
        Poll::Ready(Some(frame(&mut self.piece)))
    }
}

impl Drop for FileBody {
    fn drop(&mut self) {
        self.connection.answered();
    }
}
