//! Parsers and writers of what travels in HTTP messages: bytes in, values out.
//!
//! No I/O, no async, no knowledge of connections or of the JVM. Nothing here panics on any input.
#![forbid(unsafe_code)]

pub mod authority;
pub mod byte_ranges;
pub mod conditional;
pub mod cookies;
pub mod decode;
mod entries;
pub mod file_path;
pub mod framing;
pub mod head;
pub mod json;
pub mod malformed;
pub mod media_type;
pub mod mime;
pub mod multipart;
pub mod near;
pub mod negotiation;
pub mod params;
pub mod percent;
pub mod range;
pub mod target;
