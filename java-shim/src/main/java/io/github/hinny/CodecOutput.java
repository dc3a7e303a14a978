package io.github.hinny;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What a native codec made of an input: an array that is used again for the next one.
 *
 * <p>{@link #take} one, {@link #decode} with it, read {@link #bytes}, {@link #release} it. A few are kept for all
 * threads, so that virtual threads need none of their own; one that is not released is garbage like any other.
 *
 * <p>Owned by one thread between {@code take} and {@code release}. No native memory.
 */
final class CodecOutput {
    /** Codecs are also used where no server has loaded the library. */
    private static final boolean IS_LOADED = NativeLibrary.isAvailable();

    private static final int FIRST_BYTES = 8 << 10;

    /** A larger array is not kept. */
    private static final int KEPT_BYTES = 1 << 20;

    /** A power of two; about as many as threads that are in a codec at once. */
    private static final int KEPT =
            Integer.highestOneBit(4 * Runtime.getRuntime().availableProcessors());

    private static final AtomicReferenceArray<CodecOutput> FREE = new AtomicReferenceArray<>(KEPT);

    private byte[] bytes = new byte[FIRST_BYTES];

    private CodecOutput() {}

    /**
     * Returns one that nobody else uses.
     *
     * @throws clojure.lang.ExceptionInfo if the native library cannot be loaded, see {@link NativeLibrary#need}
     */
    static CodecOutput take() {
        if (!IS_LOADED) {
            NativeLibrary.need();
        }
        final CodecOutput kept = FREE.getAndSet(place(), null);
        return kept == null ? new CodecOutput() : kept;
    }

    /** Gives it back: the array may be overwritten from now on. */
    void release() {
        if (bytes.length <= KEPT_BYTES) {
            FREE.lazySet(place(), this);
        }
    }

    /**
     * Puts what a codec makes of {@code input[from .. from + length)} into {@link #bytes}.
     *
     * @param codec one of {@code Results.CODEC_…}
     * @param settings bits that mean something to the codec
     * @return the length of the result, or {@link Results#MALFORMED}: then {@link Results#MALFORMED_POSITION} and
     *     {@link Results#MALFORMED_REASON} say what is wrong
     * @throws IndexOutOfBoundsException if the array has no such part
     */
    int decode(final int codec, final byte[] input, final int from, final int length, final long settings) {
        Objects.checkFromIndexSize(from, length, input.length);
        int result = (int) Native.decode(codec, input, from, length, settings, bytes, bytes.length);
        if (result == Results.GROW_OUTPUT) {
            bytes = new byte[Records.u32(bytes, 0)];
            result = (int) Native.decode(codec, input, from, length, settings, bytes, bytes.length);
        }
        return result;
    }

    /** Returns the array that holds the last result. */
    byte[] bytes() {
        return bytes;
    }

    private static int place() {
        return (int) Thread.currentThread().getId() & (KEPT - 1);
    }
}
