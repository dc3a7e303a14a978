//! What the core parses of a request before its handler has it (`:parse`).
//!
//! # Invariants
//! - A request whose content cannot be parsed reaches no handler: it is answered, and the connection goes on.

use hinny_codec::decode::{Codec, Malformed};
use hinny_codec::media_type;
use hinny_core::error::Kind;
use hinny_core::options::Options;
use hinny_core::records::{self, FLAG_FORM_PARSED, FLAG_JSON_PARSED, FLAG_QUERY_PARSED, PARSED_KEYWORD_KEYS};
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::event_loop::LoopState;

/// What a loop keeps of the memory for a large result.
const KEPT_BYTES: usize = 256 << 10;

/// What a request's body is parsed as.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum BodyKind {
    /// Nothing.
    #[default]
    Opaque,
    /// An urlencoded form.
    Form,
    /// A JSON text.
    Json,
}

impl BodyKind {
    /// What `:parse` makes of a body with this Content-Type.
    pub(crate) fn of(options: &Options, content_type: Option<&[u8]>) -> Self {
        let parse = options.parse;
        match content_type {
            Some(value) if parse.json && media_type::is_json(value) => Self::Json,
            Some(value) if parse.form && media_type::is_form(value) => Self::Form,
            _ => Self::Opaque,
        }
    }

    /// [`Self::of`] for hyper's header map. Of more Content-Type fields than one, which HTTP does not allow, the body is
    /// not parsed.
    pub(crate) fn of_request(options: &Options, headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(CONTENT_TYPE).into_iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::of(options, Some(value.as_bytes())),
            _ => Self::Opaque,
        }
    }

    /// The largest body of this kind that is taken; all of it arrives before its handler runs.
    pub(crate) const fn parsed_limit(self, options: &Options) -> Option<u64> {
        match self {
            Self::Opaque => None,
            Self::Form | Self::Json => Some(options.parsed_body_bytes),
        }
    }
}

/// The results for one request, as its record holds them.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    flags: u8,
    bytes: Vec<u8>,
}

/// Parses the query and the pieces of the body; what comes of it is in `state.parsed` then.
///
/// # Errors
/// [`Kind::ContentMalformed`].
pub(crate) fn parse(state: &LoopState, query: Option<&[u8]>, kind: BodyKind, body: &[&[u8]]) -> Result<(), Kind> {
    let parsed = &mut *state.parsed.borrow_mut();
    parsed.flags = 0;
    parsed.bytes.clear();
    parsed.bytes.shrink_to(KEPT_BYTES);
    if !state.options.parse.is_any() {
        return Ok(());
    }
    if state.options.parse.query {
        parsed.add(Codec::Params, FLAG_QUERY_PARSED, 0, query.unwrap_or_default())?;
    }
    let keyword_keys = if state.options.parse.keyword_keys {
        PARSED_KEYWORD_KEYS
    } else {
        0
    };
    let (codec, flag, settings) = match kind {
        BodyKind::Opaque => return Ok(()),
        BodyKind::Form => (Codec::Params, FLAG_FORM_PARSED, 0),
        BodyKind::Json => (Codec::Json, FLAG_JSON_PARSED, keyword_keys),
    };
    match body {
        [] | [[]] => Ok(()),
        [whole] => parsed.add(codec, flag, settings, whole),
        pieces => parsed.add(codec, flag, settings, &pieces.concat()),
    }
}

impl Parsed {
    fn add(&mut self, codec: Codec, flag: u8, settings: u32, input: &[u8]) -> Result<(), Kind> {
        let start = records::begin_parsed(&mut self.bytes);
        codec
            .decode(input, codec.default_settings(), &mut self.bytes)
            .map_err(|Malformed { position, reason }| Kind::ContentMalformed {
                position,
                detail: codec.reason_text(reason),
            })?;
        records::end_parsed(&mut self.bytes, start, settings);
        self.flags |= flag;
        Ok(())
    }

    /// Adds the results to the record at `record`, with which `out` ends.
    pub(crate) fn add_to(&self, out: &mut Vec<u8>, record: usize) {
        if self.flags != 0 {
            records::add_parsed(out, record, self.flags, &self.bytes);
        }
    }
}
