//! Reads a request body as it comes: of a known length, or in chunks (RFC 9112 §6, §7.1).
//!
//! # Invariants
//! - Data is never copied: it is a slice of the bytes that are given.
//! - Any split of the same bytes gives the same data and the same fault.
//! - A fault is told when all data before it was given.

use super::fault::Fault;
use super::limits::Limits;
use super::line::{check_trailer, hex_value, is_section_end};
use super::lines::{FaultAt, Lines, Section};

/// The most bytes of the extensions of one chunk.
pub const EXTENSION_BYTES_MAX: u32 = 4 << 10;

/// The most digits of a chunk size: what a `u64` holds.
const CHUNK_SIZE_DIGITS_MAX: u8 = 16;

/// How far a body has come.
#[derive(Debug)]
pub struct BodyDecoder {
    place: Place,
    /// Of a sized body, or of the chunk.
    remaining: u64,
    /// Of the chunk size.
    digits: u8,
    /// Bytes of the chunk's extension.
    extension: u32,
    /// Trailer fields.
    fields: u32,
    trailers: Lines,
    /// What comes behind the data that was given last.
    fault: Option<Fault>,
}

/// Where the next byte belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Sized,
    ChunkSize,
    /// In white space between a chunk size and the `;` of its extension.
    ChunkSpace,
    ChunkExtension,
    ChunkLineLf,
    ChunkData,
    ChunkDataCr,
    ChunkDataLf,
    Trailers,
    End,
}

/// What bytes hold of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Decoded<'b> {
    /// The next data, in a row; none if the bytes hold none.
    pub data: &'b [u8],
    /// How many bytes are done with: the data, what stands before it, and what of the framing stands behind it.
    pub used: usize,
}

impl BodyDecoder {
    /// A body of so many bytes, at least one.
    #[must_use]
    pub const fn sized(length: u64) -> Self {
        Self::new(Place::Sized, length)
    }

    /// A body in chunks.
    #[must_use]
    pub const fn chunked() -> Self {
        Self::new(Place::ChunkSize, 0)
    }

    const fn new(place: Place, remaining: u64) -> Self {
        Self {
            place,
            remaining,
            digits: 0,
            extension: 0,
            fields: 0,
            trailers: Lines::new(),
            fault: None,
        }
    }

    /// Whether the body has come to its end.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        matches!(self.place, Place::End)
    }

    /// How many bytes of data are still to come at least: all that are, of a body with a length.
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Reads the bytes that come next, for at most `most` bytes of data.
    ///
    /// # Errors
    /// The first fault, and how many of the bytes stand before it or before the line that has it.
    pub fn decode<'b>(&mut self, bytes: &'b [u8], most: usize, limits: &Limits) -> Result<Decoded<'b>, FaultAt> {
        if let Some(fault) = self.fault {
            return Err((0, fault));
        }
        let mut decoded = Decoded { data: &[], used: 0 };
        while decoded.used < bytes.len() && !self.has_ended() {
            let at = decoded.used;
            let rest = &bytes[at..];
            if matches!(self.place, Place::Sized | Place::ChunkData) {
                if !decoded.data.is_empty() || most == 0 {
                    break;
                }
                decoded.data = self.take_data(rest, most);
                decoded.used += decoded.data.len();
                continue;
            }
            let taken = if self.place == Place::Trailers {
                self.take_trailers(rest, limits)
            } else {
                self.take_chunk_line(rest)
            };
            match taken {
                Ok(taken) => decoded.used += taken,
                Err((before, fault)) => {
                    self.fault = Some(fault);
                    decoded.used += before;
                    if decoded.data.is_empty() {
                        return Err((decoded.used, fault));
                    }
                    break;
                }
            }
        }
        Ok(decoded)
    }

    fn take_data<'b>(&mut self, bytes: &'b [u8], most: usize) -> &'b [u8] {
        let here = bytes.len().min(most);
        let taken = usize::try_from(self.remaining).map_or(here, |remaining| remaining.min(here));
        self.remaining -= taken as u64;
        if self.remaining == 0 {
            self.place = match self.place {
                Place::ChunkData => Place::ChunkDataCr,
                _ => Place::End,
            };
        }
        &bytes[..taken]
    }

    fn take_trailers(&mut self, bytes: &[u8], limits: &Limits) -> Result<usize, FaultAt> {
        let fields = &mut self.fields;
        let taken = self
            .trailers
            .take(bytes, limits.head_bytes, Fault::TrailersTooLarge, |line| {
                if is_section_end(line)? {
                    return Ok(true);
                }
                *fields += 1;
                if *fields as usize > limits.field_count {
                    return Err(Fault::TooManyFields);
                }
                check_trailer(line)?;
                Ok(false)
            })?;
        match taken {
            Section::Ends(end) => {
                self.place = Place::End;
                Ok(end)
            }
            Section::GoesOn => Ok(bytes.len()),
        }
    }

    /// Takes what stands between the data of two chunks: the CRLF of one, and the size and extension of the next.
    fn take_chunk_line(&mut self, bytes: &[u8]) -> Result<usize, FaultAt> {
        for (at, &byte) in bytes.iter().enumerate() {
            self.chunk_line_byte(byte).map_err(|fault| (at, fault))?;
            if matches!(self.place, Place::ChunkData | Place::Trailers) {
                return Ok(at + 1);
            }
        }
        Ok(bytes.len())
    }

    fn chunk_line_byte(&mut self, byte: u8) -> Result<(), Fault> {
        match (self.place, byte) {
            (Place::ChunkDataCr, b'\r') => self.place = Place::ChunkDataLf,
            (Place::ChunkDataLf, b'\n') => self.begin_chunk(),
            (Place::ChunkDataCr | Place::ChunkDataLf, _) => return Err(Fault::ChunkDataUnterminated),
            (Place::ChunkLineLf, b'\n') if self.remaining > 0 => self.place = Place::ChunkData,
            (Place::ChunkLineLf, b'\n') => self.place = Place::Trailers,
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

    const fn begin_chunk(&mut self) {
        self.place = Place::ChunkSize;
        self.digits = 0;
        self.extension = 0;
    }

    const fn lengthen_extension(&mut self) -> Result<(), Fault> {
        self.extension += 1;
        if self.extension > EXTENSION_BYTES_MAX {
            return Err(Fault::ChunkExtensionTooLong);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
