use super::*;
use hinny_core::results::*;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};

const SETTINGS: Settings = Settings {
    depth: 512,
    big_decimals: false,
};

/// A value read from a tape, with the word behind it.
struct Reader<'a> {
    input: &'a [u8],
    tape: &'a [u8],
}

impl Reader<'_> {
    fn word(&self, at: usize) -> u64 {
        u64::from_le_bytes(*self.tape[at * 8..].first_chunk().unwrap())
    }

    fn in_input(&self, word: u64, length: u64) -> String {
        let start = (word >> 32) as usize;
        String::from_utf8(self.input[start..start + length as usize].to_vec()).unwrap()
    }

    fn here(&self, at: usize) -> (String, usize) {
        let length = (self.word(at) >> 32) as usize;
        let bytes = &self.tape[(at + 1) * 8..][..length];
        let behind = at + 1 + length.div_ceil(8);
        assert!(
            self.tape[(at + 1) * 8 + length..behind * 8]
                .iter()
                .all(|byte| *byte == 0)
        );
        (String::from_utf8(bytes.to_vec()).unwrap(), behind)
    }

    fn text(&self, at: usize) -> (String, usize) {
        let word = self.word(at);
        let text = match word as u8 {
            JSON_STRING_HERE | JSON_KEY_HERE => return self.here(at),
            JSON_KEY_ASCII | JSON_KEY_UTF8 => {
                let text = self.in_input(word, word >> 8 & 0xFF);
                assert_eq!((word >> 16) as u16, string::hash(text.as_bytes()));
                text
            }
            _ => self.in_input(word, word >> 8 & 0xFF_FFFF),
        };
        let is_ascii = matches!(word as u8, JSON_STRING_ASCII | JSON_KEY_ASCII);
        assert_eq!(is_ascii, text.is_ascii(), "{text}");
        (text, at + 1)
    }

    fn value(&self, at: usize) -> (Value, usize) {
        let word = self.word(at);
        match word as u8 {
            JSON_OBJECT => {
                let mut entries = Map::new();
                let (mut next, mut count) = (at + 1, 0);
                while self.word(next) as u8 != JSON_OBJECT_END {
                    assert!(matches!(
                        self.word(next) as u8,
                        JSON_KEY_ASCII | JSON_KEY_UTF8 | JSON_KEY_HERE
                    ));
                    let (key, value_at) = self.text(next);
                    let (value, behind) = self.value(value_at);
                    entries.insert(key, value);
                    (next, count) = (behind, count + 1);
                }
                self.check_end(at, next, count);
                (Value::Object(entries), next + 1)
            }
            JSON_ARRAY => {
                let mut entries = Vec::new();
                let mut next = at + 1;
                while self.word(next) as u8 != JSON_ARRAY_END {
                    let (value, behind) = self.value(next);
                    entries.push(value);
                    next = behind;
                }
                self.check_end(at, next, entries.len() as u64);
                (Value::Array(entries), next + 1)
            }
            JSON_STRING_ASCII | JSON_STRING_UTF8 | JSON_STRING_HERE => {
                let (text, behind) = self.text(at);
                (Value::String(text), behind)
            }
            JSON_LONG => (Value::from((word.cast_signed()) >> 8), at + 1),
            JSON_LONG_WIDE => (Value::from(self.word(at + 1).cast_signed()), at + 2),
            JSON_DOUBLE => (Value::from(f64::from_bits(self.word(at + 1))), at + 2),
            JSON_BIG_INTEGER | JSON_BIG_DECIMAL => {
                let text = self.in_input(word, word >> 8 & 0xFF_FFFF);
                (Value::from(text.parse::<f64>().unwrap()), at + 1)
            }
            JSON_TRUE => (Value::Bool(true), at + 1),
            JSON_FALSE => (Value::Bool(false), at + 1),
            JSON_NULL => (Value::Null, at + 1),
            other => panic!("no word has the tag {other}"),
        }
    }

    fn check_end(&self, start: usize, end: usize, entries: u64) {
        let word = self.word(start);
        assert_eq!(word >> 8 & 0xFF_FFFF, entries);
        assert_eq!(word >> 32, (end - start) as u64);
        assert_eq!(self.word(end) >> 32, entries);
    }
}

