package io.github.hinny;

import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Values as JSON text: into an {@link Outbox}, where it need not be copied again, or as an array, a String or to a stream.
 *
 * <p>Writers and their arrays are kept for all threads, so that virtual threads need none of their own; about as many as
 * there are threads that write at once. Any thread.
 *
 * <p>A value that has no JSON is a {@link JsonUnwritableException}. What else the caller's own data throws (a lazy
 * sequence, an extension) is thrown as it is.
 */
public final class JsonText {
    private static final int FIRST_BYTES = 8 << 10;

    /** A power of two. */
    private static final int KEPT =
            Integer.highestOneBit(4 * Runtime.getRuntime().availableProcessors());

    private static final AtomicReferenceArray<JsonText> FREE = new AtomicReferenceArray<>(KEPT);

    private final JsonWriter writer = new JsonWriter();
    private final Outbox own = new Outbox(FIRST_BYTES);

    private JsonText() {}

    /**
     * Appends a value's text to an outbox; after a failure the outbox is as it was.
     *
     * @return the length in bytes
     */
    public static int append(final Object value, final JsonSettings settings, final Outbox outbox) {
        final JsonText text = take();
        final int start = outbox.position();
        text.write(value, settings, outbox, null);
        text.release();
        return outbox.position() - start;
    }

    /** Returns a value's text as UTF-8. */
    public static byte[] toBytes(final Object value, final JsonSettings settings) {
        final JsonText text = take();
        text.write(value, settings, text.own, null);
        final byte[] bytes = text.own.copyFrom(0);
        text.release();
        return bytes;
    }

    /** Returns a value's text. */
    public static String toString(final Object value, final JsonSettings settings) {
        final JsonText text = take();
        text.write(value, settings, text.own, null);
        final String string = new String(text.own.array(), 0, text.own.position(), StandardCharsets.UTF_8);
        text.release();
        return string;
    }

    /** Writes a value's text to a stream as UTF-8, part by part; neither flushes nor closes it. */
    public static void writeTo(final Object value, final JsonSettings settings, final OutputStream stream)
            throws IOException {
        writeTo(value, settings, (bytes, length) -> stream.write(bytes, 0, length));
    }

    /** Writes a value's text to a writer, part by part; neither flushes nor closes it. */
    public static void writeTo(final Object value, final JsonSettings settings, final Writer characters)
            throws IOException {
        writeTo(
                value,
                settings,
                (bytes, length) -> characters.write(new String(bytes, 0, length, StandardCharsets.UTF_8)));
    }

    private static void writeTo(final Object value, final JsonSettings settings, final JsonBuffer.Drain drain)
            throws IOException {
        final JsonText text = take();
        try {
            text.write(value, settings, text.own, drain);
        } catch (final JsonBuffer.DrainFailure failure) {
            throw failure.getCause();
        }
        text.release();
    }

    /** One that nobody else uses; it is garbage if what it writes fails. */
    private static JsonText take() {
        final JsonText kept = FREE.getAndSet(place(), null);
        return kept == null ? new JsonText() : kept;
    }

    private void write(
            final Object value, final JsonSettings settings, final Outbox outbox, final JsonBuffer.Drain drain) {
        writer.begin(outbox, drain, settings.maxBytes);
        try {
            writer.write(value, settings);
            writer.end();
        } catch (final Throwable failure) {
            writer.drop();
            throw failure;
        }
    }

    private void release() {
        own.reset();
        writer.forget();
        FREE.lazySet(place(), this);
    }

    private static int place() {
        return (int) Thread.currentThread().getId() & KEPT - 1;
    }
}
