//! What every other room of Hinny shares: the byte layout of the boundary, the options table, error kinds and
//! their HTTP answers, the clock and the counters.
//!
//! This crate does no I/O, starts no thread and knows nothing of the JVM.
#![forbid(unsafe_code)]

pub mod commands;
pub mod error;
pub mod files;
mod layout;
pub mod metrics;
pub mod names;
pub mod options;
pub mod records;
pub mod results;
pub mod slots;
pub mod status;
pub mod time;
