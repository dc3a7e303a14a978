//! JSON texts: what the tokenizer takes serde_json takes, as the same value, and what it refuses serde_json refuses.

use std::collections::HashMap;

use hinny_codec::json::{self, Settings};
use hinny_core::results::{
    JSON_ARRAY, JSON_ARRAY_END, JSON_BAD_DIGITS, JSON_BIG_INTEGER, JSON_DOUBLE, JSON_FALSE, JSON_KEY_ASCII,
    JSON_KEY_HERE, JSON_KEY_UTF8, JSON_LONG, JSON_LONG_WIDE, JSON_NULL, JSON_OBJECT, JSON_OBJECT_END,
    JSON_STRING_ASCII, JSON_STRING_HERE, JSON_STRING_UTF8, JSON_TRUE, JSON_WORD_SIZE,
};
use serde_json::Value;

/// As serde_json.
const DEPTH: u16 = 127;

/// Digits of the largest f64.
const F64_DIGITS: usize = 308;

/// Says what is wrong with the tape of a text, or with its refusal, if anything is.
///
/// # Errors
/// The tokenizer and serde_json do not agree.
pub fn check(text: &[u8]) -> Result<(), String> {
    let mut tape = Vec::new();
    let theirs = serde_json::from_slice::<Value>(text);
    for big_decimals in [true, false] {
        tape.clear();
        let settings = Settings {
            depth: DEPTH,
            big_decimals,
        };
        match (json::decode(text, settings, &mut tape), &theirs) {
            (Ok(()), _) if big_decimals => {}
            (Ok(()), Ok(theirs)) => {
                let end = Reader { text, tape: &tape }.check(0, theirs).ok_or("another value")?;
                if end != tape.len() {
                    return Err(format!("the tape goes on behind {end}"));
                }
            }
            // To serde_json a whole number that is larger than any f64 is none.
            (Ok(()), Err(_))
                if text
                    .split(|byte| !byte.is_ascii_digit())
                    .any(|digits| digits.len() > F64_DIGITS) => {}
            (Ok(()), Err(error)) => return Err(format!("serde_json: {error}")),
            (Err(fault), _) if fault.position > text.len() => return Err(format!("{fault:?}")),
            (Err(fault), Ok(_)) if !big_decimals && fault.reason != JSON_BAD_DIGITS => {
                return Err(format!("{fault:?}"));
            }
            (Err(_), _) => {}
        }
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a [u8],
    tape: &'a [u8],
}

impl Reader<'_> {
    /// Returns where the value at `at` ends, if it is `theirs`.
    fn check(&self, at: usize, theirs: &Value) -> Option<usize> {
        let word = self.word(at)?;
        let behind = at + JSON_WORD_SIZE;
        match (word as u8, theirs) {
            (JSON_OBJECT, Value::Object(theirs)) => {
                let mut last = HashMap::new();
                let mut next = behind;
                while self.word(next)? as u8 != JSON_OBJECT_END {
                    let (key, value_at) = self.string(next, [JSON_KEY_ASCII, JSON_KEY_UTF8, JSON_KEY_HERE], 0xFF)?;
                    next = self.behind(value_at)?;
                    last.insert(key, value_at);
                }
                let is_same = |(key, theirs): (&String, &Value)| self.check(*last.get(key.as_bytes())?, theirs);
                (last.len() == theirs.len() && theirs.iter().all(|entry| is_same(entry).is_some()))
                    .then_some(next + JSON_WORD_SIZE)
            }
            (JSON_ARRAY, Value::Array(theirs)) => {
                let next = theirs.iter().try_fold(behind, |at, theirs| self.check(at, theirs))?;
                (self.word(next)? == u64::from(JSON_ARRAY_END) | (theirs.len() as u64) << 32)
                    .then_some(next + JSON_WORD_SIZE)
            }
            (_, Value::String(theirs)) => {
                let tags = [JSON_STRING_ASCII, JSON_STRING_UTF8, JSON_STRING_HERE];
                let (mine, end) = self.string(at, tags, 0xFF_FFFF)?;
                (mine == theirs.as_bytes()).then_some(end)
            }
            // To serde_json `-0` is a double.
            (JSON_LONG, Value::Number(theirs)) => {
                let mine = word.cast_signed() >> 8;
                (theirs.as_i64() == Some(mine) || mine == 0 && theirs.as_f64() == Some(0.0)).then_some(behind)
            }
            (JSON_LONG_WIDE, Value::Number(theirs)) => {
                (theirs.as_i64() == Some(self.word(behind)?.cast_signed())).then_some(behind + JSON_WORD_SIZE)
            }
            (JSON_DOUBLE, Value::Number(theirs)) => {
                (theirs.as_f64()?.to_bits() == self.word(behind)?).then_some(behind + JSON_WORD_SIZE)
            }
            (JSON_BIG_INTEGER, Value::Number(theirs)) => {
                let digits = self.in_text(word, 0xFF_FFFF)?;
                (str::from_utf8(digits).ok()?.parse().ok() == theirs.as_f64()).then_some(behind)
            }
            (JSON_TRUE, Value::Bool(true)) | (JSON_FALSE, Value::Bool(false)) | (JSON_NULL, Value::Null) => {
                Some(behind)
            }
            _ => None,
        }
    }

    /// The string of one of three kinds (ASCII, UTF-8, in the tape) at `at`, and where it ends.
    fn string(&self, at: usize, tags: [u8; 3], length_mask: u64) -> Option<(&[u8], usize)> {
        let word = self.word(at)?;
        let behind = at + JSON_WORD_SIZE;
        let tag = word as u8;
        if tag == tags[2] {
            let string = self.tape.get(behind..behind + (word >> 32) as usize)?;
            return Some((string, self.behind(at)?));
        }
        let string = self.in_text(word, length_mask)?;
        (tags[usize::from(!string.is_ascii())] == tag).then_some((string, behind))
    }

    fn in_text(&self, word: u64, length_mask: u64) -> Option<&[u8]> {
        let start = (word >> 32) as usize;
        self.text.get(start..start + (word >> 8 & length_mask) as usize)
    }

    /// Where the key or value at `at` ends.
    fn behind(&self, at: usize) -> Option<usize> {
        let word = self.word(at)?;
        let more = (word >> 32) as usize;
        Some(match word as u8 {
            JSON_OBJECT | JSON_ARRAY => at + (more + 1) * JSON_WORD_SIZE,
            JSON_STRING_HERE | JSON_KEY_HERE => at + JSON_WORD_SIZE + more.next_multiple_of(JSON_WORD_SIZE),
            JSON_DOUBLE | JSON_LONG_WIDE => at + 2 * JSON_WORD_SIZE,
            _ => at + JSON_WORD_SIZE,
        })
    }

    fn word(&self, at: usize) -> Option<u64> {
        let word = self.tape.get(at..)?.first_chunk()?;
        Some(u64::from_le_bytes(*word))
    }
}
