package io.github.hinny;

import static io.github.hinny.Records.FAIL;
import static io.github.hinny.Records.FAIL_ACCEPT_LENGTH;
import static io.github.hinny.Records.FAIL_EXCHANGE;
import static io.github.hinny.Records.FAIL_KIND;
import static io.github.hinny.Records.FAIL_SIZE;
import static io.github.hinny.Records.FLAG_RESPONSE_BODY;
import static io.github.hinny.Records.FLAG_RESPONSE_FILE;
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
import clojure.lang.IFn;
import clojure.lang.IPersistentMap;
import clojure.lang.ISeq;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import java.io.File;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.concurrent.CompletionStage;

/**
 * Encodes Ring responses as commands in an {@link Outbox}.
 *
 * <p>Made by whoever encodes, one per thread, and used for all its responses. A response that
 * cannot be sent is an {@link InvalidResponseException}; that and anything that the handler's own
 * data throws (a lazy sequence, say) leave the outbox as it was. What a status or a method means
 * for the framing (HEAD, 204, 304) is decided in Rust; here only that a body which nobody would see is not produced.
 *
 * <p>A literal response, or a literal header map, is copied from what it was encoded as before: see {@link EncodedMaps}.
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
    private final EncodedMaps literals = new EncodedMaps();

    // The last Content-Type and its charset: handlers send the same few.
    private String lastContentType = "";
    private Charset lastCharset = StandardCharsets.UTF_8;

    /**
     * Appends a RESPONSE command with {@code response} to {@code outbox}.
     *
     * <p>A body that must be read, realized or produced is not part of it: then the command is only begun, and what it
     * lacks is returned. A {@link CompletionStage} as body is returned with nothing appended. The body of a response that
     * cannot be sent is closed, if it can be.
     *
     * @param toHead whether the request's method is HEAD: such a body is closed instead of written
     * @return null if the command is complete, else a {@link BodyWriter} or a CompletionStage
     * @throws InvalidResponseException if it is not a response that can be sent
     */
    public Object encode(final Object response, final long exchange, final boolean toHead, final Outbox outbox) {
        final int start = outbox.position();
        final EncodedMaps.Entry known = literals.find(response);
        if (known != null && !BodyTypes.isPlainExtended()) {
            outbox.put(known.bytes);
            Records.putU64(outbox.array(), start + RESPONSE_EXCHANGE, exchange);
            return null;
        }
        try {
            return write(response, exchange, toHead, outbox);
        } catch (final Throwable failure) {
            outbox.position(start);
            if (response instanceof IPersistentMap map) {
                BodyWriter.discard(map.valAt(BODY));
            }
            throw failure;
        }
    }

    /** Appends a FAIL command with the error kind {@code Records.KIND_…} to {@code outbox}. */
    public static void encodeFailure(final long exchange, final int kind, final Outbox outbox) {
        final byte[] array = outbox.reserveFailure(FAIL_SIZE);
        final int start = outbox.position();
        Records.putU64(array, start + RESPONSE_LENGTH, FAIL_SIZE);
        array[start + RESPONSE_TYPE] = FAIL;
        array[start + FAIL_KIND] = (byte) kind;
        Records.putU64(array, start + FAIL_EXCHANGE, exchange);
        outbox.position(start + FAIL_SIZE);
    }

    /**
     * As {@link #encodeFailure(long, int, Outbox)}, with what the client of {@code request} accepts, so that it is told the error
     * in its own format. That is left out where there is no room for it: failures need no memory.
     */
    static void encodeFailure(final long exchange, final int kind, final RingRequest request, final Outbox outbox) {
        final int start = outbox.position();
        encodeFailure(exchange, kind, outbox);
        final int length = acceptLength(request, outbox);
        if (length > 0) {
            outbox.pad(start);
            Records.putU16(outbox.array(), start + FAIL_ACCEPT_LENGTH, length);
            Records.putU32(outbox.array(), start + RESPONSE_LENGTH, outbox.position() - start);
        }
    }

    private static int acceptLength(final RingRequest request, final Outbox outbox) {
        try {
            return request == null ? 0 : request.putAccept(outbox);
        } catch (final OutOfMemoryError noMemory) {
            return 0;
        }
    }

    private Object write(final Object response, final long exchange, final boolean toHead, final Outbox outbox) {
        if (response == null) {
            throw new InvalidResponseException("response: is nil");
        }
        if (!(response instanceof IPersistentMap map)) {
            throw new InvalidResponseException("response: must be a map, is " + typeOf(response));
        }
        final int status = status(map.valAt(STATUS));
        final Object body = map.valAt(BODY);
        final IFn writer = isPlain(body) ? null : BodyTypes.writer(body);
        if (writer == null && body instanceof CompletionStage) {
            return body;
        }
        final int start = outbox.position();
        outbox.reserve(RESPONSE_HEADERS);
        outbox.position(start + RESPONSE_HEADERS);
        final IPersistentMap fields = headers(map.valAt(HEADERS));
        final int headerCount = headers.write(fields, outbox);
        final byte[] array = outbox.array();
        Records.putU64(array, start, 0);
        array[start + RESPONSE_TYPE] = RESPONSE;
        Records.putU16(array, start + RESPONSE_STATUS, status);
        Records.putU64(array, start + RESPONSE_EXCHANGE, exchange);
        Records.putU32(array, start + RESPONSE_BODY_LENGTH, 0);
        Records.putU32(array, start + RESPONSE_HEADER_COUNT, headerCount);
        final boolean streamed = writer != null || body instanceof InputStream || body instanceof ISeq;
        if (streamed && !(toHead || isBodiless(status))) {
            final boolean ownSeq = writer == null && body instanceof ISeq;
            return new BodyWriter(body, response, writer, ownSeq ? charset(headers.contentType()) : null);
        }
        if (streamed) {
            BodyWriter.discard(body);
        } else {
            writeBody(body, start, outbox);
        }
        outbox.pad(start);
        Records.putU32(outbox.array(), start + RESPONSE_LENGTH, outbox.position() - start);
        final boolean constant = EncodedMaps.isImmutable(map) && headers.isConstant(fields);
        if (constant
                && (body instanceof String || body == null)
                && literals.isToBeKept(map, outbox.position() - start)) {
            literals.keep(map, outbox.copyFrom(start), headerCount, null);
        }
        return null;
    }

    /** Returns whether the body is of the plainest types, and nobody extended a protocol to one of these. */
    private static boolean isPlain(final Object body) {
        return (body == null || body instanceof String || body instanceof byte[] || body instanceof JsonBody)
                && !BodyTypes.isPlainExtended();
    }

    /** RFC 9110 §6.4.1. */
    private static boolean isBodiless(final int status) {
        return status == 204 || status == 205 || status == 304;
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

    private static IPersistentMap headers(final Object value) {
        if (value == null) {
            return PersistentArrayMap.EMPTY;
        }
        if (!(value instanceof IPersistentMap map)) {
            throw new InvalidResponseException("response :headers: must be a map, is " + typeOf(value));
        }
        return map;
    }

    private void writeBody(final Object body, final int start, final Outbox outbox) {
        if (body == null) {
            return;
        }
        final int bodyStart = outbox.position();
        int flags = FLAG_RESPONSE_BODY;
        if (body instanceof String text) {
            writeText(text, charset(headers.contentType()), outbox);
        } else if (body instanceof byte[] bytes) {
            outbox.put(bytes);
        } else if (body instanceof JsonBody json) {
            writeJson(json, outbox);
        } else if (body instanceof File file) {
            flags |= FLAG_RESPONSE_FILE;
            writePath(file.getAbsolutePath(), outbox);
        } else {
            throw new InvalidResponseException(
                    "response :body: " + typeOf(body) + " is none of nil, String, byte[], ISeq, InputStream, File,"
                            + " CompletionStage, and does not satisfy StreamableResponseBody");
        }
        final byte[] array = outbox.array();
        array[start + RESPONSE_FLAGS] = (byte) flags;
        Records.putU32(array, start + RESPONSE_BODY_LENGTH, outbox.position() - bodyStart);
    }

    private static void writePath(final String path, final Outbox outbox) {
        final String unreadable = FilePaths.unreadable(path);
        if (!unreadable.isEmpty()) {
            throw new InvalidResponseException("response :body: cannot send the file " + path + unreadable);
        }
        outbox.put(FilePaths.bytes(path));
    }

    private static void writeJson(final JsonBody json, final Outbox outbox) {
        try {
            json.appendTo(outbox);
        } catch (final JsonUnwritableException unwritable) {
            throw new InvalidResponseException("response :body: not writable as JSON: " + unwritable.getMessage());
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
