//! What the core finds in a request before its handler has it: the parameters of its path, and what `:parse` asks for.
//!
//! # Invariants
//! - A request whose content cannot be parsed reaches no handler: it is answered, and the connection goes on.

use hinny_codec::decode::Codec;
use hinny_codec::malformed::Malformed;
use hinny_codec::media_type;
use hinny_core::error::Kind;
use hinny_core::options::{Parse, RouteOptions};
use hinny_core::records::{
    self, FLAG_FORM_PARSED, FLAG_JSON_PARSED, FLAG_QUERY_PARSED, FoundInRequest, PARSED_KEYWORD_KEYS,
};
use hinny_router::Params;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::event_loop::LoopState;

/// What a loop keeps of the memory for a large result.
const KEPT_BYTES: usize = 256 << 10;

/// What a request's body is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum BodyKind {
    /// Nothing that can be parsed here.
    #[default]
    Opaque,
    /// An urlencoded form.
    Form,
    /// A JSON text.
    Json,
    /// A form that has a content coding.
    CodedForm,
    /// A JSON text that has a content coding.
    CodedJson,
}

impl BodyKind {
    /// What a body with this Content-Type is; `is_coded` says whether it has a content coding too.
    pub(crate) fn of(content_type: Option<&[u8]>, is_coded: impl FnOnce() -> bool) -> Self {
        match content_type {
            Some(value) if media_type::is_json(value) => {
                if is_coded() {
                    Self::CodedJson
                } else {
                    Self::Json
                }
            }
            Some(value) if media_type::is_form(value) => {
                if is_coded() {
                    Self::CodedForm
                } else {
                    Self::Form
                }
            }
            _ => Self::Opaque,
        }
    }

    /// [`Self::of`] for hyper's header map. Of more Content-Type fields than one, which HTTP does not allow, the body is
    /// not parsed.
    pub(crate) fn of_request(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(CONTENT_TYPE).into_iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::of(Some(value.as_bytes()), || {
                let mut codings = headers.get_all(CONTENT_ENCODING).into_iter();
                codings.any(|value| is_coding(value.as_bytes()))
            }),
            _ => Self::Opaque,
        }
    }

    /// What of it `:parse` asks for.
    pub(crate) const fn wanted(self, parse: Parse) -> Self {
        match self {
            Self::Form if parse.form => Self::Form,
            Self::Json if parse.json => Self::Json,
            Self::CodedForm if parse.form => Self::CodedForm,
            Self::CodedJson if parse.json => Self::CodedJson,
            Self::Opaque | Self::Form | Self::Json | Self::CodedForm | Self::CodedJson => Self::Opaque,
        }
    }

    /// The largest body that is taken to be parsed, `None` if it is not; all of it arrives before its handler runs.
    pub(crate) const fn parsed_limit(self, options: &RouteOptions) -> Option<u64> {
        match self.wanted(options.parse) {
            Self::Opaque => None,
            Self::Form | Self::Json | Self::CodedForm | Self::CodedJson => Some(options.parsed_body_bytes),
        }
    }
}

/// Whether a `Content-Encoding` names a coding: `identity` is none (RFC 9110 §12.5.3).
pub(crate) fn is_coding(value: &[u8]) -> bool {
    let mut codings = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

/// What was found in one request, as its record holds it. Without bytes nothing was.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    param_count: u16,
    flags: u8,
    bytes: Vec<u8>,
    /// How many of the bytes are the parameters.
    param_bytes: usize,
}

/// The parameters of a request's path, kept for another request.
#[derive(Debug, Default)]
pub(crate) struct KeptParams {
    count: u16,
    bytes: Vec<u8>,
}

/// Parses what `parse` asks for of the query and the pieces of the body; what comes of it is in `state.parsed` then, behind
/// what [`LoopState::routed`] has left there.
///
/// # Errors
/// [`Kind::ContentMalformed`], or [`Kind::ContentCodingUnsupported`].
#[inline]
pub(crate) fn parse(
    state: &LoopState,
    parse: Parse,
    query: Option<&[u8]>,
    kind: BodyKind,
    body: &[&[u8]],
) -> Result<(), Kind> {
    if parse.is_any() {
        parse_some(state, parse, query, kind, body)
    } else {
        Ok(())
    }
}

fn parse_some(
    state: &LoopState,
    parse: Parse,
    query: Option<&[u8]>,
    kind: BodyKind,
    body: &[&[u8]],
) -> Result<(), Kind> {
    let parsed = &mut *state.parsed.borrow_mut();
    if parse.query {
        parsed.add(Codec::Params, FLAG_QUERY_PARSED, 0, query.unwrap_or_default())?;
    }
    let keyword_keys = if parse.keyword_keys { PARSED_KEYWORD_KEYS } else { 0 };
    let (codec, flag, settings) = match kind.wanted(parse) {
        BodyKind::Opaque => return Ok(()),
        BodyKind::Form => (Codec::Params, FLAG_FORM_PARSED, 0),
        BodyKind::Json => (Codec::Json, FLAG_JSON_PARSED, keyword_keys),
        BodyKind::CodedForm | BodyKind::CodedJson => return Err(Kind::ContentCodingUnsupported),
    };
    match body {
        [] | [[]] => Ok(()),
        [whole] => parsed.add(codec, flag, settings, whole),
        pieces => parsed.add(codec, flag, settings, &pieces.concat()),
    }
}

impl Parsed {
    /// Forgets everything.
    #[inline]
    pub(crate) fn restart(&mut self) {
        if !self.bytes.is_empty() {
            self.param_count = 0;
            self.param_bytes = 0;
            self.flags = 0;
            self.bytes.clear();
            if self.bytes.capacity() > KEPT_BYTES {
                self.bytes.shrink_to(KEPT_BYTES);
            }
        }
    }

    /// Forgets everything but the parameters of the path.
    #[inline]
    pub(crate) fn set_params(&mut self, params: &Params<'_>) {
        self.restart();
        self.param_count = params.write(&mut self.bytes);
        self.param_bytes = self.bytes.len();
    }

    /// Copies the parameters of the path.
    pub(crate) fn keep_params(&self, kept: &mut KeptParams) {
        kept.count = self.param_count;
        kept.bytes.clear();
        kept.bytes.extend_from_slice(&self.bytes[..self.param_bytes]);
    }

    /// [`Self::set_params`] for a request that has the same ones.
    #[inline]
    pub(crate) fn reset_params(&mut self, kept: &KeptParams) {
        self.restart();
        if kept.count > 0 {
            self.param_count = kept.count;
            self.param_bytes = kept.bytes.len();
            self.bytes.extend_from_slice(&kept.bytes);
        }
    }

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

    /// What was found.
    pub(crate) fn found(&self) -> FoundInRequest<'_> {
        FoundInRequest {
            param_count: self.param_count,
            flags: self.flags,
            bytes: &self.bytes,
        }
    }

    /// Adds it to the record at `record`, with which `out` ends.
    pub(crate) fn add_to(&self, out: &mut Vec<u8>, record: usize) {
        if !self.bytes.is_empty() {
            records::add_found(out, record, self.found());
        }
    }
}
