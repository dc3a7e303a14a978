package io.github.hinny;

import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Where JSON text is written: the array of an {@link Outbox}, from its position on, with nothing copied afterwards; or
 * that array again and again, for a {@link Drain} that takes what is in it whenever it is full.
 *
 * <p>Who writes calls {@link #need} for the most bytes that may come, writes into {@link #bytes} from {@link #at} on and
 * moves {@code at}. Behind what was asked for there are always {@link #SLACK} bytes more: for one comma, colon or blank
 * that nobody asks for, and for a word that is stored whole though only its first bytes count. A drain takes its bytes in
 * {@code need} only, so the text is cut between characters, and the last byte written can still be changed.
 *
 * <p>Not thread-safe.
 */
final class JsonBuffer {
    /** Bytes. */
    static final int SLACK = 16;

    /** Takes what is written, part by part. */
    @FunctionalInterface
    interface Drain {
        /** Takes the first {@code length} bytes of {@code bytes}: whole characters of UTF-8. */
        void take(byte[] bytes, int length) throws IOException;
    }

    /** Says that a drain failed, and not something that the caller's data does. */
    static final class DrainFailure extends UncheckedIOException {
        private static final long serialVersionUID = 1L;

        DrainFailure(final IOException cause) {
            super(cause);
        }
    }

    byte[] bytes;
    int at;

    private Outbox outbox;
    private Drain drain;
    private int start;
    private long drained;
    private long maxBytes;

    /** Begins a text of at most {@code maxBytes} at the position of {@code target}. */
    void begin(final Outbox target, final Drain to, final long most) {
        outbox = target;
        drain = to;
        bytes = target.array();
        at = target.position();
        start = at;
        drained = 0;
        maxBytes = most;
    }

    /**
     * Ends the text: it is in the outbox, or with the drain.
     *
     * @throws JsonUnwritableException if it is too long
     */
    void end() {
        checkLength();
        if (drain == null) {
            outbox.position(at);
        } else {
            drain();
        }
    }

    /** Gives up the text: the outbox has its old position; a drain has what it took. */
    void drop() {
        outbox.position(start);
    }

    /** Forgets whom it was written for. */
    void forget() {
        outbox = null;
        drain = null;
        bytes = null;
    }

    /** Makes room for {@code length} bytes, at most 2^30, and the slack. */
    void need(final int length) {
        if (bytes.length - at < length + SLACK) {
            grow(length + SLACK);
        }
    }

    private void grow(final int length) {
        checkLength();
        if (drain != null) {
            drain();
        }
        outbox.position(at);
        bytes = outbox.reserve(length);
    }

    private void checkLength() {
        if (drained + at - start > maxBytes) {
            throw new JsonUnwritableException("the text is longer than :max-bytes " + maxBytes, null);
        }
    }

    private void drain() {
        try {
            drain.take(bytes, at);
        } catch (final IOException failure) {
            throw new DrainFailure(failure);
        }
        drained += at;
        at = 0;
    }

    /** Writes a byte. */
    void put(final int ascii) {
        need(1);
        bytes[at++] = (byte) ascii;
    }

    /** Writes ASCII text that needs no escape. */
    @SuppressWarnings("deprecation") // The one way from a String into an existing array without a copy in between.
    void putAscii(final String text) {
        final int length = text.length();
        need(length);
        text.getBytes(0, length, bytes, at);
        at += length;
    }
}
