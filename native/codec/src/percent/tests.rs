use proptest::prelude::*;

use super::*;

fn decoded(text: &[u8], style: Style) -> Option<Vec<u8>> {
    let mut output = b"before".to_vec();
    let result = decode(text, style, &mut output);
    let own = output.strip_prefix(b"before").map(<[u8]>::to_vec)?;
    if result.is_err() {
        assert!(own.is_empty());
    }
    result.ok().map(|_| own)
}

#[test]
fn escapes() {
    type Decoded = Option<&'static [u8]>;
    // The text, as a form and as a part of a URI; none: a bad escape.
    let table: [(&str, Decoded, Decoded); 17] = [
        ("", Some(b""), Some(b"")),
        ("abc", Some(b"abc"), Some(b"abc")),
        ("a+b", Some(b"a b"), Some(b"a+b")),
        ("+", Some(b" "), Some(b"+")),
        ("%20", Some(b" "), Some(b" ")),
        ("%2B+%2b", Some(b"+ +"), Some(b"+++")),
        ("%00%ff%C3%bc", Some(b"\0\xFF\xC3\xBC"), Some(b"\0\xFF\xC3\xBC")),
        ("%25", Some(b"%"), Some(b"%")),
        ("%2541", Some(b"%41"), Some(b"%41")),
        ("a%", None, None),
        ("%4", None, None),
        ("%4g", None, None),
        ("%g4", None, None),
        ("%%41", None, None),
        ("%+1", None, None),
        ("%-0", None, None),
        ("%u0041", None, None),
    ];
    for (text, form, uri) in table {
        assert_eq!(decoded(text.as_bytes(), Style::Form).as_deref(), form, "{text}");
        assert_eq!(decoded(text.as_bytes(), Style::Uri).as_deref(), uri, "{text}");
    }
}

#[test]
fn only_escapes_count_as_not_ascii() {
    for (text, expected) in [
        (&b"abc%7F"[..], Ok(false)),
        (b"%80", Ok(true)),
        (b"%C3%BC%20", Ok(true)),
        (b"\xFF", Ok(false)),
        (b"%80%", Err(BadEscape)),
    ] {
        assert_eq!(decode(text, Style::Form, &mut Vec::new()), expected);
    }
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(text in prop::collection::vec(any::<u8>(), 0..200)) {
        for style in [Style::Form, Style::Uri] {
            let mut encoded = Vec::new();
            encode(&text, style, &mut encoded);
            prop_assert!(encoded.is_ascii());
            prop_assert!(!encoded.iter().any(|byte| b"&=;/?# \"".contains(byte)));
            prop_assert_eq!(decoded(&encoded, style), Some(text.clone()));
        }
    }

    #[test]
    fn a_text_may_be_decoded_in_pieces_unless_an_escape_is_cut(text in "[a%0-9A-Fa-f+]{0,40}", at in any::<prop::sample::Index>()) {
        let at = at.index(text.len() + 1);
        let (left, right) = text.as_bytes().split_at(at);
        if let (Some(mut left), Some(right)) = (decoded(left, Style::Form), decoded(right, Style::Form)) {
            left.extend(right);
            prop_assert_eq!(decoded(text.as_bytes(), Style::Form), Some(left));
        }
    }
}
