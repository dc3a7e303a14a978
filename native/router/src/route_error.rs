//! What can be wrong with a route table.

use std::fmt;

/// Why a table cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RouteError {
    /// `route-conflict`, `route-pattern` or `route-invalid`.
    pub kind: &'static str,
    /// What is wrong, with the labels of the endpoints that it is about.
    pub message: String,
    /// The numbers of both endpoints of a `route-conflict`, in order; none of other kinds.
    pub endpoints: Vec<u32>,
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RouteError {}
