//! What the JVM loads: the native methods of `io.github.hinny.Native`.
//!
//! This crate converts and forwards; it takes no HTTP decision. It is the only one with `unsafe`.
//!
//! # Invariants
//! - Rust never calls Java, but to throw what a native method failed with and to copy arrays it was given.
//! - Every native method passes the fence in [`boundary`]: an error or a panic becomes one Java exception.
//! - No pointer crosses. A server is named by slot and generation; a loop is found by the thread that runs it.

mod boundary;
mod codecs;
mod convert;
mod engines;
mod loops;
mod methods;
mod onload;
mod route_tables;
mod rust_log;
