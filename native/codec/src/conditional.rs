//! Conditional requests (RFC 9110 §13): whether a GET or HEAD of a representation is answered with it.
//!
//! # Invariants
//! - The order is that of §13.2.2: If-Match, else If-Unmodified-Since; If-None-Match, else If-Modified-Since; If-Range.
//! - What is no entity-tag is equal to none, and a date that is none counts as if its field had not been sent
//!   (§13.1.3, §13.1.4). Of a list of entity-tags what stands behind the first that is none is not looked at.

use std::time::UNIX_EPOCH;

use crate::range::trim;

#[cfg(test)]
mod tests;

/// The fields of a request that make it conditional; a field that occurs several times has its values joined by commas.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions<'a> {
    /// `If-Match`
    pub if_match: Option<&'a [u8]>,
    /// `If-Unmodified-Since`
    pub if_unmodified_since: Option<&'a [u8]>,
    /// `If-None-Match`
    pub if_none_match: Option<&'a [u8]>,
    /// `If-Modified-Since`
    pub if_modified_since: Option<&'a [u8]>,
    /// `If-Range`
    pub if_range: Option<&'a [u8]>,
}

/// What tells one state of a representation from another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validators<'a> {
    /// `ETag`, as it is sent.
    pub etag: Option<&'a [u8]>,
    /// `Last-Modified`, in seconds since 1970.
    pub last_modified: Option<u64>,
    /// The representation cannot have changed again within the second of `Last-Modified` (RFC 9110 §8.8.2.2).
    pub is_date_strong: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Answer; a `Range` counts.
    Proceed,
    /// Answer as if there were no `Range`: the client has parts of another representation.
    ProceedWhole,
    /// 304: the client has it.
    NotModified,
    /// 412: it is not the one that the client means.
    PreconditionFailed,
}

/// Says what is to be done with a GET or HEAD of a representation that exists.
#[must_use]
pub fn evaluate(conditions: &Conditions<'_>, validators: &Validators<'_>) -> Verdict {
    let modified = validators.last_modified;
    let since = |date: Option<&[u8]>| modified.zip(date.and_then(seconds));
    let is_changed = match conditions.if_match {
        Some(tags) => !takes(tags, validators.etag, Comparison::Strong),
        None => since(conditions.if_unmodified_since).is_some_and(|(modified, date)| modified > date),
    };
    if is_changed {
        return Verdict::PreconditionFailed;
    }
    let is_known = match conditions.if_none_match {
        Some(tags) => takes(tags, validators.etag, Comparison::Weak),
        None => since(conditions.if_modified_since).is_some_and(|(modified, date)| modified <= date),
    };
    if is_known {
        return Verdict::NotModified;
    }
    match conditions.if_range {
        Some(validator) if !is_same(validator, validators) => Verdict::ProceedWhole,
        _ => Verdict::Proceed,
    }
}

/// Whether the validator of an If-Range is that of the representation (RFC 9110 §13.1.5).
fn is_same(validator: &[u8], validators: &Validators<'_>) -> bool {
    let validator = trim(validator);
    match (EntityTag::parse(validator), validators) {
        (Some((tag, rest)), _) => {
            rest.is_empty()
                && validators
                    .etag
                    .and_then(only)
                    .is_some_and(|own| tag.is(&own, Comparison::Strong))
        }
        (None, Validators { last_modified, .. }) => {
            validators.is_date_strong && last_modified.is_some() && seconds(validator) == *last_modified
        }
    }
}

/// Whether `*` or a list of entity-tags has the one that a representation has.
fn takes(tags: &[u8], own: Option<&[u8]>, comparison: Comparison) -> bool {
    let mut rest = trim(tags);
    if rest == b"*" {
        return true;
    }
    let Some(own) = own.and_then(only) else {
        return false;
    };
    loop {
        // Empty elements are let pass (RFC 9110 §5.6.1.2).
        while let [b',' | b' ' | b'\t', behind @ ..] = rest {
            rest = behind;
        }
        let Some((tag, behind)) = EntityTag::parse(rest) else {
            return false;
        };
        if tag.is(&own, comparison) {
            return true;
        }
        rest = trim(behind);
        if !matches!(rest, [b',', ..]) {
            return false;
        }
    }
}

fn only(text: &[u8]) -> Option<EntityTag<'_>> {
    EntityTag::parse(text).and_then(|(tag, rest)| rest.is_empty().then_some(tag))
}

/// How entity-tags are compared (RFC 9110 §8.8.3.2).
#[derive(Clone, Copy)]
enum Comparison {
    /// Weak ones are equal to none.
    Strong,
    Weak,
}

/// An entity-tag (RFC 9110 §8.8.3).
struct EntityTag<'a> {
    weak: bool,
    opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Reads one from the start of a text; what follows it is returned too.
    fn parse(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, quoted) = match text {
            [b'W', b'/', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let [b'"', rest @ ..] = quoted else {
            return None;
        };
        let end = rest.iter().position(|byte| *byte == b'"')?;
        let opaque = &rest[..end];
        let is_character = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..);
        opaque
            .iter()
            .all(is_character)
            .then_some((Self { weak, opaque }, &rest[end + 1..]))
    }

    fn is(&self, other: &EntityTag<'_>, comparison: Comparison) -> bool {
        let is_fit = match comparison {
            Comparison::Strong => !self.weak && !other.weak,
            Comparison::Weak => true,
        };
        is_fit && self.opaque == other.opaque
    }
}

/// An HTTP-date in any of its three formats (RFC 9110 §5.6.7), in seconds since 1970.
fn seconds(date: &[u8]) -> Option<u64> {
    let text = str::from_utf8(trim(date)).ok()?;
    let time = httpdate::parse_http_date(text).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}
