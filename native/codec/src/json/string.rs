//! Strings and keys.

use hinny_core::results::{
    JSON_BAD_CONTROL, JSON_BAD_END, JSON_BAD_ESCAPE, JSON_BAD_SURROGATE, JSON_KEY_ASCII, JSON_KEY_BYTES_MAX,
    JSON_KEY_HERE, JSON_KEY_UTF8, JSON_STRING_ASCII, JSON_STRING_HERE, JSON_STRING_UTF8,
};

use super::fault::malformed;
use super::scan::{HIGH, byte_at, eight_at, stops, to_stop};
use super::tape::Tape;
use crate::malformed::Malformed;

/// More bytes than a word of the tape has room for are put behind it.
const BYTES_MAX: usize = (1 << 24) - 1;

/// Puts the string whose first byte, behind the quote, is at `at` on the tape; returns where it ends, behind the other quote.
#[inline(always)]
pub(super) fn value<const ASCII: bool>(input: &[u8], at: usize, tape: &mut Tape<'_>) -> Result<usize, Malformed> {
    let (end, has_others) = to_stop(input, at);
    let length = end - at;
    if byte_at(input, end) != b'"' || length > BYTES_MAX {
        return put_here(input, at, end, JSON_STRING_HERE, tape);
    }
    let tag = if ASCII || !has_others {
        JSON_STRING_ASCII
    } else {
        JSON_STRING_UTF8
    };
    tape.push(u64::from(tag) | (length as u64) << 8 | (at as u64) << 32);
    Ok(end + 1)
}

/// As [`value`], for a key.
#[inline(always)]
pub(super) fn key<const ASCII: bool>(input: &[u8], at: usize, tape: &mut Tape<'_>) -> Result<usize, Malformed> {
    let first = eight_at(input, at).unwrap_or(u64::MAX);
    let stop = stops(first);
    // Most keys end within eight bytes.
    let (end, has_others, hash) = if stop != 0 {
        let few = first & ((stop ^ (stop - 1)) >> 8);
        let length = stop.trailing_zeros() as usize / 8;
        (at + length, few & HIGH != 0, hash_of(few, few, length))
    } else {
        let (end, has_others) = to_stop(input, at);
        (end, has_others, hash(&input[at..end]))
    };
    let length = end - at;
    if byte_at(input, end) != b'"' || length > JSON_KEY_BYTES_MAX {
        return put_here(input, at, end, JSON_KEY_HERE, tape);
    }
    let tag = if ASCII || !has_others {
        JSON_KEY_ASCII
    } else {
        JSON_KEY_UTF8
    };
    tape.push(u64::from(tag) | (length as u64) << 8 | u64::from(hash) << 16 | (at as u64) << 32);
    Ok(end + 1)
}

/// Returns the hash of a key: of its length, its first eight bytes and its last eight.
pub(super) fn hash(key: &[u8]) -> u16 {
    let (first, last) = match (key.first_chunk(), key.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => {
            let all = key.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte));
            (all, all)
        }
    };
    hash_of(first, last, key.len())
}

const fn hash_of(first: u64, last: u64, length: usize) -> u16 {
    let mixed = (first ^ last.rotate_left(29)).wrapping_add(length as u64);
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as u16
}

/// Puts a string that cannot stay in the input behind a word with `tag`. It starts at `start`, and `end` is the first byte
/// that it does not just go on with.
#[cold]
#[inline(never)]
fn put_here(input: &[u8], start: usize, end: usize, tag: u8, tape: &mut Tape<'_>) -> Result<usize, Malformed> {
    let word = tape.start_bytes(tag);
    let (mut at, mut end) = (start, end);
    loop {
        tape.push_bytes(&input[at..end]);
        match input.get(end) {
            Some(b'"') => {
                tape.end_bytes(word);
                return Ok(end + 1);
            }
            Some(b'\\') => at = escape(input, end, tape)?,
            Some(_) => return Err(malformed(end, JSON_BAD_CONTROL)),
            None => return Err(malformed(end, JSON_BAD_END)),
        }
        (end, _) = to_stop(input, at);
    }
}

/// Puts what the escape at `at` stands for on the tape; returns where it ends.
fn escape(input: &[u8], at: usize, tape: &mut Tape<'_>) -> Result<usize, Malformed> {
    let Some(&kind) = input.get(at + 1) else {
        return Err(malformed(at + 1, JSON_BAD_END));
    };
    let byte = match kind {
        b'"' | b'\\' | b'/' => kind,
        b'b' => 0x08,
        b'f' => 0x0C,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let (character, end) = unicode(input, at)?;
            tape.push_bytes(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(end);
        }
        _ => return Err(malformed(at, JSON_BAD_ESCAPE)),
    };
    tape.push_bytes(&[byte]);
    Ok(at + 2)
}

/// Returns the character that the `\u` at `at` stands for, with the other half of the pair if it is one, and where that ends.
fn unicode(input: &[u8], at: usize) -> Result<(char, usize), Malformed> {
    let first = four_digits(input, at)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, at + 6));
    }
    let has_second = first < 0xDC00 && input[at + 6..].starts_with(b"\\u");
    let second = if has_second { four_digits(input, at + 6)? } else { 0 };
    if !(0xDC00..0xE000).contains(&second) {
        return Err(malformed(at, JSON_BAD_SURROGATE));
    }
    let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    let pair = char::from_u32(code).ok_or(malformed(at, JSON_BAD_SURROGATE))?;
    Ok((pair, at + 12))
}

/// Returns the number in the hex digits of the `\u` at `at`.
fn four_digits(input: &[u8], at: usize) -> Result<u32, Malformed> {
    let mut code = 0;
    for at in at + 2..at + 6 {
        let Some(&byte) = input.get(at) else {
            return Err(malformed(input.len(), JSON_BAD_END));
        };
        let digit = char::from(byte).to_digit(16).ok_or(malformed(at, JSON_BAD_ESCAPE))?;
        code = code << 4 | digit;
    }
    Ok(code)
}
