package io.github.hinny;

import static io.github.hinny.Results.MULTIPART_DATA;
import static io.github.hinny.Results.MULTIPART_DATA_LENGTH;
import static io.github.hinny.Results.MULTIPART_DATA_POSITION;
import static io.github.hinny.Results.MULTIPART_DATA_SIZE;
import static io.github.hinny.Results.MULTIPART_PART_END_SIZE;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.util.Arrays;

/**
 * Reads a {@code multipart/form-data} body, a part after the other, from a stream.
 *
 * <p>Each part's data must be read, with {@link #field} or {@link #stream}, before the next part, or is skipped.
 *
 * <p>Not thread-safe. {@link #close} it; it does not close the stream. No native memory.
 */
public final class MultipartReader implements AutoCloseable {
    private static final byte[] NO_BYTES = {};

    /** Hears how far a body is read. */
    public interface Progress {
        /** Is called after every read of the stream and at the start of every part. */
        void update(long bytesRead, int parts);
    }

    /**
     * How much a body may have.
     *
     * @param files files
     * @param fileBytes bytes of one file
     * @param fields parts that are no files
     * @param fieldBytes of all fields together: characters of the names and bytes of the data
     */
    public record Limits(long files, long fileBytes, long fields, long fieldBytes) {}

    private final MultipartPieces pieces;
    private final Charset charset;
    private final Limits limits;
    private final Progress progress;

    private MultipartPart part;
    private int parts;
    private long filesLeft;
    private long fieldsLeft;
    private long fieldBytesLeft;
    private boolean inPart;
    private int dataAt; // In the pieces' buffer.
    private int dataEnd;

    /**
     * A reader of a request's body.
     *
     * @param contentType the field Content-Type, which has the boundary
     * @param contentLength of the body in bytes, -1 if it is unknown
     * @param charset of the names
     * @param progress null for nobody who hears of it
     * @throws MultipartException if there is no boundary, or one that is too long
     */
    public MultipartReader(
            final InputStream in,
            final String contentType,
            final long contentLength,
            final Charset charset,
            final Limits limits,
            final Progress progress)
            throws MultipartException {
        this.pieces = new MultipartPieces(
                in, ContentType.parameter(contentType, "boundary"), contentLength, this::tellProgress);
        this.charset = charset;
        this.limits = limits;
        this.progress = progress;
        this.filesLeft = limits.files();
        this.fieldsLeft = limits.fields();
        this.fieldBytesLeft = limits.fieldBytes();
    }

    /** Returns whether a Content-Type is that of a form that this class reads. */
    public static boolean isForm(final String contentType) {
        if (contentType == null) {
            return false;
        }
        final int semicolon = contentType.indexOf(';');
        final String type = semicolon < 0 ? contentType : contentType.substring(0, semicolon);
        return type.trim().equalsIgnoreCase("multipart/form-data");
    }

    /**
     * Returns the next part, null if there is none.
     *
     * @throws MultipartException if the body is malformed or has too many parts
     */
    public MultipartPart next() throws IOException {
        while (readData()) {
            dataAt = dataEnd;
        }
        if (!pieces.hasEvent()) {
            return null;
        }
        part = MultipartPart.of(pieces.events(), pieces.at(), charset);
        pieces.advance(part.eventLength());
        inPart = true;
        parts++;
        if (part.isFile()) {
            filesLeft = spend(filesLeft, 1, "max-file-count", limits.files());
        } else {
            fieldsLeft = spend(fieldsLeft, 1, "max-fields", limits.fields());
            fieldBytesLeft = spend(fieldBytesLeft, part.name().length(), "max-field-bytes", limits.fieldBytes());
        }
        tellProgress();
        return part;
    }

    /**
     * Returns the data of the part.
     *
     * @throws MultipartException if the body is malformed or its fields are too large
     */
    public byte[] field() throws IOException {
        byte[] first = NO_BYTES;
        ByteArrayOutputStream more = null;
        while (readData()) {
            final int length = dataEnd - dataAt;
            fieldBytesLeft = spend(fieldBytesLeft, length, "max-field-bytes", limits.fieldBytes());
            if (first == NO_BYTES) {
                first = Arrays.copyOfRange(pieces.buffer(), dataAt, dataEnd);
            } else {
                if (more == null) {
                    more = new ByteArrayOutputStream(first.length + length);
                    more.write(first, 0, first.length);
                }
                more.write(pieces.buffer(), dataAt, length);
            }
            dataAt = dataEnd;
        }
        return more == null ? first : more.toByteArray();
    }

    /** Returns a stream over the data of the part, which fails once the next part is asked for, or the reader closed. */
    public InputStream stream() {
        return new MultipartStream(this, part);
    }

    /** Returns why reading has failed, null if it has not. */
    public IOException failure() {
        return pieces.failure();
    }

    @Override
    public void close() {
        pieces.close();
    }

    /** Returns whether {@code of} is the part that is read. */
    boolean isAt(final MultipartPart of) {
        return part == of && !pieces.isClosed();
    }

    long fileBytesMax() {
        return limits.fileBytes();
    }

    /** Makes sure of data of the part in {@link #buffer}; returns false where the part ends. */
    boolean readData() throws IOException {
        if (dataAt < dataEnd) {
            return true;
        }
        if (!inPart || !pieces.hasEvent()) {
            return false;
        }
        final byte[] events = pieces.events();
        final int at = pieces.at();
        if (events[at] == MULTIPART_DATA) {
            dataAt = pieces.pieceStart() + Records.u32(events, at + MULTIPART_DATA_POSITION);
            dataEnd = dataAt + Records.u32(events, at + MULTIPART_DATA_LENGTH);
            pieces.advance(MULTIPART_DATA_SIZE);
            return true;
        }
        pieces.advance(MULTIPART_PART_END_SIZE);
        inPart = false;
        return false;
    }

    byte[] buffer() {
        return pieces.buffer();
    }

    int dataAt() {
        return dataAt;
    }

    int dataLength() {
        return dataEnd - dataAt;
    }

    /** Returns how much data of the part is there without a read of the body. */
    int available() {
        if (dataAt == dataEnd && inPart && pieces.hasDecodedEvent()) {
            final byte[] events = pieces.events();
            final int at = pieces.at();
            return events[at] == MULTIPART_DATA ? Records.u32(events, at + MULTIPART_DATA_LENGTH) : 0;
        }
        return dataLength();
    }

    void take(final int length) {
        dataAt += length;
    }

    MultipartException exceeded(final String limit, final long max) {
        return pieces.fail(MultipartException.beyond(limit, max));
    }

    private long spend(final long left, final long amount, final String limit, final long max)
            throws MultipartException {
        if (amount > left) {
            throw exceeded(limit, max);
        }
        return left - amount;
    }

    private void tellProgress() {
        if (progress != null) {
            progress.update(pieces.bytesRead(), parts);
        }
    }
}
