package io.github.hinny;

import clojure.lang.IPersistentMap;
import clojure.lang.PersistentArrayMap;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * Reads the parameters of a short query string or form out of its bytes.
 *
 * <p>The rules are those of the native codec ({@code native/codec/src/params.rs}); a test holds the two together. A few
 * Strings are cut out of the bytes sooner than a call out of the JVM and back takes.
 *
 * <p>Names come again and again, so they are looked for among those that are kept: see {@link JsonKeyDecoder}.
 *
 * <p>Not thread-safe; of one use. Holds no native memory.
 */
final class FormBytes {
    private static final int EXPECTED_PARAMS = 8;

    private static final int NAME_STOP = 1;
    private static final int VALUE_STOP = 2;
    private static final int ESCAPE = 4;

    /** What each byte ends or begins. */
    private static final byte[] STOPS = new byte[1 << Byte.SIZE];

    static {
        STOPS['&'] = NAME_STOP | VALUE_STOP;
        STOPS['='] = NAME_STOP;
        STOPS['%'] = ESCAPE;
        STOPS['+'] = ESCAPE;
    }

    private final byte[] bytes;
    private final int end;
    private final Charset charset;
    private int at;

    /** All bytes that are not escaped, one over the other; negative if one is not ASCII. */
    private int plain;

    private byte[] decoded;

    /** For {@code bytes[from .. from + length)} in UTF-8, ISO-8859-1 or US-ASCII. */
    FormBytes(final byte[] bytes, final int from, final int length, final Charset charset) {
        this.bytes = bytes;
        this.at = from;
        this.end = from + length;
        this.charset = charset;
    }

    /** Returns the parameters, null if there are more than {@code most}, or if they are hostile, or if it {@link #takesText}. */
    IPersistentMap params(final int most) {
        if (!hasEqualsSign()) {
            return PersistentArrayMap.EMPTY;
        }
        final ParamsBuilder params = new ParamsBuilder(EXPECTED_PARAMS);
        int count = 0;
        while (at < end) {
            if (bytes[at] == '&') {
                at++;
                continue;
            }
            final String name = next(true);
            String value = "";
            if (name != null && at < end && bytes[at] == '=') {
                at++;
                value = next(false);
            }
            if (name == null || value == null) {
                skipPiece();
            } else if (count++ == most) {
                return null;
            } else {
                params.add(name, value);
            }
        }
        return takesText() ? null : params.build();
    }

    /**
     * Returns whether it takes {@link FormText} to do what Ring does, because bytes that are not ASCII are not escaped.
     */
    boolean takesText() {
        return plain < 0 && charset != StandardCharsets.ISO_8859_1;
    }

    private boolean hasEqualsSign() {
        for (int i = at; i < end; i++) {
            if (bytes[i] == '=') {
                return true;
            }
        }
        return false;
    }

    private void skipPiece() {
        while (at < end && bytes[at] != '&') {
            plain |= bytes[at++];
        }
    }

    /** Returns the name or the value at {@link #at}, and goes to its end; null if an escape in it is bad. */
    private String next(final boolean isName) {
        final int from = at;
        final int stops = isName ? NAME_STOP | ESCAPE : VALUE_STOP | ESCAPE;
        int to = from;
        int all = 0;
        int stop = 0;
        while (to < end) {
            final byte b = bytes[to];
            stop = STOPS[b & 0xFF] & stops;
            if (stop != 0) {
                break;
            }
            all |= b;
            to++;
        }
        at = to;
        plain |= all;
        if ((stop & ESCAPE) != 0) {
            return decode(from, isName);
        }
        if (from == to) {
            return "";
        }
        return isName && all >= 0
                ? JsonKeyDecoder.string(bytes, from, to - from)
                : Records.latin1(bytes, from, to - from);
    }

    /** Goes on with a text that began at {@code from}, from its first escape on. */
    private String decode(final int from, final boolean isName) {
        if (decoded == null) {
            decoded = new byte[end - from];
        }
        int length = at - from;
        System.arraycopy(bytes, from, decoded, 0, length);
        int escaped = 0;
        while (at < end) {
            final byte b = bytes[at];
            if (b == '&' || b == '=' && isName) {
                break;
            }
            if (b == '%') {
                final int value = at + 2 < end ? digit(bytes[at + 1]) << 4 | digit(bytes[at + 2]) : -1;
                if (value < 0) {
                    return null;
                }
                decoded[length++] = (byte) value;
                escaped |= value;
                at += 3;
            } else {
                decoded[length++] = b == '+' ? (byte) ' ' : b;
                plain |= b;
                at++;
            }
        }
        return escaped < 0x80 ? Records.latin1(decoded, 0, length) : new String(decoded, 0, length, charset);
    }

    private static int digit(final byte b) {
        if (b >= '0' && b <= '9') {
            return b - '0';
        }
        final int lower = b | 0x20;
        return lower >= 'a' && lower <= 'f' && b > 0 ? lower - 'a' + 10 : -1;
    }
}
