//! Tells where every request of a connection begins and ends, and refuses bytes that two readers could frame apart.
//!
//! hyper resolves or tolerates what a strict server must refuse (RFC 9112 §11.2: request smuggling), and some of it
//! cannot be seen any more once hyper has parsed it: a bare LF, a Content-Length beside a Transfer-Encoding, a repeated
//! Content-Length, a fragment in a target. A [`Framing`] looks at the bytes of a connection before hyper does. Other
//! names, values, methods and the form of targets are not its business: hyper and the server check them.
//!
//! # Invariants
//! - What is passed on is framed by hyper exactly as here: each head and each body ends at the same byte.
//! - The end of a faulty head, and whatever follows a fault, is never passed on: a faulty head becomes no request.
//! - Any split of the same bytes gives the same fault and the same count of heads.
//! - Memory is taken only for a line that a read cut in two, and given back at the end of its head or body.

mod fault;
mod limits;
mod line;

use memchr::memchr;

pub use self::fault::Fault;
pub use self::limits::Limits;
pub(crate) use self::line::parse_length;
use self::line::{check_trailer, hex_value, split_target, value_of};

/// Bytes that must not be passed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refused {
    /// How many of the bytes may be passed on: for a fault in a head none of that head, else all before the fault or
    /// before the line that holds it.
    pub passable: usize,
    /// The first fault.
    pub fault: Fault,
}

/// The most bytes of the extensions of one chunk.
pub const EXTENSION_BYTES_MAX: u32 = 4 << 10;

/// The most digits of a chunk size: what a `u64` holds.
const CHUNK_SIZE_DIGITS_MAX: u8 = 16;

/// Where the next byte belongs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Place {
    /// Before a request.
    #[default]
    Start,
    /// After the CR of an empty line before a request.
    StartLf,
    /// After an empty line before a request.
    StartEmptied,
    RequestLine,
    Fields,
    Trailers,
    /// In a body of a known length, or in the data of a chunk.
    Sized,
    ChunkData,
    ChunkDataCr,
    ChunkDataLf,
    ChunkSize,
    /// In white space between a chunk size and the `;` of its extension.
    ChunkSpace,
    ChunkExtension,
    ChunkLineLf,
}

/// How far the bytes of one connection have been understood.
#[derive(Debug, Default)]
pub struct Framing {
    heads: u64,
    /// In a head its Content-Length; in a body the bytes that remain of it or of its chunk.
    remaining: u64,
    /// What earlier reads had of the line that is cut.
    cut_line: Vec<u8>,
    /// Bytes so far of the head, the trailer section or the chunk extension.
    length: u32,
    /// Fields so far of the head or the trailer section.
    fields: u32,
    place: Place,
    has_length: bool,
    is_chunked: bool,
    is_http_10: bool,
    /// Digits so far of the chunk size.
    digits: u8,
    fault: Option<Fault>,
}

