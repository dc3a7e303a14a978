package io.github.hinny;

import static io.github.hinny.Records.FAIL;
import static io.github.hinny.Records.FAIL_EXCHANGE;
import static io.github.hinny.Records.FAIL_KIND;
import static io.github.hinny.Records.FAIL_SIZE;
import static io.github.hinny.Records.FLAG_RESPONSE_BODY;
import static io.github.hinny.Records.RESPONSE;
import static io.github.hinny.Records.RESPONSE_BODY_LENGTH;
import static io.github.hinny.Records.RESPONSE_EXCHANGE;
import static io.github.hinny.Records.RESPONSE_FLAGS;
import static io.github.hinny.Records.RESPONSE_HEADERS;
import static io.github.hinny.Records.RESPONSE_HEADER_COUNT;
import static io.github.hinny.Records.RESPONSE_LENGTH;
import static io.github.hinny.Records.RESPONSE_STATUS;
import static io.github.hinny.Records.RESPONSE_TYPE;

import clojure.lang.BigInt;
import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import java.math.BigInteger;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;

/**
 * Encodes Ring responses as commands in an {@link Outbox}.
 *
 * <p>Made by whoever encodes, one per thread, and used for all its responses. A response that
 * cannot be sent is an {@link InvalidResponseException}; that and anything that the handler's own
 * data throws (a lazy sequence, say) leave the outbox as it was. What a status or a method means
 * for the body (HEAD, 204, 304) is decided in Rust, not here.
 *
 * <p>A String body is written in the charset of the response's Content-Type header, UTF-8 if that
 * names none.
 *
 * <p>Not thread-safe.
 */
public final class ResponseEncoder {
    private static final Keyword STATUS = Keyword.intern(null, "status");
    private static final Keyword HEADERS = Keyword.intern(null, "headers");
    private static final Keyword BODY = Keyword.intern(null, "body");

    private static final int STATUS_MIN = 200;
    private static final int STATUS_MAX = 599;

    private final ResponseHeaders headers = new ResponseHeaders();

    // The last Content-Type and its charset: handlers send the same few.
    private String lastContentType = "";
    private Charset lastCharset = StandardCharsets.UTF_8;

    /**
     * Appends a RESPONSE command with {@code response} to {@code outbox}.
     *
     * @throws InvalidResponseException if it is not a response that can be sent
     */
    public void encode(final Object response, final long exchange, final Outbox outbox) {
        final int start = outbox.position();
        try {
            write(response, exchange, outbox);
        } catch (final Throwable failure) {
            outbox.position(start);
            throw failure;
        }
    }

    /** Appends a FAIL command with the error kind {@code Records.KIND_…} to {@code outbox}. */
    public static void encodeFailure(final long exchange, final int kind, final Outbox outbox) {
        final byte[] array = outbox.reserve(FAIL_SIZE);
        final int start = outbox.position();
        Records.putU64(array, start + RESPONSE_LENGTH, FAIL_SIZE);
        array[start + RESPONSE_TYPE] = FAIL;
        array[start + FAIL_KIND] = (byte) kind;
        Records.putU64(array, start + FAIL_EXCHANGE, exchange);
        outbox.position(start + FAIL_SIZE);
    }

    private void write(final Object response, final long exchange, final Outbox outbox) {
        if (response == null) {
            throw new InvalidResponseException("response: is nil");
        }
        if (!(response instanceof IPersistentMap map)) {
            throw new InvalidResponseException("response: must be a map, is " + typeOf(response));
        }
        final int status = status(map.valAt(STATUS));
        final int start = outbox.position();
        outbox.reserve(RESPONSE_HEADERS);
        outbox.position(start + RESPONSE_HEADERS);
        final int headerCount = writeHeaders(map.valAt(HEADERS), outbox);
        final Object body = map.valAt(BODY);
        final int bodyStart = outbox.position();
        writeBody(body, outbox);
        final int bodyLength = outbox.position() - bodyStart;
        outbox.pad(start);

        final byte[] array = outbox.array();
        Records.putU32(array, start + RESPONSE_LENGTH, outbox.position() - start);
        array[start + RESPONSE_TYPE] = RESPONSE;
        array[start + RESPONSE_FLAGS] = (byte) (body == null ? 0 : FLAG_RESPONSE_BODY);
        Records.putU16(array, start + RESPONSE_STATUS, status);
        Records.putU64(array, start + RESPONSE_EXCHANGE, exchange);
        Records.putU32(array, start + RESPONSE_BODY_LENGTH, bodyLength);
        Records.putU32(array, start + RESPONSE_HEADER_COUNT, headerCount);
    }

