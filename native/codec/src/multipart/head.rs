//! The head of a part: its header fields, and what they say about the name, the file's name and the type.
//!
//! Read as commons-fileupload reads it, because that is what applications of Ring were tested with: a backslash stays
//! what it is (Windows' paths), and so does `%22`, which browsers write for a quote.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::reason::Reason;

/// The head of a part that has a name.
#[derive(Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The header fields, each with CR LF; folded lines are unfolded.
    section: Cow<'a, [u8]>,
    /// Where in the piece the header fields stand.
    position: Range<usize>,
    name: Range<usize>,
    filename: Filename,
    content_type: Option<Range<usize>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Filename {
    None,
    /// In the section, in the charset of the form.
    Plain(Range<usize>),
    /// From `filename*`, in UTF-8.
    Extended(Vec<u8>),
}

impl<'a> Part<'a> {
    /// Reads header fields, each with CR LF, that stand at `position` of the piece. `None` is a part without a name.
    pub(super) fn parse(fields: &'a [u8], position: usize) -> Result<Option<Self>, Reason> {
        let section = unfolded(fields);
        let mut disposition = None;
        let mut content_type = None;
        for (name, value) in Fields::of(&section) {
            let name = &section[name];
            if disposition.is_none() && name.eq_ignore_ascii_case(b"content-disposition") {
                disposition = Some(value);
            } else if content_type.is_none() && name.eq_ignore_ascii_case(b"content-type") {
                content_type = Some(value);
            }
        }
        let Some(disposition) = disposition.filter(|value| is_form_data(&section[value.clone()])) else {
            return Ok(None);
        };
        let mut name = None;
        let mut plain = None;
        let mut extended = None;
        for (key, value) in Parameters::of(&section, disposition) {
            let key = &section[key];
            if key.eq_ignore_ascii_case(b"name") {
                name = Some(value);
            } else if key.eq_ignore_ascii_case(b"filename") {
                plain = Some(trimmed(&section, value));
            } else if key.eq_ignore_ascii_case(b"filename*") {
                extended = extended_value(&section[value]).or(extended);
            }
        }
        // A name without a single byte is none; one of spaces is the empty name.
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let name = trimmed(&section, name);
        let filename = match (extended, plain) {
            (Some(text), _) => Filename::Extended(text),
            (None, Some(text)) => Filename::Plain(text),
            (None, None) => Filename::None,
        };
        let part = Self {
            position: position..position + fields.len(),
            name,
            filename,
            content_type,
            section,
        };
        match part.filename() {
            Some(text) if memchr(0, text).is_some() => Err(Reason::FilenameNul),
            _ => Ok(Some(part)),
        }
    }

    /// Returns the name of the field, in the charset of the form.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.section[self.name.clone()]
    }

    /// Returns the name of the file, `None` if the part is none.
    #[must_use]
    pub fn filename(&self) -> Option<&[u8]> {
        match &self.filename {
            Filename::None => None,
            Filename::Plain(text) => Some(&self.section[text.clone()]),
            Filename::Extended(text) => Some(text),
        }
    }

    /// Returns whether the name of the file is in UTF-8, whatever the charset of the form.
    #[must_use]
    pub const fn is_filename_utf8(&self) -> bool {
        matches!(self.filename, Filename::Extended(_))
    }

    /// Returns the value of the field Content-Type.
    #[must_use]
    pub fn content_type(&self) -> Option<&[u8]> {
        self.content_type.clone().map(|value| &self.section[value])
    }

    /// Returns all header fields, name and value.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        Fields::of(&self.section).map(|(name, value)| (&self.section[name], &self.section[value]))
    }

    /// Returns where in the piece the header fields stand, each with CR LF.
    #[must_use]
    pub fn position(&self) -> Range<usize> {
        self.position.clone()
    }
}

/// A line that begins with a space or a tab goes on with the one before.
fn unfolded(fields: &[u8]) -> Cow<'_, [u8]> {
    let is_folded = |at: &usize| matches!(fields[*at..], [b'\r', b'\n', b' ' | b'\t', ..]);
    if !memchr_iter(b'\r', fields).any(|at| is_folded(&at)) {
        return Cow::Borrowed(fields);
    }
    let mut section = Vec::with_capacity(fields.len());
    let mut copied = 0;
    for end in memchr_iter(b'\r', fields).filter(is_folded) {
        section.extend_from_slice(&fields[copied..end]);
        section.push(b' ');
        let spaces = fields[end + 2..].iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
        copied = end + 2 + spaces.count();
    }
    section.extend_from_slice(&fields[copied..]);
    Cow::Owned(section)
}

