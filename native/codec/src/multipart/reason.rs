//! What a body may have wrong.

use crate::malformed::Malformed;

/// What a body may have wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The caller's own numbers make no sense.
    Call = 1,
    /// Something else than the end of the line follows a boundary.
    Delimiter = 2,
    /// The head of a part is longer than the caller allows.
    HeadTooLarge = 3,
    /// The body ends before its closing delimiter.
    Truncated = 4,
    /// A file's name has a NUL.
    FilenameNul = 5,
}

impl Reason {
    pub(super) const fn at(self, position: usize) -> Malformed {
        Malformed {
            position,
            reason: self as u8,
        }
    }
}
