package io.github.hinny;

import java.util.Arrays;

/**
 * A growable byte array that holds the commands of one batch.
 *
 * <p>An event loop makes one, fills it through {@link ResponseEncoder}, hands {@link #array} and
 * {@link #position} to {@code poll}, and calls {@link #reset}. Growing replaces the array, so
 * nobody keeps {@link #array} across a write. The bytes behind the position are undefined. An array
 * that grew beyond 1 MiB, or what else it is told, is dropped at the next reset, so one large response does not pin its
 * memory. What fails when there is no memory left has room that was set apart for it.
 *
 * <p>Not thread-safe.
 */
public final class Outbox {
    /** The largest array that every JVM can make, in bytes, cut to a multiple of 8. */
    private static final int CAPACITY_MAX_BYTES = Integer.MAX_VALUE - 15;

    /** Unless it is told otherwise, a larger array does not outlive {@link #reset}. */
    private static final int CAPACITY_KEPT_BYTES = 1 << 20;

    private final byte[] initialArray;
    private final int keptBytes;
    private final int failureBytes;
    private byte[] array;
    private int limit; // Of what is no failure.
    private int position;

    /** Makes an empty outbox. */
    public Outbox(final int initialCapacityBytes) {
        this(initialCapacityBytes, CAPACITY_KEPT_BYTES);
    }

    /** Makes an empty outbox of which no larger array than {@code keptBytes} outlives {@link #reset}. */
    Outbox(final int initialCapacityBytes, final int keptBytes) {
        this(initialCapacityBytes, keptBytes, 0);
    }

    /** The same, with {@code failureBytes} more that are set apart for failures. */
    Outbox(final int initialCapacityBytes, final int keptBytes, final int failureBytes) {
        this.keptBytes = keptBytes;
        this.failureBytes = failureBytes;
        this.initialArray = new byte[initialCapacityBytes + failureBytes];
        use(initialArray);
    }

    /** Returns the current array; its first {@link #position} bytes are the commands. */
    public byte[] array() {
        return array;
    }

    /** Returns the number of bytes written. */
    public int position() {
        return position;
    }

    /**
     * Moves the position, back to drop a command or forward over bytes written into {@link #array}.
     */
    void position(final int newPosition) {
        position = newPosition;
    }

    /** Forgets all commands; goes back to the array that it began with if another one grew beyond what is kept. */
    public void reset() {
        position = 0;
        if (array.length > keptBytes) {
            use(initialArray);
        }
    }

    /**
     * Makes room for {@code length} bytes at the position and returns the array to write them into.
     *
     * @throws InvalidResponseException if no array can be that large
     */
    byte[] reserve(final int length) {
        if (length > limit - position) {
            grow(length);
        }
        return array;
    }

    /** As {@link #reserve}, for a failure: what was set apart is for it. */
    byte[] reserveFailure(final int length) {
        if (!hasRoomForFailure(length)) {
            grow(length);
        }
        return array;
    }

    /** Returns whether a failure of so many bytes needs no more memory. */
    boolean hasRoomForFailure(final int length) {
        return length <= array.length - position;
    }

    /** Returns whether so many bytes can be written without more memory, and without what is set apart for failures. */
    boolean hasRoom(final int length) {
        return length <= limit - position;
    }

    /** Returns a copy of what was written from {@code start} on. */
    byte[] copyFrom(final int start) {
        return Arrays.copyOfRange(array, start, position);
    }

    /** Writes {@code source}. */
    void put(final byte[] source) {
        System.arraycopy(source, 0, reserve(source.length), position, source.length);
        position += source.length;
    }

    /** Writes {@code source[from .. from + length)}. */
    void put(final byte[] source, final int from, final int length) {
        System.arraycopy(source, from, reserve(length), position, length);
        position += length;
    }

    /** Writes the low byte of each character of {@code text}: right for text of at most U+00FF. */
    @SuppressWarnings("deprecation") // The one way from a String into an existing array without a copy in
    // between.
    void putLatin1(final String text) {
        final int length = text.length();
        text.getBytes(0, length, reserve(length), position);
        position += length;
    }

    /**
     * Opens a gap of {@code length} bytes at {@code at} (closes one if negative); the bytes behind
     * it move.
     */
    void shift(final int at, final int length) {
        final byte[] target = reserve(Math.max(length, 0));
        System.arraycopy(target, at, target, at + length, position - at);
        position += length;
    }

    /** Writes zeros until the command that began at {@code start} is a multiple of 8 bytes long. */
    void pad(final int start) {
        final int length = -(position - start) & 7;
        Arrays.fill(reserve(length), position, position + length, (byte) 0);
        position += length;
    }

    private void grow(final int length) {
        final long needed = (long) position + length + failureBytes;
        if (needed > CAPACITY_MAX_BYTES) {
            throw new InvalidResponseException("response: the outbox cannot hold " + needed + " bytes");
        }
        final long doubled = Math.min(2L * array.length, CAPACITY_MAX_BYTES);
        final byte[] larger = new byte[(int) Math.max(doubled, needed)];
        System.arraycopy(array, 0, larger, 0, position);
        use(larger);
    }

    private void use(final byte[] other) {
        array = other;
        limit = other.length - failureBytes;
    }
}
