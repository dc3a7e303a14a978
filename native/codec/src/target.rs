//! The characters of a request target's path and query (RFC 3986 §3.3, §3.4), beyond what `http::Uri` checks.

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
}
