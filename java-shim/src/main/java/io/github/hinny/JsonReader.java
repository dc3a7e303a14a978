package io.github.hinny;

import java.util.Arrays;

/**
 * Reads JSON texts: the native codec makes a tape of the bytes, and {@link JsonBuilder} makes Clojure values of that.
 *
 * <p>Stateless; any thread may use it.
 */
public final class JsonReader {
    private JsonReader() {}

    /**
     * Returns the value of the one JSON text in {@code input[from .. from + length)}.
     *
     * @param isKept whether nobody else will write to {@code input}, so that a lazy value needs no copy of it
     * @throws JsonMalformedException if it is malformed, or beyond a limit
     * @throws IndexOutOfBoundsException if the array has no such part
     */
    public static Object read(
            final byte[] input,
            final int from,
            final int length,
            final boolean isKept,
            final JsonReadSettings settings) {
        JsonInput.checkLength(length, settings.maxBytes());
        final CodecOutput output = CodecOutput.take();
        try {
            final int result = output.decode(Results.CODEC_JSON, input, from, length, settings.bits());
            if (result != Results.MALFORMED) {
                if (!settings.isLazy()) {
                    return value(input, from, output.bytes(), 0, settings.keys());
                }
                final byte[] tape = Arrays.copyOf(output.bytes(), result);
                return isKept
                        ? lazyValue(input, from, tape, 0, settings.keys())
                        : lazyValue(Arrays.copyOfRange(input, from, from + length), 0, tape, 0, settings.keys());
            }
            final int reason = Records.u8(output.bytes(), Results.MALFORMED_REASON);
            if (reason == Results.JSON_BAD_EMPTY && settings.emptyValue() != JsonReadSettings.REFUSED) {
                return settings.emptyValue();
            }
            throw new JsonMalformedException(Records.u32(output.bytes(), Results.MALFORMED_POSITION), reason);
        } finally {
            output.release();
        }
    }

    /** Returns the value of the tape that starts at {@code tapeFrom}, of the text that starts at {@code inputFrom}. */
    static Object value(
            final byte[] input, final int inputFrom, final byte[] tape, final int tapeFrom, final JsonKeyDecoder keys) {
        return new JsonBuilder(input, inputFrom, tape, keys, null).value(tapeFrom);
    }

    /** As {@link #value}, but objects are lazy: nobody may write to the two arrays any more. */
    static Object lazyValue(
            final byte[] input, final int inputFrom, final byte[] tape, final int tapeFrom, final JsonKeyDecoder keys) {
        return new JsonDocument(input, inputFrom, tape, keys).value(tapeFrom);
    }
}
