//! What can go wrong with an exchange, as facts. Layers return a [`Kind`]; only [`crate::status`] turns one into
//! an HTTP answer.

use std::fmt;

/// Why an exchange, or the connection under it, could not go on as asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The request body is not framed as its head says (RFC 9112 §7.1).
    BodyMalformed,
    /// The request body did not arrive in time.
    BodyTimeout,
    /// The request body is larger than `:max-body-bytes`.
    BodyTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The request's content is not what its Content-Type says.
    ContentMalformed {
        /// Where, in bytes from its start.
        position: usize,
        /// What is wrong there, in words.
        detail: &'static str,
    },
    /// The server serves as many connections as it may.
    ConnectionLimit,
    /// The peer is gone; nothing can be sent.
    Disconnected,
    /// A file that is the answer cannot be read.
    FileUnreadable,
    /// The server serves as many exchanges as it may.
    ExchangeLimit,
    /// The handler's response did not begin in time.
    HandlerTimeout,
    /// The request expects something else than `100-continue` (RFC 9110 §10.1.1).
    ExpectationUnknown,
    /// The handler threw.
    HandlerThrew,
    /// The request head breaks a rule of HTTP that hyper does not check.
    HeadMalformed(HeadFault),
    /// The request head is larger than `:max-head-bytes`.
    HeadTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The request head did not arrive in time.
    HeadTimeout {
        /// Whether any byte of the head arrived. An idle connection is closed without a word.
        started: bool,
    },
    /// A defect of Hinny: a panic in the core, or a command that does not decode.
    Internal,
    /// The path has routes, but none for the request's method (RFC 9110 §15.5.6).
    MethodNotAllowed,
    /// The route makes nothing that the client accepts (RFC 9110 §15.5.7).
    NotAcceptable,
    /// The worker queue is full.
    Overloaded,
    /// The representation is not the one that the request means (RFC 9110 §13.1.1, §13.1.4).
    PreconditionFailed,
    /// The representation has none of the ranges that the request asks for (RFC 9110 §14.2).
    RangeNotSatisfiable {
        /// The representation's length in bytes.
        length: u64,
    },
    /// The handler's return value is not a Ring response.
    ResponseInvalid,
    /// No route has the request's path.
    RouteNotFound,
    /// The request has more header fields than `:max-header-count`.
    TooManyFields {
        /// The limit.
        limit: usize,
    },
    /// The route does not take content of the request's type (RFC 9110 §15.5.16).
    UnsupportedMediaType,
    /// The request target is longer than `:max-uri-bytes`.
    UriTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The request's HTTP version is neither 1.0 nor 1.1.
    VersionUnsupported,
}

/// Which rule a malformed request head breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeadFault {
    /// CONNECT asks for a tunnel, which an origin server does not give (RFC 9110 §9.3.6).
    ConnectTarget,
    /// A line or a framing field that another recipient could read otherwise (RFC 9112 §11.2); `hinny_codec::framing`
    /// knows the rules.
    FramingInvalid,
    /// An HTTP/1.1 request without a Host header field (RFC 9112 §3.2).
    HostMissing,
    /// More than one Host header field (RFC 9112 §3.2).
    HostRepeated,
    /// A Host header field that is not `uri-host [":" port]` (RFC 9110 §7.2).
    HostInvalid,
    /// A method longer than [`crate::records::METHOD_LENGTH_MAX`] bytes.
    MethodTooLong,
    /// A method or field name that is no token, or a control character in a value (RFC 9110 §5.5, §5.6.2).
    SyntaxInvalid,
    /// A request target that is neither a path, nor absolute, nor `*` of OPTIONS, or that has a fragment (RFC 9112 §3.2).
    TargetInvalid,
}

