//! Media types and ranges of them (RFC 9110 sections 8.3.1 and 12.5.1).

use std::borrow::Cow;

use super::elements::Split;

/// A media type, or a range: `text/html;level=1`, `text/*`, `*/*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    kind: &'a [u8],
    subtype: &'a [u8],
    parameters: &'a [u8],
}

impl<'a> MediaType<'a> {
    /// Reads a media type; `None` if there is none. What is wrong with parameters shows when one is asked for.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let end = text.iter().position(|byte| *byte == b';').unwrap_or(text.len());
        let essence = text[..end].trim_ascii_end();
        let slash = essence.iter().position(|byte| *byte == b'/')?;
        let (kind, subtype) = (&essence[..slash], &essence[slash + 1..]);
        let is_range = kind != b"*" || subtype == b"*";
        (is_token(kind) && is_token(subtype) && is_range).then_some(Self {
            kind,
            subtype,
            parameters: text.get(end + 1..).unwrap_or_default(),
        })
    }

    /// Returns the range of all types.
    pub(super) const fn any() -> Self {
        Self {
            kind: b"*",
            subtype: b"*",
            parameters: b"",
        }
    }

    /// Returns what stands in front of the slash, `text`, in the case that it was written in.
    #[must_use]
    pub const fn kind(&self) -> &'a [u8] {
        self.kind
    }

    /// Returns what stands behind the slash, `html`.
    #[must_use]
    pub const fn subtype(&self) -> &'a [u8] {
        self.subtype
    }

    /// Returns the value of a parameter, the first of this name, without quotes; `None` if it has none.
    #[must_use]
    pub fn parameter(&self, name: &[u8]) -> Option<Cow<'a, [u8]>> {
        self.parameters()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| unquoted(value))
    }

    /// Returns names and values of all parameters, as they were written.
    pub fn parameters(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        Split::new(self.parameters, b';').filter_map(|(text, _)| {
            let equals = text.iter().position(|byte| *byte == b'=')?;
            Some((text[..equals].trim_ascii_end(), text[equals + 1..].trim_ascii_start()))
        })
    }

    /// Returns how exactly this range takes a type, if it does: the more, the greater.
    #[must_use]
    pub fn takes(&self, other: &Self) -> Option<usize> {
        let exactness = match (self.kind, self.subtype) {
            (b"*", _) => 0,
            (kind, _) if !kind.eq_ignore_ascii_case(other.kind) => return None,
            (_, b"*") => 1,
            (_, subtype) if !subtype.eq_ignore_ascii_case(other.subtype) => return None,
            _ => 2,
        };
        let mut count = 0;
        for (name, value) in self.parameters() {
            let theirs = other.parameter(name)?;
            let value = unquoted(value);
            // Of all parameters in use only charsets have no case.
            let same = value == theirs || name.eq_ignore_ascii_case(b"charset") && value.eq_ignore_ascii_case(&theirs);
            if !same {
                return None;
            }
            count += 1;
        }
        Some(exactness + 3 * count)
    }
}

fn unquoted(value: &[u8]) -> Cow<'_, [u8]> {
    let [b'"', text @ .., b'"'] = value else {
        return Cow::Borrowed(value);
    };
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let escaped = text.get(at + 1).filter(|_| byte == b'\\');
        bytes.push(*escaped.unwrap_or(&byte));
        at += if escaped.is_some() { 2 } else { 1 };
    }
    Cow::Owned(bytes)
}

/// RFC 9110 section 5.6.2.
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| IS_TOKEN_BYTE[usize::from(*byte)])
}

const IS_TOKEN_BYTE: [bool; 256] = {
    let others = b"!#$%&'*+-.^_`|~";
    let mut is_token_byte = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        is_token_byte[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        is_token_byte[others[at] as usize] = true;
        at += 1;
    }
    is_token_byte
};
