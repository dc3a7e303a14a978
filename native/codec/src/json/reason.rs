//! Why a text is not JSON, in words.

use hinny_core::results::{
    JSON_BAD_BYTE, JSON_BAD_CONTROL, JSON_BAD_DEPTH, JSON_BAD_DIGITS, JSON_BAD_EMPTY, JSON_BAD_END, JSON_BAD_ESCAPE,
    JSON_BAD_HASHES, JSON_BAD_LENGTH, JSON_BAD_RANGE, JSON_BAD_REST, JSON_BAD_SURROGATE, JSON_BAD_UTF8, JSON_BAD_ZERO,
};

/// Of each `JSON_BAD_…` its number, one word for programs, and words for whoever sent the text.
pub const REASONS: &[(u8, &str, &str)] = &[
    (JSON_BAD_EMPTY, "empty", "no value"),
    (JSON_BAD_END, "end", "the text ends too early"),
    (JSON_BAD_BYTE, "character", "a character that cannot stand there"),
    (JSON_BAD_UTF8, "encoding", "bytes that are not UTF-8"),
    (JSON_BAD_CONTROL, "control-character", "a control character in a string"),
    (JSON_BAD_ESCAPE, "escape", "an unknown escape"),
    (JSON_BAD_SURROGATE, "surrogate", "half a surrogate pair"),
    (JSON_BAD_ZERO, "leading-zero", "a number with a leading zero"),
    (JSON_BAD_REST, "trailing", "something behind the value"),
    (JSON_BAD_DEPTH, "depth", "nested too deeply"),
    (JSON_BAD_DIGITS, "digits", "a number of too many digits"),
    (JSON_BAD_RANGE, "range", "a number out of range"),
    (JSON_BAD_LENGTH, "length", "the text is too long"),
    (JSON_BAD_HASHES, "hashes", "too many keys with the same hash"),
];

/// Returns the words for one of `JSON_BAD_…`.
#[must_use]
pub const fn reason_text(reason: u8) -> &'static str {
    let mut at = 0;
    while at < REASONS.len() {
        if REASONS[at].0 == reason {
            return REASONS[at].2;
        }
        at += 1;
    }
    "malformed"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_words_in_the_order_of_the_numbers() {
        let numbers: Vec<u8> = REASONS.iter().map(|(number, _, _)| *number).collect();
        assert_eq!(numbers, (1..=JSON_BAD_HASHES).collect::<Vec<_>>());
        assert_eq!(reason_text(JSON_BAD_BYTE), "a character that cannot stand there");
        assert_eq!(reason_text(0), "malformed");
    }
}
