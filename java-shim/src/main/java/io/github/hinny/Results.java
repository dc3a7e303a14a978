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

    // Parameters. Names and values follow the index in order: name, value, name, value.
    public static final int PARAMS_COUNT = 0;
    public static final int PARAMS_INDEX = 4;

    /** An entry is the length of the name, the length of the value, each with {@link #PARAMS_NOT_ASCII}. */
    public static final int PARAMS_ENTRY_SIZE = 8;

    /** Bit of a length in an index entry: the text has bytes that are not ASCII. */
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

    private Results() {}
}
