package io.github.hinny;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

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
    public static final int ABI_VERSION = 1;

    /** Record type: a request for a handler. */
    public static final int REQUEST = 1;

    /** Record type: a log event of the core. */
    public static final int LOG = 2;

    /** Command type: a handler's response. */
    public static final int RESPONSE = 1;

    /** Command type: an exchange that ends in an error. */
    public static final int FAIL = 2;

    /** {@code poll} result: the loop has drained and is gone. */
    public static final int CLOSED = -1;

    /** {@code poll} result: the next record is larger than the inbox array. */
    public static final int GROW_INBOX = -2;

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
    public static final int REQUEST_HEADERS = 32;

    /** Request flag: HTTP/1.0. */
    public static final int FLAG_HTTP_10 = 1;

    /** Request flag: the connection is encrypted. */
    public static final int FLAG_HTTPS = 2;

    /** Request flag: the target has a {@code ?}. */
    public static final int FLAG_QUERY = 4;

    /** Request flag: the message has a body, which may be empty. */
    public static final int FLAG_BODY = 8;

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

    // Fail command.
    public static final int FAIL_KIND = 5;
    public static final int FAIL_EXCHANGE = 8;
    public static final int FAIL_SIZE = 16;

    /** Error kind: the handler threw. */
    public static final int KIND_HANDLER_THREW = 1;

    /** Error kind: the handler's return value is not a response. */
    public static final int KIND_RESPONSE_INVALID = 2;

    /** Error kind: the worker queue is full. */
    public static final int KIND_OVERLOADED = 3;

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

    /** Returns {@code length} bytes from {@code from} as text, one character per byte. */
    static String latin1(final byte[] bytes, final int from, final int length) {
        return new String(bytes, from, length, StandardCharsets.ISO_8859_1);
    }
}
