package io.github.hinny;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;

/**
 * The bytes of a JSON text, wherever it comes from.
 *
 * <p>Stateless; any thread may use it.
 */
public final class JsonInput {
    private static final int CHUNK_CHARS = 8 << 10;

    private JsonInput() {}

    /**
     * Returns a text in UTF-8.
     *
     * @throws JsonMalformedException if it has half a surrogate pair
     */
    public static byte[] bytes(final String text) {
        final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < text.length(); i++) {
            final char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                final boolean isPair = Character.isHighSurrogate(c)
                        && i + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(i + 1));
                if (!isPair) {
                    final int position = text.substring(0, i).getBytes(StandardCharsets.UTF_8).length;
                    throw new JsonMalformedException(position, Results.JSON_BAD_SURROGATE);
                }
                i++;
            }
        }
        return bytes;
    }

    /**
     * Reads a stream to its end.
     *
     * @throws JsonMalformedException if it has more than {@code maxBytes}
     */
    public static byte[] bytes(final InputStream stream, final int maxBytes) throws IOException {
        final byte[] bytes = stream.readNBytes(maxBytes + 1);
        checkLength(bytes.length, maxBytes);
        return bytes;
    }

    /**
     * Reads a reader to its end.
     *
     * @throws JsonMalformedException if it has more than {@code maxBytes} characters, or half a surrogate pair
     */
    public static byte[] bytes(final Reader reader, final int maxBytes) throws IOException {
        final StringBuilder text = new StringBuilder();
        final char[] chunk = new char[CHUNK_CHARS];
        for (int length = reader.read(chunk); length >= 0; length = reader.read(chunk)) {
            text.append(chunk, 0, length);
            checkLength(text.length(), maxBytes);
        }
        return bytes(text.toString());
    }

    /** Throws if a text is longer than allowed. */
    static void checkLength(final int length, final int maxBytes) {
        if (length > maxBytes) {
            throw new JsonMalformedException(maxBytes, Results.JSON_BAD_LENGTH);
        }
    }
}
