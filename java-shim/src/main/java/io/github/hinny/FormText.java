package io.github.hinny;

import clojure.lang.IPersistentMap;
import clojure.lang.PersistentArrayMap;
import java.nio.charset.Charset;

/**
 * Reads the parameters of a query string or form that is text already, in any charset.
 *
 * <p>The rules are those of the native codec ({@code native/codec/src/params.rs}) and so ring-codec's; besides, a run of
 * escapes is decoded by itself in the charset, and every other character stands for itself.
 *
 * <p>Not thread-safe; of one use. Holds no native memory.
 */
final class FormText {
    private static final int EXPECTED_PARAMS = 8;

    private final String text;
    private final Charset charset;
    private StringBuilder decoded;
    private byte[] run;

    FormText(final String text, final Charset charset) {
        this.text = text;
        this.charset = charset;
    }

    /** Returns the parameters, null if there are more than {@code most}, or if they are hostile. */
    IPersistentMap params(final int most) {
        if (text.indexOf('=') < 0) {
            return PersistentArrayMap.EMPTY;
        }
        final ParamsBuilder params = new ParamsBuilder(EXPECTED_PARAMS);
        int count = 0;
        int from = 0;
        while (from < text.length()) {
            final int ampersand = text.indexOf('&', from);
            final int to = ampersand < 0 ? text.length() : ampersand;
            if (from < to) {
                final int equals = equalsSign(from, to);
                final String name = decode(from, equals);
                final String value = name == null || equals == to ? "" : decode(equals + 1, to);
                if (name != null && value != null) {
                    if (count++ == most) {
                        return null;
                    }
                    params.add(name, value);
                }
            }
            from = to + 1;
        }
        return params.build();
    }

    /** Returns where the first {@code =} is, {@code to} if there is none. */
    private int equalsSign(final int from, final int to) {
        int at = from;
        while (at < to && text.charAt(at) != '=') {
            at++;
        }
        return at;
    }

    /** Returns what a part of the text means, null if an escape in it has not two hexadecimal digits. */
    private String decode(final int from, final int to) {
        int at = plainEnd(from, to);
        if (at == to) {
            return text.substring(from, to);
        }
        if (decoded == null) {
            decoded = new StringBuilder(Math.max(to - from, 64));
        }
        decoded.setLength(0);
        int plain = from;
        while (at < to) {
            decoded.append(text, plain, at);
            if (text.charAt(at) == '+') {
                decoded.append(' ');
                at++;
            } else {
                at = appendRun(at, to);
                if (at < 0) {
                    return null;
                }
            }
            plain = at;
            at = plainEnd(at, to);
        }
        return decoded.append(text, plain, to).toString();
    }

    private int plainEnd(final int from, final int to) {
        int at = from;
        while (at < to && text.charAt(at) != '%' && text.charAt(at) != '+') {
            at++;
        }
        return at;
    }

    /** Appends the escapes from {@code from} on that follow one another; returns where they end, -1 if one is bad. */
    private int appendRun(final int from, final int to) {
        if (run == null || run.length < (to - from) / 3) {
            run = new byte[Math.max((to - from) / 3, 16)];
        }
        int length = 0;
        int at = from;
        while (at < to && text.charAt(at) == '%') {
            if (at + 2 >= to) {
                return -1;
            }
            final int high = digit(text.charAt(at + 1));
            final int low = digit(text.charAt(at + 2));
            if ((high | low) < 0) {
                return -1;
            }
            run[length++] = (byte) (high << 4 | low);
            at += 3;
        }
        decoded.append(new String(run, 0, length, charset));
        return at;
    }

    private static int digit(final char c) {
        return c < 0x80 ? Character.digit(c, 16) : -1;
    }
}
