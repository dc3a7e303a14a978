//! `Cookie` headers, to the layout of `PARAMS_…`.
//!
//! The rules are those of Ring's `wrap-cookies`, which takes what looks like a cookie wherever it stands:
//! - A name is a run of the characters of a token (RFC 9110, section 5.6.2) with a `=` right behind it.
//! - A value is a quoted or else a plain run of cookie octets (RFC 6265, section 4.1.1); it may be empty. Quotes go.
//! - A value is decoded as in a form. One with a `%` that no two hexadecimal digits follow is left out with its name.
//! - Everything between two cookies is skipped.
//!
//! All names and values are ASCII before they are decoded. The same name may come again: Ring keeps the last.

use hinny_core::results::COOKIES_SETTING_ENCODED_BIT;

use crate::entries::{Entries, Text};
use crate::malformed::Malformed;
use crate::percent::{self, Style};

#[cfg(test)]
mod tests;

/// What becomes of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// They are decoded as in a form.
    Decoded,
    /// They stay as they are, for a decoder of the application's own.
    Encoded,
}

impl Values {
    /// Returns what a codec's settings say.
    #[must_use]
    pub const fn of_settings(settings: u64) -> Self {
        if settings & (1 << COOKIES_SETTING_ENCODED_BIT) == 0 {
            Self::Decoded
        } else {
            Self::Encoded
        }
    }
}

/// Appends the cookies in `input` to `output`.
///
/// # Errors
/// `PARAMS_TOO_MANY`, at the cookie beyond `most`; those that are left out do not count.
pub fn decode(input: &[u8], values: Values, most: u32, output: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut entries = Entries::begin(input.len(), most, output);
    let mut at = 0;
    while at < input.len() {
        let name_length = run(&input[at..], TOKEN);
        let end = at + name_length;
        if name_length == 0 || input.get(end) != Some(&b'=') {
            at = end.max(at + 1);
            continue;
        }
        let (value, after) = value(input, end + 1);
        entries.open();
        append(&input[at..end], Text::Name, &mut entries);
        match values {
            Values::Encoded => {
                append(value, Text::Value, &mut entries);
                entries.keep(at)?;
            }
            Values::Decoded => {
                let (from, output) = entries.text();
                match percent::decode(value, Style::Form, output) {
                    Ok(is_beyond_ascii) => {
                        entries.close_text(Text::Value, from, !is_beyond_ascii);
                        entries.keep(at)?;
                    }
                    Err(percent::BadEscape) => entries.forget(),
                }
            }
        }
        at = after;
    }
    entries.end(0);
    Ok(())
}

fn append(text: &[u8], which: Text, entries: &mut Entries<'_>) {
    let (from, output) = entries.text();
    output.extend_from_slice(text);
    entries.close_text(which, from, true);
}

/// Returns the value at `from`, without quotes, and where it ends.
fn value(input: &[u8], from: usize) -> (&[u8], usize) {
    let rest = &input[from..];
    if let [b'"', quoted @ ..] = rest {
        let length = run(quoted, OCTET);
        return match quoted.get(length) {
            Some(b'"') => (&quoted[..length], from + length + 2),
            _ => (&[], from),
        };
    }
    let length = run(rest, OCTET);
    (&rest[..length], from + length)
}

/// How many bytes from the start on are of a kind.
fn run(bytes: &[u8], kind: u8) -> usize {
    bytes
        .iter()
        .position(|byte| KINDS[usize::from(*byte)] & kind == 0)
        .unwrap_or(bytes.len())
}

// Bits of KINDS.
const TOKEN: u8 = 1;
const OCTET: u8 = 2;

/// What a byte may be a part of. A character of a token is a cookie octet too.
const KINDS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0x21;
    while byte < 0x7F {
        let kinds = match byte {
            b'"' | b',' | b';' | b'\\' => 0,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => TOKEN | OCTET,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~' => TOKEN | OCTET,
            _ => OCTET,
        };
        table[byte as usize] = kinds;
        byte += 1;
    }
    table
};
