//! What it means for a connection that bytes break a rule: the one place where a [`Fault`] becomes a [`Kind`].

use hinny_codec::framing::{Fault, Limits};
use hinny_core::error::{HeadFault, Kind};

pub(crate) const fn kind_of(fault: Fault, limits: &Limits) -> Kind {
    match fault {
        Fault::VersionUnsupported => Kind::VersionUnsupported,
        Fault::ExpectationUnknown => Kind::ExpectationUnknown,
        Fault::TargetTooLong => Kind::UriTooLong {
            limit: limits.target_bytes,
        },
        Fault::HeadTooLarge => Kind::HeadTooLarge {
            limit: limits.head_bytes,
        },
        Fault::TooManyFields => Kind::TooManyFields {
            limit: limits.field_count,
        },
        Fault::FragmentInTarget => Kind::HeadMalformed(HeadFault::TargetInvalid),
        Fault::BareLf
        | Fault::BareCr
        | Fault::EmptyLines
        | Fault::RequestLineInvalid
        | Fault::LineFolded
        | Fault::SpaceBeforeColon
        | Fault::ContentLengthInvalid
        | Fault::ContentLengthRepeated
        | Fault::TransferEncodingInvalid
        | Fault::TransferEncodingInHttp10
        | Fault::LengthBesideTransferEncoding => Kind::HeadMalformed(HeadFault::FramingInvalid),
        Fault::ChunkSizeInvalid
        | Fault::ChunkExtensionInvalid
        | Fault::ChunkExtensionTooLong
        | Fault::ChunkDataUnterminated
        | Fault::TrailerInvalid
        | Fault::TrailerForbidden
        | Fault::TrailersTooLarge => Kind::BodyMalformed,
    }
}
