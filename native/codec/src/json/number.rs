//! Numbers.

use hinny_core::results::{
    JSON_BAD_DIGITS, JSON_BAD_RANGE, JSON_BAD_ZERO, JSON_BIG_DECIMAL, JSON_BIG_INTEGER, JSON_DIGITS_MAX, JSON_DOUBLE,
    JSON_EXPONENT_MAX, JSON_LONG, JSON_LONG_WIDE,
};

use super::fault::{malformed, unexpected};
use super::scan::byte_at;
use super::tape::Tape;
use crate::malformed::Malformed;

/// As many digits fit a u64, whatever they are.
const EXACT_DIGITS: usize = 19;

/// The powers of ten that an f64 holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A number of which the digits before a fraction have been read.
struct Whole {
    start: usize,
    is_negative: bool,
    /// What the digits say, if they are no more than [`EXACT_DIGITS`].
    value: u64,
    digits: usize,
}

/// Puts the number at `start` on the tape; returns where it ends.
#[inline(always)]
pub(super) fn value(input: &[u8], start: usize, big_decimals: bool, tape: &mut Tape<'_>) -> Result<usize, Malformed> {
    let is_negative = input[start] == b'-';
    let first = start + usize::from(is_negative);
    let (end, value) = digits(input, first, 0);
    let whole = Whole {
        start,
        is_negative,
        value,
        digits: end - first,
    };
    if whole.digits == 0 {
        return Err(unexpected(input, end));
    }
    if byte_at(input, first) == b'0' && whole.digits > 1 {
        return Err(malformed(first, JSON_BAD_ZERO));
    }
    match byte_at(input, end) {
        b'.' | b'e' | b'E' => fraction(input, &whole, end, big_decimals, tape),
        _ if whole.digits < EXACT_DIGITS => {
            let number = value.cast_signed();
            put_long(if is_negative { -number } else { number }, tape);
            Ok(end)
        }
        _ => large(&whole, end, tape),
    }
}

/// Reads digits on top of `value`, modulo 2^64; returns where they end.
#[inline(always)]
fn digits(input: &[u8], mut at: usize, mut value: u64) -> (usize, u64) {
    while let Some(digit) = input.get(at).map(|byte| byte.wrapping_sub(b'0'))
        && digit < 10
    {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (at, value)
}

#[inline(always)]
fn put_long(number: i64, tape: &mut Tape<'_>) {
    let shifted = number << 8;
    if shifted >> 8 == number {
        tape.push(shifted.cast_unsigned() | u64::from(JSON_LONG));
    } else {
        tape.push_two(u64::from(JSON_LONG_WIDE), number.cast_unsigned());
    }
}

/// A whole number that may not fit an i64.
#[cold]
fn large(whole: &Whole, end: usize, tape: &mut Tape<'_>) -> Result<usize, Malformed> {
    let number = if whole.digits > EXACT_DIGITS {
        None
    } else if whole.is_negative {
        0_i64.checked_sub_unsigned(whole.value)
    } else {
        i64::try_from(whole.value).ok()
    };
    match number {
        Some(number) => put_long(number, tape),
        None => put_text(JSON_BIG_INTEGER, whole.start, end, tape)?,
    }
    Ok(end)
}

fn put_text(tag: u8, start: usize, end: usize, tape: &mut Tape<'_>) -> Result<(), Malformed> {
    if end - start > JSON_DIGITS_MAX {
        return Err(malformed(start, JSON_BAD_DIGITS));
    }
    tape.push(u64::from(tag) | ((end - start) as u64) << 8 | (start as u64) << 32);
    Ok(())
}

/// A number that goes on at `at` with a fraction or an exponent.
#[inline]
fn fraction(
    input: &[u8],
    whole: &Whole,
    mut at: usize,
    big_decimals: bool,
    tape: &mut Tape<'_>,
) -> Result<usize, Malformed> {
    let mut value = whole.value;
    let mut behind_point = 0;
    if byte_at(input, at) == b'.' {
        let first = at + 1;
        (at, value) = digits(input, first, value);
        behind_point = at - first;
        if behind_point == 0 {
            return Err(unexpected(input, at));
        }
    }
    let mut exponent = 0;
    if let b'e' | b'E' = byte_at(input, at) {
        let sign = byte_at(input, at + 1);
        let first = at + 1 + usize::from(matches!(sign, b'+' | b'-'));
        let size;
        (at, size) = exponent_digits(input, first);
        if at == first {
            return Err(unexpected(input, at));
        }
        exponent = if sign == b'-' { -size } else { size };
    }
    let digits = whole.digits + behind_point;
    if big_decimals {
        if exponent.unsigned_abs() > JSON_EXPONENT_MAX {
            return Err(malformed(whole.start, JSON_BAD_RANGE));
        }
        put_text(JSON_BIG_DECIMAL, whole.start, at, tape)?;
        return Ok(at);
    }
    let exact = if digits > EXACT_DIGITS {
        None
    } else {
        exact(value, exponent - behind_point as i64)
    };
    let number = match exact {
        Some(number) if whole.is_negative => -number,
        Some(number) => number,
        None => parsed(&input[whole.start..at]),
    };
    if !number.is_finite() {
        return Err(malformed(whole.start, JSON_BAD_RANGE));
    }
    tape.push_two(u64::from(JSON_DOUBLE), number.to_bits());
    Ok(at)
}

/// Reads the digits of an exponent; returns where they end, and the number or one that is too large anyway.
fn exponent_digits(input: &[u8], mut at: usize) -> (usize, i64) {
    let mut size = 0;
    while let digit @ b'0'..=b'9' = byte_at(input, at) {
        size = (size * 10 + i64::from(digit - b'0')).min(1_000_000_000);
        at += 1;
    }
    (at, size)
}

/// Returns `value` × 10^`exponent` if both are exact as f64, so that one operation rounds the result rightly (Clinger).
fn exact(value: u64, exponent: i64) -> Option<f64> {
    if value > 1 << 53 {
        return None;
    }
    let power = POWERS.get(usize::try_from(exponent.unsigned_abs()).ok()?)?;
    let number = value as f64;
    Some(if exponent < 0 { number / power } else { number * power })
}

/// Reads a number that is valid; infinite if it is too large.
fn parsed(text: &[u8]) -> f64 {
    str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(f64::INFINITY)
}
