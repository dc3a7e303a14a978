package io.github.hinny;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The events in a multipart body, from a stream that is read into one array.
 *
 * <p>Made by {@link MultipartReader}. Native code looks through the array; nothing native lasts longer than a call.
 *
 * <p>Invariants: the array begins with the delimiter, the piece that was decoded last stands behind it; as long as events
 * of the piece are left, the piece stays where it is.
 *
 * <p>Not thread-safe. {@link #close} it; it does not close the stream.
 */
final class MultipartPieces {
    private static final int BUFFER_BYTES = 64 << 10;

    /** As commons-fileupload allows. */
    private static final int HEAD_BYTES_MAX = 10_240;

    /** More than a delimiter ever has. */
    private static final int LONG_HEAD_BYTES = 1024;

    /** RFC 2046 allows 70 characters; nobody is known to send more. */
    private static final int BOUNDARY_BYTES_MAX = 256;

    private final InputStream in;
    private final Runnable afterRead;
    private final int delimiterLength;
    private byte[] buffer;
    private int end; // Of what was read into the buffer.
    private boolean last; // The stream has ended.
    private long bytesRead;

    private CodecOutput output = CodecOutput.take();
    private int at; // Of the next event.
    private int eventsEnd;
    private int used;
    private int state;
    private IOException failure;

    /**
     * The pieces of a body.
     *
     * @param boundary null is malformed
     * @param contentLength of the body in bytes, -1 if it is unknown
     * @param afterRead is run after every read of the stream
     */
    MultipartPieces(final InputStream in, final String boundary, final long contentLength, final Runnable afterRead)
            throws MultipartException {
        if (boundary == null || boundary.length() > BOUNDARY_BYTES_MAX) {
            throw MultipartException.malformed("boundary", "there is no boundary, or a very long one");
        }
        final byte[] delimiter = ("\r\n--" + boundary).getBytes(StandardCharsets.ISO_8859_1);
        this.in = in;
        this.afterRead = afterRead;
        this.delimiterLength = delimiter.length;
        final long wanted = contentLength < 0 ? BUFFER_BYTES : Math.min(contentLength, BUFFER_BYTES);
        this.buffer = Arrays.copyOf(delimiter, delimiterLength + Math.max((int) wanted, 1));
        this.end = delimiterLength;
    }

    /** Makes sure of an event; returns false at the end of the body. */
    boolean hasEvent() throws IOException {
        if (failure != null) {
            throw failure;
        }
        if (output == null) {
            throw new IOException("the reader is closed");
        }
        while (at == eventsEnd) {
            if (state == Results.MULTIPART_STATE_END) {
                return false;
            }
            try {
                read();
                decode();
            } catch (final IOException reason) {
                throw fail(reason);
            }
        }
        return true;
    }

    /** Returns whether an event is there without a read of the stream. */
    boolean hasDecodedEvent() {
        return at < eventsEnd;
    }

    /** Returns the array that has the next event at {@link #at}. */
    byte[] events() {
        return output.bytes();
    }

    int at() {
        return at;
    }

    /** Goes to the event behind the next one, which has so many bytes. */
    void advance(final int eventLength) {
        at += eventLength;
    }

    /** Returns the array that the piece is in, from {@link #pieceStart} on. */
    byte[] buffer() {
        return buffer;
    }

    int pieceStart() {
        return delimiterLength;
    }

    long bytesRead() {
        return bytesRead;
    }

    /** Remembers a failure, for whoever reads on in spite of it; returns it. */
    <T extends IOException> T fail(final T reason) {
        failure = reason;
        return reason;
    }

    IOException failure() {
        return failure;
    }

    boolean isClosed() {
        return output == null;
    }

    void close() {
        if (output != null) {
            output.release();
            output = null;
        }
    }

    /** Puts more of the stream behind what is left of the last piece. */
    private void read() throws IOException {
        final int left = delimiterLength + used;
        final int length = end - left;
        System.arraycopy(buffer, left, buffer, delimiterLength, length);
        end = delimiterLength + length;
        used = 0;
        // A long head is not looked through again for every byte of it that comes.
        final int wanted = end + (length < LONG_HEAD_BYTES ? 1 : length / 8);
        while (end < wanted && !last) {
            readOnce();
        }
    }

    private void readOnce() throws IOException {
        if (end == buffer.length) {
            // The body is longer than it was said to be.
            buffer = Arrays.copyOf(buffer, delimiterLength + BUFFER_BYTES);
        }
        final int length = in.read(buffer, end, buffer.length - end);
        if (length < 0) {
            last = true;
            return;
        }
        end += length;
        bytesRead += length;
        afterRead.run();
    }

    private void decode() throws MultipartException {
        final long settings = (long) state << Results.MULTIPART_SETTING_STATE_SHIFT
                | (last ? (long) Results.MULTIPART_SETTING_LAST : 0L) << Results.MULTIPART_SETTING_FLAGS_SHIFT
                | (long) delimiterLength << Results.MULTIPART_SETTING_DELIMITER_SHIFT
                | (long) HEAD_BYTES_MAX << Results.MULTIPART_SETTING_HEAD_BYTES_SHIFT;
        final int length = output.decode(Results.CODEC_MULTIPART, buffer, 0, end, settings);
        final byte[] result = output.bytes();
        if (length == Results.MALFORMED) {
            throw malformed(result[Results.MALFORMED_REASON]);
        }
        used = Records.u32(result, Results.MULTIPART_USED);
        state = Records.u32(result, Results.MULTIPART_STATE);
        at = Results.MULTIPART_EVENTS;
        eventsEnd = length;
    }

    private static MultipartException malformed(final int reason) {
        return switch (reason) {
            case Results.MULTIPART_WRONG_DELIMITER ->
                MultipartException.malformed("delimiter", "a boundary is not the end of its line");
            case Results.MULTIPART_WRONG_HEAD_SIZE ->
                MultipartException.malformed(
                        "head-size", "the header fields of a part have more than " + HEAD_BYTES_MAX + " bytes");
            case Results.MULTIPART_WRONG_END ->
                MultipartException.malformed("truncated", "the body ends before its last boundary");
            case Results.MULTIPART_WRONG_FILENAME ->
                MultipartException.malformed("filename", "the name of a file has a NUL");
            default -> throw new IllegalStateException("no reason " + reason);
        };
    }
}
