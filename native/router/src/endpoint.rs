//! Endpoints: what answers at a path, and for which content.

use std::fmt;

use bytes::Bytes;
use hinny_codec::negotiation;
use hinny_core::commands::ResponseCommand;
use hinny_core::files::FilesSettings;
use hinny_core::options::RouteOptions;

/// What answers requests at a path.
#[derive(Debug)]
pub struct Endpoint {
    /// Its place in the table, from 1.
    pub number: u32,
    /// What messages call it.
    pub label: Box<str>,
    /// Where its responses come from.
    pub source: Source,
    /// What holds for its requests.
    pub options: RouteOptions,
    /// Media types of the content that it takes; empty for all.
    pub consumes: Vec<Box<[u8]>>,
    /// Media types of the content that it makes; empty for all.
    pub produces: Vec<Box<[u8]>>,
}

/// Where an endpoint's responses come from.
pub enum Source {
    /// A handler makes them.
    Handler,
    /// There is one, always the same.
    Response(ResponseCommand<Bytes>),
    /// There is one, which the server's driver gives and changes; this is its number.
    Reply(u32),
    /// They are files; the path's last parameter is where below the root, unless there is a single one.
    Files(Box<FilesSettings>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handler => f.write_str("Handler"),
            Self::Response(response) => write!(f, "Response({})", response.status()),
            Self::Reply(number) => write!(f, "Reply({number})"),
            Self::Files(settings) => write!(f, "Files({})", settings.root.display()),
        }
    }
}

impl Endpoint {
    /// Whether it must be asked if content fits.
    #[must_use]
    pub const fn is_choosy(&self) -> bool {
        !self.consumes.is_empty() || !self.produces.is_empty()
    }

    /// Whether it takes a body of this type. Of a request without a body nothing is asked, and a body without a type can be
    /// anything (RFC 9110 §8.3).
    pub(crate) fn takes(&self, has_body: bool, content_type: Option<&[u8]>) -> bool {
        self.consumes.is_empty()
            || !has_body
            || negotiation::content_type(
                content_type.unwrap_or(b"application/octet-stream"),
                &slices(&self.consumes),
            )
            .is_some()
    }

    /// Whether it makes what a client with this Accept takes.
    pub(crate) fn makes(&self, accept: Option<&[u8]>) -> bool {
        self.produces.is_empty() || negotiation::accept(accept, &slices(&self.produces)).is_some()
    }
}

fn slices(words: &[Box<[u8]>]) -> Vec<&[u8]> {
    words.iter().map(AsRef::as_ref).collect()
}
