package io.github.hinny;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The boundary's byte layout as Java reads and writes it: records in the inbox (Rust to Java),
 * commands in the outbox (Java to Rust).
 *
 * <p>Every constant has the name and the value of the table in {@code native/core/src/records.rs};
 * a test compares the two. Offsets count bytes from the start of the record or command; all
 * integers are little-endian and unsigned; every record and command is a multiple of 8 bytes that
 * starts with its own length and type.
 *
 * <p>Stateless; any thread may use it. Owns no native memory: records live in heap arrays.
 */
public final class Records {
    /** Changes with every change of this layout; both sides compare it at load. */
    public static final int ABI_VERSION = 8;

    /** Record type: a request for a handler. */
    public static final int REQUEST = 1;

    /** Record type: a log event of the core. */
    public static final int LOG = 2;

    /** Record and command type: a piece of a body, of the request as a record, of the response as a command. */
    public static final int CHUNK = 3;

    /** Record and command type: something about an exchange that is no more than a number. */
    public static final int SIGNAL = 4;

    /** Command type: a handler's response. */
    public static final int RESPONSE = 1;

    /** Command type: an exchange that ends in an error. */
    public static final int FAIL = 2;

    /** {@code poll} result: the loop has drained and is gone. */
    public static final int CLOSED = -1;

    /** {@code poll} result: the next record is larger than the inbox array. */
    public static final int GROW_INBOX = -2;

    /**
     * Bit of {@code poll}'s result above the number of records: so many bytes of responses wait for clients that nothing
     * that can wait should be added.
     */
    public static final int POLL_FULL_BIT = 32;

    // Request record. Lengths are of the texts that follow the header index, in the order: method,
    // uri, query string,
    // server name, remote address, then name (if literal) and value of each header, then the body.
    public static final int REQUEST_LENGTH = 0;
    public static final int REQUEST_TYPE = 4;
    public static final int REQUEST_FLAGS = 5;
    public static final int REQUEST_METHOD = 6;
    public static final int REQUEST_REMOTE_ADDR_LENGTH = 7;
    public static final int REQUEST_EXCHANGE = 8;
    public static final int REQUEST_METHOD_LENGTH = 16;
    public static final int REQUEST_HEADER_COUNT = 18;
    public static final int REQUEST_URI_LENGTH = 20;
    public static final int REQUEST_QUERY_LENGTH = 22;
    public static final int REQUEST_SERVER_NAME_LENGTH = 24;
    public static final int REQUEST_SERVER_PORT = 26;
    public static final int REQUEST_BODY_LENGTH = 28;
    public static final int REQUEST_ENDPOINT = 32;
    public static final int REQUEST_PARAM_COUNT = 36;
    public static final int REQUEST_HEADERS = 40;

    /** Request flag: HTTP/1.0. */
    public static final int FLAG_HTTP_10 = 1;

    /** Request flag: the connection is encrypted. */
    public static final int FLAG_HTTPS = 2;

    /** Request flag: the target has a {@code ?}. */
    public static final int FLAG_QUERY = 4;

    /** Request flag: the message has a body, which may be empty. */
    public static final int FLAG_BODY = 8;

    /** Request flag: the body goes on in chunks, which come when a signal asks for them. */
    public static final int FLAG_BODY_STREAM = 16;

    // Request flags: what stands behind the body, from the next multiple of 8 on, each behind a u32 that is its length,
    // in
    // PARSED_HEAD_SIZE bytes, and filled up to a multiple of 8.
    public static final int FLAG_QUERY_PARSED = 32;
    public static final int FLAG_FORM_PARSED = 64;
    public static final int FLAG_JSON_PARSED = 128;
    public static final int PARSED_HEAD_SIZE = 8;
    public static final int PARSED_SETTINGS = 4;
    public static final int PARSED_KEYWORD_KEYS = 1;

    // Path parameters, which stand before all that in the same way: behind the head the u32 length of each, then the
    // texts.
    public static final int PARAM_NOT_ASCII = 0x80000000;
    public static final int PARAM_ABSENT = 0xFFFFFFFF;

    /**
     * Bytes of a header index entry: u16 name id (0 = literal), u16 name length, u32 value length.
     */
    public static final int HEADER_ENTRY_SIZE = 8;

    // Log record.
    public static final int LOG_LEVEL = 5;
    public static final int LOG_TARGET_LENGTH = 16;
    public static final int LOG_MESSAGE_LENGTH = 20;
    public static final int LOG_TEXT = 24;

    // Response command; length and type stand at the same place in every command.
    public static final int RESPONSE_LENGTH = 0;
    public static final int RESPONSE_TYPE = 4;
    public static final int RESPONSE_FLAGS = 5;
    public static final int RESPONSE_STATUS = 6;
    public static final int RESPONSE_EXCHANGE = 8;
    public static final int RESPONSE_BODY_LENGTH = 16;
    public static final int RESPONSE_HEADER_COUNT = 20;
    public static final int RESPONSE_HEADERS = 24;

    /** Response flag: the body is not nil. */
    public static final int FLAG_RESPONSE_BODY = 1;

    /** Response flag: the body goes on in chunks. */
    public static final int FLAG_RESPONSE_STREAM = 2;

    /** Response flag: the body is the path of a file, whose content is the response's. */
    public static final int FLAG_RESPONSE_FILE = 4;

