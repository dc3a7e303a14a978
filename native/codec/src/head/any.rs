//! Parses any request head in which [`HeadScan`](crate::framing::HeadScan) has found no fault.
//!
//! # Invariants
//! - What another reader could take for another request is none: see [`HeadFault`].
//! - The work is n log n in the number of fields.

use std::cmp::Ordering;

use hinny_core::error::HeadFault;
use hinny_core::names;
use hinny_core::records::METHOD_LENGTH_MAX;

use super::{Head, PERCENT, RequestLine, classes};
use crate::framing::{Limits, parse_length};
use crate::target;

/// The longest scheme of an absolute target.
const SCHEME_LENGTH_MAX: usize = 64;

/// Where a head is parsed into.
#[derive(Debug, Default)]
pub struct Space<'b> {
    fields: Vec<httparse::Header<'b>>,
    ids: Vec<u16>,
}

/// Parses `bytes`, a whole head from its first line to the empty one.
///
/// # Errors
/// What breaks a rule.
pub fn parse<'h, 'b>(bytes: &'b [u8], limits: &Limits, space: &'h mut Space<'b>) -> Result<Head<'h, 'b>, HeadFault> {
    space.fields.clear();
    space.fields.resize(limits.field_count, httparse::EMPTY_HEADER);
    let mut request = httparse::Request::new(&mut space.fields);
    let parsed = request.parse(bytes);
    let (Ok(httparse::Status::Complete(length)), Some(method), Some(text), Some(version)) =
        (parsed, request.method, request.path, request.version)
    else {
        return Err(HeadFault::SyntaxInvalid);
    };
    let count = request.headers.len();
    let line_end = request.headers.first().map_or(length - 2, |field| {
        field.name.as_ptr() as usize - bytes.as_ptr() as usize
    });
    space.fields.truncate(count);
    let id = method_id(method)?;
    let target = Target::parse(text.as_bytes(), method)?;
    let names = group(&mut space.fields);
    space.ids.clear();
    space
        .ids
        .extend(space.fields.iter().map(|field| names::header_id(field.name)));
    let said = Said::by(&space.fields, &space.ids, version == 0)?;
    Ok(Head {
        length,
        line: RequestLine {
            length: line_end,
            method: id,
            path: target.path,
            query: target.query,
            escaped: classes(text.as_bytes()) & PERCENT != 0,
        },
        method: if id == 0 { method } else { "" },
        authority: target.authority,
        host: said.host,
        content_length: said.content_length,
        is_chunked: said.is_chunked,
        expects_continue: said.expects_continue,
        close: said.has_close || version == 0 && !said.has_keep_alive,
        is_http_10: version == 0,
        is_plain: false,
        fields: &space.fields,
        ids: &space.ids,
        names,
        field_bytes: &bytes[line_end..length],
    })
}

fn method_id(method: &str) -> Result<u8, HeadFault> {
    if method == "CONNECT" {
        return Err(HeadFault::ConnectTarget);
    }
    if method.len() > METHOD_LENGTH_MAX {
        return Err(HeadFault::MethodTooLong);
    }
    let position = names::METHODS.iter().position(|listed| *listed == method);
    Ok(position.map_or(0, |index| u8::try_from(index + 1).unwrap_or(0)))
}

/// A request target (RFC 9112 §3.2).
struct Target<'b> {
    authority: Option<&'b [u8]>,
    path: &'b [u8],
    query: Option<&'b [u8]>,
}

impl<'b> Target<'b> {
    fn parse(text: &'b [u8], method: &str) -> Result<Self, HeadFault> {
        let (authority, rest) = if text.starts_with(b"/") || text == b"*" && method == "OPTIONS" {
            (None, text)
        } else {
            let (authority, rest) = split_absolute(text).ok_or(HeadFault::TargetInvalid)?;
            (Some(authority), rest)
        };
        let (path, query) = match memchr::memchr(b'?', rest) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let is_visible = |text: &[u8]| text.iter().all(u8::is_ascii_graphic);
        if !is_visible(path) || !target::is_path(path) || !query.is_none_or(is_visible) {
            return Err(HeadFault::TargetInvalid);
        }
        Ok(Self {
            authority,
            // RFC 9112 §3.2.1: an absolute target without a path means this one.
            path: if path.is_empty() { b"/" } else { path },
            query,
        })
    }
}

/// The authority of an absolute target, and what stands behind it.
fn split_absolute(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme_end = text.iter().position(|byte| *byte == b':')?;
    let (scheme, rest) = text.split_at(scheme_end);
    let is_scheme = scheme.len() <= SCHEME_LENGTH_MAX
        && scheme.first()?.is_ascii_alphabetic()
        && scheme
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    let rest = rest.strip_prefix(b"://").filter(|_| is_scheme)?;
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    (end > 0).then(|| rest.split_at(end))
}

/// Puts fields of one name in a row, where the first of them stands; returns how many names there are.
fn group(fields: &mut [httparse::Header<'_>]) -> usize {
    let mut by_name: Vec<usize> = (0..fields.len()).collect();
    by_name.sort_by(|a, b| compare(fields[*a].name, fields[*b].name));
    let mut places = vec![0; fields.len()];
    let mut names = 0;
    let mut first = 0;
    for (n, at) in by_name.iter().enumerate() {
        if n == 0 || compare(fields[*at].name, fields[first].name) != Ordering::Equal {
            first = *at;
            names += 1;
        }
        places[*at] = first;
    }
    if names < fields.len() {
        let mut ordered: Vec<(usize, httparse::Header<'_>)> = places.into_iter().zip(fields.iter().copied()).collect();
        ordered.sort_by_key(|(place, _)| *place);
        for (field, (_, next)) in fields.iter_mut().zip(ordered) {
            *field = next;
        }
    }
    names
}

/// The order of two names, whatever their case.
fn compare(a: &str, b: &str) -> Ordering {
    a.bytes()
        .map(|byte| byte.to_ascii_lowercase())
        .cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// What the fields say that matters here.
#[derive(Default)]
struct Said<'b> {
    host: Option<&'b [u8]>,
    content_length: Option<u64>,
    is_chunked: bool,
    expects_continue: bool,
    has_close: bool,
    has_keep_alive: bool,
}

impl<'b> Said<'b> {
    fn by(fields: &[httparse::Header<'b>], ids: &[u16], is_http_10: bool) -> Result<Self, HeadFault> {
        let mut said = Self::default();
        for (field, id) in fields.iter().zip(ids) {
            match *id {
                // RFC 9112 §3.2: exactly one Host header field in HTTP/1.1, at most one in HTTP/1.0.
                names::HOST if said.host.is_some() => return Err(HeadFault::HostRepeated),
                names::HOST => said.host = Some(field.value),
                names::CONTENT_LENGTH => said.content_length = parse_length(field.value),
                names::TRANSFER_ENCODING => said.is_chunked = true,
                names::EXPECT => said.expects_continue = !is_http_10,
                names::CONNECTION => {
                    for option in field.value.split(|byte| *byte == b',') {
                        let option = option.trim_ascii();
                        said.has_close |= option.eq_ignore_ascii_case(b"close");
                        said.has_keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                _ => {}
            }
        }
        if said.host.is_none() && !is_http_10 {
            return Err(HeadFault::HostMissing);
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests;
