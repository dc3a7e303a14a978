package io.github.hinny;

/**
 * The byte layout of what the native codecs give: results, in an array of the caller's or behind a request record.
 *
 * <p>Every constant has the name and the value of the table in {@code native/core/src/results.rs}; a test compares the
 * two. Offsets count bytes from the start of the result; all integers are little-endian and unsigned.
 *
 * <p>Stateless; any thread may use it. Owns no native memory: results live in heap arrays.
 */
public final class Results {
    /** Codec: a query string or a body of {@code application/x-www-form-urlencoded}, to parameters. */
    public static final int CODEC_PARAMS = 1;

    /** Codec: a {@code Cookie} header, to parameters. */
    public static final int CODEC_COOKIES = 2;

    /** Codec: a JSON text, to a tape. */
    public static final int CODEC_JSON = 3;

    /** Codec: pieces of a {@code multipart/form-data} body, to its events. */
    public static final int CODEC_MULTIPART = 4;

    /** {@code decode} result: the result is longer than the output array; its length stands there, as a u32. */
    public static final int GROW_OUTPUT = -1;

    /** {@code decode} result: the input is not what the codec reads; what is wrong stands in the output array. */
    public static final int MALFORMED = -2;

    /** Size that an output array must have at least. */
    public static final int OUTPUT_SIZE_MIN = 16;

    // What is malformed: position in the input, and a number of the codec's own.
    public static final int MALFORMED_POSITION = 0;
    public static final int MALFORMED_REASON = 4;

    /** Setting of the codecs to parameters, the low 32 bits: the most parameters; 0 for {@link #PARAMS_MOST}. */
    public static final int PARAMS_SETTING_MOST = 0xFFFF_FFFF;

    /** The most parameters when no other number is set. */
    public static final int PARAMS_MOST = 1024;

    /** Bit of the settings of the codec of cookies, beyond the low 32: values stay percent-encoded. */
    public static final int COOKIES_SETTING_ENCODED_BIT = 32;

    /** Reason of the codecs to parameters: there are more than may be. */
    public static final int PARAMS_TOO_MANY = 1;

    // Parameters: their number, with PARAMS_RAW, then the entries, one behind the other.
    public static final int PARAMS_COUNT = 0;
    public static final int PARAMS_ENTRIES = 4;

    /** Bit of the number of parameters: the input had bytes that were neither ASCII nor percent-encoded. */
    public static final int PARAMS_RAW = 0x8000_0000;

    // An entry: length of the name, length of the value, each with PARAMS_NOT_ASCII; then the name and the value.
    public static final int PARAMS_NAME_LENGTH = 0;
    public static final int PARAMS_VALUE_LENGTH = 4;
    public static final int PARAMS_ENTRY_SIZE = 8;

    /** Bit of a length in an entry: the text has bytes that are not ASCII. */
    public static final int PARAMS_NOT_ASCII = 0x8000_0000;

    // Settings for a piece of a multipart body, and the flag in them.
    public static final int MULTIPART_SETTING_STATE_SHIFT = 0;
    public static final int MULTIPART_SETTING_FLAGS_SHIFT = 8;
    public static final int MULTIPART_SETTING_DELIMITER_SHIFT = 16;
    public static final int MULTIPART_SETTING_HEAD_BYTES_SHIFT = 32;
    public static final int MULTIPART_SETTING_LAST = 1;

    // Result for a piece of a multipart body: events fill it to its end.
    public static final int MULTIPART_USED = 0;
    public static final int MULTIPART_STATE = 4;
    public static final int MULTIPART_EVENTS = 8;

    /** State: the body has ended; what still comes of it means nothing. */
    public static final int MULTIPART_STATE_END = 5;

    // What an event of a multipart body is.
    public static final int MULTIPART_EVENT_KIND = 0;
    public static final int MULTIPART_PART = 1;
    public static final int MULTIPART_DATA = 2;
    public static final int MULTIPART_PART_END = 3;

    // A part: its name, its file's name and its type follow it.
    public static final int MULTIPART_PART_FLAGS = 1;
    public static final int MULTIPART_PART_FIELDS_POSITION = 4;
    public static final int MULTIPART_PART_FIELDS_LENGTH = 8;
    public static final int MULTIPART_PART_NAME_LENGTH = 12;
    public static final int MULTIPART_PART_FILENAME_LENGTH = 16;
    public static final int MULTIPART_PART_TYPE_LENGTH = 20;
    public static final int MULTIPART_PART_SIZE = 24;

    // Flags of a part.
    public static final int MULTIPART_FLAG_FILE = 1;
    public static final int MULTIPART_FLAG_FILENAME_UTF8 = 2;
    public static final int MULTIPART_FLAG_TYPE = 4;

    // Data of a part, and the end of one.
    public static final int MULTIPART_DATA_POSITION = 4;
    public static final int MULTIPART_DATA_LENGTH = 8;
    public static final int MULTIPART_DATA_SIZE = 12;
    public static final int MULTIPART_PART_END_SIZE = 4;

    // What is wrong with a multipart body.
    public static final int MULTIPART_WRONG_DELIMITER = 2;
    public static final int MULTIPART_WRONG_HEAD_SIZE = 3;
    public static final int MULTIPART_WRONG_END = 4;
    public static final int MULTIPART_WRONG_FILENAME = 5;

