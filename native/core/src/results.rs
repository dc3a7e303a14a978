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

    /// Setting of the codecs to parameters, the low 32 bits: the most parameters; 0 for [`PARAMS_MOST`].
    PARAMS_SETTING_MOST: u32 = 0xFFFF_FFFF;
    /// The most parameters when no other number is set.
    PARAMS_MOST: u32 = 1024;
    /// Bit of the settings of the codec of cookies, beyond the low 32: values stay percent-encoded.
    COOKIES_SETTING_ENCODED_BIT: u32 = 32;
    /// Reason of the codecs to parameters: there are more than may be.
    PARAMS_TOO_MANY: u8 = 1;
    /// u32: number of parameters, with `PARAMS_RAW`.
    PARAMS_COUNT: usize = 0;
    /// Start of the first entry; each follows the one before.
    PARAMS_ENTRIES: usize = 4;
    /// Bit of the number of parameters: the input had bytes that were neither ASCII nor percent-encoded.
    PARAMS_RAW: u32 = 0x8000_0000;
    /// In an entry, u32: length of the name, with `PARAMS_NOT_ASCII`.
    PARAMS_NAME_LENGTH: usize = 0;
    /// In an entry, u32: length of the value, with `PARAMS_NOT_ASCII`.
    PARAMS_VALUE_LENGTH: usize = 4;
    /// Size of an entry before its texts: the name, then the value.
    PARAMS_ENTRY_SIZE: usize = 8;
    /// Bit of a length in an entry: the text has bytes that are not ASCII.
    PARAMS_NOT_ASCII: u32 = 0x8000_0000;

    /// Bits of `settings` for JSON: the nesting that is allowed, 1 for one array.
    JSON_DEPTH_MASK: i32 = 0xFFFF;
    /// Bit of `settings` for JSON: numbers with a fraction or an exponent stay text.
    JSON_BIG_DECIMALS: i32 = 1 << 16;
    /// Size of a word of a tape: u64, of which the low byte says what it is. A tape is the words of one value.
    JSON_WORD_SIZE: usize = 8;
    /// Start of an object or array. Bits 8 to 31: its entries, `JSON_ENTRIES_MANY` if more; 32 to 63: words from here to its end's.
    JSON_OBJECT: u8 = 1;
    /// See `JSON_OBJECT`.
    JSON_ARRAY: u8 = 2;
    /// End of an object, whose keys and values stand before it in turn. Bits 32 to 63: its entries.
    JSON_OBJECT_END: u8 = 3;
    /// End of an array. Bits 32 to 63: its entries.
    JSON_ARRAY_END: u8 = 4;
    /// As many entries or more.
    JSON_ENTRIES_MANY: u32 = 0xFF_FFFF;
    /// A string that is bytes of the input, all ASCII. Bits 8 to 31: how many; 32 to 63: where in the input.
    JSON_STRING_ASCII: u8 = 5;
    /// A string that is bytes of the input, in UTF-8. As `JSON_STRING_ASCII`.
    JSON_STRING_UTF8: u8 = 6;
    /// A string whose bytes, in UTF-8, follow this word and are filled up to words. Bits 32 to 63: how many.
    JSON_STRING_HERE: u8 = 7;
    /// A key that is bytes of the input, all ASCII. Bits 8 to 15: how many; 16 to 31: their hash; 32 to 63: where in the input.
    JSON_KEY_ASCII: u8 = 8;
    /// A key that is bytes of the input, in UTF-8. As `JSON_KEY_ASCII`.
    JSON_KEY_UTF8: u8 = 9;
    /// A key as `JSON_STRING_HERE`.
    JSON_KEY_HERE: u8 = 10;
    /// A key with more bytes is a `JSON_KEY_HERE`.
    JSON_KEY_BYTES_MAX: usize = 255;
    /// A whole number. Bits 8 to 63: i56.
    JSON_LONG: u8 = 11;
    /// A whole number: i64 in the next word.
    JSON_LONG_WIDE: u8 = 12;
    /// A number: f64 in the next word.
    JSON_DOUBLE: u8 = 13;
    /// A whole number too large for an i64, as text. As `JSON_STRING_ASCII`.
    JSON_BIG_INTEGER: u8 = 14;
    /// A number with a fraction or an exponent, as text. As `JSON_STRING_ASCII`.
    JSON_BIG_DECIMAL: u8 = 15;
    /// true.
    JSON_TRUE: u8 = 16;
    /// false.
    JSON_FALSE: u8 = 17;
    /// null.
    JSON_NULL: u8 = 18;
    /// What is wrong with a JSON text: there is no value in it.
    JSON_BAD_EMPTY: u8 = 1;
    /// It ends within the value.
    JSON_BAD_END: u8 = 2;
    /// A byte that cannot stand there.
    JSON_BAD_BYTE: u8 = 3;
    /// Bytes that are not UTF-8.
    JSON_BAD_UTF8: u8 = 4;
    /// A control character in a string.
    JSON_BAD_CONTROL: u8 = 5;
    /// A backslash before something else than an escape.
    JSON_BAD_ESCAPE: u8 = 6;
    /// One half of a surrogate pair.
    JSON_BAD_SURROGATE: u8 = 7;
    /// A number that begins with a zero too many.
    JSON_BAD_ZERO: u8 = 8;
    /// Something behind the value.
    JSON_BAD_REST: u8 = 9;
    /// Nested more deeply than allowed.
    JSON_BAD_DEPTH: u8 = 10;
    /// A number of more characters than `JSON_DIGITS_MAX` that is neither an i64 nor an f64.
    JSON_BAD_DIGITS: u8 = 11;
    /// A number that is too large for an f64, or whose exponent is beyond `JSON_EXPONENT_MAX`.
    JSON_BAD_RANGE: u8 = 12;
    /// The text is longer than `JSON_BYTES_MAX`.
    JSON_BAD_LENGTH: u8 = 13;
    /// An object has too many keys with one hash. Found by Java.
    JSON_BAD_HASHES: u8 = 14;
    /// Characters that a big integer or big decimal may have: to make numbers of them takes the square of that.
    JSON_DIGITS_MAX: usize = 1000;
    /// The largest exponent of a big decimal, of either sign.
    JSON_EXPONENT_MAX: u64 = 9999;
    /// The longest text: its tape, of eight times as many bytes at most, fits an array.
    JSON_BYTES_MAX: usize = (1 << 28) - 16;

    /// Bits of `settings` for a piece of a multipart body: u8 state, 0 for the first piece, then `MULTIPART_STATE` of the last.
    MULTIPART_SETTING_STATE_SHIFT: u32 = 0;
    /// Shift of u8 flags in `settings`.
    MULTIPART_SETTING_FLAGS_SHIFT: u32 = 8;
    /// Shift of the u16 length of the delimiter in `settings`: CR LF, two hyphens and the boundary, in front of the piece.
    MULTIPART_SETTING_DELIMITER_SHIFT: u32 = 16;
    /// Shift of u32 in `settings`: largest head of a part, in bytes.
    MULTIPART_SETTING_HEAD_BYTES_SHIFT: u32 = 32;
    /// Flag in `settings`: nothing follows the piece.
    MULTIPART_SETTING_LAST: u8 = 1;
    /// u32: how much of the piece is used; what is left goes in front of the next one.
    MULTIPART_USED: usize = 0;
    /// u32: state for the next piece.
    MULTIPART_STATE: usize = 4;
    /// Start of the events, which fill the rest of the result one behind the other.
    MULTIPART_EVENTS: usize = 8;
    /// State: the body has ended; what still comes of it means nothing.
    MULTIPART_STATE_END: u8 = 5;
    /// u8: what an event is.
    MULTIPART_EVENT_KIND: usize = 0;
    /// Event: a part begins.
    MULTIPART_PART: u8 = 1;
    /// Event: data of the part.
    MULTIPART_DATA: u8 = 2;
    /// Event: the part ends.
    MULTIPART_PART_END: u8 = 3;
    /// u8 in a part: its flags.
    MULTIPART_PART_FLAGS: usize = 1;
    /// u32 in a part: position of its header fields in the piece.
    MULTIPART_PART_FIELDS_POSITION: usize = 4;
    /// u32 in a part: length of its header fields.
    MULTIPART_PART_FIELDS_LENGTH: usize = 8;
    /// u32 in a part: length of the name; the name, the file's name and the type follow the event.
    MULTIPART_PART_NAME_LENGTH: usize = 12;
    /// u32 in a part: length of the file's name.
    MULTIPART_PART_FILENAME_LENGTH: usize = 16;
    /// u32 in a part: length of the type.
    MULTIPART_PART_TYPE_LENGTH: usize = 20;
    /// Size of a part without its texts.
    MULTIPART_PART_SIZE: usize = 24;
    /// Flag of a part: it is a file, and has a file's name, which may be empty.
    MULTIPART_FLAG_FILE: u8 = 1;
    /// Flag of a part: the file's name is in UTF-8, whatever the form is in.
    MULTIPART_FLAG_FILENAME_UTF8: u8 = 2;
    /// Flag of a part: it has a Content-Type.
    MULTIPART_FLAG_TYPE: u8 = 4;
    /// u32 in data: its position in the piece.
    MULTIPART_DATA_POSITION: usize = 4;
    /// u32 in data: its length.
    MULTIPART_DATA_LENGTH: usize = 8;
    /// Size of data as an event.
    MULTIPART_DATA_SIZE: usize = 12;
    /// Size of the end of a part as an event.
    MULTIPART_PART_END_SIZE: usize = 4;
    /// Reason: something else than the end of the line follows a boundary.
    MULTIPART_WRONG_DELIMITER: u8 = 2;
    /// Reason: the head of a part is too large.
    MULTIPART_WRONG_HEAD_SIZE: u8 = 3;
    /// Reason: the body ends before its closing delimiter.
    MULTIPART_WRONG_END: u8 = 4;
    /// Reason: a file's name has a NUL.
    MULTIPART_WRONG_FILENAME: u8 = 5;
}
