package io.github.hinny;

import static io.github.hinny.Results.PARAMS_ENTRIES;
import static io.github.hinny.Results.PARAMS_ENTRY_SIZE;
import static io.github.hinny.Results.PARAMS_NAME_LENGTH;
import static io.github.hinny.Results.PARAMS_NOT_ASCII;
import static io.github.hinny.Results.PARAMS_VALUE_LENGTH;

import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * Query strings, forms and cookies to Clojure maps, as Ring gives them.
 *
 * <p>Names and values are Strings; a name that comes again has a vector of its values. The native codecs read
 * cookies and long forms, {@link FormBytes} reads short ones, and {@link FormText} what is text already or in a charset
 * that has a say in what separates; all by the same rules.
 *
 * <p>Every method returns null for an input of more parameters than the caller wants, or with many names of one hash,
 * which somebody has chosen so that each takes longer than the one before.
 *
 * <p>Stateless; any thread may use it. Holds no native memory.
 */
public final class Params {
    /** What is longer than this goes to the native codec; measured in benches/middleware. */
    private static final int SHORT_BYTES = 512;

    private static final Keyword VALUE = Keyword.intern(null, "value");

    private Params() {}

    /**
     * Returns the parameters of a query string or form.
     *
     * @param most positive; null is returned for more
     */
    public static IPersistentMap ofForm(final String text, final Charset charset, final int most) {
        return new FormText(text, charset).params(most);
    }

    /**
     * Returns the parameters of a form in {@code bytes[from .. from + length)}.
     *
     * @param most positive; null is returned for more
     */
    public static IPersistentMap ofForm(
            final byte[] bytes, final int from, final int length, final Charset charset, final int most) {
        return ofBytes(bytes, from, length, charset, charset, most);
    }

    /** As {@link #ofForm(byte[], int, int, Charset, int)}, of a query string, of which only the escapes are in the charset. */
    static IPersistentMap ofQuery(
            final byte[] bytes, final int from, final int length, final Charset charset, final int most) {
        return ofBytes(bytes, from, length, charset, StandardCharsets.ISO_8859_1, most);
    }

    private static IPersistentMap ofBytes(
            final byte[] bytes,
            final int from,
            final int length,
            final Charset charset,
            final Charset textCharset,
            final int most) {
        if (isOfBytes(charset) && length <= SHORT_BYTES) {
            final FormBytes form = new FormBytes(bytes, from, length, charset);
            final IPersistentMap params = form.params(most);
            if (!form.takesText()) {
                return params;
            }
        } else if (isOfBytes(charset)) {
            final CodecOutput output = CodecOutput.take();
            try {
                if (output.decode(Results.CODEC_PARAMS, bytes, from, length, most) == Results.MALFORMED) {
                    return null;
                }
                final IPersistentMap params = ofResult(output.bytes(), 0, charset);
                if (params != null) {
                    return params;
                }
            } finally {
                output.release();
            }
        }
        return ofForm(new String(bytes, from, length, textCharset), charset, most);
    }

    /**
     * Returns the parameters in a result of the codec that starts at {@code from}; null if it takes {@link
     * #ofForm(String, Charset, int)} to do what Ring does, because of bytes that were not
     * percent-encoded; or if it is hostile.
     *
     * @param charset UTF-8, ISO-8859-1 or US-ASCII
     */
    static IPersistentMap ofResult(final byte[] result, final int from, final Charset charset) {
        final int head = Records.u32(result, from);
        if ((head & Results.PARAMS_RAW) != 0 && charset != StandardCharsets.ISO_8859_1) {
            return null;
        }
        final int count = head & ~Results.PARAMS_RAW;
        final ParamsBuilder params = new ParamsBuilder(count);
        int at = from + PARAMS_ENTRIES;
        for (int i = 0; i < count; i++) {
            final int name = Records.u32(result, at + PARAMS_NAME_LENGTH);
            final int value = Records.u32(result, at + PARAMS_VALUE_LENGTH);
            final int nameAt = at + PARAMS_ENTRY_SIZE;
            final int valueAt = nameAt + (name & ~PARAMS_NOT_ASCII);
            params.add(text(result, nameAt, name, charset), text(result, valueAt, value, charset));
            at = valueAt + (value & ~PARAMS_NOT_ASCII);
        }
        return params.build();
    }

    /**
     * Returns the cookies of a Cookie header: a map of name to {@code {:value value}}; of a name that comes again, the last.
     *
     * @param most positive; null is returned for more
     */
    public static IPersistentMap ofCookies(final String header, final int most) {
        final byte[] bytes = header.getBytes(StandardCharsets.UTF_8);
        return ofCookies(bytes, 0, bytes.length, most);
    }

    /** As {@link #ofCookies(String, int)}, of {@code bytes[from .. from + length)}. */
    static IPersistentMap ofCookies(final byte[] bytes, final int from, final int length, final int most) {
        final CodecOutput output = CodecOutput.take();
        try {
            return output.decode(Results.CODEC_COOKIES, bytes, from, length, most) == Results.MALFORMED
                    ? null
                    : cookies(output.bytes());
        } finally {
            output.release();
        }
    }

    /**
     * Returns names and values of the cookies in a Cookie header, in turn; the values without quotes, but still encoded.
     *
     * @param most positive; null is returned for more
     */
    public static String[] encodedCookies(final String header, final int most) {
        final byte[] bytes = header.getBytes(StandardCharsets.UTF_8);
        final long settings = most | 1L << Results.COOKIES_SETTING_ENCODED_BIT;
        final CodecOutput output = CodecOutput.take();
        try {
            return output.decode(Results.CODEC_COOKIES, bytes, 0, bytes.length, settings) == Results.MALFORMED
                    ? null
                    : texts(output.bytes());
        } finally {
            output.release();
        }
    }

    private static IPersistentMap cookies(final byte[] result) {
        final String[] texts = texts(result);
        final ParamsBuilder cookies = new ParamsBuilder(texts.length / 2);
        for (int i = 0; i < texts.length; i += 2) {
            cookies.put(texts[i], new PersistentArrayMap(new Object[] {VALUE, texts[i + 1]}));
        }
        return cookies.build();
    }

    private static String[] texts(final byte[] result) {
        final String[] texts = new String[2 * Records.u32(result, Results.PARAMS_COUNT)];
        int at = PARAMS_ENTRIES;
        for (int i = 0; i < texts.length; i += 2) {
            final int name = Records.u32(result, at + PARAMS_NAME_LENGTH);
            final int value = Records.u32(result, at + PARAMS_VALUE_LENGTH);
            at += PARAMS_ENTRY_SIZE;
            texts[i] = Records.latin1(result, at, name);
            at += name;
            texts[i + 1] = text(result, at, value, StandardCharsets.UTF_8);
            at += value & ~PARAMS_NOT_ASCII;
        }
        return texts;
    }

    private static String text(final byte[] bytes, final int from, final int length, final Charset charset) {
        return length >= 0
                ? Records.latin1(bytes, from, length)
                : new String(bytes, from, length & ~PARAMS_NOT_ASCII, charset);
    }

    /** Returns whether texts may be cut out of the encoded bytes: ASCII is ASCII, and each text can be read alone. */
    private static boolean isOfBytes(final Charset charset) {
        return charset == StandardCharsets.UTF_8
                || charset == StandardCharsets.ISO_8859_1
                || charset == StandardCharsets.US_ASCII;
    }
}
