use proptest::prelude::*;

use super::*;

/// The path, with a slash behind that of a directory.
fn shown(encoded: &str, hidden: bool) -> Option<String> {
    let FilePath { path, is_directory } = decode(encoded.as_bytes(), hidden)?;
    let slash = if is_directory { "/" } else { "" };
    Some(format!("{}{slash}", path.escape_ascii()))
}

#[test]
fn paths_and_traversals() {
    for (encoded, expected) in [
        ("", Some("/")),
        ("a", Some("a")),
        ("a/", Some("a/")),
        ("a/b.txt", Some("a/b.txt")),
        ("a%20b", Some("a b")),
        ("%61", Some("a")),
        ("a+b", Some("a+b")),
        ("%C3%A4", Some("\\xc3\\xa4")),
        ("%ff", Some("\\xff")),
        ("a:b", Some("a:b")),
        ("~/a", Some("~/a")),
        ("%252e%252e/a", Some("%2e%2e/a")),
        ("a..b/...c/c...", None),
        ("a..b/c...", Some("a..b/c...")),
        // Out of the root, and what only looks like it.
        ("..", None),
        ("../a", None),
        ("a/..", None),
        ("a/../b", None),
        ("a/../../b", None),
        ("%2e%2e/a", None),
        ("%2E%2e/a", None),
        (".%2e/a", None),
        ("a/%2e%2e%2fb", None),
        ("..%2fa", None),
        ("a%2fb", None),
        ("a%2Fb", None),
        ("%2f", None),
        ("%2fetc/passwd", None),
        ("..%5ca", None),
        ("..\\a", None),
        ("a\\b", None),
        ("a%5cb", None),
        ("C%3a%5ca", None),
        ("a%00.txt", None),
        ("%00", None),
        // Segments that are none.
        ("/", None),
        ("/a", None),
        ("//a", None),
        ("a//b", None),
        ("a//", None),
        (".", None),
        ("./a", None),
        ("a/./b", None),
        ("a/.", None),
        ("%2e", None),
        // Bad escapes.
        ("%", None),
        ("a%4", None),
        ("a%zz", None),
    ] {
        assert_eq!(shown(encoded, false).as_deref(), expected, "{encoded:?}");
    }
}

#[test]
fn hidden_names() {
    for (encoded, by_default, hidden) in [
        (".env", false, true),
        ("a/.git/config", false, true),
        ("%2egit/config", false, true),
        ("...", false, true),
        (".well-known/acme-challenge/x", true, true),
        ("a/.well-known/x", true, true),
        (".well-known/.x", false, true),
        (".well-known2", false, true),
        ("..", false, false),
        (".", false, false),
        ("a.", true, true),
    ] {
        assert_eq!(decode(encoded.as_bytes(), false).is_some(), by_default, "{encoded}");
        assert_eq!(decode(encoded.as_bytes(), true).is_some(), hidden, "{encoded}");
    }
}

proptest! {
    #[test]
    fn a_path_stays_below_its_root(encoded in "([a.%/\\\\]|%2[eEfF5]|%5c|%00|\\.\\.|[ -~]){0,12}", hidden in any::<bool>()) {
        if let Some(FilePath { path, is_directory }) = decode(encoded.as_bytes(), hidden) {
            prop_assert!(!path.contains(&0) && !path.contains(&b'\\'));
            prop_assert!(path.is_empty() && is_directory || path.split(|b| *b == b'/').all(|s| !matches!(s, b"" | b"." | b"..")));
            // Its segments are those that were sent.
            prop_assert_eq!(
                path.split(|b| *b == b'/').count(),
                encoded.strip_suffix('/').unwrap_or(&encoded).split('/').count()
            );
        }
    }

    #[test]
    fn a_name_is_found_again(names in prop::collection::vec("[^./\\\\\0][^/\\\\\0]{0,6}", 1..4)) {
        let mut encoded = Vec::new();
        for name in &names {
            if !encoded.is_empty() {
                encoded.push(b'/');
            }
            percent::encode(name.as_bytes(), Style::Uri, &mut encoded);
        }
        let expected = FilePath { path: names.join("/").into_bytes(), is_directory: false };
        prop_assert_eq!(decode(&encoded, false), Some(expected));
    }
}
