//! JSON texts (RFC 8259) to tapes: one pass over the text, one word or two for each value.
//!
//! # Invariants
//! - A tape is complete and right, or there is none: the text is valid JSON in UTF-8, strings and numbers included, and
//!   nested no deeper than allowed.
//! - Time and memory are linear in the text: a tape has at most eight times its bytes, and nothing else is allocated.
//! - A string without escapes stays where it is, and the tape says where in the text; one with escapes is put into the tape.

mod fault;
mod number;
mod reason;
mod scan;
mod string;
mod tape;
#[cfg(test)]
mod tests;

use hinny_core::results::{
    JSON_ARRAY, JSON_BAD_DEPTH, JSON_BAD_EMPTY, JSON_BAD_LENGTH, JSON_BAD_REST, JSON_BAD_UTF8, JSON_BIG_DECIMALS,
    JSON_BYTES_MAX, JSON_DEPTH_MASK, JSON_FALSE, JSON_NULL, JSON_OBJECT, JSON_TRUE,
};

pub use self::reason::{REASONS, reason_text};
use crate::malformed::Malformed;
use fault::{malformed, unexpected};
use scan::next;
use tape::Tape;

/// How a text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The nesting that is allowed: 1 for an array of numbers, 0 for no array or object at all.
    pub depth: u16,
    /// Whether numbers with a fraction or an exponent stay text.
    pub big_decimals: bool,
}

impl Settings {
    /// Reads what Java gives: see [`JSON_DEPTH_MASK`] and [`JSON_BIG_DECIMALS`].
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            depth: (bits & JSON_DEPTH_MASK as u64) as u16,
            big_decimals: bits & JSON_BIG_DECIMALS as u64 != 0,
        }
    }
}

/// The nesting that is allowed where nobody asks for another.
pub const DEPTH_DEFAULT: u16 = 512;

/// Appends the tape of the one value in `input` to `output`.
///
/// # Errors
/// The text is not valid JSON, or beyond a limit: why is one of `JSON_BAD_…`. Of more faults than one, a fault in UTF-8 is
/// told, otherwise the first.
pub fn decode(input: &[u8], settings: Settings, output: &mut Vec<u8>) -> Result<(), Malformed> {
    if input.len() > JSON_BYTES_MAX {
        return Err(malformed(JSON_BYTES_MAX, JSON_BAD_LENGTH));
    }
    let mut tape = Tape::new(output);
    if input.is_ascii() {
        return tokenize::<true>(input, settings, &mut tape);
    }
    match str::from_utf8(input) {
        Ok(_) => tokenize::<false>(input, settings, &mut tape),
        Err(error) => Err(malformed(error.valid_up_to(), JSON_BAD_UTF8)),
    }
}

/// Puts the value on the tape. `ASCII`: whether all of the input is.
fn tokenize<const ASCII: bool>(input: &[u8], settings: Settings, tape: &mut Tape<'_>) -> Result<(), Malformed> {
    let (mut byte, mut at) = next(input, 0);
    if at == input.len() {
        return Err(malformed(at, JSON_BAD_EMPTY));
    }
    let mut depth = 0;
    let mut in_object = false;
    loop {
        match byte {
            b'"' => at = string::value::<ASCII>(input, at + 1, tape)?,
            b'{' | b'[' => {
                if depth == settings.depth {
                    return Err(malformed(at, JSON_BAD_DEPTH));
                }
                depth += 1;
                in_object = byte == b'{';
                tape.open(if in_object { JSON_OBJECT } else { JSON_ARRAY });
                let end = byte + 2;
                (byte, at) = next(input, at + 1);
                if byte != end {
                    if in_object {
                        (byte, at) = key::<ASCII>(input, byte, at, tape)?;
                    }
                    continue;
                }
                at += 1;
                depth -= 1;
                in_object = tape.close();
            }
            b'-' | b'0'..=b'9' => at = number::value(input, at, settings.big_decimals, tape)?,
            b't' => at = literal(input, at, b"true", JSON_TRUE, tape)?,
            b'f' => at = literal(input, at, b"false", JSON_FALSE, tape)?,
            b'n' => at = literal(input, at, b"null", JSON_NULL, tape)?,
            _ => return Err(unexpected(input, at)),
        }
        loop {
            (byte, at) = next(input, at);
            if depth == 0 {
                return if at == input.len() {
                    Ok(())
                } else {
                    Err(malformed(at, JSON_BAD_REST))
                };
            }
            if byte == b',' {
                tape.count();
                (byte, at) = next(input, at + 1);
                if in_object {
                    (byte, at) = key::<ASCII>(input, byte, at, tape)?;
                }
                break;
            }
            if byte != if in_object { b'}' } else { b']' } {
                return Err(unexpected(input, at));
            }
            at += 1;
            depth -= 1;
            tape.count();
            in_object = tape.close();
        }
    }
}

/// Puts the key at `at`, where `byte` is, on the tape; returns the first byte of its value, and where that is.
#[inline(always)]
fn key<const ASCII: bool>(input: &[u8], byte: u8, at: usize, tape: &mut Tape<'_>) -> Result<(u8, usize), Malformed> {
    if byte != b'"' {
        return Err(unexpected(input, at));
    }
    let (byte, at) = next(input, string::key::<ASCII>(input, at + 1, tape)?);
    if byte != b':' {
        return Err(unexpected(input, at));
    }
    Ok(next(input, at + 1))
}

fn literal(input: &[u8], at: usize, text: &[u8], tag: u8, tape: &mut Tape<'_>) -> Result<usize, Malformed> {
    if input[at..].starts_with(text) {
        tape.push(u64::from(tag));
        return Ok(at + text.len());
    }
    let same = input[at..]
        .iter()
        .zip(text)
        .take_while(|(is, expected)| is == expected)
        .count();
    Err(unexpected(input, at + same))
}
