//! Query strings and bodies of `application/x-www-form-urlencoded`, to the layout of `PARAMS_…`.
//!
//! The rules are those of ring-codec's `form-decode`, so that a Ring application gets what it always got:
//! - An input without any `=` has no parameters.
//! - Pieces between `&` that are empty are none. The first `=` of a piece ends the name; without one the value is empty.
//! - A `+` is a space. A piece with a `%` that no two hexadecimal digits follow is left out.
//!
//! Bytes stay bytes: which charset they are in is for whoever makes text of them. [`PARAMS_RAW`] says that the input has
//! bytes beyond ASCII that are not escaped: Ring makes text of those by themselves, before it looks at the escapes.

use hinny_core::results::PARAMS_RAW;
use memchr::{memchr, memchr3};

use crate::entries::{Entries, Text};
use crate::malformed::Malformed;
use crate::percent::hex_pair;

#[cfg(test)]
mod tests;

/// Appends the parameters in `input` to `output`.
///
/// # Errors
/// `PARAMS_TOO_MANY`, at the parameter beyond `most`; those that are left out do not count.
pub fn decode(input: &[u8], most: u32, output: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut entries = Entries::begin(input.len(), most, output);
    if memchr(b'=', input).is_none() {
        entries.end(0);
        return Ok(());
    }
    let is_ascii = input.is_ascii();
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        if byte == b'&' {
            at += 1;
            continue;
        }
        entries.open();
        match append_pair(input, at, is_ascii, &mut entries) {
            Ok(end) => {
                entries.keep(at)?;
                at = end;
            }
            Err(BadEscapeAt(bad)) => {
                entries.forget();
                at = memchr(b'&', &input[bad..]).map_or(input.len(), |length| bad + length);
            }
        }
    }
    entries.end(if is_ascii { 0 } else { PARAMS_RAW });
    Ok(())
}

struct BadEscapeAt(usize);

/// Fills the entry that is open with what stands at `from`; returns where that ends.
fn append_pair(input: &[u8], from: usize, is_ascii: bool, entries: &mut Entries<'_>) -> Result<usize, BadEscapeAt> {
    let end = append_text(input, from, Text::Name, is_ascii, entries)?;
    match input.get(end) {
        Some(b'=') => append_text(input, end + 1, Text::Value, is_ascii, entries),
        _ => Ok(end),
    }
}

fn append_text(
    input: &[u8],
    from: usize,
    text: Text,
    is_ascii: bool,
    entries: &mut Entries<'_>,
) -> Result<usize, BadEscapeAt> {
    let (start, output) = entries.text();
    let mut bits = 0;
    let mut at = from;
    loop {
        let run = plain_run(&input[at..], text);
        output.extend_from_slice(&input[at..at + run]);
        at += run;
        match input.get(at) {
            Some(b'+') => {
                output.push(b' ');
                at += 1;
            }
            Some(b'%') => {
                let Some(byte) = input.get(at + 1..at + 3).and_then(hex_pair) else {
                    return Err(BadEscapeAt(at));
                };
                output.push(byte);
                bits |= byte;
                at += 3;
            }
            _ => break,
        }
    }
    let is_ascii = bits.is_ascii() && (is_ascii || output[start..].is_ascii());
    entries.close_text(text, start, is_ascii);
    Ok(at)
}

/// How many bytes stand for themselves.
#[inline]
fn plain_run(bytes: &[u8], text: Text) -> usize {
    let ends: u8 = match text {
        Text::Name => NAME_END,
        Text::Value => VALUE_END,
    };
    // Most texts are shorter than what makes a search by vectors pay.
    let near = &bytes[..bytes.len().min(SHORT)];
    if let Some(length) = near.iter().position(|byte| ENDS[usize::from(*byte)] & ends != 0) {
        return length;
    }
    let far = &bytes[near.len()..];
    let value_end = memchr3(b'&', b'%', b'+', far).unwrap_or(far.len());
    near.len()
        + match text {
            Text::Name => memchr(b'=', &far[..value_end]).unwrap_or(value_end),
            Text::Value => value_end,
        }
}

const SHORT: usize = 16;

// Bits of ENDS.
const NAME_END: u8 = 1;
const VALUE_END: u8 = 2;

/// Which texts a byte ends, or is more than itself in.
const ENDS: [u8; 256] = {
    let mut table = [0; 256];
    table[b'=' as usize] = NAME_END;
    table[b'&' as usize] = NAME_END | VALUE_END;
    table[b'%' as usize] = NAME_END | VALUE_END;
    table[b'+' as usize] = NAME_END | VALUE_END;
    table
};
