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
     * @param settings the depth that is allowed, and {@link Results#JSON_BIG_DECIMALS}
     * @throws JsonMalformedException if it is malformed, or beyond a limit
     */
    public static Object read(
            final byte[] input, final int from, final int length, final JsonKeyDecoder keys, final int settings) {
        final CodecOutput output = CodecOutput.take();
        try {
            check(output, output.decode(Results.CODEC_JSON, input, from, length, settings));
            return new JsonBuilder(input, from, output.bytes(), keys).value(0);
        } finally {
            output.release();
        }
    }

    private static void check(final CodecOutput output, final int result) {
        if (result == Results.MALFORMED) {
            final byte[] what = output.bytes();
            throw new JsonMalformedException(
                    Records.u32(what, Results.MALFORMED_POSITION), Records.u8(what, Results.MALFORMED_REASON));
        }
    }
}
