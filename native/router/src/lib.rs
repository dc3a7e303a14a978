//! Route tables: which endpoint a request is for, and what the core answers by itself.
//!
//! A table comes as words from Clojure ([`spec`]), is compiled once ([`Router::compile`]), and never changes after that: a
//! server that gets other routes gets another table.
//!
//! This crate does no I/O and knows nothing of connections or the JVM.
#![forbid(unsafe_code)]

mod compile;
mod endpoint;
mod method;
mod params;
mod places;
mod route_error;
mod router;
mod spec;
mod tree;

pub use endpoint::{Endpoint, Source};
pub use method::Method;
pub use params::Params;
pub use route_error::RouteError;
pub use router::{Asked, Found, Router};
