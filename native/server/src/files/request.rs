//! What of a request matters for the answer with a file.

use std::borrow::Cow;

use hinny_codec::conditional::Conditions;
use hinny_core::names;

/// A GET or HEAD of a file.
#[derive(Clone, Debug, Default)]
pub struct FileRequest<'a> {
    /// The method is HEAD.
    pub head: bool,
    /// The whole path as it was sent.
    pub path: Cow<'a, [u8]>,
    /// The query, if there is one.
    pub query: Option<Cow<'a, [u8]>>,
    /// What the router has left of the path for the files below the root: normalised, still percent-encoded, without a
    /// slash in front.
    pub rest: Cow<'a, [u8]>,
    /// `Accept-Encoding`
    pub accept_encoding: Field<'a>,
    /// `If-Match`
    pub if_match: Field<'a>,
    /// `If-Modified-Since`
    pub if_modified_since: Field<'a>,
    /// `If-None-Match`
    pub if_none_match: Field<'a>,
    /// `If-Range`
    pub if_range: Field<'a>,
    /// `If-Unmodified-Since`
    pub if_unmodified_since: Field<'a>,
    /// `Range`
    pub range: Field<'a>,
}

/// The value of a header field, if it was sent.
type Field<'a> = Option<Cow<'a, [u8]>>;

impl<'a> FileRequest<'a> {
    /// Notes a header field by the id of its name, if it matters; the values of a name that comes again are joined.
    pub fn add(&mut self, id: u16, value: &'a [u8]) {
        let field = match id {
            names::ACCEPT_ENCODING => &mut self.accept_encoding,
            names::IF_MATCH => &mut self.if_match,
            names::IF_MODIFIED_SINCE => &mut self.if_modified_since,
            names::IF_NONE_MATCH => &mut self.if_none_match,
            names::IF_RANGE => &mut self.if_range,
            names::IF_UNMODIFIED_SINCE => &mut self.if_unmodified_since,
            names::RANGE => &mut self.range,
            _ => return,
        };
        match field {
            None => *field = Some(Cow::Borrowed(value)),
            Some(before) => {
                let before = before.to_mut();
                before.extend_from_slice(b", ");
                before.extend_from_slice(value);
            }
        }
    }

    /// The same with memory of its own.
    #[must_use]
    pub fn into_owned(self) -> FileRequest<'static> {
        let owned = |value: Cow<'a, [u8]>| Cow::Owned(value.into_owned());
        FileRequest {
            head: self.head,
            path: owned(self.path),
            query: self.query.map(owned),
            rest: owned(self.rest),
            accept_encoding: self.accept_encoding.map(owned),
            if_match: self.if_match.map(owned),
            if_modified_since: self.if_modified_since.map(owned),
            if_none_match: self.if_none_match.map(owned),
            if_range: self.if_range.map(owned),
            if_unmodified_since: self.if_unmodified_since.map(owned),
            range: self.range.map(owned),
        }
    }

    pub(super) fn conditions(&self) -> Conditions<'_> {
        Conditions {
            if_match: self.if_match.as_deref(),
            if_unmodified_since: self.if_unmodified_since.as_deref(),
            if_none_match: self.if_none_match.as_deref(),
            if_modified_since: self.if_modified_since.as_deref(),
            if_range: self.if_range.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_matter_are_noted_and_joined() {
        let mut request = FileRequest::default();
        let fields: [(u16, &[u8]); 5] = [
            (names::IF_NONE_MATCH, b"\"a\""),
            (names::HOST, b"h"),
            (names::RANGE, b"bytes=0-1"),
            (names::IF_NONE_MATCH, b"\"b\""),
            (0, b"x"),
        ];
        for (id, value) in fields {
            request.add(id, value);
        }
        let request = request.into_owned();
        assert_eq!(request.if_none_match.as_deref(), Some(&b"\"a\", \"b\""[..]));
        assert_eq!(request.range.as_deref(), Some(&b"bytes=0-1"[..]));
        assert!(request.if_match.is_none() && request.accept_encoding.is_none());
    }
}
