//! Content negotiation (RFC 9110 sections 8.3, 12.4 and 12.5): which of what a server offers a client likes best, and
//! which of what a server accepts a client has sent.
//!
//! A field that occurs several times is given as one, its values joined by commas (RFC 9110 section 5.3). Elements that
//! are no such thing are skipped, and a field that has no other is as good as none.
//!
//! Of what is acceptable, the first in this order is best: the greater weight; what the client names more exactly; what it
//! names earlier; what is offered earlier.

mod elements;
mod media_type;
#[cfg(test)]
mod tests;

pub use media_type::MediaType;

use elements::{Element, elements};
use media_type::is_token;

/// Returns which of `offered`, media types, is best for a client with this `Accept`; `None` is 406.
///
/// A range with parameters takes a type with at least these: `text/html;level=1` is no `text/html;level=2`.
#[must_use]
pub fn accept(field: Option<&[u8]>, offered: &[&[u8]]) -> Option<usize> {
    // Java's own client sends a single star.
    let is_range = |range: &[u8]| range == b"*" || MediaType::parse(range).is_some();
    let takes = |range: &Element<'_>, offer: &[u8]| match range.range {
        b"*" => Some(0),
        range => MediaType::parse(range)?.takes(&MediaType::parse(offer)?),
    };
    choose(field, offered, is_range, takes).unwrap_or_else(|| first(offered))
}

/// Returns which of `offered`, charsets, is best for a client with this `Accept-Charset`; `None` is 406.
#[must_use]
pub fn accept_charset(field: Option<&[u8]>, offered: &[&[u8]]) -> Option<usize> {
    choose(field, offered, is_token, |range, offer| token_takes(range.range, offer)).unwrap_or_else(|| first(offered))
}

/// Returns which of `offered`, content codings, is best for a client with this `Accept-Encoding`; `None` is 406, or 415
/// for a request.
///
/// `identity`, which is no coding, is acceptable unless the client excludes it. Without the field it is best.
#[must_use]
pub fn accept_encoding(field: Option<&[u8]>, offered: &[&[u8]]) -> Option<usize> {
    let identity = offered.iter().position(|offer| is_identity(offer));
    let takes = |range: &Element<'_>, offer: &[u8]| token_takes(without_x(range.range), without_x(offer));
    match choose(field, offered, is_token, takes) {
        Some(Some(best)) => Some(best),
        Some(None) => identity.filter(|_| {
            let excludes = |element: &Element<'_>| element.range == b"*" || is_identity(element.range);
            !elements(field.unwrap_or_default()).any(|element| excludes(&element))
        }),
        None if field.is_some() => identity,
        None => identity.or_else(|| first(offered)),
    }
}

/// Returns which of `offered`, language tags, is best for a client with this `Accept-Language`; `None` is 406, or the
/// server's own language, which most servers prefer to give.
///
/// `de` takes `de-CH` (RFC 4647 section 3.3.1), and `de-CH` takes `de`, less exactly (section 3.4).
#[must_use]
pub fn accept_language(field: Option<&[u8]>, offered: &[&[u8]]) -> Option<usize> {
    const BELOW: usize = 1 << 16;
    let takes = |range: &Element<'_>, offer: &[u8]| match range.range {
        b"*" => Some(0),
        tag if tag.eq_ignore_ascii_case(offer) => Some(usize::MAX),
        tag if is_below(offer, tag) => Some(BELOW + tag.len()),
        tag if is_below(tag, offer) && range.weight > 0 => Some(offer.len().min(BELOW)),
        _ => None,
    };
    choose(field, offered, is_token, takes).unwrap_or_else(|| first(offered))
}

/// Returns which of `accepted`, media ranges, takes a body of this `Content-Type`, the first that does; `None` is 415.
#[must_use]
pub fn content_type(value: &[u8], accepted: &[&[u8]]) -> Option<usize> {
    let sent = MediaType::parse(value)?;
    accepted
        .iter()
        .position(|range| MediaType::parse(range).is_some_and(|range| range.takes(&sent).is_some()))
}

fn first(offered: &[&[u8]]) -> Option<usize> {
    (!offered.is_empty()).then_some(0)
}

/// Whether a language tag is one of a range, `de-CH` of `de`.
fn is_below(tag: &[u8], range: &[u8]) -> bool {
    tag.get(range.len()) == Some(&b'-') && tag[..range.len()].eq_ignore_ascii_case(range)
}

fn is_identity(coding: &[u8]) -> bool {
    coding.eq_ignore_ascii_case(b"identity")
}

fn token_takes(range: &[u8], offer: &[u8]) -> Option<usize> {
    match range {
        b"*" => Some(0),
        _ => range.eq_ignore_ascii_case(offer).then_some(1),
    }
}

/// `x-gzip` and `x-compress` are old names (RFC 9110 section 8.4.1).
fn without_x(coding: &[u8]) -> &[u8] {
    match coding {
        [b'x' | b'X', b'-', rest @ ..]
            if rest.eq_ignore_ascii_case(b"gzip") || rest.eq_ignore_ascii_case(b"compress") =>
        {
            rest
        }
        _ => coding,
    }
}

/// How good an offer is; greater is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    weight: u16,
    exactness: usize,
    earliness: usize,
}

/// Returns which of `offered` is best by a field, `None` without a field or one that has no range. `takes` says how exactly
/// a range takes an offer, if it does; of the ranges that take one, the most exact counts.
fn choose(
    field: Option<&[u8]>,
    offered: &[&[u8]],
    is_range: impl Fn(&[u8]) -> bool,
    takes: impl Fn(&Element<'_>, &[u8]) -> Option<usize>,
) -> Option<Option<usize>> {
    let ranges = || elements(field.unwrap_or_default()).filter(|element| is_range(element.range));
    ranges().next()?;
    let rank = |offer: &[u8]| {
        let ranks = ranges().enumerate().filter_map(|(at, range)| {
            takes(&range, offer).map(|exactness| Rank {
                weight: range.weight,
                exactness,
                earliness: usize::MAX - at,
            })
        });
        ranks.max_by_key(|rank| (rank.exactness, rank.weight, rank.earliness))
    };
    let mut best: Option<(usize, Rank)> = None;
    for (index, offer) in offered.iter().enumerate() {
        if let Some(rank) = rank(offer).filter(|rank| rank.weight > 0)
            && best.is_none_or(|(_, best)| rank > best)
        {
            best = Some((index, rank));
        }
    }
    Some(best.map(|(index, _)| index))
}
