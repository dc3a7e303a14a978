//! What single lines of a head or a trailer section say.

use memchr::memchr2;

use super::fault::Fault;
use super::limits::Limits;

/// The largest Content-Length: hyper uses the two numbers above it for other things.
const CONTENT_LENGTH_MAX: u64 = u64::MAX - 2;

/// Looks for the end of the request target; returns what follows it, `None` if the line is cut before that.
///
/// A fault that the beginning of a line has, the whole line has too.
pub(super) fn split_target<'a>(line: &'a [u8], limits: &Limits) -> Result<Option<&'a [u8]>, Fault> {
    let Some(method_end) = line.iter().position(|byte| *byte == b' ') else {
        return Ok(None);
    };
    let rest = &line[method_end + 1..];
    let visible = &rest[..rest.len().min(limits.target_bytes.saturating_add(1))];
    match memchr2(b' ', b'#', visible) {
        Some(end) if rest[end] == b'#' => Err(Fault::FragmentInTarget),
        Some(end) if end == 0 || method_end == 0 => Err(Fault::RequestLineInvalid),
        Some(end) => Ok(Some(&rest[end + 1..])),
        None if rest.len() > limits.target_bytes => Err(Fault::TargetTooLong),
        None => Ok(None),
    }
}

/// RFC 9110 §6.5.1: a trailer field must not change the framing or the route of its message.
pub(super) fn check_trailer(line: &[u8]) -> Result<(), Fault> {
    let is_forbidden = value_of(line, b"content-length")?.is_some()
        || value_of(line, b"transfer-encoding")?.is_some()
        || value_of(line, b"host")?.is_some();
    if is_forbidden {
        return Err(Fault::TrailerForbidden);
    }
    let colon = memchr::memchr(b':', line).ok_or(Fault::TrailerInvalid)?;
    let (name, value) = (
        &line[..colon],
        line[colon + 1..].strip_suffix(b"\r").unwrap_or_default(),
    );
    let is_value = value.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\t');
    if name.is_empty() || !name.iter().all(|byte| is_token_byte(*byte)) || !is_value {
        return Err(Fault::TrailerInvalid);
    }
    Ok(())
}

/// The value of a field if it has this lower-case name, without the white space around it and the CR behind it.
#[inline]
pub(super) fn value_of<'a, const N: usize>(line: &'a [u8], name: &[u8; N]) -> Result<Option<&'a [u8]>, Fault> {
    match line.split_at_checked(N) {
        Some((start, [b':' | b' ' | b'\t', ..])) if !start.eq_ignore_ascii_case(name) => Ok(None),
        Some((_, [b':', value @ .., b'\r'])) => Ok(Some(trim(value))),
        Some((_, [b' ' | b'\t', ..])) => Err(Fault::SpaceBeforeColon),
        _ => Ok(None),
    }
}

/// Without the `OWS` around it (RFC 9110 §5.6.3).
const fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// `1*DIGIT` (RFC 9110 §8.6).
pub(crate) fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value
        .iter()
        .try_fold(0_u64, |length, byte| {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
            length.checked_mul(10)?.checked_add(digit)
        })
        .filter(|length| *length <= CONTENT_LENGTH_MAX)
}

/// RFC 9110 §5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// The value of a hexadecimal digit.
pub(super) const fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}
