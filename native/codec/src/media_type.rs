//! What a Content-Type says a body is (RFC 9110 §8.3.1).

/// Whether it is `application/json` or has the suffix `+json` (RFC 6839 §3.1).
#[must_use]
pub fn is_json(content_type: &[u8]) -> bool {
    let essence = essence(content_type);
    let Some((main, sub)) = essence.split_at_checked(b"application/".len()) else {
        return false;
    };
    main.eq_ignore_ascii_case(b"application/") && {
        let suffix = &sub[sub.len().saturating_sub(b"+json".len())..];
        sub.eq_ignore_ascii_case(b"json") || (sub.len() > suffix.len() && suffix.eq_ignore_ascii_case(b"+json"))
    }
}

/// Whether it is `application/x-www-form-urlencoded`.
#[must_use]
pub fn is_form(content_type: &[u8]) -> bool {
    essence(content_type).eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// The media type without its parameters.
fn essence(content_type: &[u8]) -> &[u8] {
    let end = memchr::memchr(b';', content_type).unwrap_or(content_type.len());
    content_type[..end].trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_json_or_has_its_suffix() {
        let table: &[(&[u8], bool)] = &[
            (b"application/json", true),
            (b"Application/JSON", true),
            (b"application/json; charset=utf-8", true),
            (b"application/json;charset=utf-8", true),
            (b" application/json ; a=b", true),
            (b"application/problem+json", true),
            (b"application/vnd.api+JSON;v=1", true),
            (b"application/+json", false),
            (b"application/jsonp", false),
            (b"application/json-seq", false),
            (b"text/json", false),
            (b"application/x; a=+json", false),
            (b"application/", false),
            (b"app", false),
            (b"", false),
        ];
        for (content_type, expected) in table {
            assert_eq!(is_json(content_type), *expected, "{}", content_type.escape_ascii());
        }
    }

    #[test]
    fn a_form_is_urlencoded() {
        let table: &[(&[u8], bool)] = &[
            (b"application/x-www-form-urlencoded", true),
            (b"APPLICATION/X-WWW-FORM-URLENCODED ;charset=latin1", true),
            (b"application/x-www-form-urlencodedx", false),
            (b"multipart/form-data", false),
            (b"", false),
        ];
        for (content_type, expected) in table {
            assert_eq!(is_form(content_type), *expected, "{}", content_type.escape_ascii());
        }
    }
}