fn decoded_with(input: &[u8], settings: Settings) -> Result<Value, Malformed> {
    // What stands before a tape belongs to somebody else.
    let mut output = b"before".to_vec();
    decode(input, settings, &mut output)?;
    assert!(output.starts_with(b"before"));
    let tape = &output[6..];
    assert!(tape.len() <= 8 * input.len(), "{} bytes of tape", tape.len());
    let (value, behind) = Reader { input, tape }.value(0);
    assert_eq!(behind * 8, tape.len());
    Ok(value)
}

fn decoded(input: &[u8]) -> Result<Value, Malformed> {
    decoded_with(input, SETTINGS)
}

fn position_and_reason(input: &[u8]) -> Option<(usize, u8)> {
    decoded(input).err().map(|fault| (fault.position, fault.reason))
}

#[test]
fn a_fault_is_told_with_its_place() {
    let table: &[(&[u8], usize, u8)] = &[
        (b"", 0, JSON_BAD_EMPTY),
        (b" \n", 2, JSON_BAD_EMPTY),
        (b"[1,", 3, JSON_BAD_END),
        (b"[1", 2, JSON_BAD_END),
        (b"{", 1, JSON_BAD_END),
        (b"{\"a\"", 4, JSON_BAD_END),
        (b"{\"a\":", 5, JSON_BAD_END),
        (b"{\"a\":1", 6, JSON_BAD_END),
        (b"{\"a\":1,", 7, JSON_BAD_END),
        (b"\"abc", 4, JSON_BAD_END),
        (b"\"abc\\", 5, JSON_BAD_END),
        (b"\"\\u12", 5, JSON_BAD_END),
        (b"tru", 3, JSON_BAD_END),
        (b"-", 1, JSON_BAD_END),
        (b"1.", 2, JSON_BAD_END),
        (b"1e", 2, JSON_BAD_END),
        (b"1e+", 3, JSON_BAD_END),
        (b"trux", 3, JSON_BAD_BYTE),
        (b"nulL", 3, JSON_BAD_BYTE),
        (b"[1 2]", 3, JSON_BAD_BYTE),
        (b"[1,]", 3, JSON_BAD_BYTE),
        (b"[,1]", 1, JSON_BAD_BYTE),
        (b"[1}", 2, JSON_BAD_BYTE),
        (b"{\"a\":1]", 6, JSON_BAD_BYTE),
        (b"{\"a\" 1}", 5, JSON_BAD_BYTE),
        (b"{\"a\":1,}", 7, JSON_BAD_BYTE),
        (b"{,}", 1, JSON_BAD_BYTE),
        (b"{1:1}", 1, JSON_BAD_BYTE),
        (b"[\0]", 1, JSON_BAD_BYTE),
        (b"\x0c1", 0, JSON_BAD_BYTE),
        (b"+1", 0, JSON_BAD_BYTE),
        (b"-a", 1, JSON_BAD_BYTE),
        (b".5", 0, JSON_BAD_BYTE),
        (b"1.e1", 2, JSON_BAD_BYTE),
        (b"1e1.5", 3, JSON_BAD_REST),
        (b"0x1", 1, JSON_BAD_REST),
        (b"1 2", 2, JSON_BAD_REST),
        (b"[]]", 2, JSON_BAD_REST),
        (b"01", 0, JSON_BAD_ZERO),
        (b"[-012]", 2, JSON_BAD_ZERO),
        (b"\"a\tb\"", 2, JSON_BAD_CONTROL),
        (b"\"12345678\x1f\"", 9, JSON_BAD_CONTROL),
        (b"\"\\x\"", 1, JSON_BAD_ESCAPE),
        (b"\"\\u12G4\"", 5, JSON_BAD_ESCAPE),
        (b"\"\\uD800\"", 1, JSON_BAD_SURROGATE),
        (b"\"\\uDC00\"", 1, JSON_BAD_SURROGATE),
        (b"\"\\uD800\\uD800\"", 1, JSON_BAD_SURROGATE),
        (b"\"\\uD800\\n\"", 1, JSON_BAD_SURROGATE),
        (b"[\"\xC3\x28\"]", 2, JSON_BAD_UTF8),
        (b"\"\xED\xA0\x80\"", 1, JSON_BAD_UTF8),
        (b"\xEF\xBB\xBF1", 0, JSON_BAD_BYTE),
        (b"[1e400]", 1, JSON_BAD_RANGE),
        (b"-1e99999999999999999999", 0, JSON_BAD_RANGE),
    ];
    for (input, position, reason) in table {
        let told = position_and_reason(input);
        assert_eq!(told, Some((*position, *reason)), "{}", input.escape_ascii());
    }
}