impl Kind {
    /// The kind of a `FAIL` command: only those that Java can report.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            crate::records::KIND_HANDLER_THREW => Some(Self::HandlerThrew),
            crate::records::KIND_RESPONSE_INVALID => Some(Self::ResponseInvalid),
            crate::records::KIND_OVERLOADED => Some(Self::Overloaded),
            crate::records::KIND_CONTENT_MALFORMED => Some(Self::ContentMalformed {
                position: 0,
                detail: "it cannot be read",
            }),
            _ => None,
        }
    }

    /// Whether the handler's side has ended the exchange with it, and needs not be told.
    #[must_use]
    pub const fn is_from_handler(self) -> bool {
        matches!(
            self,
            Self::ContentMalformed { .. } | Self::HandlerThrew | Self::Overloaded | Self::ResponseInvalid
        )
    }

    /// The number that stands for a kind in a signal.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::BodyMalformed => crate::records::KIND_BODY_MALFORMED,
            Self::BodyTimeout => crate::records::KIND_BODY_TIMEOUT,
            Self::BodyTooLarge { .. } => crate::records::KIND_BODY_TOO_LARGE,
            Self::ContentMalformed { .. } => crate::records::KIND_CONTENT_MALFORMED,
            Self::ConnectionLimit
            | Self::Disconnected
            | Self::ExpectationUnknown
            | Self::HeadMalformed(_)
            | Self::HeadTimeout { .. }
            | Self::HeadTooLarge { .. }
            | Self::MethodNotAllowed
            | Self::NotAcceptable
            | Self::PreconditionFailed
            | Self::RangeNotSatisfiable { .. }
            | Self::RouteNotFound
            | Self::TooManyFields { .. }
            | Self::UnsupportedMediaType
            | Self::UriTooLong { .. }
            | Self::VersionUnsupported => crate::records::KIND_DISCONNECTED,
            Self::ExchangeLimit | Self::Overloaded => crate::records::KIND_OVERLOADED,
            Self::HandlerThrew => crate::records::KIND_HANDLER_THREW,
            Self::HandlerTimeout => crate::records::KIND_HANDLER_TIMEOUT,
            Self::FileUnreadable | Self::Internal => crate::records::KIND_INTERNAL,
            Self::ResponseInvalid => crate::records::KIND_RESPONSE_INVALID,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BodyMalformed => f.write_str("request body malformed"),
            Self::BodyTimeout => f.write_str("request body timed out"),
            Self::BodyTooLarge { limit } => write!(f, "request body exceeds {limit} bytes"),
            Self::ContentMalformed { position, detail } => {
                write!(f, "request content malformed at byte {position}: {detail}")
            }
            Self::ConnectionLimit => f.write_str("too many connections"),
            Self::Disconnected => f.write_str("client disconnected"),
            Self::ExchangeLimit => f.write_str("too many exchanges"),
            Self::FileUnreadable => f.write_str("file cannot be read"),
            Self::HandlerTimeout => f.write_str("handler timed out"),
            Self::ExpectationUnknown => f.write_str("request expects something unknown"),
            Self::HandlerThrew => f.write_str("handler threw"),
            Self::HeadMalformed(fault) => write!(f, "request head malformed: {fault:?}"),
            Self::HeadTooLarge { limit } => write!(f, "request head exceeds {limit} bytes"),
            Self::HeadTimeout { started: true } => f.write_str("request head timed out"),
            Self::HeadTimeout { started: false } => f.write_str("connection idle for too long"),
            Self::Internal => f.write_str("internal error"),
            Self::MethodNotAllowed => f.write_str("no route for this method"),
            Self::NotAcceptable => f.write_str("nothing that the client accepts"),
            Self::Overloaded => f.write_str("worker queue is full"),
            Self::PreconditionFailed => f.write_str("precondition failed"),
            Self::RangeNotSatisfiable { length } => write!(f, "range not satisfiable of {length} bytes"),
            Self::ResponseInvalid => f.write_str("handler returned an invalid response"),
            Self::RouteNotFound => f.write_str("no route"),
            Self::TooManyFields { limit } => write!(f, "request has more than {limit} header fields"),
            Self::UnsupportedMediaType => f.write_str("content of a type that the route does not take"),
            Self::UriTooLong { limit } => write!(f, "request target exceeds {limit} bytes"),
            Self::VersionUnsupported => f.write_str("HTTP version not supported"),
        }
    }
}

impl std::error::Error for Kind {}
