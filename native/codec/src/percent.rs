//! Percent-encoding (RFC 3986, section 2.1) of bytes: whichever charset they are in is for whoever makes text of them.

use memchr::{memchr, memchr2};

#[cfg(test)]
mod tests;

/// An escape that is not `%` and two hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadEscape;

/// What the characters mean beside the escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `application/x-www-form-urlencoded` (WHATWG URL, section 5): a `+` is a space.
    Form,
    /// A segment of a path or another part of a URI (RFC 3986): a `+` is a plus.
    Uri,
}

/// Appends what `text` means; returns whether an escape in it stands for a byte that is not ASCII.
///
/// # Errors
/// A `%` without two hexadecimal digits behind it. `output` is then as it was.
pub fn decode(text: &[u8], style: Style, output: &mut Vec<u8>) -> Result<bool, BadEscape> {
    let start = output.len();
    let mut bits = 0;
    let mut rest = text;
    while let Some(at) = escape(rest, style) {
        output.extend_from_slice(&rest[..at]);
        if rest[at] == b'+' {
            output.push(b' ');
            rest = &rest[at + 1..];
            continue;
        }
        let Some(byte) = rest.get(at + 1..at + 3).and_then(hex_pair) else {
            output.truncate(start);
            return Err(BadEscape);
        };
        output.push(byte);
        bits |= byte;
        rest = &rest[at + 3..];
    }
    output.extend_from_slice(rest);
    Ok(!bits.is_ascii())
}

/// Appends `text` with every byte escaped that does not stand for itself, in upper-case digits.
///
/// What stands for itself: letters, digits, `-`, `.`, `_`, and `*` in a form, `~` in a URI. A form's space becomes `+`.
pub fn encode(text: &[u8], style: Style, output: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => output.push(byte),
            b'*' if style == Style::Form => output.push(byte),
            b' ' if style == Style::Form => output.push(b'+'),
            b'~' if style == Style::Uri => output.push(byte),
            _ => output.extend_from_slice(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
        }
    }
}

/// Returns the byte that two hexadecimal digits name.
#[inline]
pub(crate) fn hex_pair(digits: &[u8]) -> Option<u8> {
    let &[high, low] = digits else { return None };
    let (high, low) = (HEX[usize::from(high)], HEX[usize::from(low)]);
    (high | low < 16).then_some(high << 4 | low)
}

fn escape(text: &[u8], style: Style) -> Option<usize> {
    match style {
        Style::Form => memchr2(b'%', b'+', text),
        Style::Uri => memchr(b'%', text),
    }
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// What a character is worth as a hexadecimal digit; more than 15 if it is none.
const HEX: [u8; 256] = {
    let mut table = [0xFF; 256];
    let mut value = 0;
    while value < 16 {
        table[DIGITS[value as usize] as usize] = value;
        table[DIGITS[value as usize].to_ascii_lowercase() as usize] = value;
        value += 1;
    }
    table
};
