//! The rules that a [`super::Framing`] holds a client to, one variant each.

/// Which rule the bytes break.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A line that ends in LF without CR (RFC 9112 §2.2; a recipient may accept it, and another may not).
    BareLf,
    /// A CR that no LF follows (RFC 9112 §2.2), where the framing depends on it.
    BareCr,
    /// More than one empty line before a request (RFC 9112 §2.2: at least one is ignored).
    EmptyLines,
    /// A request line that is not `method SP request-target SP HTTP-version` (RFC 9112 §3).
    RequestLineInvalid,
    /// A request target with a fragment, which `http::Uri` drops without a word (RFC 9112 §3.2).
    FragmentInTarget,
    /// An HTTP version other than 1.0 and 1.1 (RFC 9110 §15.6.6).
    VersionUnsupported,
    /// A request target of more than [`super::Limits::target_bytes`] (RFC 9110 §15.5.15).
    TargetTooLong,
    /// A head of more than [`super::Limits::head_bytes`] (RFC 6585 §5).
    HeadTooLarge,
    /// More fields than [`super::Limits::field_count`] (RFC 6585 §5).
    TooManyFields,
    /// A line that begins with white space: a folded field (RFC 9112 §5.2), or space before the first (§2.2).
    LineFolded,
    /// White space between the name of a framing field and its colon (RFC 9112 §5.1).
    SpaceBeforeColon,
    /// A Content-Length that is not `1*DIGIT`, or that no counter holds (RFC 9110 §8.6).
    ContentLengthInvalid,
    /// A second Content-Length, even an equal one (RFC 9112 §6.3: it may be refused).
    ContentLengthRepeated,
    /// A Transfer-Encoding other than exactly one `chunked` (RFC 9112 §6.1).
    TransferEncodingInvalid,
    /// A Transfer-Encoding in HTTP/1.0, whose framing is faulty by rule (RFC 9112 §6.1).
    TransferEncodingInHttp10,
    /// Content-Length and Transfer-Encoding in one head (RFC 9112 §6.1: it may be refused, and ought to be handled as an
    /// error, §6.3).
    LengthBesideTransferEncoding,
    /// An expectation other than `100-continue` (RFC 9110 §10.1.1): whether a body follows is the client's secret.
    ExpectationUnknown,
    /// A chunk size that is not 1 to 16 hexadecimal digits (RFC 9112 §7.1).
    ChunkSizeInvalid,
    /// A control character in a chunk extension (RFC 9112 §7.1.1).
    ChunkExtensionInvalid,
    /// A chunk extension of more than [`super::EXTENSION_BYTES_MAX`] (RFC 9112 §7.1.1: a server ought to limit them).
    ChunkExtensionTooLong,
    /// Chunk data that no CRLF follows (RFC 9112 §7.1).
    ChunkDataUnterminated,
    /// A trailer field that is none: its name is no token, or its value has a control character (RFC 9110 §5.5, §5.6.2).
    TrailerInvalid,
    /// A trailer field that would change framing or routing (RFC 9110 §6.5.1).
    TrailerForbidden,
    /// More trailer fields than a head may have (RFC 9112 §7.1.2).
    TrailersTooLarge,
}
