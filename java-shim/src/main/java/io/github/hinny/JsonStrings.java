package io.github.hinny;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;

/**
 * Writes strings: quoted, escaped, as UTF-8. A surrogate without its other half is written as U+FFFD, so the text is
 * always well-formed.
 *
 * <p>A short string goes character by character. A longer one is encoded by the JDK, which does it by vectors, part by
 * part and as Latin-1; then eight bytes at a time are looked at for what Latin-1 and UTF-8 write differently and for what
 * is escaped. From the first such byte on, the part goes character by character.
 *
 * <p>One of a writer's own; not thread-safe. Makes no garbage.
 */
final class JsonStrings {
    /** Characters; for fewer than these the JDK's encoder costs more than it saves. */
    private static final int SHORT = 16;

    /** Characters encoded at once, at least {@link #SHORT}. */
    private static final int PART = 512;

    private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** A larger array is not kept from the garbage collector. */
    private static final int KEPT_BYTES = 1 << 20;

    private static final ByteBuffer NO_BYTES = ByteBuffer.allocate(0);
    private static final char REPLACEMENT = '\uFFFD';

    private final char[] part = new char[PART];
    private final CharBuffer partView = CharBuffer.wrap(part);
    private final CharsetEncoder latin1 = StandardCharsets.ISO_8859_1.newEncoder();
    private ByteBuffer bytesView = NO_BYTES;

    /** Writes a string. */
    void write(final String text, final JsonEscapes escapes, final JsonBuffer out) {
        final int length = text.length();
        if (length < SHORT) {
            writeShort(text, length, escapes, out);
        } else {
            writeLong(text, length, escapes, out);
        }
    }

    /** Forgets the array that was written last, if it is large. */
    void forget() {
        if (bytesView.capacity() > KEPT_BYTES) {
            bytesView = NO_BYTES;
        }
    }

    private void writeShort(final String text, final int length, final JsonEscapes escapes, final JsonBuffer out) {
        out.need(length + 2);
        final byte[] bytes = out.bytes;
        final byte[] table = escapes.table;
        int at = out.at;
        bytes[at++] = '"';
        for (int i = 0; i < length; i++) {
            final char ch = text.charAt(i);
            if (ch >= 0x80 || table[ch] != JsonEscapes.NONE) {
                out.at = at;
                text.getChars(i, length, part, 0);
                writePart(0, length - i, true, escapes, out);
                out.bytes[out.at++] = '"';
                return;
            }
            bytes[at++] = (byte) ch;
        }
        bytes[at] = '"';
        out.at = at + 1;
    }

    private void writeLong(final String text, final int length, final JsonEscapes escapes, final JsonBuffer out) {
        out.put('"');
        for (int i = 0; i < length; ) {
            final int count = Math.min(length - i, PART);
            text.getChars(i, i + count, part, 0);
            final int plain = escapes.least ? writePlain(count, out) : 0;
            i += plain;
            if (plain < count) {
                i += writePart(plain, count, i + count - plain == length, escapes, out);
            }
        }
        out.put('"');
    }

    /**
     * Writes characters of the part up to the first one, or at most seven before it, that is not written as one byte of
     * the same value.
     *
     * @return how many
     */
    private int writePlain(final int count, final JsonBuffer out) {
        out.need(count);
        final byte[] bytes = out.bytes;
        final int start = out.at;
        if (bytesView.array() != bytes) {
            bytesView = ByteBuffer.wrap(bytes);
        }
        bytesView.limit(bytes.length).position(start);
        partView.limit(count).position(0);
        latin1.reset().encode(partView, bytesView, true);
        final int encoded = start + partView.position();
        int at = start;
        while (at <= encoded - 8 && special((long) WORD.get(bytes, at)) == 0) {
            at += 8;
        }
        if (encoded - at < 8) {
            // The slack takes the blanks that fill the last word up.
            WORD.set(bytes, encoded, 0x2020202020202020L);
            if (special((long) WORD.get(bytes, at)) == 0) {
                at = encoded;
            }
        }
        out.at = at;
        return at - start;
    }

    /**
     * Returns 0 if none of eight bytes is a control character, quotation mark, backslash or beyond ASCII. The quotation
     * mark is 0x22: with the bit 2 turned it is 0x20, next to the control characters, which turn into one another.
     */
    private static long special(final long word) {
        return (word
                        | (word ^ 0x0202020202020202L) - 0x2121212121212121L
                        | (word ^ 0x5C5C5C5C5C5C5C5CL) - 0x0101010101010101L)
                & 0x8080808080808080L;
    }

    /**
     * Writes the characters {@code from} to {@code to} of the part, one by one.
     *
     * @param last whether nothing of the string comes after them; else half a surrogate pair at the end is left for later
     * @return how many
     */
    private int writePart(
            final int from, final int to, final boolean last, final JsonEscapes escapes, final JsonBuffer out) {
        out.need(6 * (to - from) + 1);
        final byte[] bytes = out.bytes;
        final byte[] table = escapes.table;
        int at = out.at;
        for (int i = from; i < to; i++) {
            char ch = part[i];
            if (ch < 0x80) {
                final byte escape = table[ch];
                if (escape == JsonEscapes.NONE) {
                    bytes[at++] = (byte) ch;
                } else if (escape == JsonEscapes.HEX) {
                    at = JsonEscapes.putHex(bytes, at, ch);
                } else {
                    bytes[at] = '\\';
                    bytes[at + 1] = escape;
                    at += 2;
                }
                continue;
            }
            if (Character.isSurrogate(ch)) {
                if (Character.isHighSurrogate(ch)) {
                    if (i + 1 < to && Character.isLowSurrogate(part[i + 1])) {
                        at = putPair(bytes, at, ch, part[++i], escapes);
                        continue;
                    }
                    if (i + 1 == to && !last) {
                        out.at = at;
                        return i - from;
                    }
                }
                ch = REPLACEMENT;
            }
            if (escapes.isEscaped(ch)) {
                at = JsonEscapes.putHex(bytes, at, ch);
            } else if (ch < 0x800) {
                bytes[at] = (byte) (0xC0 | ch >> 6);
                bytes[at + 1] = (byte) (0x80 | ch & 0x3F);
                at += 2;
            } else {
                bytes[at] = (byte) (0xE0 | ch >> 12);
                bytes[at + 1] = (byte) (0x80 | ch >> 6 & 0x3F);
                bytes[at + 2] = (byte) (0x80 | ch & 0x3F);
                at += 3;
            }
        }
        out.at = at;
        return to - from;
    }

    private static int putPair(
            final byte[] bytes, final int at, final char high, final char low, final JsonEscapes escapes) {
        if (escapes.unicode) {
            return JsonEscapes.putHex(bytes, JsonEscapes.putHex(bytes, at, high), low);
        }
        final int codePoint = Character.toCodePoint(high, low);
        bytes[at] = (byte) (0xF0 | codePoint >> 18);
        bytes[at + 1] = (byte) (0x80 | codePoint >> 12 & 0x3F);
        bytes[at + 2] = (byte) (0x80 | codePoint >> 6 & 0x3F);
        bytes[at + 3] = (byte) (0x80 | codePoint & 0x3F);
        return at + 4;
    }
}
