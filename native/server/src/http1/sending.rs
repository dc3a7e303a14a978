//! A response whose content is not all there when its head is: sent in pieces as its handler gives them, or out of a file.
//!
//! # Invariants
//! - A piece is at most [`PIECE_BYTES`], and no piece is taken while more than [`HOLD_BYTES`] wait for the client.
//! - Of a length that was announced no byte more is sent. What has fewer, or breaks off, is not ended: the connection ends
//!   without the end of the message (RFC 9112 §8), but not before the client was sent what there was.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hinny_core::commands::ResponseCommand;
use hinny_core::error::Kind;
use tokio::task::JoinHandle;

use super::response_bytes::{self, ContentFraming, Length};
use super::{Http1, OpenRequest, replies};
use crate::connection::Connection;
use crate::exchange::{NextChunk, OpenExchange};
use crate::files::{self, FileAnswer, FileContent, FileParts, NextPart, Part};
use crate::socket::HOLD_BYTES;

/// The largest piece.
const PIECE_BYTES: usize = 16 << 10;

/// A response that is being sent.
pub(super) struct Sending {
    pub(super) request: OpenRequest,
    framing: ContentFraming,
    /// The connection ends with it.
    close: bool,
    content: Content,
    /// What was taken of it and is not written.
    piece: Bytes,
}

enum Content {
    /// The handler's file is being opened; nothing of the response is written.
    Opening {
        command: ResponseCommand<Bytes>,
        file: JoinHandle<io::Result<FileParts>>,
    },
    /// The handler gives it.
    Chunks(OpenExchange),
    /// It is a file's. Twice what is read at once is in memory at most: what is being sent, and what is being read.
    File {
        reading: Option<JoinHandle<io::Result<Bytes>>>,
        parts: FileParts,
    },
}

/// What comes next.
enum Piece {
    Bytes(Bytes),
    NotYet,
    End,
    Broken(Kind),
}

/// Begins the response of a handler that goes on in chunks, or is a file's.
pub(super) fn begin(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    request: OpenRequest,
    command: ResponseCommand<Bytes>,
) {
    if !command.is_streamed() {
        let path = path_of(&command);
        let file = tokio::task::spawn_blocking(move || open_file(&path));
        engine.sending = Some(Box::new(Sending {
            request,
            framing: ContentFraming::NoContent,
            close: false,
            content: Content::Opening { command, file },
            piece: Bytes::new(),
        }));
        connection.wake();
        return;
    }
    let mut exchange = OpenExchange::adopt(&connection.state, request.exchange);
    let close = replies::is_last(connection, engine, &request, true);
    let is_empty = exchange.is_ended() && command.body_bytes().is_empty();
    let length = if is_empty { Length::Whole(0) } else { Length::Unknown };
    let written = replies::with_frame(connection, &request, close, |out, frame| {
        response_bytes::write_head(out, &command, length, frame)
    });
    match written {
        Ok(head) => {
            if is_empty {
                exchange.complete();
            }
            connection
                .state
                .deliver_first_chunk(request.exchange, command.body_bytes());
            let sending = Sending {
                request,
                framing: head.framing,
                close: head.close,
                content: Content::Chunks(exchange),
                piece: Bytes::new(),
            };
            if head.framing == ContentFraming::NoContent {
                return finish(connection, engine, sending);
            }
            engine.sending = Some(Box::new(sending));
            go_on(connection, engine, None);
        }
        Err(kind) => {
            log::error!("a response command does not decode: {kind}");
            exchange.end_as(kind);
            drop(exchange);
            replies::refuse(connection, engine, &request, kind);
        }
    }
}

/// Begins the response with a file that the core has found.
pub(super) fn begin_file(connection: &Rc<Connection>, engine: &mut Http1, request: OpenRequest, answer: FileAnswer) {
    let close = replies::is_last(connection, engine, &request, false);
    let length = answer.content_length().unwrap_or(0);
    replies::with_frame(connection, &request, close, |out, frame| {
        response_bytes::write_file_head(out, &answer, frame);
    });
    if let FileContent::Parts(parts) = answer.into_content() {
        engine.sending = Some(Box::new(Sending {
            request,
            framing: ContentFraming::Sized(length),
            close,
            content: Content::File { reading: None, parts },
            piece: Bytes::new(),
        }));
        connection.wake();
    }
}

