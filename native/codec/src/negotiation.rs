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
use hinny_core::status::ErrorFormat;
use media_type::is_token;

/// Returns which of `offered`, media types, is best for a client with this `Accept`; `None` is 406.
///
/// A range with parameters takes a type with at least these: `text/html;level=1` is no `text/html;level=2`.
#[must_use]
pub fn accept(field: Option<&[u8]>, offered: &[&[u8]]) -> Option<usize> {
    choose(field, offered, media_range, MediaType::parse, |range, _, offer| {
        range.takes(offer)
    })
    .unwrap_or_else(|| first(offered))
}

/// Returns what a client with this `Accept` wants to be told an error in.
#[must_use]
pub fn error_format(field: Option<&[u8]>) -> ErrorFormat {
    const JSON: [&[u8]; 2] = [b"application/problem+json", b"application/json"];
    const TEXT: &[u8] = b"text/plain";
    // Of types that it takes alike the first is chosen.
    let json_first = accept(field, &[JSON[0], JSON[1], TEXT]).map(|best| best < 2);
    let text_first = accept(field, &[TEXT, JSON[0], JSON[1]]).map(|best| best > 0);
    match (json_first, text_first) {
        (Some(true), Some(true)) => ErrorFormat::Json,
        (Some(false), Some(false)) => ErrorFormat::Text,
        _ => ErrorFormat::Usual,
    }
}

/// Returns which of `offered`, charsets, is best for a client with this `Accept-Charset`; `None` is 406.
#[must_use]
pub fn accept_charset(field: Option<&[u8]>, offered: &[&[u8]]) -> Option<usize> {
    choose(field, offered, token, Some, |range, _, offer| token_takes(range, offer)).unwrap_or_else(|| first(offered))
}

/// Returns which of `offered`, content codings, is best for a client with this `Accept-Encoding`; `None` is 406, or 415
/// for a request.
///
/// `identity`, which is no coding, is acceptable unless the client excludes it. Without the field it is best.
#[must_use]
pub fn accept_encoding(field: Option<&[u8]>, offered: &[&[u8]]) -> Option<usize> {
    let identity = offered.iter().position(|offer| is_identity(offer));
    let chosen = choose(field, offered, coding, coding, |range, _, offer| {
        token_takes(range, offer)
    });
    match chosen {
        Some(Some(best)) => Some(best),
        Some(None) => identity.filter(|_| {
            let excludes = |element: &Element<'_>| element.range == b"*" || is_identity(element.range);
            !elements(field.unwrap_or_default()).any(|element| excludes(&element))
        }),
        None if field.is_some() => identity,
        None => identity.or_else(|| first(offered)),
    }
}

/// Returns how much a client with this `Accept-Encoding` wants a content coding, or `identity`: 0 (not at all) to 1000.
///
/// For who offers codings of which all clients that take them are better off with the first: among those of equal weight
/// [`accept_encoding`] would choose what the client names first, and browsers name `gzip` before `br`.
///
/// Without the field a coding is wanted by none, though it would be acceptable: old clients and scripts do not expect it.
/// `identity` that is neither named nor excluded is wanted less than anything else.
#[must_use]
pub fn coding_weight(field: Option<&[u8]>, wanted: &[u8]) -> u16 {
    const LEAST: u16 = 1;
    let without_field = if is_identity(wanted) { 1000 } else { 0 };
    let Some(field) = field else {
        return without_field;
    };
    let wanted = without_x(wanted);
    elements(field)
        .filter_map(|element| {
            let exactness = token_takes(coding(element.range)?, wanted)?;
            Some((exactness, element.weight))
        })
        .max()
        .map_or(if is_identity(wanted) { LEAST } else { 0 }, |(_, weight)| weight)
}

/// Returns which of `offered`, language tags, is best for a client with this `Accept-Language`; `None` is 406, or the
/// server's own language, which most servers prefer to give.
///
/// `de` takes `de-CH` (RFC 4647 section 3.3.1), and `de-CH` takes `de`, less exactly (section 3.4).
#[must_use]
pub fn accept_language(field: Option<&[u8]>, offered: &[&[u8]]) -> Option<usize> {
    const BELOW: usize = 1 << 16;
    let takes = |range: &[u8], weight, offer: &[u8]| match range {
        b"*" => Some(0),
        tag if tag.eq_ignore_ascii_case(offer) => Some(usize::MAX),
        tag if is_below(offer, tag) => Some(BELOW + tag.len()),
        tag if is_below(tag, offer) && weight > 0 => Some(offer.len().min(BELOW)),
        _ => None,
    };
    choose(field, offered, token, Some, |range, weight, offer| {
        takes(range, weight, offer)
    })
    .unwrap_or_else(|| first(offered))
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

fn media_range(text: &[u8]) -> Option<MediaType<'_>> {
    match text {
        // Java's own client sends it.
        b"*" => Some(MediaType::any()),
        _ => MediaType::parse(text),
    }
}

fn coding(text: &[u8]) -> Option<&[u8]> {
    token(text).map(without_x)
}

fn token(text: &[u8]) -> Option<&[u8]> {
    is_token(text).then_some(text)
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

/// How good an offer is by the range that takes it; greater is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    weight: u16,
    exactness: usize,
    earliness: usize,
}

impl Rank {
    /// Returns whether its range counts rather than another that takes the offer too.
    fn counts_before(&self, other: &Self) -> bool {
        (self.exactness, self.weight, self.earliness) > (other.exactness, other.weight, other.earliness)
    }
}

/// Returns which of `offered` is best by a field, `None` without a field or one that has no range. `takes` says how exactly
/// a range of a weight takes an offer, if it does; of the ranges that take one, the most exact counts.
fn choose<'f, 'o, R, O>(
    field: Option<&'f [u8]>,
    offered: &[&'o [u8]],
    range: impl Fn(&'f [u8]) -> Option<R>,
    offer: impl Fn(&'o [u8]) -> Option<O>,
    takes: impl Fn(&R, u16, &O) -> Option<usize>,
) -> Option<Option<usize>> {
    let mut ranges = elements(field?)
        .filter_map(|element| Some((range(element.range)?, element.weight)))
        .enumerate()
        .peekable();
    ranges.peek()?;
    let mut offers: Vec<(Option<O>, Option<Rank>)> = offered.iter().map(|text| (offer(text), None)).collect();
    for (at, (range, weight)) in ranges {
        for (offer, best) in &mut offers {
            let Some(exactness) = offer.as_ref().and_then(|offer| takes(&range, weight, offer)) else {
                continue;
            };
            let rank = Rank {
                weight,
                exactness,
                earliness: usize::MAX - at,
            };
            if best.is_none_or(|best| rank.counts_before(&best)) {
                *best = Some(rank);
            }
        }
    }
    let mut best: Option<(usize, Rank)> = None;
    for (index, (_, rank)) in offers.iter().enumerate() {
        if let Some(rank) = rank.filter(|rank| rank.weight > 0)
            && best.is_none_or(|(_, best)| rank > best)
        {
            best = Some((index, rank));
        }
    }
    Some(best.map(|(index, _)| index))
}
