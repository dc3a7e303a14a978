package io.github.hinny;

import static io.github.hinny.Results.MULTIPART_FLAG_FILE;
import static io.github.hinny.Results.MULTIPART_FLAG_FILENAME_UTF8;
import static io.github.hinny.Results.MULTIPART_FLAG_TYPE;
import static io.github.hinny.Results.MULTIPART_PART_FILENAME_LENGTH;
import static io.github.hinny.Results.MULTIPART_PART_FLAGS;
import static io.github.hinny.Results.MULTIPART_PART_NAME_LENGTH;
import static io.github.hinny.Results.MULTIPART_PART_SIZE;
import static io.github.hinny.Results.MULTIPART_PART_TYPE_LENGTH;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * What the head of a part of a multipart body says.
 *
 * <p>Made by {@link MultipartReader}. Immutable.
 */
public final class MultipartPart {
    private final String name;
    private final String filename;
    private final String contentType;
    private final int eventLength;

    private MultipartPart(final String name, final String filename, final String contentType, final int eventLength) {
        this.name = name;
        this.filename = filename;
        this.contentType = contentType;
        this.eventLength = eventLength;
    }

    /** Reads the event at {@code at}, whose texts are in {@code charset}. */
    static MultipartPart of(final byte[] events, final int at, final Charset charset) {
        final int flags = events[at + MULTIPART_PART_FLAGS];
        final int nameLength = Records.u32(events, at + MULTIPART_PART_NAME_LENGTH);
        final int filenameLength = Records.u32(events, at + MULTIPART_PART_FILENAME_LENGTH);
        final int typeLength = Records.u32(events, at + MULTIPART_PART_TYPE_LENGTH);
        final int nameAt = at + MULTIPART_PART_SIZE;
        final int filenameAt = nameAt + nameLength;
        final int typeAt = filenameAt + filenameLength;
        final Charset filenameCharset = (flags & MULTIPART_FLAG_FILENAME_UTF8) == 0 ? charset : StandardCharsets.UTF_8;
        return new MultipartPart(
                new String(events, nameAt, nameLength, charset),
                (flags & MULTIPART_FLAG_FILE) == 0
                        ? null
                        : new String(events, filenameAt, filenameLength, filenameCharset),
                (flags & MULTIPART_FLAG_TYPE) == 0 ? null : new String(events, typeAt, typeLength, charset),
                typeAt + typeLength - at);
    }

    /** Returns the name of the field. */
    public String name() {
        return name;
    }

    /** Returns the name of the file as the client gave it, perhaps with a path, perhaps empty; null for a field. */
    public String filename() {
        return filename;
    }

    /** Returns whether the part is a file. */
    public boolean isFile() {
        return filename != null;
    }

    /** Returns the Content-Type of the part, null if it has none. */
    public String contentType() {
        return contentType;
    }

    int eventLength() {
        return eventLength;
    }
}
