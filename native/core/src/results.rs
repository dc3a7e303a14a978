//! The byte layout of what the codecs give Java: results, in an array of the caller's or behind a request record.
//!
//! # Invariants
//! - Integers are little-endian; offsets count from the start of the result.
//! - A result holds lengths, offsets and bytes, never an address.
//! - Every constant below is listed in [`LAYOUT`]; a test compares Java's `Results` with it.

use crate::layout::layout;

layout! {
    /// Codec: a query string or a body of `application/x-www-form-urlencoded`, to parameters.
    CODEC_PARAMS: u8 = 1;
    /// Codec: a `Cookie` header, to parameters.
    CODEC_COOKIES: u8 = 2;
    /// Codec: a JSON text, to a tape.
    CODEC_JSON: u8 = 3;
    /// Codec: pieces of a `multipart/form-data` body, to its events.
    CODEC_MULTIPART: u8 = 4;

    /// `decode` result: the result is longer than the output array; its length stands there, as a u32.
    GROW_OUTPUT: i32 = -1;
    /// `decode` result: the input is not what the codec reads; what is wrong stands in the output array.
    MALFORMED: i32 = -2;
    /// Size that an output array must have at least.
    OUTPUT_SIZE_MIN: usize = 16;
    /// u32: position in the input of what is malformed, in bytes.
    MALFORMED_POSITION: usize = 0;
    /// u8: what is malformed, a number of the codec's own.
    MALFORMED_REASON: usize = 4;

    /// u32: number of parameters. Names and values follow the index, in order: name, value, name, value.
    PARAMS_COUNT: usize = 0;
    /// Start of the index of parameters.
    PARAMS_INDEX: usize = 4;
    /// Size of an index entry: u32 length of the name, u32 length of the value, each with `PARAMS_NOT_ASCII`.
    PARAMS_ENTRY_SIZE: usize = 8;
    /// Bit of a length in an index entry: the text has bytes that are not ASCII.
    PARAMS_NOT_ASCII: u32 = 0x8000_0000;
}
