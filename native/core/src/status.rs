//! The only place where an error becomes an HTTP answer.
//!
//! # Invariants
//! - One exhaustive match, no `_`: a new kind does not compile until it has an answer here.
//! - A body sent to a client is the reason phrase of its status as text or, where its `Accept` asks for JSON, in a problem
//!   document (RFC 9457). For content that cannot be parsed that says what is wrong with it, and is sent unless the client asks
//!   for text. There is nothing of the server's own in it.

use std::borrow::Cow;

use http::StatusCode;

use crate::error::Kind;

/// What a client wants to be told an error in, by its `Accept`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ErrorFormat {
    /// It does not say, or takes both alike.
    #[default]
    Usual,
    /// JSON rather than text.
    Json,
    /// Text rather than JSON.
    Text,
}

/// An error, and how its client wants to be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What it is.
    pub kind: Kind,
    /// How it is told.
    pub format: ErrorFormat,
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            format: ErrorFormat::Usual,
        }
    }
}

/// What the core sends for an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status of the response.
    pub status: StatusCode,
    /// Whether the connection is closed after the response.
    pub close: bool,
    /// `Retry-After` in seconds, where coming back later helps (RFC 9110 §10.2.3).
    pub retry_after_seconds: Option<u32>,
    /// Why, for [`Answer::content`].
    kind: Kind,
}

impl Answer {
    /// Content-Type and body of the response.
    #[must_use]
    pub fn content(&self, format: ErrorFormat) -> (&'static str, Cow<'static, [u8]>) {
        let reason = self.status.canonical_reason().unwrap_or("Error");
        let status = self.status.as_u16();
        let problem = match (format, self.kind) {
            (ErrorFormat::Usual | ErrorFormat::Json, Kind::ContentMalformed { position, detail }) => format!(
                r#"{{"type":"about:blank","title":"{reason}","status":{status},"detail":"{detail}","position":{position}}}"#
            ),
            (ErrorFormat::Json, _) => format!(r#"{{"type":"about:blank","title":"{reason}","status":{status}}}"#),
            (ErrorFormat::Usual | ErrorFormat::Text, _) => return ("text/plain", reason.as_bytes().into()),
        };
        ("application/problem+json", problem.into_bytes().into())
    }

    /// `Accept-Encoding` of the response, where it is a content coding that is not taken (RFC 9110 §15.5.16).
    #[must_use]
    pub const fn accept_encoding(&self) -> Option<&'static str> {
        match self.kind {
            Kind::ContentCodingUnsupported => Some("identity"),
            _ => None,
        }
    }

    /// `Content-Range` of the response, for a range that there is not (RFC 9110 §15.5.17).
    #[must_use]
    pub fn content_range(&self) -> Option<String> {
        match self.kind {
            Kind::RangeNotSatisfiable { length } => Some(format!("bytes */{length}")),
            _ => None,
        }
    }
}

/// How long a client is asked to wait when the server has too much to do.
const RETRY_AFTER_SECONDS: u32 = 1;

