package io.github.hinny.bench;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The object that {@code /json} of the rivals in Java answers. */
public record Message(String message) {
    private static final byte[] BEFORE = "{\"message\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] AFTER = "\"}".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final int ESCAPED_BYTES = 6;

    /** Serialises as code does that was generated for this class: the name is a constant, the text is looked through. */
    public byte[] toJson() {
        byte[] json = new byte[BEFORE.length + message.length() * ESCAPED_BYTES + AFTER.length];
        System.arraycopy(BEFORE, 0, json, 0, BEFORE.length);
        int end = BEFORE.length;
        for (int index = 0; index < message.length(); index++) {
            end = append(json, end, message.charAt(index));
        }
        System.arraycopy(AFTER, 0, json, end, AFTER.length);
        return Arrays.copyOf(json, end + AFTER.length);
    }

    private static int append(byte[] json, int end, char character) {
        if (character >= ' ' && character < 127 && character != '"' && character != '\\') {
            json[end] = (byte) character;
            return end + 1;
        }
        json[end] = '\\';
        json[end + 1] = 'u';
        for (int digit = 0; digit < 4; digit++) {
            json[end + 2 + digit] = HEX[(character >> (12 - 4 * digit)) & 0xf];
        }
        return end + ESCAPED_BYTES;
    }
}
