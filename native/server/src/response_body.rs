//! Response bodies as hyper takes them: whole, in chunks as the handler sends them, or out of a file.
//!
//! # Invariants
//! - A piece is at most [`PIECE_BYTES`]: hyper keeps the memory that its largest write took for as long as the
//!   connection lives.
//! - A streamed body that breaks off is an error, so hyper closes the connection without ending the message
//!   (RFC 9112 §8); but not before hyper has written what there was, or the client would see no response at all.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hinny_core::error::Kind;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::connection::Connection;
use crate::exchange::OpenExchange;

/// The largest piece.
const PIECE_BYTES: usize = 16 << 10;

/// How much of a file is read at once; twice that is in memory at most.
const FILE_READ_BYTES: u64 = 128 << 10;

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

/// The content of a file, of the length that it had when it was opened.
pub(crate) struct FileBody {
    connection: Rc<Connection>,
    piece: Bytes,
    /// Neither in `piece` nor handed out, but perhaps being read.
    left: u64,
    reading: Option<JoinHandle<io::Result<(File, Bytes)>>>,
    file: Option<File>,
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
        self.connection.answered();
    }
}

/// A file that is open, and its first bytes.
pub(crate) struct OpenedFile {
    file: File,
    length: u64,
    first: Bytes,
}

impl OpenedFile {
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }
}

/// Opens a regular file and reads its first bytes. Blocks: not for an event loop.
pub(crate) fn open_file(path: &Path) -> io::Result<OpenedFile> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let length = metadata.len();
    let (file, first) = read_some(file, length.min(FILE_READ_BYTES))?;
    Ok(OpenedFile { file, length, first })
}

fn read_some(mut file: File, length: u64) -> io::Result<(File, Bytes)> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    (&mut file).take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length {
        Ok((file, bytes.into()))
    } else {
        Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the file has become shorter",
        ))
    }
}

impl FileBody {
    pub(crate) fn new(connection: Rc<Connection>, opened: OpenedFile) -> Self {
        let left = opened.length - opened.first.len() as u64;
        let mut body = Self {
            connection,
            piece: opened.first,
            left,
            reading: None,
            file: Some(opened.file),
        };
        body.read_ahead();
        body
    }

    /// What is still to be handed out.
    pub(crate) const fn length(&self) -> u64 {
        self.piece.len() as u64 + self.left
    }

    const fn is_ended(&self) -> bool {
        self.piece.is_empty() && self.left == 0
    }

    fn read_ahead(&mut self) {
        let length = self.left.min(FILE_READ_BYTES);
        if length > 0
            && let Some(file) = self.file.take()
        {
            self.reading = Some(tokio::task::spawn_blocking(move || read_some(file, length)));
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Kind>>> {
        if self.piece.is_empty() {
            let Some(reading) = &mut self.reading else {
                return Poll::Ready(None);
            };
            let read = ready!(Pin::new(reading).poll(cx)).unwrap_or_else(|lost| Err(io::Error::other(lost)));
            self.reading = None;
            match read {
                Ok((file, bytes)) => {
                    self.left -= bytes.len() as u64;
                    self.piece = bytes;
                    self.file = Some(file);
                    self.read_ahead();
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
