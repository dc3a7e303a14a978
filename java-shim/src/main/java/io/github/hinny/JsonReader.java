package io.github.hinny;

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
     * @throws JsonMalformedException if it is malformed, or beyond a limit
     */
    public static Object read(final byte[] input, final int from, final int length, final JsonReadSettings settings) {
        JsonInput.checkLength(length, settings.maxBytes());
        final CodecOutput output = CodecOutput.take();
        try {
            final int result = output.decode(Results.CODEC_JSON, input, from, length, settings.bits());
            if (result != Results.MALFORMED) {
                return value(input, from, output.bytes(), 0, settings.keys());
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
        return new JsonBuilder(input, inputFrom, tape, keys).value(tapeFrom);
    }
}
