//! Looking for bytes, eight at a time.

/// The high bit of each byte.
pub(super) const HIGH: u64 = 0x8080_8080_8080_8080;

/// Returns the byte at `at`, 0 behind the end: no JSON text has one outside of strings.
#[inline(always)]
pub(super) fn byte_at(input: &[u8], at: usize) -> u8 {
    input.get(at).copied().unwrap_or(0)
}

/// Returns the eight bytes from `at` on, the first one lowest, if there are as many.
#[inline(always)]
pub(super) fn eight_at(input: &[u8], at: usize) -> Option<u64> {
    input.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Returns the first byte from `at` on that is not whitespace, 0 behind the end, and where it is.
#[inline(always)]
pub(super) fn next(input: &[u8], at: usize) -> (u8, usize) {
    match input.get(at) {
        Some(&byte) if byte > b' ' => (byte, at),
        _ => next_behind_some(input, at),
    }
}

#[inline(never)]
fn next_behind_some(input: &[u8], at: usize) -> (u8, usize) {
    let at = skip_some(input, at);
    (byte_at(input, at), at)
}

fn skip_some(input: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = input.get(at) {
        at += 1;
        while eight_at(input, at) == Some(0x2020_2020_2020_2020) {
            at += 8;
        }
    }
    at
}

/// Returns the bytes of `eight` that a string does not just go on with: `"`, `\` and control characters, each with its high
/// bit. Those above the first may be wrong.
#[inline(always)]
pub(super) const fn stops(eight: u64) -> u64 {
    let quote_or_control = (eight ^ 0x0202_0202_0202_0202).wrapping_sub(0x2121_2121_2121_2121);
    let backslash = (eight ^ 0x5C5C_5C5C_5C5C_5C5C).wrapping_sub(0x0101_0101_0101_0101);
    (quote_or_control | backslash) & !eight & HIGH
}

/// Returns where the string that goes on at `at` stops, or the input; and whether it has bytes before that which are not
/// ASCII.
#[inline(always)]
pub(super) fn to_stop(input: &[u8], mut at: usize) -> (usize, bool) {
    let mut seen = 0;
    while let Some(eight) = eight_at(input, at) {
        let stops = stops(eight);
        if stops != 0 {
            seen |= eight & ((stops ^ (stops - 1)) >> 1);
            return (at + stops.trailing_zeros() as usize / 8, seen & HIGH != 0);
        }
        seen |= eight;
        at += 8;
    }
    let mut has_others = seen & HIGH != 0;
    while let Some(byte) = input.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..b' ') {
            break;
        }
        has_others |= !byte.is_ascii();
        at += 1;
    }
    (at, has_others)
}