    private static int status(final Object status) {
        final long value = integer(status);
        if (value >= 100 && value < STATUS_MIN) {
            throw new InvalidResponseException(
                    "response :status: " + value + " is interim (1xx), a handler answers with a final one");
        }
        if (value < STATUS_MIN || value > STATUS_MAX) {
            throw new InvalidResponseException(
                    "response :status: must be " + STATUS_MIN + " to " + STATUS_MAX + ", is " + status);
        }
        return (int) value;
    }

    /**
     * Returns what Clojure's {@code integer?} takes as a long, a greater one as the greatest long.
     */
    private static long integer(final Object status) {
        if (status instanceof Long || status instanceof Integer || status instanceof Short || status instanceof Byte) {
            return ((Number) status).longValue();
        }
        if (status instanceof BigInt big) {
            return big.bitLength() < Long.SIZE ? big.longValue() : Long.MAX_VALUE;
        }
        if (status instanceof BigInteger big) {
            return big.bitLength() < Long.SIZE ? big.longValue() : Long.MAX_VALUE;
        }
        throw new InvalidResponseException(
                status == null
                        ? "response :status: is missing"
                        : "response :status: must be an integer, is " + typeOf(status));
    }

    private int writeHeaders(final Object value, final Outbox outbox) {
        if (value == null) {
            headers.write(PersistentArrayMap.EMPTY, outbox);
            return 0;
        }
        if (!(value instanceof IPersistentMap map)) {
            throw new InvalidResponseException("response :headers: must be a map, is " + typeOf(value));
        }
        return headers.write(map, outbox);
    }

    private void writeBody(final Object body, final Outbox outbox) {
        if (body == null) {
            return;
        }
        if (body instanceof String text) {
            writeText(text, charset(headers.contentType()), outbox);
        } else if (body instanceof byte[] bytes) {
            outbox.put(bytes);
        } else {
            throw new InvalidResponseException(
                    "response :body: " + typeOf(body) + " is not supported yet; supported are nil, String and byte[]");
        }
    }

    /** Copies text without an array in between if each character is one byte of the same value. */
    private static void writeText(final String text, final Charset charset, final Outbox outbox) {
        if (charset == StandardCharsets.UTF_8 && allBits(text) < 0x80) {
            outbox.putLatin1(text);
        } else if (charset == StandardCharsets.ISO_8859_1 && allBits(text) < 0x100) {
            outbox.putLatin1(text);
        } else {
            outbox.put(text.getBytes(charset));
        }
    }

    /** Returns the bits that are set in any character. */
    private static int allBits(final String text) {
        int bits = 0;
        for (int i = 0; i < text.length(); i++) {
            bits |= text.charAt(i);
        }
        return bits;
    }

    private Charset charset(final String contentType) {
        if (contentType == null) {
            return StandardCharsets.UTF_8;
        }
        if (!contentType.equals(lastContentType)) {
            final String name = ContentType.charset(contentType);
            lastCharset = name == null ? StandardCharsets.UTF_8 : charsetNamed(name);
            lastContentType = contentType;
        }
        return lastCharset;
    }

    private static Charset charsetNamed(final String name) {
        try {
            final Charset charset = Charset.forName(name);
            if (charset.canEncode()) {
                return charset;
            }
        } catch (final IllegalCharsetNameException | UnsupportedCharsetException unknown) {
            // The message below says what matters.
        }
        throw new InvalidResponseException(
                "response :body: " + ResponseHeaders.quoted(name) + " is no charset to encode with");
    }

    private static String typeOf(final Object value) {
        return value.getClass().getTypeName();
    }
}
