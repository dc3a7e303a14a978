//! Byte ranges of a representation (RFC 9110 §14): what a `Range` asks for, and how `Content-Range` says it.
//!
//! # Invariants
//! - What is no list of byte ranges is ignored as a whole, and so is a list of more than [`RANGES_MAX`] (§14.2): a
//!   server may answer any request with the whole representation.
//! - The ranges of a [`Selection`] lie within the representation and are not empty. They neither overlap nor touch, so no
//!   byte is sent twice, whatever was asked for.

use std::fmt;

#[cfg(test)]
mod tests;

/// The most ranges in one `Range` field; players of media and resumed downloads ask for one, readers of documents for a
/// few.
pub const RANGES_MAX: usize = 16;

/// Ranges with so few bytes between them are sent as one (RFC 9110 §15.3.7.2): the head of another part is longer.
pub const GAP_BYTES: u64 = 80;

/// What a `Range` field selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it: the field is to be ignored.
    Whole,
    /// One range.
    One(ByteRange),
    /// Two ranges or more, in the order in which they were asked for.
    Several(Vec<ByteRange>),
    /// None of the ranges begins within the representation: 416.
    Unsatisfiable,
}

/// Some bytes that follow one another, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Position of the first one.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
}

/// Returns what `field`, the value of `Range`, selects of a representation of `length` bytes.
///
/// An empty representation has no part that a `Content-Range` could name, so it is sent as it is.
#[must_use]
pub fn select(field: &[u8], length: u64) -> Selection {
    let Some(set) = range_set(field).filter(|_| length > 0) else {
        return Selection::Whole;
    };
    let mut selected = Vec::new();
    let mut count = 0;
    for text in set
        .split(|byte| *byte == b',')
        .map(trim)
        .filter(|text| !text.is_empty())
    {
        count += 1;
        let Some(spec) = Spec::parse(text).filter(|_| count <= RANGES_MAX) else {
            return Selection::Whole;
        };
        if let Some(range) = spec.within(length) {
            add(&mut selected, range);
        }
    }
    match (selected.as_slice(), count) {
        ([], 0) => Selection::Whole,
        ([], _) => Selection::Unsatisfiable,
        ([range], _) => Selection::One(*range),
        _ => Selection::Several(selected),
    }
}

/// A value of `Content-Range` (RFC 9110 §14.4).
#[derive(Clone, Copy, Debug)]
pub enum ContentRange {
    /// Where the content stands in a representation.
    Of(ByteRange, u64),
    /// How long the representation is that has no such range.
    Unsatisfied(u64),
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(range, length) => write!(f, "bytes {}-{}/{length}", range.offset, range.end() - 1),
            Self::Unsatisfied(length) => write!(f, "bytes */{length}"),
        }
    }
}

impl ByteRange {
    /// Position behind the last byte.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset + self.length
    }

    const fn is_near(&self, other: &Self) -> bool {
        self.offset <= other.end().saturating_add(GAP_BYTES) && other.offset <= self.end().saturating_add(GAP_BYTES)
    }

    fn join(&self, other: &Self) -> Self {
        let offset = self.offset.min(other.offset);
        Self {
            offset,
            length: self.end().max(other.end()) - offset,
        }
    }
}

/// Adds a range to those that it is not near to; those that it is near to become part of it, where the first of them was.
fn add(ranges: &mut Vec<ByteRange>, range: ByteRange) {
    let mut joined = range;
    let mut at = ranges.len();
    while let Some(near) = ranges.iter().position(|other| other.is_near(&joined)) {
        joined = ranges.remove(near).join(&joined);
        at = at.min(near);
    }
    ranges.insert(at, joined);
}

/// A `range-spec` (RFC 9110 §14.1.2).
enum Spec {
    From { first: u64, last: u64 },
    Suffix(u64),
}

impl Spec {
    fn parse(text: &[u8]) -> Option<Self> {
        let hyphen = text.iter().position(|byte| *byte == b'-')?;
        let (first, last) = (&text[..hyphen], &text[hyphen + 1..]);
        if first.is_empty() {
            return number(last).map(Self::Suffix);
        }
        let first = number(first)?;
        let last = if last.is_empty() { u64::MAX } else { number(last)? };
        (first <= last).then_some(Self::From { first, last })
    }

    /// What there is of it in a representation.
    fn within(&self, length: u64) -> Option<ByteRange> {
        let (offset, end) = match *self {
            Self::From { first, last } => (first, length.min(last.saturating_add(1))),
            Self::Suffix(suffix) => (length.saturating_sub(suffix), length),
        };
        (offset < end).then(|| ByteRange {
            offset,
            length: end - offset,
        })
    }
}

/// The list behind `bytes=`.
fn range_set(field: &[u8]) -> Option<&[u8]> {
    let field = trim(field);
    let equals = field.iter().position(|byte| *byte == b'=')?;
    let (unit, set) = (&field[..equals], &field[equals + 1..]);
    unit.eq_ignore_ascii_case(b"bytes").then_some(set)
}

/// `1*DIGIT`; what is too large for a number is larger than any file.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0_u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    Some(number)
}

/// Without `OWS` around it (RFC 9110 §5.6.3).
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|byte| !is_space(byte))
        .map_or(start, |last| last + 1);
    &text[start..end]
}
