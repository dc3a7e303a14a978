//! The `uri-host [":" port]` of a Host header field or of an absolute request target (RFC 3986 §3.2, RFC 9110 §7.2).

use crate::target;

/// Host and port of an authority.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Authority<'a> {
    /// The host as sent; an IPv6 address without its brackets.
    pub host: &'a str,
    /// The port, if one is given.
    pub port: Option<u16>,
}

/// The longest host that is accepted; a DNS name has at most 253 characters.
pub const HOST_LENGTH_MAX: usize = 1024;

/// Reads an authority. `None` if it is not one, has user information, or has an empty host.
#[must_use]
pub fn parse(text: &[u8]) -> Option<Authority<'_>> {
    let text = std::str::from_utf8(text).ok()?;
    let (host, rest) = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']')?;
        if !is_ip_literal(host) {
            return None;
        }
        (host, rest)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        let (host, rest) = text.split_at(end);
        if !host.bytes().all(is_reg_name_byte) || !target::is_path(host.as_bytes()) {
            return None;
        }
        (host, rest)
    };
    if host.is_empty() || host.len() > HOST_LENGTH_MAX {
        return None;
    }
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        None => return None,
        // RFC 3986 §3.2.3: the port may be empty.
        Some("") => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
        Some(_) => return None,
    };
    Some(Authority { host, port })
}

/// An IPv6 address, or the characters of a future address form.
fn is_ip_literal(host: &str) -> bool {
    host.parse::<std::net::Ipv6Addr>().is_ok()
        || (host.starts_with(['v', 'V']) && host.bytes().all(|b| is_reg_name_byte(b) || b == b':'))
}

/// A character of `unreserved / pct-encoded / sub-delims` (RFC 3986 §3.2.2).
const fn is_reg_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hosts_and_ports() {
        type Row = (&'static str, Option<(&'static str, Option<u16>)>);
        let table: &[Row] = &[
            ("example.com", Some(("example.com", None))),
            ("example.com:80", Some(("example.com", Some(80)))),
            ("example.com:", Some(("example.com", None))),
            ("EXAMPLE.com:65535", Some(("EXAMPLE.com", Some(65535)))),
            ("127.0.0.1:8080", Some(("127.0.0.1", Some(8080)))),
            ("[::1]", Some(("::1", None))),
            ("[::1]:8080", Some(("::1", Some(8080)))),
            ("[v1.a:b]", Some(("v1.a:b", None))),
            ("under_score", Some(("under_score", None))),
            ("%41.%7a", Some(("%41.%7a", None))),
            ("%", None),
            ("a%4", None),
            ("%zz", None),
            ("", None),
            (":80", None),
            ("a:65536", None),
            ("a:+1", None),
            ("a:1:2", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[::g]", None),
            ("[]", None),
            ("a b", None),
            ("a/b", None),
            ("user@host", None),
            ("a\tb", None),
            ("h\u{e4}", None),
        ];
        for (text, expected) in table {
            let got = parse(text.as_bytes()).map(|a| (a.host, a.port));
            assert_eq!(got, *expected, "{text:?}");
        }
        assert_eq!(parse(&[b'a'; HOST_LENGTH_MAX + 1]), None);
        assert_eq!(parse(b"\xff"), None);
    }

    proptest! {
        #[test]
        fn what_was_put_together_comes_apart(host in "[a-zA-Z0-9._-]{1,60}", port in any::<u16>()) {
            let text = format!("{host}:{port}");
            prop_assert_eq!(parse(text.as_bytes()), Some(Authority { host: &host, port: Some(port) }));
        }

        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&bytes);
        }
    }
}