/// Sends what can be sent now; whether there was anything. Without a context it does not wait for files.
pub(super) fn go_on(connection: &Rc<Connection>, engine: &mut Http1, mut cx: Option<&mut Context<'_>>) -> bool {
    let mut moved = false;
    while let Some(mut sending) = engine.sending.take() {
        if connection.socket.borrow().waiting() > HOLD_BYTES {
            let flushed = connection.socket.borrow_mut().try_flush(&connection.state);
            match flushed {
                Ok(true) => {}
                Ok(false) => {
                    engine.sending = Some(sending);
                    break;
                }
                Err(error) => {
                    log::debug!("cannot write to {}: {error}", connection.remote_addr);
                    connection.cut();
                    engine.sending = Some(sending);
                    break;
                }
            }
        }
        if let Content::Opening { .. } = sending.content {
            if !poll_open(connection, engine, sending, cx.as_deref_mut()) {
                break;
            }
            moved = true;
            continue;
        }
        match sending.next_piece(connection, cx.as_deref_mut()) {
            Piece::Bytes(bytes) => {
                sending.write(connection, &bytes);
                engine.sending = Some(sending);
            }
            Piece::NotYet => {
                engine.sending = Some(sending);
                break;
            }
            Piece::End if matches!(sending.framing, ContentFraming::Sized(1..)) => {
                sending.break_off(connection, engine, None);
            }
            Piece::End => {
                if sending.framing == ContentFraming::Chunked {
                    let mut socket = connection.socket.borrow_mut();
                    socket.buffer(&connection.state).extend_from_slice(b"0\r\n\r\n");
                }
                sending.complete();
                finish(connection, engine, *sending);
            }
            Piece::Broken(kind) => sending.break_off(connection, engine, Some(kind)),
        }
        moved = true;
    }
    moved
}

/// The response is written to its end.
fn finish(connection: &Rc<Connection>, engine: &mut Http1, sending: Sending) {
    let close = sending.close;
    drop(sending);
    if close {
        replies::end(connection, engine);
    } else {
        replies::go_on(connection, engine);
    }
}

/// Writes the head when the file is open; `false` if it is not.
fn poll_open(
    connection: &Rc<Connection>,
    engine: &mut Http1,
    mut sending: Box<Sending>,
    cx: Option<&mut Context<'_>>,
) -> bool {
    let Content::Opening { file, .. } = &mut sending.content else {
        return false;
    };
    let opened = match cx.map(|cx| Pin::new(file).poll(cx)) {
        Some(Poll::Ready(opened)) => opened.unwrap_or_else(|lost| Err(io::Error::other(lost))),
        Some(Poll::Pending) | None => {
            engine.sending = Some(sending);
            return false;
        }
    };
    let Sending { request, content, .. } = *sending;
    let Content::Opening { command, .. } = content else {
        return false;
    };
    let parts = match opened {
        Ok(parts) => parts,
        Err(error) => {
            log::error!("cannot send the file {}: {error}", path_of(&command).display());
            replies::refuse(connection, engine, &request, Kind::FileUnreadable);
            replies::go_on(connection, engine);
            return true;
        }
    };
    let close = replies::is_last(connection, engine, &request, false);
    let length = parts.length();
    let written = replies::with_frame(connection, &request, close, |out, frame| {
        response_bytes::write_head(out, &command, Length::File(length), frame)
    });
    match written {
        Ok(head) => {
            let sending = Sending {
                request,
                framing: head.framing,
                close: head.close,
                content: Content::File { reading: None, parts },
                piece: Bytes::new(),
            };
            if head.framing == ContentFraming::NoContent {
                finish(connection, engine, sending);
            } else {
                engine.sending = Some(Box::new(sending));
            }
        }
        Err(kind) => {
            log::error!("a response command does not decode: {kind}");
            replies::refuse(connection, engine, &request, kind);
            replies::go_on(connection, engine);
        }
    }
    true
}