    /** Bits of {@code settings} for JSON: the nesting that is allowed, 1 for one array. */
    public static final int JSON_DEPTH_MASK = 0xFFFF;

    /** Bit of {@code settings} for JSON: numbers with a fraction or an exponent stay text. */
    public static final int JSON_BIG_DECIMALS = 1 << 16;

    /** Size of a word of a tape: u64, of which the low byte says what it is. A tape is the words of one value. */
    public static final int JSON_WORD_SIZE = 8;

    /** Start of an object or array. Bits 8 to 31: its entries, {@link #JSON_ENTRIES_MANY} if more; 32 to 63: words from here to its end's. */
    public static final int JSON_OBJECT = 1;

    /** See {@link #JSON_OBJECT}. */
    public static final int JSON_ARRAY = 2;

    /** End of an object, whose keys and values stand before it in turn. Bits 32 to 63: its entries. */
    public static final int JSON_OBJECT_END = 3;

    /** End of an array. Bits 32 to 63: its entries. */
    public static final int JSON_ARRAY_END = 4;

    /** As many entries or more. */
    public static final int JSON_ENTRIES_MANY = 0xFF_FFFF;

    /** A string that is bytes of the input, all ASCII. Bits 8 to 31: how many; 32 to 63: where in the input. */
    public static final int JSON_STRING_ASCII = 5;

    /** A string that is bytes of the input, in UTF-8. As {@link #JSON_STRING_ASCII}. */
    public static final int JSON_STRING_UTF8 = 6;

    /** A string whose bytes, in UTF-8, follow this word and are filled up to words. Bits 32 to 63: how many. */
    public static final int JSON_STRING_HERE = 7;

    /** A key that is bytes of the input, all ASCII. Bits 8 to 15: how many; 16 to 31: their hash; 32 to 63: where in the input. */
    public static final int JSON_KEY_ASCII = 8;

    /** A key that is bytes of the input, in UTF-8. As {@link #JSON_KEY_ASCII}. */
    public static final int JSON_KEY_UTF8 = 9;

    /** A key as {@link #JSON_STRING_HERE}. */
    public static final int JSON_KEY_HERE = 10;

    /** A key with more bytes is a {@link #JSON_KEY_HERE}. */
    public static final int JSON_KEY_BYTES_MAX = 255;

    /** A whole number. Bits 8 to 63: i56. */
    public static final int JSON_LONG = 11;

    /** A whole number: i64 in the next word. */
    public static final int JSON_LONG_WIDE = 12;

    /** A number: f64 in the next word. */
    public static final int JSON_DOUBLE = 13;

    /** A whole number too large for an i64, as text. As {@link #JSON_STRING_ASCII}. */
    public static final int JSON_BIG_INTEGER = 14;

    /** A number with a fraction or an exponent, as text. As {@link #JSON_STRING_ASCII}. */
    public static final int JSON_BIG_DECIMAL = 15;

    /** true. */
    public static final int JSON_TRUE = 16;

    /** false. */
    public static final int JSON_FALSE = 17;

    /** null. */
    public static final int JSON_NULL = 18;

    /** What is wrong with a JSON text: there is no value in it. */
    public static final int JSON_BAD_EMPTY = 1;

    /** It ends within the value. */
    public static final int JSON_BAD_END = 2;

    /** A byte that cannot stand there. */
    public static final int JSON_BAD_BYTE = 3;

    /** Bytes that are not UTF-8. */
    public static final int JSON_BAD_UTF8 = 4;

    /** A control character in a string. */
    public static final int JSON_BAD_CONTROL = 5;

    /** A backslash before something else than an escape. */
    public static final int JSON_BAD_ESCAPE = 6;

    /** One half of a surrogate pair. */
    public static final int JSON_BAD_SURROGATE = 7;

    /** A number that begins with a zero too many. */
    public static final int JSON_BAD_ZERO = 8;

    /** Something behind the value. */
    public static final int JSON_BAD_REST = 9;

    /** Nested more deeply than allowed. */
    public static final int JSON_BAD_DEPTH = 10;

    /** A number of more characters than {@link #JSON_DIGITS_MAX} that is neither an i64 nor an f64. */
    public static final int JSON_BAD_DIGITS = 11;

    /** A number that is too large for an f64, or whose exponent is beyond {@link #JSON_EXPONENT_MAX}. */
    public static final int JSON_BAD_RANGE = 12;

    /** The text is longer than {@link #JSON_BYTES_MAX}. */
    public static final int JSON_BAD_LENGTH = 13;

    /** An object has too many keys with one hash. Found by Java. */
    public static final int JSON_BAD_HASHES = 14;

    /** Characters that a big integer or big decimal may have: to make numbers of them takes the square of that. */
    public static final int JSON_DIGITS_MAX = 1000;

    /** The largest exponent of a big decimal, of either sign. */
    public static final int JSON_EXPONENT_MAX = 9999;

    /** The longest text: its tape, of eight times as many bytes at most, fits an array. */
    public static final int JSON_BYTES_MAX = (1 << 28) - 16;

    private Results() {}
}