#[test]
fn numbers_are_read_as_what_they_are() {
    let table: &[(&str, u8)] = &[
        ("0", JSON_LONG),
        ("-0", JSON_LONG),
        ("36028797018963967", JSON_LONG),
        ("-36028797018963968", JSON_LONG),
        ("36028797018963968", JSON_LONG_WIDE),
        ("9223372036854775807", JSON_LONG_WIDE),
        ("-9223372036854775808", JSON_LONG_WIDE),
        ("9223372036854775808", JSON_BIG_INTEGER),
        ("-9223372036854775809", JSON_BIG_INTEGER),
        ("99999999999999999999", JSON_BIG_INTEGER),
        ("0.0", JSON_DOUBLE),
        ("-0.0", JSON_DOUBLE),
        ("1e0", JSON_DOUBLE),
        ("1E+2", JSON_DOUBLE),
        ("123456789012345678901234567890.5", JSON_DOUBLE),
        ("1e-400", JSON_DOUBLE),
        ("5e-324", JSON_DOUBLE),
        ("1.7976931348623157e308", JSON_DOUBLE),
        ("9007199254740993.0", JSON_DOUBLE),
    ];
    for (text, tag) in table {
        let mut tape = Vec::new();
        decode(text.as_bytes(), SETTINGS, &mut tape).unwrap();
        assert_eq!(tape[0], *tag, "{text}");
        if *tag == JSON_DOUBLE {
            let bits = u64::from_le_bytes(*tape[8..].first_chunk().unwrap());
            assert_eq!(bits, text.parse::<f64>().unwrap().to_bits(), "{text}");
        } else {
            assert_eq!(decoded(text.as_bytes()).unwrap().as_i64(), text.parse().ok(), "{text}");
        }
    }
}

#[test]
fn big_decimals_stay_text() {
    let settings = Settings {
        big_decimals: true,
        ..SETTINGS
    };
    for text in ["0.1", "-1.50", "1e400", "1E-9999", "1.0e9999"] {
        let mut tape = Vec::new();
        decode(text.as_bytes(), settings, &mut tape).unwrap();
        assert_eq!((tape[0], tape.len()), (JSON_BIG_DECIMAL, 8), "{text}");
    }
    assert_eq!(decoded_with(b"17", settings), Ok(Value::from(17)));
    let long = format!("0.{}", "1".repeat(JSON_DIGITS_MAX));
    for (text, reason) in [
        ("1e10000", JSON_BAD_RANGE),
        ("1e-10000", JSON_BAD_RANGE),
        (&long, JSON_BAD_DIGITS),
    ] {
        let fault = decode(text.as_bytes(), settings, &mut Vec::new()).unwrap_err();
        assert_eq!((fault.position, fault.reason), (0, reason), "{text}");
    }
}

#[test]
fn a_million_digits_are_refused_or_rounded() {
    let digits = "7".repeat(1_000_000);
    assert_eq!(position_and_reason(digits.as_bytes()), Some((0, JSON_BAD_DIGITS)));
    assert_eq!(decoded(format!("0.{digits}").as_bytes()), Ok(Value::from(7.0 / 9.0)));
    assert!(decode(&digits.as_bytes()[..JSON_DIGITS_MAX], SETTINGS, &mut Vec::new()).is_ok());
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert!(decode(&nested(512), SETTINGS, &mut Vec::new()).is_ok());
    assert_eq!(position_and_reason(&nested(513)), Some((512, JSON_BAD_DEPTH)));
    assert_eq!(position_and_reason(&vec![b'['; 100_000]), Some((512, JSON_BAD_DEPTH)));
    let flat = Settings { depth: 0, ..SETTINGS };
    assert_eq!(decoded_with(b"1", flat), Ok(Value::from(1)));
    assert!(decoded_with(b"{}", flat).is_err());
}

#[test]
fn strings_are_read_wherever_they_end() {
    let pieces = [
        "",
        "a",
        "é",
        "\\n",
        "\\u00e9",
        "\\ud83d\\ude00",
        "😀",
        "\\\\",
        "\\\"",
        "\u{7f}",
    ];
    for length in 0..40 {
        for piece in pieces {
            let text = format!(
                "[\"{}{piece}\",{{\"{piece}{}\":null}}]",
                "x".repeat(length),
                "y".repeat(length)
            );
            let expected: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(decoded(text.as_bytes()), Ok(expected), "{text}");
        }
    }
}

