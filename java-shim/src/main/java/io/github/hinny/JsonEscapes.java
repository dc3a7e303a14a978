package io.github.hinny;

import java.nio.charset.StandardCharsets;

/**
 * Which characters of a string are escaped, and how. RFC 8259 §7 asks for the quotation mark, the backslash and U+0000 to
 * U+001F; a user may ask for more.
 *
 * <p>There is one object for each set of bits, with the {@link JsonKeys} of that set. Immutable; any thread.
 */
public final class JsonEscapes {
    /** A slash becomes {@code \/}. */
    public static final int SLASH = 1;

    /** Characters beyond U+007F become {@code \\u} and four digits, so that the text is ASCII. */
    public static final int UNICODE = 2;

    /** As {@code \\u} and four digits: {@code < > &}, U+2028 and U+2029. */
    public static final int HTML = 4;

    /** The character is written as it is. */
    static final byte NONE = 0;

    /** The character is written as {@code \\u} and four digits. */
    static final byte HEX = 1;

    private static final byte[] HEX_DIGITS = "0123456789ABCDEF".getBytes(StandardCharsets.US_ASCII);
    private static final JsonEscapes[] ALL = new JsonEscapes[8];

    static {
        for (int bits = 0; bits < ALL.length; bits++) {
            ALL[bits] = new JsonEscapes(bits);
        }
    }

    /** For each ASCII character {@link #NONE}, {@link #HEX} or what follows the backslash. */
    final byte[] table = new byte[128];

    /** No more is escaped than JSON asks for. */
    final boolean least;

    /** See {@link #UNICODE}. */
    final boolean unicode;

    /** See {@link #HTML}. */
    final boolean html;

    final JsonKeys keys = new JsonKeys(this);

    private JsonEscapes(final int bits) {
        least = bits == 0;
        unicode = (bits & UNICODE) != 0;
        html = (bits & HTML) != 0;
        for (int ch = 0; ch < ' '; ch++) {
            table[ch] = HEX;
        }
        table['\b'] = 'b';
        table['\t'] = 't';
        table['\n'] = 'n';
        table['\f'] = 'f';
        table['\r'] = 'r';
        table['"'] = '"';
        table['\\'] = '\\';
        if ((bits & SLASH) != 0) {
            table['/'] = '/';
        }
        if (html) {
            table['<'] = HEX;
            table['>'] = HEX;
            table['&'] = HEX;
        }
    }

    static JsonEscapes of(final int bits) {
        return ALL[bits];
    }

    /** Returns whether a character beyond ASCII is written as {@code \\u} and four digits. */
    boolean isEscaped(final char beyondAscii) {
        return unicode || html && (beyondAscii == '\u2028' || beyondAscii == '\u2029');
    }

    /** Writes {@code \\u} and four digits, six bytes, and returns the position behind them. */
    static int putHex(final byte[] bytes, final int at, final char ch) {
        bytes[at] = '\\';
        bytes[at + 1] = 'u';
        bytes[at + 2] = HEX_DIGITS[ch >> 12];
        bytes[at + 3] = HEX_DIGITS[ch >> 8 & 15];
        bytes[at + 4] = HEX_DIGITS[ch >> 4 & 15];
        bytes[at + 5] = HEX_DIGITS[ch & 15];
        return at + 6;
    }
}
