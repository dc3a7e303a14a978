//! How a text is said to be wrong.

use hinny_core::results::{JSON_BAD_BYTE, JSON_BAD_END};

use crate::malformed::Malformed;

pub(super) const fn malformed(position: usize, reason: u8) -> Malformed {
    Malformed { position, reason }
}

/// What stands at `at` cannot, or the input ends there.
#[cold]
pub(super) fn unexpected(input: &[u8], at: usize) -> Malformed {
    if at < input.len() {
        malformed(at, JSON_BAD_BYTE)
    } else {
        malformed(input.len(), JSON_BAD_END)
    }
}
