//! How large the parts of a request may be.

/// What a request may measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The longest request target in bytes.
    pub target_bytes: usize,
    /// The largest head in bytes, from the method to the empty line that ends it; trailer fields may take as much.
    pub head_bytes: usize,
    /// The most fields of a head, and of a trailer section.
    pub field_count: usize,
}
