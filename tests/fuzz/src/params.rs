//! What the codecs of parameters and cookies give must be what their rules say, written down once more and slowly.
//!
//! The first byte of a test case is the most parameters that may be, the rest is the input.

use hinny_codec::cookies::{self, Values};
use hinny_codec::params;
use hinny_core::results::{
    PARAMS_COUNT, PARAMS_ENTRIES, PARAMS_ENTRY_SIZE, PARAMS_NAME_LENGTH, PARAMS_NOT_ASCII, PARAMS_RAW,
    PARAMS_VALUE_LENGTH,
};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Runs a test case as a query string.
///
/// # Errors
/// What is otherwise than the rules say.
pub fn check_form(data: &[u8]) -> Result<(), String> {
    let (most, input) = most_and_input(data);
    let mut output = Vec::new();
    let result = params::decode(input, most, &mut output);
    compare(
        &form(input),
        result.is_ok(),
        &output,
        most,
        !input.is_ascii() && input.contains(&b'='),
    )
}

/// Runs a test case as a Cookie header.
///
/// # Errors
/// What is otherwise than the rules say.
pub fn check_cookies(data: &[u8]) -> Result<(), String> {
    let (most, input) = most_and_input(data);
    let encoded = encoded_cookies(input);
    let mut output = Vec::new();
    let result = cookies::decode(input, Values::Encoded, most, &mut output);
    compare(&encoded, result.is_ok(), &output, most, false)?;
    let decoded = encoded
        .into_iter()
        .filter_map(|(name, value)| decoded(&value).map(|value| (name, value)))
        .collect();
    output.clear();
    let result = cookies::decode(input, Values::Decoded, most, &mut output);
    compare(&decoded, result.is_ok(), &output, most, false)
}

fn most_and_input(data: &[u8]) -> (u32, &[u8]) {
    data.split_first()
        .map_or((0, data), |(most, input)| (u32::from(*most), input))
}

fn compare(expected: &Pairs, is_ok: bool, output: &[u8], most: u32, is_raw: bool) -> Result<(), String> {
    let fits = u32::try_from(expected.len()).is_ok_and(|count| count <= most);
    if fits != is_ok {
        return Err(format!("{} parameters of {most}, but {is_ok}", expected.len()));
    }
    if !is_ok {
        return Ok(());
    }
    let count = u32_at(output, PARAMS_COUNT);
    let mut at = PARAMS_ENTRIES;
    let mut found = Pairs::new();
    for _ in 0..count & !PARAMS_RAW {
        let lengths = [PARAMS_NAME_LENGTH, PARAMS_VALUE_LENGTH].map(|place| u32_at(output, at + place));
        at += PARAMS_ENTRY_SIZE;
        let [name, value] = lengths.map(|length| {
            let from = at;
            at += usize::try_from(length & !PARAMS_NOT_ASCII).unwrap_or(usize::MAX);
            output[from..at].to_vec()
        });
        if [&name, &value].map(|text| !text.is_ascii()) != lengths.map(|length| length & PARAMS_NOT_ASCII != 0) {
            return Err(format!("flags of {} and {}", name.escape_ascii(), value.escape_ascii()));
        }
        found.push((name, value));
    }
    if at != output.len() || (count & PARAMS_RAW != 0) != is_raw || &found != expected {
        return Err(format!("found {found:?}, expected {expected:?}, raw {is_raw}"));
    }
    Ok(())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4]
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u32::from(*byte))
}

fn form(input: &[u8]) -> Pairs {
    if !input.contains(&b'=') {
        return Pairs::new();
    }
    input
        .split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
        .filter_map(|piece| {
            let mut sides = piece.splitn(2, |byte| *byte == b'=').map(decoded);
            let name = sides.next().flatten()?;
            let value = sides.next().unwrap_or_else(|| Some(Vec::new()))?;
            Some((name, value))
        })
        .collect()
}

fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|digit| char::from(*digit).to_digit(16));
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            _ => *byte,
        });
    }
    Some(decoded)
}

fn encoded_cookies(input: &[u8]) -> Pairs {
    let mut cookies = Pairs::new();
    let mut rest = input;
    while !rest.is_empty() {
        let (name, behind) = leading(rest, is_token);
        match behind.split_first() {
            Some((b'=', behind)) if !name.is_empty() => {
                let (value, behind) = value(behind);
                cookies.push((name.to_vec(), value.to_vec()));
                rest = behind;
            }
            _ if name.is_empty() => rest = &rest[1..],
            _ => rest = behind,
        }
    }
    cookies
}

fn value(text: &[u8]) -> (&[u8], &[u8]) {
    if let Some(quoted) = text.strip_prefix(b"\"") {
        let (value, behind) = leading(quoted, is_octet);
        if let Some(behind) = behind.strip_prefix(b"\"") {
            return (value, behind);
        }
    }
    leading(text, is_octet)
}

fn leading(text: &[u8], is_part: fn(u8) -> bool) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|byte| is_part(**byte)).count();
    text.split_at(length)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}
