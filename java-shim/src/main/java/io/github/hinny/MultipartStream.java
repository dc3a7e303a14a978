package io.github.hinny;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Objects;

/**
 * The data of one file in a multipart body.
 *
 * <p>Made by {@link MultipartReader}, which it reads from; fails when that is at another part. Not thread-safe.
 */
final class MultipartStream extends InputStream {
    private final MultipartReader reader;
    private final MultipartPart part;
    private long left;

    MultipartStream(final MultipartReader reader, final MultipartPart part) {
        this.reader = reader;
        this.part = part;
        this.left = reader.fileBytesMax();
    }

    @Override
    public int read() throws IOException {
        if (!readData()) {
            return -1;
        }
        final int value = reader.buffer()[reader.dataAt()] & 0xFF;
        take(1);
        return value;
    }

    @Override
    public int read(final byte[] bytes, final int from, final int length) throws IOException {
        Objects.checkFromIndexSize(from, length, bytes.length);
        if (length == 0) {
            return 0;
        }
        if (!readData()) {
            return -1;
        }
        final int size = Math.min(length, reader.dataLength());
        System.arraycopy(reader.buffer(), reader.dataAt(), bytes, from, size);
        take(size);
        return size;
    }

    /** Writes the rest of the data, without a copy of it. */
    @Override
    public long transferTo(final OutputStream out) throws IOException {
        long written = 0;
        while (readData()) {
            final int size = reader.dataLength();
            out.write(reader.buffer(), reader.dataAt(), size);
            take(size);
            written += size;
        }
        return written;
    }

    /** Returns how much data is there without a read of the body. */
    @Override
    public int available() {
        return reader.isAt(part) ? reader.available() : 0;
    }

    private boolean readData() throws IOException {
        if (!reader.isAt(part)) {
            throw new IOException("the part of the form is over");
        }
        if (!reader.readData()) {
            return false;
        }
        if (reader.dataLength() > left) {
            throw reader.exceeded("max-file-size", reader.fileBytesMax());
        }
        return true;
    }

    private void take(final int size) {
        reader.take(size);
        left -= size;
    }
}
