//! Numbers for the words that travel most: methods and header names.
//!
//! A number is part of the boundary's layout: Java holds the same two lists, and a test compares them. New words go to
//! the end. Id 0 means "not in the list, the text follows".

use std::sync::LazyLock;

use http::{HeaderName, Method};

/// Methods; the id of the first is 1.
pub const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT",
];

/// Header names in lower case; the id of the first is 1.
pub const HEADERS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "access-control-request-headers",
    "access-control-request-method",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-security-policy",
    "content-type",
    "cookie",
    "date",
    "dnt",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "referrer-policy",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-frame-options",
    "x-xss-protection",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-request-id",
    "x-real-ip",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "traceparent",
    "tracestate",
    "keep-alive",
];

/// Id of the header name that says what the client takes.
pub const ACCEPT: u16 = position(HEADERS, "accept");
/// Id of the header name that says which methods a path has.
pub const ALLOW: u16 = position(HEADERS, "allow");
/// Id of the header name that says which content codings a client takes.
pub const ACCEPT_ENCODING: u16 = position(HEADERS, "accept-encoding");
/// Id of the header name that says how the connection goes on.
pub const CONNECTION: u16 = position(HEADERS, "connection");
/// Id of the header name that says how content is coded.
pub const CONTENT_ENCODING: u16 = position(HEADERS, "content-encoding");
/// Id of the header name that announces the length of a body.
pub const CONTENT_LENGTH: u16 = position(HEADERS, "content-length");
/// Id of the header name that says what a body is.
pub const CONTENT_TYPE: u16 = position(HEADERS, "content-type");
/// Id of the header name whose repeated fields are joined with `;`.
pub const COOKIE: u16 = position(HEADERS, "cookie");
/// Id of the header name that says when a message was made.
pub const DATE: u16 = position(HEADERS, "date");
/// Id of the header name that asks for an interim response.
pub const EXPECT: u16 = position(HEADERS, "expect");
/// Id of the header name that says which server is meant.
pub const HOST: u16 = position(HEADERS, "host");
/// Id of the header name of the first precondition (RFC 9110 §13.2.2).
pub const IF_MATCH: u16 = position(HEADERS, "if-match");
/// Id of the header name of the fourth precondition.
pub const IF_MODIFIED_SINCE: u16 = position(HEADERS, "if-modified-since");
/// Id of the header name of the third precondition.
pub const IF_NONE_MATCH: u16 = position(HEADERS, "if-none-match");
/// Id of the header name of the precondition of a range.
pub const IF_RANGE: u16 = position(HEADERS, "if-range");
/// Id of the header name of the second precondition.
pub const IF_UNMODIFIED_SINCE: u16 = position(HEADERS, "if-unmodified-since");
/// Id of the header name that says where something else is.
pub const LOCATION: u16 = position(HEADERS, "location");
/// Id of the header name that asks for parts of a representation.
pub const RANGE: u16 = position(HEADERS, "range");
/// Id of the header name that says which software answers.
pub const SERVER: u16 = position(HEADERS, "server");
/// Id of the header name that announces fields behind a chunked body.
pub const TRAILER: u16 = position(HEADERS, "trailer");
/// Id of the header name that announces a body of unknown length.
pub const TRANSFER_ENCODING: u16 = position(HEADERS, "transfer-encoding");
/// Id of the header name that asks for another protocol.
pub const UPGRADE: u16 = position(HEADERS, "upgrade");

/// Position of `name`, from 1; evaluated by the compiler, which fails if there is none.
const fn position(list: &[&str], name: &str) -> u16 {
    let mut index = 0;
    loop {
        if list[index].len() == name.len() {
            let (mut byte, mut same) = (0, true);
            while byte < name.len() {
                same &= list[index].as_bytes()[byte] == name.as_bytes()[byte];
                byte += 1;
            }
            if same {
                return index as u16 + 1;
            }
        }
        index += 1;
    }
}

/// The id of a method, 0 if it is not in [`METHODS`].
#[must_use]
pub fn method_id(method: &Method) -> u8 {
    match *method {
        Method::GET => 1,
        Method::HEAD => 2,
        Method::POST => 3,
        Method::PUT => 4,
        Method::DELETE => 5,
        Method::OPTIONS => 6,
        Method::PATCH => 7,
        Method::TRACE => 8,
        Method::CONNECT => 9,
        _ => 0,
    }
}

/// The id of a header name in any case, 0 if it is not in [`HEADERS`].
#[must_use]
pub fn header_id(name: &str) -> u16 {
    let bytes = name.as_bytes();
    let mut slot = hash(bytes);
    loop {
        let id = ID_BY_HASH[slot];
        if id == 0 || HEADERS[usize::from(id) - 1].as_bytes().eq_ignore_ascii_case(bytes) {
            return id;
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// The header name with this id; `None` for 0 and for ids beyond the list.
#[must_use]
pub fn header_name(id: u16) -> Option<&'static HeaderName> {
    NAME_BY_ID.get(usize::from(id).checked_sub(1)?)
}

/// The text of the header name with this id; `None` for 0 and for ids beyond the list.
#[must_use]
pub fn header_text(id: u16) -> Option<&'static str> {
    HEADERS.get(usize::from(id).checked_sub(1)?).copied()
}

/// Open addressing at a load of a third: a look-up touches one or two slots.
const SLOTS: usize = 256;

static ID_BY_HASH: [u16; SLOTS] = {
    let mut table = [0; SLOTS];
    let mut n = 0;
    while n < HEADERS.len() {
        let mut slot = hash(HEADERS[n].as_bytes());
        while table[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = n as u16 + 1;
        n += 1;
    }
    table
};

static NAME_BY_ID: LazyLock<Vec<HeaderName>> =
    LazyLock::new(|| HEADERS.iter().copied().map(HeaderName::from_static).collect());

/// Length, first, middle and last byte tell the listed names apart well enough; of a letter in either case the same.
const fn hash(name: &[u8]) -> usize {
    let ([first, ..], [.., last]) = (name, name) else {
        return 0;
    };
    let middle = name[name.len() / 2];
    (name.len() * 37 + lower(*first) * 5 + lower(*last) * 61 + lower(middle) * 17) % SLOTS
}

const fn lower(byte: u8) -> usize {
    (byte | 0x20) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_header_is_found_by_name_and_by_id() {
        for (id, name) in (1_u16..).zip(HEADERS) {
            assert_eq!(header_id(name), id, "{name}");
            assert_eq!(header_id(&name.to_uppercase()), id, "{name}");
            assert_eq!(header_name(id).unwrap().as_str(), *name);
            assert_eq!(header_text(id), Some(*name));
        }
    }

    #[test]
    fn unlisted_words_have_id_0() {
        for name in ["", "x", "x-hinny", "contenttype", "content-typf"] {
            assert_eq!(header_id(name), 0, "{name}");
        }
        assert_eq!(header_name(0), None);
        assert_eq!(header_text(0), None);
        assert_eq!(header_name(u16::MAX), None);
        assert_eq!(method_id(&Method::from_bytes(b"PURGE").unwrap()), 0);
    }

    #[test]
    fn every_listed_method_has_its_position_as_id() {
        for (id, name) in (1_u8..).zip(METHODS) {
            assert_eq!(method_id(&Method::from_bytes(name.as_bytes()).unwrap()), id);
        }
    }
}
