//! Bodies of `multipart/form-data` (RFC 7578, RFC 2046 section 5.1), in pieces.
//!
//! A [`Parser`] reads one piece of a body and says how much of it is used; the caller puts what is left in front of the
//! next piece. Between two pieces there is nothing but a [`State`], which is one byte.
//!
//! # Invariants
//! - Any split of a body gives the same events, but that the data of a part may come in other pieces.
//! - What is left is shorter than a delimiter line or the head of a part: data of a part is never kept back for longer
//!   than it may be the beginning of a delimiter.
//! - A part without a name has no events. What follows the closing delimiter is used and means nothing.
//!
//! Tolerant where clients need it: anything may stand in front of the first delimiter, spaces and tabs behind each, the
//! line end behind the closing one may lack, and that behind any other may be a bare line feed.

mod head;
mod parser;
mod reason;
mod result;
#[cfg(test)]
mod tests;

pub use head::Part;
pub use parser::{Event, Form, Parser, State};
pub use reason::Reason;
pub use result::decode;
