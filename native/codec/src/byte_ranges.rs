//! Content of the type `multipart/byteranges` (RFC 9110 §14.6): several ranges of a representation in one response.
//!
//! # Invariants
//! - The [`Piece`]s in order are the content: text of the server's own around slices of the representation, which need
//!   not be in memory.

use crate::range::{ByteRange, ContentRange};

#[cfg(test)]
mod tests;

/// A piece of the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A delimiter and the head of a part, or the last delimiter.
    Text(Vec<u8>),
    /// A range of the representation.
    Content(ByteRange),
}

/// Returns the pieces for `ranges` of a representation of `length` bytes and this Content-Type.
///
/// `boundary` is 1 to 70 characters of a token (RFC 2046 §5.1.1) and must not occur in the representation: who can
/// write the representation must not be able to guess it.
#[must_use]
pub fn pieces(ranges: &[ByteRange], length: u64, content_type: &[u8], boundary: &str) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(2 * ranges.len() + 1);
    for range in ranges {
        // The first delimiter has no line to end.
        let line_end = if pieces.is_empty() { "" } else { "\r\n" };
        let mut text = format!("{line_end}--{boundary}\r\ncontent-type: ").into_bytes();
        text.extend_from_slice(content_type);
        text.extend_from_slice(b"\r\ncontent-range: ");
        text.extend_from_slice(ContentRange::Of(*range, length).to_string().as_bytes());
        text.extend_from_slice(b"\r\n\r\n");
        pieces.push(Piece::Text(text));
        pieces.push(Piece::Content(*range));
    }
    pieces.push(Piece::Text(format!("\r\n--{boundary}--\r\n").into_bytes()));
    pieces
}

/// Returns how many bytes some pieces are.
#[must_use]
pub fn content_length(pieces: &[Piece]) -> u64 {
    let length = |piece: &Piece| match piece {
        Piece::Text(text) => text.len() as u64,
        Piece::Content(range) => range.length,
    };
    pieces.iter().map(length).sum()
}
