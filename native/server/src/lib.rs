//! The HTTP server of Hinny: listening sockets, connections and exchanges.
//!
//! It knows nothing of the JVM. Whoever drives an [`EventLoop`] gives it commands and takes request records from it
//! (`hinny_core::records`).
//!
//! # Threads
//! An [`Engine`] is shared by all threads. An [`EventLoop`] and everything it owns lives and dies on one thread.
#![forbid(unsafe_code)]

mod apply;
mod body;
mod body_rate;
mod clock;
mod collected;
mod connection;
mod date;
mod descriptors;
mod engine;
mod event_loop;
mod exchange;
mod file_reply;
pub mod files;
mod guard;
mod http1;
mod inbox;
mod listener;
mod occasional_log;
mod parse;
mod response;
mod response_body;
mod route_table;
mod routing;
mod server_name;
mod service;
mod socket;
mod test_faults;
mod timeouts;
mod watched;

pub use engine::{Engine, StartError};
pub use event_loop::{EventLoop, LogSink, Turn};
pub use inbox::Inbox;
pub use route_table::RouteTable;