    // Chunk, record and command.
    public static final int CHUNK_FLAGS = 5;
    public static final int CHUNK_EXCHANGE = 8;
    public static final int CHUNK_BODY_LENGTH = 16;
    public static final int CHUNK_BODY = 24;

    /**
     * What a chunk that is not empty counts besides its bytes, in credit and against {@code :exchange-buffer-bytes}: about
     * the memory that it takes besides them.
     */
    public static final int CHUNK_COST = 96;

    /** Chunk flag: the body ends with it. */
    public static final int FLAG_CHUNK_LAST = 1;

    // Signal, record and command.
    public static final int SIGNAL_CODE = 5;
    public static final int SIGNAL_EXCHANGE = 8;
    public static final int SIGNAL_AMOUNT = 16;
    public static final int SIGNAL_SIZE = 24;

    /** Signal: the receiver of a streamed body has taken so much more, see {@link #CHUNK_COST}, or asks for the first time. */
    public static final int SIGNAL_CREDIT = 1;

    /** Signal, command: the handler reads no more of the request body. */
    public static final int SIGNAL_DISCARD = 2;

    /** Signal, record: the request body ends in an error, one of {@code KIND_…}. */
    public static final int SIGNAL_BODY_FAILED = 3;

    /** Signal, record: the exchange is over although its response is not complete; why is one of {@code KIND_…}. */
    public static final int SIGNAL_GONE = 4;

    /** Signal, record, of no exchange: the requests behind it name endpoints of the route table with this version. */
    public static final int SIGNAL_ROUTES = 5;

    /** Signal, record: the client has ended its side. It may have left, or wait for the response. */
    public static final int SIGNAL_INPUT_ENDED = 6;

    /** Signal, command: that the client has ended its side ends the exchange. */
    public static final int SIGNAL_ABANDON = 7;

    // Fail command.
    public static final int FAIL_KIND = 5;
    public static final int FAIL_ACCEPT_LENGTH = 6;
    public static final int FAIL_EXCHANGE = 8;
    public static final int FAIL_SIZE = 16;
    public static final int FAIL_ACCEPT = 16;

    /** Error kind: the handler threw. */
    public static final int KIND_HANDLER_THREW = 1;

    /** Error kind: the handler's return value is not a response. */
    public static final int KIND_RESPONSE_INVALID = 2;

    /** Error kind: the worker queue is full. */
    public static final int KIND_OVERLOADED = 3;

    /** Error kind: the client has left, or was cut off. */
    public static final int KIND_DISCONNECTED = 4;

    /** Error kind: the handler took too long. */
    public static final int KIND_HANDLER_TIMEOUT = 5;

    /** Error kind: the request body did not arrive in time. */
    public static final int KIND_BODY_TIMEOUT = 6;

    /** Error kind: the request body is too large. */
    public static final int KIND_BODY_TOO_LARGE = 7;

    /** Error kind: the request body is not framed as its head says. */
    public static final int KIND_BODY_MALFORMED = 8;

    /** Error kind: a defect of the core, or a file that cannot be read. */
    public static final int KIND_INTERNAL = 9;

    /** Error kind: the content of the request is not what it is said to be, which the handler found. */
    public static final int KIND_CONTENT_MALFORMED = 10;

    private static final VarHandle U16 = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle U32 = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle U64 = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private Records() {}

    /** Returns the u8 at {@code at}. */
    static int u8(final byte[] bytes, final int at) {
        return bytes[at] & 0xFF;
    }

    /** Returns the u16 at {@code at}. */
    static int u16(final byte[] bytes, final int at) {
        return (short) U16.get(bytes, at) & 0xFFFF;
    }

    /**
     * Returns the u32 at {@code at}; a length, so it fits an {@code int} wherever the bytes fit an
     * array.
     */
    static int u32(final byte[] bytes, final int at) {
        return (int) U32.get(bytes, at);
    }

    /** Returns the u64 at {@code at}. */
    static long u64(final byte[] bytes, final int at) {
        return (long) U64.get(bytes, at);
    }

    /** Returns a signal as a command. */
    static byte[] signal(final long exchange, final int code, final int amount) {
        final byte[] command = new byte[SIGNAL_SIZE];
        putU32(command, REQUEST_LENGTH, SIGNAL_SIZE);
        command[REQUEST_TYPE] = SIGNAL;
        command[SIGNAL_CODE] = (byte) code;
        putU64(command, SIGNAL_EXCHANGE, exchange);
        putU32(command, SIGNAL_AMOUNT, amount);
        return command;
    }

    /** Writes the low 16 bits of {@code value} at {@code at}. */
    static void putU16(final byte[] bytes, final int at, final int value) {
        U16.set(bytes, at, (short) value);
    }

    /** Writes {@code value} at {@code at}. */
    static void putU32(final byte[] bytes, final int at, final int value) {
        U32.set(bytes, at, value);
    }

    /** Writes {@code value} at {@code at}. */
    static void putU64(final byte[] bytes, final int at, final long value) {
        U64.set(bytes, at, value);
    }

    /**
     * Returns {@code length} bytes from {@code from} as text, one character per byte.
     *
     * <p>The constructor is deprecated because it knows no charset; it is the only one that is small enough to be inlined.
     */
    @SuppressWarnings("deprecation")
    static String latin1(final byte[] bytes, final int from, final int length) {
        return new String(bytes, 0, from, length);
    }
}
