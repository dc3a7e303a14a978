//! Decides what a request is answered with, once it is known what there is.
//!
//! # Invariants
//! - Nothing is read here, and no clock is looked at: the same request and the same files give the same answer, but for
//!   the boundary of parts.
//! - What may be ignored is ignored when that is safer: a Range of HEAD (RFC 9110 §14.2), several ranges of an encoded
//!   file (Content-Encoding would be read as that of the parts), an Accept-Encoding that excludes all there is (§12.4.1).

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use hinny_codec::byte_ranges::{self, Piece};
use hinny_codec::conditional::{self, Verdict};
use hinny_codec::negotiation;
use hinny_codec::range::{self, ByteRange, ContentRange, Selection};
use hinny_core::error::Kind;
use http::{HeaderValue, StatusCode, header};

use super::Files;
use super::answer::{Fields, FileAnswer, FileContent, Outcome};
use super::parts::{FileParts, Part};
use super::representation::Representation;
use super::request::FileRequest;

/// What is at a path.
#[derive(Debug)]
pub(super) enum Entry {
    /// Nothing that may be served.
    Missing,
    /// A directory, whose path would end in a slash.
    Directory,
    /// A file: encoded as well as it can be, best first, and as it is, last.
    File(Vec<Arc<Representation>>),
}

/// The answer; `None` if it needs bytes of a file that is not among those opened, which stand in the order of the entry's
/// representations.
pub(super) fn plan(
    files: &Files,
    entry: &Entry,
    request: &FileRequest<'_>,
    opened: &[Option<Arc<File>>],
) -> Option<Outcome> {
    let representations = match entry {
        Entry::Missing => return Some(Err(Kind::RouteNotFound)),
        Entry::Directory => return Some(redirect(request).ok_or(Kind::RouteNotFound)),
        Entry::File(representations) => representations,
    };
    let chosen = choose(representations, request);
    let representation = representations.get(chosen)?;
    let verdict = conditional::evaluate(&request.conditions(), &representation.validators());
    let range = match verdict {
        Verdict::PreconditionFailed => return Some(Err(Kind::PreconditionFailed)),
        Verdict::NotModified => return Some(Ok(not_modified(representation))),
        Verdict::Proceed => request.range.as_deref().filter(|_| !request.head),
        Verdict::ProceedWhole => None,
    };
    let source = Source {
        representation,
        file: opened.get(chosen).and_then(Option::as_ref),
    };
    let length = representation.state.length;
    let answer = match range.map_or(Selection::Whole, |range| range::select(range, length)) {
        Selection::Unsatisfiable => return Some(Err(Kind::RangeNotSatisfiable { length })),
        Selection::One(range) => source.one_range(range)?,
        Selection::Several(ranges) if representation.coding.is_none() => {
            source.several_ranges(&ranges, &files.boundary())?
        }
        Selection::Several(_) | Selection::Whole => source.whole(request.head)?,
    };
    Some(Ok(answer))
}

/// Which representation the client wants: the heaviest, of several the first.
fn choose(representations: &[Arc<Representation>], request: &FileRequest<'_>) -> usize {
    let last = representations.len().saturating_sub(1);
    let mut best = (last, 0);
    if last > 0 {
        for (n, representation) in representations.iter().enumerate() {
            let coding = representation.coding.map_or("identity", |coding| coding.name());
            let weight = negotiation::coding_weight(request.accept_encoding.as_deref(), coding.as_bytes());
            if weight > best.1 {
                best = (n, weight);
            }
        }
    }
    best.0
}

/// The answer for a directory whose path lacks its slash; none where the target would be read as that of another host.
fn redirect(request: &FileRequest<'_>) -> Option<FileAnswer> {
    let path = request.path.as_ref();
    if !path.starts_with(b"/") || matches!(path.get(1), Some(b'/' | b'\\')) {
        return None;
    }
    let mut location = path.to_vec();
    location.push(b'/');
    if let Some(query) = &request.query {
        location.push(b'?');
        location.extend_from_slice(query);
    }
    Some(FileAnswer {
        status: StatusCode::MOVED_PERMANENTLY,
        of: Fields::No,
        own: vec![(header::LOCATION, HeaderValue::try_from(location).ok()?)],
        content: FileContent::No,
        content_length: Some(0),
    })
}

fn not_modified(representation: &Arc<Representation>) -> FileAnswer {
    FileAnswer {
        status: StatusCode::NOT_MODIFIED,
        of: Fields::About(Arc::clone(representation)),
        own: Vec::new(),
        content: FileContent::No,
        content_length: None,
    }
}

/// What a response's content is taken from.
struct Source<'a> {
    representation: &'a Arc<Representation>,
    file: Option<&'a Arc<File>>,
}

impl Source<'_> {
    fn whole(&self, head: bool) -> Option<FileAnswer> {
        let length = self.representation.state.length;
        let content = if head {
            FileContent::No
        } else {
            self.content(ByteRange { offset: 0, length })?
        };
        Some(FileAnswer {
            status: StatusCode::OK,
            of: Fields::All(Arc::clone(self.representation)),
            own: Vec::new(),
            content,
            content_length: Some(length),
        })
    }

    fn one_range(&self, range: ByteRange) -> Option<FileAnswer> {
        let content_range = ContentRange::Of(range, self.representation.state.length).to_string();
        Some(FileAnswer {
            status: StatusCode::PARTIAL_CONTENT,
            of: Fields::All(Arc::clone(self.representation)),
            own: vec![(header::CONTENT_RANGE, HeaderValue::try_from(content_range).ok()?)],
            content: self.content(range)?,
            content_length: Some(range.length),
        })
    }

    fn several_ranges(&self, ranges: &[ByteRange], boundary: &str) -> Option<FileAnswer> {
        let representation = self.representation;
        let length = representation.state.length;
        let pieces = byte_ranges::pieces(ranges, length, representation.content_type.as_bytes(), boundary);
        let content_length = byte_ranges::content_length(&pieces);
        let content = if let Some(content) = &representation.content {
            let mut bytes = Vec::with_capacity(usize::try_from(content_length).ok()?);
            for piece in &pieces {
                match piece {
                    Piece::Text(text) => bytes.extend_from_slice(text),
                    Piece::Content(range) => bytes.extend_from_slice(&slice(content, *range)?),
                }
            }
            FileContent::Whole(bytes.into())
        } else {
            let parts = pieces.into_iter().map(|piece| match piece {
                Piece::Text(text) => Part::Bytes(text.into()),
                Piece::Content(ByteRange { offset, length }) => Part::File { offset, length },
            });
            FileContent::Parts(FileParts::new(Arc::clone(self.file?), parts))
        };
        let content_type = format!("multipart/byteranges; boundary={boundary}");
        Some(FileAnswer {
            status: StatusCode::PARTIAL_CONTENT,
            of: Fields::About(Arc::clone(representation)),
            own: vec![(header::CONTENT_TYPE, HeaderValue::try_from(content_type).ok()?)],
            content,
            content_length: Some(content_length),
        })
    }

    fn content(&self, range: ByteRange) -> Option<FileContent> {
        if let Some(content) = &self.representation.content {
            return slice(content, range).map(FileContent::Whole);
        }
        let ByteRange { offset, length } = range;
        let part = Part::File { offset, length };
        Some(FileContent::Parts(FileParts::new(Arc::clone(self.file?), [part])))
    }
}

fn slice(content: &Bytes, range: ByteRange) -> Option<Bytes> {
    let (start, end) = (usize::try_from(range.offset).ok()?, usize::try_from(range.end()).ok()?);
    (end <= content.len()).then(|| content.slice(start..end))
}