/// Names and values of header fields; lines without a colon are skipped.
struct Fields<'a> {
    section: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    const fn of(section: &'a [u8]) -> Self {
        Self { section, at: 0 }
    }
}

impl Iterator for Fields<'_> {
    type Item = (Range<usize>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.at;
            let rest = &self.section[start..];
            let length = memchr_iter(b'\r', rest).find(|at| rest.get(at + 1) == Some(&b'\n'))?;
            self.at = start + length + 2;
            if let Some(colon) = memchr(b':', &rest[..length]) {
                let name = trimmed(self.section, start..start + colon);
                return Some((name, trimmed(self.section, start + colon + 1..start + length)));
            }
        }
    }
}

fn is_form_data(value: &[u8]) -> bool {
    const FORM_DATA: &[u8] = b"form-data";
    value
        .get(..FORM_DATA.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(FORM_DATA))
}

/// Names and values of the parameters in a header's value; one without a value has an empty one.
struct Parameters<'a> {
    section: &'a [u8],
    left: Range<usize>,
}

impl<'a> Parameters<'a> {
    const fn of(section: &'a [u8], value: Range<usize>) -> Self {
        Self { section, left: value }
    }
}

impl Iterator for Parameters<'_> {
    type Item = (Range<usize>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        let text = &self.section[self.left.clone()];
        let name_end = text
            .iter()
            .position(|byte| matches!(byte, b'=' | b';'))
            .unwrap_or(text.len());
        let (value, end) = if text.get(name_end) == Some(&b'=') {
            let length = value_length(&text[name_end + 1..]);
            (name_end + 1..name_end + 1 + length, name_end + 1 + length)
        } else {
            (name_end..name_end, name_end)
        };
        let start = self.left.start;
        self.left.start = (start + end + 1).min(self.left.end);
        let name = trimmed(self.section, start..start + name_end);
        let value = unquoted(
            self.section,
            trimmed(self.section, start + value.start..start + value.end),
        );
        Some((name, value))
    }
}

/// Up to a semicolon outside quotes; a backslash keeps a quote from ending them.
fn value_length(text: &[u8]) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate() {
        if !quoted && *byte == b';' {
            return at;
        }
        if !escaped && *byte == b'"' {
            quoted = !quoted;
        }
        escaped = !escaped && *byte == b'\\';
    }
    text.len()
}

fn unquoted(section: &[u8], value: Range<usize>) -> Range<usize> {
    match &section[value.clone()] {
        [b'"', .., b'"'] => value.start + 1..value.end - 1,
        _ => value,
    }
}

/// Without spaces and control characters at both ends.
fn trimmed(section: &[u8], text: Range<usize>) -> Range<usize> {
    let bytes = &section[text.clone()];
    let Some(first) = bytes.iter().position(|byte| *byte > b' ') else {
        return text.start..text.start;
    };
    let last = bytes.iter().rposition(|byte| *byte > b' ').unwrap_or(first);
    text.start + first..text.start + last + 1
}

/// Decodes `charset'language'percent-encoded` (RFC 8187) to UTF-8; `None` if it is none of this.
fn extended_value(value: &[u8]) -> Option<Vec<u8>> {
    let charset_end = memchr(b'\'', value)?;
    let text = charset_end + 1 + memchr(b'\'', &value[charset_end + 1..])? + 1;
    let bytes = percent_decoded(&value[text..])?;
    match &value[..charset_end] {
        utf8 if utf8.eq_ignore_ascii_case(b"utf-8") => str::from_utf8(&bytes).is_ok().then_some(bytes),
        latin1 if latin1.eq_ignore_ascii_case(b"iso-8859-1") => Some(
            bytes
                .iter()
                .map(|byte| char::from(*byte))
                .collect::<String>()
                .into_bytes(),
        ),
        _ => None,
    }
}

fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == b'%' {
            let &[high, low] = text.get(at + 1..at + 3)? else {
                return None;
            };
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            bytes.push((digit(high)? << 4) | digit(low)?);
            at += 3;
        } else {
            bytes.push(byte);
            at += 1;
        }
    }
    Some(bytes)
}
