//! How a codec says that its input is wrong.

/// What is wrong with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Where, in bytes from the start of the input.
    pub position: usize,
    /// What, a number of the codec's own.
    pub reason: u8,
}
