use proptest::prelude::*;

use super::*;
use crate::entries::read::read;

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn decoded(input: &[u8], values: Values) -> Pairs {
    let mut output = b"before".to_vec();
    decode(input, values, 100, &mut output).expect("few enough");
    let read = read(output.strip_prefix(b"before").expect("what was there stays"));
    assert!(!read.is_raw);
    for (at, (name, value)) in read.pairs.iter().enumerate() {
        assert_eq!(read.is_ascii[at], [name.is_ascii(), value.is_ascii()]);
    }
    read.pairs
}

#[test]
fn rules() {
    let table: [(&str, &[(&str, &str)]); 36] = [
        ("", &[]),
        ("a", &[]),
        ("=", &[]),
        ("=1", &[]),
        ("a=1", &[("a", "1")]),
        ("a=", &[("a", "")]),
        ("a=1; b=2", &[("a", "1"), ("b", "2")]),
        ("a=1;b=2,c=3", &[("a", "1"), ("b", "2"), ("c", "3")]),
        ("a=1;;; b=2;", &[("a", "1"), ("b", "2")]),
        ("a=1 b=2", &[("a", "1"), ("b", "2")]),
        ("\t a=1\t;\tb=2", &[("a", "1"), ("b", "2")]),
        ("a=1; a=2", &[("a", "1"), ("a", "2")]),
        ("a=b=c==", &[("a", "b=c==")]),
        ("a==1", &[("a", "=1")]),
        ("a=\"1\"", &[("a", "1")]),
        ("a=\"\"; b=2", &[("a", ""), ("b", "2")]),
        ("a=\"1\"b=2", &[("a", "1"), ("b", "2")]),
        ("a=\"1; b=2", &[("a", ""), ("b", "2")]),
        ("a=\"1 2\"; b=2", &[("a", ""), ("b", "2")]),
        ("a=\"x y=z\"", &[("a", ""), ("y", "z")]),
        ("a=\"b=c\"; d=e", &[("a", "b=c"), ("d", "e")]),
        ("a=x\"y\"; b=2", &[("a", "x"), ("b", "2")]),
        ("a=\"", &[("a", "")]),
        ("a=\\1; b=2", &[("a", ""), ("b", "2")]),
        ("foo; a=1", &[("a", "1")]),
        ("foo a=1", &[("a", "1")]),
        ("foo bar", &[]),
        ("a =1", &[]),
        ("a= 1", &[("a", "")]),
        ("@a=1", &[("a", "1")]),
        ("a@b=1", &[("b", "1")]),
        ("a=J%C3%BCrgen; b=x+y%3B", &[("a", "J\u{fc}rgen"), ("b", "x y;")]),
        ("%61=1", &[("%61", "1")]),
        ("a=%; b=2", &[("b", "2")]),
        ("a=%zz; b=\"%4\"; c=%20", &[("c", " ")]),
        ("\u{fc}=1; a\u{fc}=2; b=\u{fc}", &[("b", "")]),
    ];
    for (input, expected) in table {
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect();
        assert_eq!(decoded(input.as_bytes(), Values::Decoded), expected, "{input}");
    }
}

#[test]
fn values_that_stay_encoded() {
    let input = b"a=%zz; b=\"x+y%20\"; c=";
    let expected: Pairs = [("a", "%zz"), ("b", "x+y%20"), ("c", "")]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    assert_eq!(decoded(input, Values::Encoded), expected);
}

#[test]
fn more_cookies_than_may_be() {
    let input = b"a=1; b=%; c=3; d=4";
    for (most, expected) in [(3, Ok(())), (2, Err(15)), (1, Err(10)), (0, Err(0))] {
        let result = decode(input, Values::Decoded, most, &mut Vec::new());
        assert_eq!(result.map_err(|what| what.position), expected, "{most}");
    }
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(
        cookies in prop::collection::vec(("[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,10}", prop::collection::vec(any::<u8>(), 0..20), any::<bool>()), 0..20)
    ) {
        let mut input = Vec::new();
        for (name, value, is_quoted) in &cookies {
            input.extend_from_slice(name.as_bytes());
            input.extend_from_slice(if *is_quoted { b"=\"" } else { b"=" });
            percent::encode(value, Style::Form, &mut input);
            input.extend_from_slice(if *is_quoted { b"\"; " } else { b"; " });
        }
        let expected: Pairs = cookies.into_iter().map(|(name, value, _)| (name.into_bytes(), value)).collect();
        prop_assert_eq!(decoded(&input, Values::Decoded), expected);
    }

    #[test]
    fn decoded_values_are_the_encoded_ones_decoded(input in "[ab=;, \"%1f\\\\]{0,40}") {
        let expected: Pairs = decoded(input.as_bytes(), Values::Encoded)
            .into_iter()
            .filter_map(|(name, value)| {
                let mut text = Vec::new();
                percent::decode(&value, Style::Form, &mut text).ok().map(|_| (name, text))
            })
            .collect();
        prop_assert_eq!(decoded(input.as_bytes(), Values::Decoded), expected);
    }

    #[test]
    fn any_bytes_are_read(input in prop::collection::vec(any::<u8>(), 0..200)) {
        for (name, value) in decoded(&input, Values::Encoded) {
            prop_assert!(!name.is_empty() && name.is_ascii() && value.is_ascii());
        }
    }

    #[test]
    fn what_follows_a_semicolon_is_read_alone(left in "[ab=;, %]{0,20}", right in "[ab=;, %\"]{0,20}") {
        let mut both = decoded(left.as_bytes(), Values::Encoded);
        both.extend(decoded(right.as_bytes(), Values::Encoded));
        prop_assert_eq!(decoded(format!("{left};{right}").as_bytes(), Values::Encoded), both);
    }
}