impl Sending {
    fn next_piece(&mut self, connection: &Connection, cx: Option<&mut Context<'_>>) -> Piece {
        if self.framing == ContentFraming::Sized(0) {
            return Piece::End;
        }
        if self.piece.is_empty() {
            match self.next_content(connection, cx) {
                Piece::Bytes(bytes) => self.piece = bytes,
                other => return other,
            }
        }
        let length = self.piece.len().min(PIECE_BYTES);
        Piece::Bytes(self.piece.split_to(length))
    }

    fn next_content(&mut self, connection: &Connection, cx: Option<&mut Context<'_>>) -> Piece {
        match &mut self.content {
            Content::Chunks(exchange) => match connection.state.take_chunk(exchange.id()) {
                NextChunk::Bytes(bytes) => Piece::Bytes(bytes),
                NextChunk::NotYet => Piece::NotYet,
                NextChunk::End => Piece::End,
                NextChunk::Aborted(kind) => Piece::Broken(kind),
            },
            Content::File { reading, parts } => match cx {
                Some(cx) => next_of_file(reading, parts, cx),
                None => Piece::NotYet,
            },
            Content::Opening { .. } => Piece::NotYet,
        }
    }

    fn write(&mut self, connection: &Connection, bytes: &[u8]) {
        let mut socket = connection.socket.borrow_mut();
        let out = socket.buffer(&connection.state);
        match &mut self.framing {
            ContentFraming::Chunked => {
                response_bytes::write_chunk_size(out, bytes.len());
                out.extend_from_slice(bytes);
                out.extend_from_slice(b"\r\n");
            }
            ContentFraming::Sized(left) => {
                let length = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                out.extend_from_slice(&bytes[..length]);
                *left -= length as u64;
            }
            ContentFraming::ToEnd => out.extend_from_slice(bytes),
            ContentFraming::NoContent => {}
        }
    }

    /// The content was given to its end.
    fn complete(&mut self) {
        if let Content::Chunks(exchange) = &mut self.content {
            exchange.complete();
        }
    }

    /// The content is not complete, and nobody will give the rest.
    fn break_off(mut self: Box<Self>, connection: &Connection, engine: &mut Http1, kind: Option<Kind>) {
        if let Content::Chunks(exchange) = &mut self.content {
            match kind {
                Some(kind) if !kind.is_from_handler() => exchange.end_as(kind),
                _ => exchange.complete(),
            }
        }
        engine.broken_off = true;
        replies::end(connection, engine);
    }
}

fn next_of_file(
    reading: &mut Option<JoinHandle<io::Result<Bytes>>>,
    parts: &mut FileParts,
    cx: &mut Context<'_>,
) -> Piece {
    if reading.is_none() {
        match parts.take_next() {
            None => return Piece::End,
            Some(NextPart::Bytes(bytes)) => {
                if let Some(NextPart::Read(read)) = parts.is_next_read().then(|| parts.take_next()).flatten() {
                    *reading = Some(tokio::task::spawn_blocking(move || read.run()));
                }
                return Piece::Bytes(bytes);
            }
            Some(NextPart::Read(read)) => *reading = Some(tokio::task::spawn_blocking(move || read.run())),
        }
    }
    let Some(read) = reading else {
        return Piece::End;
    };
    match Pin::new(read).poll(cx) {
        Poll::Pending => Piece::NotYet,
        Poll::Ready(result) => {
            *reading = None;
            match result.unwrap_or_else(|lost| Err(io::Error::other(lost))) {
                Ok(bytes) => {
                    if let Some(NextPart::Read(read)) = parts.is_next_read().then(|| parts.take_next()).flatten() {
                        *reading = Some(tokio::task::spawn_blocking(move || read.run()));
                    }
                    Piece::Bytes(bytes)
                }
                Err(error) => {
                    log::error!("a response breaks off, its file cannot be read on: {error}");
                    Piece::Broken(Kind::FileUnreadable)
                }
            }
        }
    }
}

/// The path in a response command, as Java spells it for the system.
fn path_of(command: &ResponseCommand<Bytes>) -> PathBuf {
    OsString::from_vec(command.body().unwrap_or_default().to_vec()).into()
}

/// Opens a regular file and reads its first bytes. Blocks: not for an event loop.
fn open_file(path: &Path) -> io::Result<FileParts> {
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
