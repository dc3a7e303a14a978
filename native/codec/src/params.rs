//! Query strings and bodies of `application/x-www-form-urlencoded` (WHATWG URL, section 5.1), percent-decoded.
//!
//! Bytes stay bytes: which charset they are in is for whoever makes text of them.

use hinny_core::results::{PARAMS_ENTRY_SIZE, PARAMS_INDEX, PARAMS_NOT_ASCII};
use memchr::memchr;

/// Appends the parameters in `input` to `output`, in the layout of `PARAMS_…`.
///
/// A `+` is a space; a `%` that no two hex digits follow stands for itself; a parameter without `=` has an empty value;
/// empty parameters (`&&`) are none.
pub fn decode(input: &[u8], output: &mut Vec<u8>) {
    let start = output.len();
    let count = input
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .count();
    output.resize(start + PARAMS_INDEX + count * PARAMS_ENTRY_SIZE, 0);
    put_u32(output, start, u32::try_from(count).unwrap_or(u32::MAX));
    let mut entry = start + PARAMS_INDEX;
    for pair in input.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let (name, value) = match memchr(b'=', pair) {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        for text in [name, value] {
            let length = append_decoded(text, output);
            put_u32(output, entry, length);
            entry += PARAMS_ENTRY_SIZE / 2;
        }
    }
}

/// Appends the decoded text; returns its length, with [`PARAMS_NOT_ASCII`].
fn append_decoded(text: &[u8], output: &mut Vec<u8>) -> u32 {
    let start = output.len();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        output.push(match byte {
            b'+' => b' ',
            b'%' => match hex_pair(text.get(at..at + 2)) {
                Some(decoded) => {
                    at += 2;
                    decoded
                }
                None => byte,
            },
            _ => byte,
        });
    }
    let decoded = &output[start..];
    let flag = if decoded.is_ascii() { 0 } else { PARAMS_NOT_ASCII };
    u32::try_from(decoded.len()).unwrap_or(u32::MAX) | flag
}

fn hex_pair(digits: Option<&[u8]>) -> Option<u8> {
    let &[high, low] = digits? else { return None };
    Some((hex_digit(high)? << 4) | hex_digit(low)?)
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}