/// The answer to an error; `None` when nothing can be sent any more.
///
/// "Keep" needs a request body that was read to its end; the server sees to that before it sends the answer.
#[must_use]
pub const fn answer(kind: Kind) -> Option<Answer> {
    let (status, close, retry_after_seconds) = match kind {
        Kind::HeadMalformed(_) | Kind::BodyMalformed => (StatusCode::BAD_REQUEST, true, None),
        Kind::ContentMalformed { .. } => (StatusCode::BAD_REQUEST, false, None),
        Kind::HeadTimeout { started: true } | Kind::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, true, None),
        Kind::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, true, None),
        Kind::RouteNotFound => (StatusCode::NOT_FOUND, false, None),
        Kind::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, false, None),
        Kind::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, false, None),
        Kind::UnsupportedMediaType | Kind::ContentCodingUnsupported => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, false, None)
        }
        Kind::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, false, None),
        Kind::RangeNotSatisfiable { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, false, None),
        Kind::HandlerThrew | Kind::ResponseInvalid | Kind::FileUnreadable => {
            (StatusCode::INTERNAL_SERVER_ERROR, false, None)
        }
        Kind::BytesLimit | Kind::Overloaded | Kind::ExchangeLimit | Kind::HandlerTimeout => {
            (StatusCode::SERVICE_UNAVAILABLE, false, Some(RETRY_AFTER_SECONDS))
        }
        Kind::ConnectionLimit => (StatusCode::SERVICE_UNAVAILABLE, true, Some(RETRY_AFTER_SECONDS)),
        Kind::UriTooLong { .. } => (StatusCode::URI_TOO_LONG, true, None),
        Kind::HeadTooLarge { .. } | Kind::TooManyFields { .. } => {
            (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, true, None)
        }
        Kind::VersionUnsupported => (StatusCode::HTTP_VERSION_NOT_SUPPORTED, true, None),
        // The client may or may not send the body that it announced.
        Kind::ExpectationUnknown => (StatusCode::EXPECTATION_FAILED, true, None),
        Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, true, None),
        Kind::HeadTimeout { started: false } | Kind::Disconnected => return None,
    };
    Some(Answer {
        status,
        close,
        retry_after_seconds,
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::HeadFault;

    #[test]
    fn every_kind_has_the_answer_of_the_house_table() {
        let table = [
            (Kind::HeadMalformed(HeadFault::HostMissing), Some((400, true))),
            (Kind::HeadTimeout { started: true }, Some((408, true))),
            (Kind::HeadTimeout { started: false }, None),
            (Kind::BodyMalformed, Some((400, true))),
            (CONTENT_MALFORMED, Some((400, false))),
            (Kind::BodyTimeout, Some((408, true))),
            (Kind::BodyTooLarge { limit: 1 }, Some((413, true))),
            (Kind::UriTooLong { limit: 1 }, Some((414, true))),
            (Kind::HeadTooLarge { limit: 1 }, Some((431, true))),
            (Kind::TooManyFields { limit: 1 }, Some((431, true))),
            (Kind::VersionUnsupported, Some((505, true))),
            (Kind::ExpectationUnknown, Some((417, true))),
            (Kind::RouteNotFound, Some((404, false))),
            (Kind::MethodNotAllowed, Some((405, false))),
            (Kind::NotAcceptable, Some((406, false))),
            (Kind::UnsupportedMediaType, Some((415, false))),
            (Kind::ContentCodingUnsupported, Some((415, false))),
            (Kind::PreconditionFailed, Some((412, false))),
            (Kind::RangeNotSatisfiable { length: 1 }, Some((416, false))),
            (Kind::HandlerThrew, Some((500, false))),
            (Kind::ResponseInvalid, Some((500, false))),
            (Kind::FileUnreadable, Some((500, false))),
            (Kind::Overloaded, Some((503, false))),
            (Kind::BytesLimit, Some((503, false))),
            (Kind::ExchangeLimit, Some((503, false))),
            (Kind::HandlerTimeout, Some((503, false))),
            (Kind::ConnectionLimit, Some((503, true))),
            (Kind::Internal, Some((500, true))),
            (Kind::Disconnected, None),
        ];
        for (kind, expected) in table {
            let got = answer(kind).map(|a| (a.status.as_u16(), a.close));
            assert_eq!(got, expected, "{kind:?}");
        }
    }

    const CONTENT_MALFORMED: Kind = Kind::ContentMalformed {
        position: 17,
        detail: "a byte that cannot stand there",
    };

    #[test]
    fn content_that_cannot_be_parsed_is_told_as_a_problem() {
        let content = answer(CONTENT_MALFORMED).map(|answer| answer.content(ErrorFormat::Usual));
        let problem = r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"a byte that cannot stand there","position":17}"#;
        assert_eq!(content, Some(("application/problem+json", problem.as_bytes().into())));
        let content = answer(Kind::BodyMalformed).map(|answer| answer.content(ErrorFormat::Usual));
        assert_eq!(content, Some(("text/plain", b"Bad Request".as_slice().into())));
    }

    #[test]
    fn an_error_is_told_as_the_client_wants_it() {
        let content = |kind, format| answer(kind).map(|answer| answer.content(format));
        let problem = br#"{"type":"about:blank","title":"Not Found","status":404}"#.as_slice();
        let expected = Some(("application/problem+json", problem.into()));
        assert_eq!(content(Kind::RouteNotFound, ErrorFormat::Json), expected);
        let expected = Some(("text/plain", b"Not Found".as_slice().into()));
        assert_eq!(content(Kind::RouteNotFound, ErrorFormat::Usual), expected);
        assert_eq!(content(Kind::RouteNotFound, ErrorFormat::Text), expected);
        let expected = Some(("text/plain", b"Bad Request".as_slice().into()));
        assert_eq!(content(CONTENT_MALFORMED, ErrorFormat::Text), expected);
    }

    #[test]
    fn a_range_that_is_not_there_is_answered_with_the_length() {
        let content_range = |kind| answer(kind).and_then(|answer| answer.content_range());
        let expected = Some("bytes */1234".to_owned());
        assert_eq!(content_range(Kind::RangeNotSatisfiable { length: 1234 }), expected);
        assert_eq!(content_range(Kind::PreconditionFailed), None);
    }

    #[test]
    fn an_overloaded_server_says_when_to_come_back() {
        assert_eq!(answer(Kind::Overloaded).and_then(|a| a.retry_after_seconds), Some(1));
    }
}
