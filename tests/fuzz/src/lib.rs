//! Differential tests of the HTTP/1.1 engines: what the fast lane does with the bytes of a connection, hyper does too.
//!
//! * [`input`] -- what the bytes of a test case mean
//! * [`setting`] -- the options of the servers
//! * [`record`] -- requests as a handler sees them
//! * [`handler`] -- what the handler answers, which depends on its request alone
//! * [`side`] -- one server, driven over one connection
//! * [`difference`] -- two of them, and what must be the same
//! * [`files`] -- ranges, preconditions and paths of requests for files
//! * [`forms`] -- multipart bodies in one piece and in several
//! * [`json`] -- JSON texts to the tokenizer and to serde_json
//! * [`negotiation`] -- fields of content negotiation and offers
//! * [`plain`] -- the fast lane's parser beside the framing guard and hyper's, without sockets
//! * [`mutation`] -- changes to a test case that keep most of its sense
//! * [`params`] -- the codecs of parameters and cookies beside their rules
//!
//! Everything runs on one thread and nothing waits for time: a piece of input is followed by polls of the event loop
//! until nothing happens any more.
#![forbid(unsafe_code)]

mod client;
pub mod difference;
pub mod files;
pub mod forms;
pub mod handler;
pub mod input;
pub mod json;
pub mod mutation;
pub mod negotiation;
pub mod params;
pub mod plain;
pub mod record;
pub mod setting;
pub mod side;
