//! The characters of a request target's path and query (RFC 3986 §3.3, §3.4), beyond what `http::Uri` checks.

use std::borrow::Cow;

use crate::percent::hex_pair;

/// Whether a path is ASCII and has two hexadecimal digits behind every `%` (RFC 3986 §2.1).
#[must_use]
pub fn is_path(path: &[u8]) -> bool {
    // Nearly every path has neither.
    if !path.iter().any(|byte| *byte == b'%' || !byte.is_ascii()) {
        return true;
    }
    let mut parts = path.split(|byte| *byte == b'%');
    let before = parts.next().unwrap_or_default();
    let is_encoded =
        |part: &[u8]| matches!(part, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    before.is_ascii() && parts.all(|part| part.is_ascii() && is_encoded(part))
}

/// Whether a query is ASCII. What `%` means in it is the handler's business: browsers send it raw.
#[must_use]
pub const fn is_query(query: &str) -> bool {
    query.is_ascii()
}

/// A path as all of its spellings are compared (RFC 3986 §6.2.2): escapes of characters that stand for themselves are
/// decoded, the digits of the others are in upper case. It must be one that [`is_path`] takes.
#[must_use]
pub fn normalized(path: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', path).is_none() {
        return Cow::Borrowed(path);
    }
    let mut parts = path.split(|byte| *byte == b'%');
    let mut normal = Vec::with_capacity(path.len());
    normal.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        let (digits, rest) = part.split_at(part.len().min(2));
        match hex_pair(digits) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => normal.push(byte),
            _ => {
                normal.push(b'%');
                normal.extend(digits.iter().map(u8::to_ascii_uppercase));
            }
        }
        normal.extend_from_slice(rest);
    }
    Cow::Owned(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries() {
        let table = [
            ("/", true, true),
            ("*", true, true),
            ("/a%20%C3%a9", true, true),
            ("/%00", true, true),
            ("/a|b", true, true),
            ("/%", false, true),
            ("/%2", false, true),
            ("/%2g", false, true),
            ("/%g2", false, true),
            ("/%%20", false, true),
            ("/%20%", false, true),
            ("/%u0041", false, true),
            ("/%\u{e4}0", false, false),
            ("/\u{e4}", false, false),
            ("/\u{1f600}", false, false),
        ];
        for (text, path, query) in table {
            assert_eq!((is_path(text.as_bytes()), is_query(text)), (path, query), "{text:?}");
        }
    }

    #[test]
    fn all_spellings_of_a_path_become_one() {
        let table = [
            ("/a/b", "/a/b"),
            ("/%61/%7Eb%2d%5f", "/a/~b-_"),
            ("/%2f%2F", "/%2F%2F"),
            ("/%c3%a9", "/%C3%A9"),
            ("/a%20b%25", "/a%20b%25"),
            ("/%2561", "/%2561"),
            ("/x%", "/x%"),
        ];
        for (path, expected) in table {
            let normal = normalized(path.as_bytes());
            assert_eq!(&*normal, expected.as_bytes(), "{path}");
            assert_eq!(normalized(&normal), normal, "{path}");
        }
    }
}
