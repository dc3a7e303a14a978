package io.github.hinny;

import clojure.lang.AFn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Where JSON text is written: the array of an {@link Outbox}, from its position on, with nothing copied afterwards; or
 * that array again and again, for a {@link Drain} that takes what is in it whenever it is full.
 *
 * <p>Who writes calls {@link #need} for the most bytes that may come, writes into {@link #bytes} from {@link #at} on and
 * moves {@code at}. Behind what was asked for there are always {@link #SLACK} bytes more: for one comma, colon or blank
 * that nobody asks for, and for a word that is stored whole though only its first bytes count. A drain takes its bytes in
 * {@code need} only, so the text is cut between characters, and the last byte written can still be changed.
 *
 * <p>The base of {@link JsonWriter}, and a function only because that is one: a buffer of its own would cost a step
 * through memory for each thing written.
 *
 * <p>Not thread-safe.
 */
abstract class JsonBuffer extends AFn {
    /** Bytes. */
    static final int SLACK = 16;

    private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final long NULL = word("null    ");
    private static final long TRUE = word("true    ");
    private static final long FALSE = word("false   ");

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
    final void begin(final Outbox target, final Drain to, final long most) {
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
    final void end() {
        checkLength();
        if (drain == null) {
            outbox.position(at);
        } else {
            drain();
        }
    }

    /** Gives up the text: the outbox has its old position; a drain has what it took. */
    final void drop() {
        outbox.position(start);
    }

    /** Forgets whom it was written for. */
    void forget() {
        outbox = null;
        drain = null;
        bytes = null;
    }

    /** Makes room for {@code length} bytes, at most 2^30, and the slack. */
    final void need(final int length) {
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

    /** Writes {@code null}. */
    final void putNull() {
        need(4);
        WORD.set(bytes, at, NULL);
        at += 4;
    }

    /** Writes {@code true} or {@code false}. */
    final void put(final boolean value) {
        need(5);
        WORD.set(bytes, at, value ? TRUE : FALSE);
        at += value ? 4 : 5;
    }

    private static long word(final String ascii) {
        return (long) WORD.get(ascii.getBytes(StandardCharsets.US_ASCII), 0);
    }

    /** Writes a byte. */
    final void put(final int ascii) {
        need(1);
        bytes[at++] = (byte) ascii;
    }

    /** Writes ASCII text that needs no escape. */
    @SuppressWarnings("deprecation") // The one way from a String into an existing array without a copy in between.
    final void putAscii(final String text) {
        final int length = text.length();
        need(length);
        text.getBytes(0, length, bytes, at);
        at += length;
    }
}
