use hinny_core::results::{PARAMS_ENTRIES, PARAMS_ENTRY_SIZE, PARAMS_TOO_MANY};
use proptest::prelude::*;

use super::*;
use crate::entries::read::{Read, read};
use crate::percent::{self, Style};

const MOST: u32 = 100;

fn decoded(input: &[u8]) -> Read {
    let mut output = b"before".to_vec();
    decode(input, MOST, &mut output).expect("few enough");
    read(output.strip_prefix(b"before").expect("what was there stays"))
}

/// The same, written down as the rules are.
fn by_the_rules(input: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let text = |encoded: &[u8]| {
        let mut text = Vec::new();
        percent::decode(encoded, Style::Form, &mut text).is_ok().then_some(text)
    };
    if !input.contains(&b'=') {
        return Vec::new();
    }
    input
        .split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
        .filter_map(|piece| {
            let mut sides = piece.splitn(2, |byte| *byte == b'=');
            let name = text(sides.next().unwrap_or_default());
            let value = text(sides.next().unwrap_or_default());
            name.zip(value)
        })
        .collect()
}

#[test]
fn rules() {
    let table: [(&str, &[(&str, &str)]); 28] = [
        ("", &[]),
        ("a", &[]),
        ("a&b", &[]),
        ("&&&", &[]),
        ("a=1", &[("a", "1")]),
        ("a=1&b=2", &[("a", "1"), ("b", "2")]),
        ("a=1&a=2", &[("a", "1"), ("a", "2")]),
        ("&&a=1&&&b=2&", &[("a", "1"), ("b", "2")]),
        ("a&b=2", &[("a", ""), ("b", "2")]),
        ("b=2&a", &[("b", "2"), ("a", "")]),
        ("=", &[("", "")]),
        ("=1", &[("", "1")]),
        ("a=", &[("a", "")]),
        ("=&=", &[("", ""), ("", "")]),
        ("a=b=c", &[("a", "b=c")]),
        ("a==", &[("a", "=")]),
        ("a+b=c+d", &[("a b", "c d")]),
        ("%61%3D=%26%2B%25", &[("a=", "&+%")]),
        ("a=%", &[]),
        ("a=%&b=2", &[("b", "2")]),
        ("a=%4&b=2", &[("b", "2")]),
        ("a=%zz&b=2", &[("b", "2")]),
        ("%=1&b=2", &[("b", "2")]),
        ("a%4=1&b=2", &[("b", "2")]),
        ("%&b=2", &[("b", "2")]),
        ("b=2&a=%f", &[("b", "2")]),
        ("b=2&a=%f=1&c=3", &[("b", "2"), ("c", "3")]),
        ("a=1;b=2", &[("a", "1;b=2")]),
    ];
    for (input, expected) in table {
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect();
        assert_eq!(decoded(input.as_bytes()).pairs, expected, "{input}");
        assert_eq!(by_the_rules(input.as_bytes()), expected, "{input}");
    }
}

#[test]
fn flags() {
    // The input, whether it is raw, whether the name and the value are ASCII.
    for (input, raw, name, value) in [
        (&b"a=b"[..], false, true, true),
        (b"a=%7F", false, true, true),
        (b"a=%80", false, true, false),
        (b"%C3%BC=b", false, false, true),
        (b"\xC3\xBC=b", true, false, true),
        (b"a=\xC3%BC", true, true, false),
        (b"a=b&\xFF%", true, true, true),
    ] {
        let read = decoded(input);
        assert_eq!(
            (read.is_raw, read.is_ascii[0]),
            (raw, [name, value]),
            "{}",
            input.escape_ascii()
        );
    }
}

#[test]
fn more_parameters_than_may_be() {
    let input = b"a=1&&%=1&b=2&%&c=3&d=4";
    let mut output = Vec::new();
    assert_eq!(decode(input, 4, &mut output), Ok(()));
    assert_eq!(
        decode(input, 3, &mut output),
        Err(Malformed {
            position: 19,
            reason: PARAMS_TOO_MANY
        })
    );
    assert_eq!(decode(b"a=1", 0, &mut output).map_err(|what| what.position), Err(0));
    assert_eq!(decode(b"", 0, &mut output), Ok(()));
}

#[test]
fn a_million_parameters_take_no_more_memory_than_the_most() {
    let mut output = Vec::new();
    let input = b"&=".repeat(1_000_000);
    assert!(decode(&input, 1024, &mut output).is_err());
    assert!(output.len() <= PARAMS_ENTRIES + 1025 * PARAMS_ENTRY_SIZE);
    assert!(output.capacity() <= 2 * input.len());
}

proptest! {
    #[test]
    fn what_is_decoded_follows_the_rules(input in "[ab=&%+1fF\u{fc}]{0,60}") {
        prop_assert_eq!(decoded(input.as_bytes()).pairs, by_the_rules(input.as_bytes()));
    }

    #[test]
    fn any_bytes_are_decoded_by_the_rules(input in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert_eq!(decoded(&input).pairs, by_the_rules(&input));
    }

    #[test]
    fn long_texts_are_decoded_by_the_rules(pieces in prop::collection::vec("([a-z]{0,40}|[&=%+]|%[0-9a-f]{2}){0,5}", 0..6)) {
        let input = pieces.concat();
        prop_assert_eq!(decoded(input.as_bytes()).pairs, by_the_rules(input.as_bytes()));
    }

    #[test]
    fn what_was_encoded_is_decoded(
        pairs in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..30), prop::collection::vec(any::<u8>(), 0..30)), 0..20)
    ) {
        let mut input = Vec::new();
        for (name, value) in &pairs {
            percent::encode(name, Style::Form, &mut input);
            input.push(b'=');
            percent::encode(value, Style::Form, &mut input);
            input.push(b'&');
        }
        let read = decoded(&input);
        for (at, (name, value)) in pairs.iter().enumerate() {
            prop_assert_eq!(read.is_ascii[at], [name.is_ascii(), value.is_ascii()]);
        }
        prop_assert_eq!(read.pairs, pairs);
        prop_assert!(!read.is_raw);
    }

    #[test]
    fn both_sides_of_an_ampersand_are_decoded_alone(left in "[a=&%+]{0,20}", right in "[a=&%+]{0,20}") {
        prop_assume!(left.contains('=') && right.contains('='));
        let mut both = decoded(left.as_bytes()).pairs;
        both.extend(decoded(right.as_bytes()).pairs);
        prop_assert_eq!(decoded(format!("{left}&{right}").as_bytes()).pairs, both);
    }

    #[test]
    fn a_result_is_bounded_by_its_input(input in prop::collection::vec(prop::sample::select(b"a=&%1+".to_vec()), 0..400), most in 0..50_u32) {
        let mut output = Vec::new();
        let result = decode(&input, most, &mut output);
        // One more is written before it is refused.
        let bound = PARAMS_ENTRIES + PARAMS_ENTRY_SIZE * (1 + usize::try_from(most).unwrap_or(usize::MAX)) + input.len();
        prop_assert!(output.len() <= bound);
        prop_assert_eq!(result.is_ok(), by_the_rules(&input).len() <= usize::try_from(most).unwrap_or(usize::MAX));
    }
}
