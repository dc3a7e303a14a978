//! Looks at a request head as it comes, for faults and for how the body behind it is framed.
//!
//! # Invariants
//! - Any split of the same bytes gives the same fault and the same end, and a fault is told as soon as the line that has
//!   it is there; one in a target as soon as the target has it.

use super::body::BodyDecoder;
use super::fault::Fault;
use super::limits::Limits;
use super::line::{is_section_end, parse_length, split_target, value_of};
use super::lines::{Lines, Section};

/// How far a head has come.
#[derive(Debug, Default)]
pub struct HeadScan {
    lines: Lines,
    facts: Facts,
}

/// What the lines so far say.
#[derive(Debug, Default)]
struct Facts {
    has_line: bool,
    fields: u32,
    length: Option<u64>,
    is_chunked: bool,
    is_http_10: bool,
}

impl HeadScan {
    /// A head that nothing has come of.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            lines: Lines::new(),
            facts: Facts {
                has_line: false,
                fields: 0,
                length: None,
                is_chunked: false,
                is_http_10: false,
            },
        }
    }

    /// Looks at the bytes that came next. Returns how many of them belong to the head if it ends with these, `None` if it
    /// goes on.
    ///
    /// # Errors
    /// The first fault; the head is none then.
    pub fn check(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Fault> {
        let facts = &mut self.facts;
        let taken = self.lines.take(bytes, limits.head_bytes, Fault::HeadTooLarge, |line| {
            facts.line(line, limits)
        });
        match taken {
            Ok(Section::Ends(end)) => Ok(Some(end)),
            Err((_, fault)) if fault != Fault::HeadTooLarge => Err(fault),
            goes_on => {
                if !self.facts.has_line {
                    split_target(self.lines.cut(), limits)?;
                }
                goes_on.map(|_| None).map_err(|(_, fault)| fault)
            }
        }
    }

    /// The body of a head that has ended; `None` if it has none.
    #[must_use]
    pub fn body(&self) -> Option<BodyDecoder> {
        if self.facts.is_chunked {
            return Some(BodyDecoder::chunked());
        }
        self.facts.length.filter(|length| *length > 0).map(BodyDecoder::sized)
    }
}

impl Facts {
    /// A whole line without its LF; whether the head ends with it.
    #[inline]
    fn line(&mut self, line: &[u8], limits: &Limits) -> Result<bool, Fault> {
        if !self.has_line {
            self.request_line(line, limits)?;
            return Ok(false);
        }
        if is_section_end(line)? {
            return Ok(true);
        }
        self.fields += 1;
        if self.fields as usize > limits.field_count {
            return Err(Fault::TooManyFields);
        }
        match line.first() {
            Some(b'C' | b'c') => self.content_length(line)?,
            Some(b'T' | b't') => self.transfer_encoding(line)?,
            Some(b'E' | b'e') => self.expect(line)?,
            _ => {}
        }
        Ok(false)
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
        self.has_line = true;
        Ok(())
    }

    fn content_length(&mut self, line: &[u8]) -> Result<(), Fault> {
        let Some(value) = value_of(line, b"content-length")? else {
            return Ok(());
        };
        if self.is_chunked {
            return Err(Fault::LengthBesideTransferEncoding);
        }
        if self.length.is_some() {
            return Err(Fault::ContentLengthRepeated);
        }
        self.length = Some(parse_length(value).ok_or(Fault::ContentLengthInvalid)?);
        Ok(())
    }

    fn transfer_encoding(&mut self, line: &[u8]) -> Result<(), Fault> {
        let Some(value) = value_of(line, b"transfer-encoding")? else {
            return Ok(());
        };
        if self.is_http_10 {
            return Err(Fault::TransferEncodingInHttp10);
        }
        if self.length.is_some() {
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
}