impl Framing {
    /// The framing of a connection that nothing has come from.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            heads: 0,
            remaining: 0,
            cut_line: Vec::new(),
            length: 0,
            fields: 0,
            place: Place::Start,
            has_length: false,
            is_chunked: false,
            is_http_10: false,
            digits: 0,
            fault: None,
        }
    }

    /// Looks at the bytes that came next; all of them may be passed on if it succeeds.
    ///
    /// # Errors
    /// [`Refused`] with the first fault. The connection cannot be used any more: every later call fails alike.
    pub fn check(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), Refused> {
        if let Some(fault) = self.fault {
            return Err(Refused { passable: 0, fault });
        }
        let mut at = 0;
        let mut head_start = 0;
        while let Some(&first) = bytes.get(at) {
            if matches!(self.place, Place::Start | Place::StartEmptied) && !matches!(first, b'\r' | b'\n') {
                head_start = at;
                self.begin_head();
            }
            let rest = &bytes[at..];
            let (taken, fault) = match self.place {
                Place::Start | Place::StartLf | Place::StartEmptied => self.take_empty_line(first),
                Place::RequestLine | Place::Fields | Place::Trailers => self.take_lines(rest, limits),
                Place::Sized | Place::ChunkData => self.take_data(rest),
                _ => self.take_chunk_line(rest),
            };
            if let Some(fault) = fault {
                self.fault = Some(fault);
                self.cut_line = Vec::new();
                let passable = if self.is_in_head() { head_start } else { at + taken };
                return Err(Refused { passable, fault });
            }
            at += taken;
        }
        Ok(())
    }

    /// Complete request heads so far.
    #[must_use]
    pub const fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether a part of a head is here and its end is not. An empty line before a request is no part of it.
    #[must_use]
    pub const fn is_in_head(&self) -> bool {
        matches!(self.place, Place::RequestLine | Place::Fields)
    }

    /// Whether the head of a request is here and its body is not, to its end.
    #[must_use]
    pub const fn is_in_body(&self) -> bool {
        !matches!(
            self.place,
            Place::Start | Place::StartLf | Place::StartEmptied | Place::RequestLine | Place::Fields
        )
    }

    /// The fault that ended the connection.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Whether what comes next is looked at line by line.
    const fn is_in_lines(&self) -> bool {
        matches!(self.place, Place::RequestLine | Place::Fields | Place::Trailers)
    }

    const fn begin_head(&mut self) {
        self.place = Place::RequestLine;
        self.remaining = 0;
        self.length = 0;
        self.fields = 0;
        self.has_length = false;
        self.is_chunked = false;
    }

    const fn take_empty_line(&mut self, byte: u8) -> Taken {
        self.place = match (self.place, byte) {
            (Place::Start, b'\r') => Place::StartLf,
            (Place::StartLf, b'\n') => Place::StartEmptied,
            (Place::StartEmptied, b'\r') => return (0, Some(Fault::EmptyLines)),
            (Place::StartLf, _) => return (0, Some(Fault::BareCr)),
            _ => return (0, Some(Fault::BareLf)),
        };
        (1, None)
    }

    /// Takes the lines of a head or a trailer section, and the part of a line that the read has cut.
    fn take_lines(&mut self, bytes: &[u8], limits: &Limits) -> Taken {
        // What is looked at never exceeds the limit, so that it does not matter how the bytes were cut.
        let room = limits.head_bytes.saturating_sub(self.length as usize);
        let visible = &bytes[..bytes.len().min(room)];
        let mut at = 0;
        while let Some(length) = memchr(b'\n', &visible[at..]) {
            let line = &visible[at..at + length];
            let result = if self.cut_line.is_empty() {
                self.line(line, limits)
            } else {
                self.mended_line(line, limits)
            };
            if let Err(fault) = result {
                return (at, Some(fault));
            }
            at += length + 1;
            if !self.is_in_lines() {
                self.cut_line = Vec::new();
                return (at, None);
            }
        }
        if at < visible.len() {
            self.cut_line.extend_from_slice(&visible[at..]);
            if self.place == Place::RequestLine
                && let Err(fault) = split_target(&self.cut_line, limits)
            {
                return (at, Some(fault));
            }
        }
        // At most the limit, which is far below 4 GiB.
        self.length += visible.len() as u32;
        let fault = match self.place {
            _ if visible.len() == bytes.len() => None,
            Place::Trailers => Some(Fault::TrailersTooLarge),
            _ => Some(Fault::HeadTooLarge),
        };
        (visible.len(), fault)
    }

    /// The rest of a line that earlier reads had a part of.
    #[cold]
    fn mended_line(&mut self, rest: &[u8], limits: &Limits) -> Result<(), Fault> {
        let mut line = std::mem::take(&mut self.cut_line);
        line.extend_from_slice(rest);
        let result = self.line(&line, limits);
        line.clear();
        self.cut_line = line;
        result
    }

    /// A whole line without its LF.
    #[inline]
    fn line(&mut self, line: &[u8], limits: &Limits) -> Result<(), Fault> {
        if self.place == Place::RequestLine {
            return self.request_line(line, limits);
        }
        let (Some(first), Some(last)) = (line.first(), line.last()) else {
            return Err(Fault::BareLf);
        };
        if matches!(first, b' ' | b'\t') {
            return Err(Fault::LineFolded);
        }
        if *last != b'\r' {
            return Err(Fault::BareLf);
        }
        if line.len() == 1 {
            self.end_fields();
            return Ok(());
        }
        self.fields += 1;
        if self.fields as usize > limits.field_count {
            return Err(Fault::TooManyFields);
        }
        if self.place == Place::Trailers {
            return check_trailer(line);
        }
        match first {
            b'C' | b'c' => self.content_length(line),
            b'T' | b't' => self.transfer_encoding(line),
            b'E' | b'e' => self.expect(line),
            _ => Ok(()),
        }
    }

    fn request_line(&mut self, line: &[u8], limits: &Limits) -> Result<(), Fault> {
        let version = split_target(line, limits)?.unwrap_or_default();
        if line.last() != Some(&b'\r') {
            return Err(Fault::BareLf);
        }
        self.is_http_10 = version == b"HTTP/1.0\r";
        if !self.is_http_10 && version != b"HTTP/1.1\r" {
            return Err(match version {
                [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9', b'\r'] => Fault::VersionUnsupported,
                _ => Fault::RequestLineInvalid,
            });
        }
        self.place = Place::Fields;
        Ok(())
    }

    fn content_length(&mut self, line: &[u8]) -> Result<(), Fault> {
        let Some(value) = value_of(line, b"content-length")? else {
            return Ok(());
        };
        if self.is_chunked {
            return Err(Fault::LengthBesideTransferEncoding);
        }
        if self.has_length {
            return Err(Fault::ContentLengthRepeated);
        }
        self.remaining = parse_length(value).ok_or(Fault::ContentLengthInvalid)?;
        self.has_length = true;
        Ok(())
    }

    fn transfer_encoding(&mut self, line: &[u8]) -> Result<(), Fault> {
        let Some(value) = value_of(line, b"transfer-encoding")? else {
            return Ok(());
        };
        if self.is_http_10 {
            return Err(Fault::TransferEncodingInHttp10);
        }
        if self.has_length {
            return Err(Fault::LengthBesideTransferEncoding);
        }
        if self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Fault::TransferEncodingInvalid);
        }
        self.is_chunked = true;
        Ok(())
    }

    /// Means nothing in HTTP/1.0.
    fn expect(&self, line: &[u8]) -> Result<(), Fault> {
        match value_of(line, b"expect")? {
            Some(value) if !self.is_http_10 && !value.eq_ignore_ascii_case(b"100-continue") => {
                Err(Fault::ExpectationUnknown)
            }
            _ => Ok(()),
        }
    }

    /// The empty line came that ends a head or a trailer section.
    const fn end_fields(&mut self) {
        let is_head = matches!(self.place, Place::Fields);
        self.place = Place::Start;
        if !is_head {
            return;
        }
        self.heads += 1;
        if self.is_chunked {
            self.begin_chunk();
        } else if self.remaining > 0 {
            self.place = Place::Sized;
        }
    }

    /// Takes what is here of a sized body or of a chunk.
    fn take_data(&mut self, bytes: &[u8]) -> Taken {
        let taken = usize::try_from(self.remaining).map_or(bytes.len(), |remaining| remaining.min(bytes.len()));
        self.remaining -= taken as u64;
        if self.remaining == 0 {
            self.place = match self.place {
                Place::ChunkData => Place::ChunkDataCr,
                _ => Place::Start,
            };
        }
        (taken, None)
    }

    const fn begin_chunk(&mut self) {
        self.place = Place::ChunkSize;
        self.remaining = 0;
        self.digits = 0;
        self.length = 0;
    }

    /// Takes what stands between the data of two chunks: the CRLF of one, and the size and extension of the next.
    fn take_chunk_line(&mut self, bytes: &[u8]) -> Taken {
        for (at, &byte) in bytes.iter().enumerate() {
            if let Err(fault) = self.chunk_line_byte(byte) {
                return (at, Some(fault));
            }
            if matches!(self.place, Place::ChunkData | Place::Trailers) {
                return (at + 1, None);
            }
        }
        (bytes.len(), None)
    }

    fn chunk_line_byte(&mut self, byte: u8) -> Result<(), Fault> {
        match (self.place, byte) {
            (Place::ChunkDataCr, b'\r') => self.place = Place::ChunkDataLf,
            (Place::ChunkDataLf, b'\n') => self.begin_chunk(),
            (Place::ChunkDataCr | Place::ChunkDataLf, _) => return Err(Fault::ChunkDataUnterminated),
            (Place::ChunkLineLf, b'\n') if self.remaining > 0 => self.place = Place::ChunkData,
            (Place::ChunkLineLf, b'\n') => {
                self.place = Place::Trailers;
                self.length = 0;
                self.fields = 0;
            }
            (Place::ChunkLineLf, _) => return Err(Fault::BareCr),
            (Place::ChunkSize, _) if byte.is_ascii_hexdigit() => {
                if self.digits == CHUNK_SIZE_DIGITS_MAX {
                    return Err(Fault::ChunkSizeInvalid);
                }
                self.digits += 1;
                self.remaining = self.remaining << 4 | u64::from(hex_value(byte));
            }
            (Place::ChunkSize, _) if self.digits == 0 => return Err(Fault::ChunkSizeInvalid),
            (Place::ChunkSize | Place::ChunkExtension, b'\r') => self.place = Place::ChunkLineLf,
            (Place::ChunkSize | Place::ChunkExtension, b'\n') => return Err(Fault::BareLf),
            (Place::ChunkSize | Place::ChunkSpace, b';') => self.place = Place::ChunkExtension,
            // RFC 9112 §7.1.1: white space before an extension is bad and must be read; without one it is not.
            (Place::ChunkSize | Place::ChunkSpace, b' ' | b'\t') => {
                self.place = Place::ChunkSpace;
                self.lengthen_extension()?;
            }
            (Place::ChunkExtension, b'\t' | b' '..=b'~' | 0x80..) => self.lengthen_extension()?,
            (Place::ChunkExtension, _) => return Err(Fault::ChunkExtensionInvalid),
            _ => return Err(Fault::ChunkSizeInvalid),
        }
        Ok(())
    }

    const fn lengthen_extension(&mut self) -> Result<(), Fault> {
        self.length += 1;
        if self.length > EXTENSION_BYTES_MAX {
            return Err(Fault::ChunkExtensionTooLong);
        }
        Ok(())
    }
}

/// How many bytes are understood, and what is wrong with the next, if anything is.
type Taken = (usize, Option<Fault>);

#[cfg(test)]
mod tests;