#[test]
fn long_keys_stand_in_the_tape() {
    for length in [254, 255, 256, 1000] {
        let text = format!("{{\"{}\":1}}", "k".repeat(length));
        let mut tape = Vec::new();
        decode(text.as_bytes(), SETTINGS, &mut tape).unwrap();
        let tag = if length > 255 { JSON_KEY_HERE } else { JSON_KEY_ASCII };
        assert_eq!(tape[8], tag);
        assert_eq!(decoded(text.as_bytes()).ok(), serde_json::from_str(&text).ok());
    }
}

#[test]
fn a_string_too_long_for_its_word_stands_in_the_tape() {
    for (length, tag) in [((1 << 24) - 1, JSON_STRING_ASCII), (1 << 24, JSON_STRING_HERE)] {
        let text = format!("\"{}\"", "s".repeat(length));
        let mut tape = Vec::new();
        decode(text.as_bytes(), SETTINGS, &mut tape).unwrap();
        assert_eq!(tape[0], tag);
    }
}

#[test]
fn of_duplicate_keys_all_are_on_the_tape() {
    let mut tape = Vec::new();
    decode(b"{\"a\":1,\"a\":2}", SETTINGS, &mut tape).unwrap();
    assert_eq!(u32::from_le_bytes(*tape[tape.len() - 4..].first_chunk().unwrap()), 2);
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000_i64..1000).prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has none", |f| f.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Whether the values are the same; to serde_json `-0` is an f64, and what is beyond an i64 may be a u64.
fn is_same(mine: &Value, theirs: &Value) -> bool {
    match (mine, theirs) {
        (Value::Array(mine), Value::Array(theirs)) => {
            mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(mine, theirs)| is_same(mine, theirs))
        }
        (Value::Object(mine), Value::Object(theirs)) => {
            let is_there = |(key, mine)| theirs.get(key).is_some_and(|theirs| is_same(mine, theirs));
            mine.len() == theirs.len() && mine.iter().all(is_there)
        }
        (Value::Number(mine), Value::Number(theirs)) => mine == theirs || mine.as_f64() == theirs.as_f64(),
        _ => mine == theirs,
    }
}

/// Whether serde_json agrees that the text is valid, or not, and about its value. Its own depth limit is 127.
fn agrees(input: &[u8]) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_slice::<Value>(input);
    match decoded_with(input, Settings { depth: 127, ..SETTINGS }) {
        Ok(mine) => prop_assert!(theirs.as_ref().is_ok_and(|theirs| is_same(&mine, theirs)), "{mine}"),
        Err(fault) => {
            prop_assert!(fault.position <= input.len());
            prop_assert!(fault.reason == JSON_BAD_DIGITS || theirs.is_err(), "{:?}", fault);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_serde_writes_is_read(value in json(), is_pretty: bool) {
        let text = if is_pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) };
        prop_assert_eq!(decoded(&text.unwrap()), Ok(value));
    }

    #[test]
    fn a_changed_text_is_taken_or_refused_as_serde_does(
        value in json(),
        is_pretty: bool,
        changes in vec((any::<prop::sample::Index>(), "[\\[\\]{}:,\"\\\\u0-9eE.+ntf \n-]|\\PC", any::<bool>()), 1..4),
    ) {
        let text = if is_pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) };
        let mut text = text.unwrap();
        for (at, with, insert) in changes {
            let at = at.index(text.len());
            let end = if insert { at } else { at + 1 };
            text.splice(at..end, with.bytes());
            if text.is_empty() {
                text.push(b' ');
            }
        }
        agrees(&text)?;
    }

    #[test]
    fn any_bytes_are_taken_or_refused_as_serde_does(input in vec(any::<u8>(), 0..40)) {
        agrees(&input)?;
    }

    #[test]
    fn any_json_like_text_is_taken_or_refused_as_serde_does(input in "[\\[\\]{}:,\"\\\\u0-9a-fE.+ \n-]{0,40}") {
        agrees(input.as_bytes())?;
    }

    #[test]
    fn any_number_is_read_as_std_reads_it(input in "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?") {
        let mine = decoded(input.as_bytes()).ok().and_then(|value| value.as_f64());
        let theirs = input.parse::<f64>().ok().filter(|number| number.is_finite());
        prop_assert_eq!(mine.map(f64::abs), theirs.map(f64::abs));
    }

    #[test]
    fn stops_are_found(bytes in prop::array::uniform8(any::<u8>())) {
        let eight = u64::from_le_bytes(bytes);
        let first = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        prop_assert_eq!(scan::stops(eight).trailing_zeros() as usize / 8, first.unwrap_or(8));
    }
}
