//! A response with a file, as both engines write it.
//!
//! # Invariants
//! - The header fields are complete, but for what an engine adds itself: Content-Length, Server, Date, Connection.

use std::sync::Arc;

use bytes::Bytes;
use hinny_core::error::Kind;
use http::{HeaderName, HeaderValue, StatusCode};

use super::field_line::write_line;
use super::parts::FileParts;
use super::representation::Representation;

/// What becomes of a request: its answer, or why there is none ([`Kind::RouteNotFound`]: there is no such file).
pub type Outcome = Result<FileAnswer, Kind>;

/// A response.
#[derive(Debug)]
pub struct FileAnswer {
    pub(super) status: StatusCode,
    pub(super) of: Fields,
    /// Further fields, which are not those of the representation.
    pub(super) own: Vec<(HeaderName, HeaderValue)>,
    pub(super) content: FileContent,
    pub(super) content_length: Option<u64>,
}

/// Which of the fields of a representation a response has.
#[derive(Debug)]
pub(super) enum Fields {
    /// None.
    No,
    /// Those that say which it is and how it may be kept, not what its content is.
    About(Arc<Representation>),
    /// All.
    All(Arc<Representation>),
}

/// The content of a response.
#[derive(Debug)]
pub enum FileContent {
    /// It has none: it answers a HEAD, or its status has none.
    No,
    /// It is in memory.
    Whole(Bytes),
    /// Some of it is in a file.
    Parts(FileParts),
}

impl FileAnswer {
    /// The status: 200, 206, 301 or 304.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The value of Content-Length; the content has as many bytes if it has any.
    #[must_use]
    pub const fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    /// Whether all of the content is in memory.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        !matches!(self.content, FileContent::Parts(_))
    }

    /// The content, if it is in memory.
    pub(crate) fn whole_content(&self) -> &[u8] {
        match &self.content {
            FileContent::Whole(bytes) => bytes,
            FileContent::No | FileContent::Parts(_) => &[],
        }
    }

    /// The header fields in order.
    pub fn fields(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let shared = match &self.of {
            Fields::No => &[],
            Fields::About(representation) => representation.fields_about(),
            Fields::All(representation) => representation.fields(),
        };
        shared.iter().chain(&self.own).map(|(name, value)| (name, value))
    }

    /// Appends the header fields as lines.
    pub fn write_fields(&self, out: &mut Vec<u8>) {
        let shared = match &self.of {
            Fields::No => &[],
            Fields::About(representation) => representation.lines_about(),
            Fields::All(representation) => representation.lines(),
        };
        out.extend_from_slice(shared);
        for (name, value) in &self.own {
            write_line(out, name, value);
        }
    }

    /// The content.
    #[must_use]
    pub fn into_content(self) -> FileContent {
        self.content
    }
}
