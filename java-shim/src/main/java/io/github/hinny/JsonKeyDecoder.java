package io.github.hinny;

import clojure.lang.IFn;
import clojure.lang.Keyword;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What keys of JSON objects become: strings, keywords, or what a function makes of the string.
 *
 * <p>Keys come again and again, so those of at most {@link #BYTES_MAX} bytes are kept, in tables of {@link #PLACES} places
 * for all threads, one for strings and one for keywords. A key that finds no place displaces another: whatever clients
 * send, the tables hold no more than that, and Clojure's own table of keywords holds them weakly. What it may hold of one
 * hash is bounded by {@link ClientKeywords}.
 *
 * <p>Immutable but for the tables; any thread may use it. A table is read and written without a lock: its entries are
 * immutable, and one that a thread does not see, or that is lost, is made again.
 */
public final class JsonKeyDecoder {
    private static final int BYTES_MAX = 64;
    private static final int PLACES = 1 << 12;

    private static final Entry[] STRING_ENTRIES = new Entry[PLACES];
    private static final Entry[] KEYWORD_ENTRIES = new Entry[PLACES];

    /** Keys stay strings. */
    public static final JsonKeyDecoder STRINGS = new JsonKeyDecoder(false, null);

    /** Keys become keywords, as {@code clojure.core/keyword} makes them: {@code "a/b"} is {@code :a/b}. */
    public static final JsonKeyDecoder KEYWORDS = new JsonKeyDecoder(true, null);

    /** The low bytes of a long, by how many. */
    private static final long[] LOW_BYTES = {
        0, 0xFFL, 0xFFFFL, 0xFF_FFFFL, 0xFFFF_FFFFL, 0xFF_FFFF_FFFFL, 0xFFFF_FFFF_FFFFL, 0xFF_FFFF_FFFF_FFFFL
    };

    private final boolean isKeyword;
    private final IFn function;
    private final Entry[] entries;

    /** A key with its bytes: the first eight and the last eight, which may be the same, and all of them. */
    private record Entry(int length, long first, long last, byte[] bytes, Object key) {}

    private JsonKeyDecoder(final boolean isKeyword, final IFn function) {
        this.isKeyword = isKeyword;
        this.function = function;
        this.entries = isKeyword ? KEYWORD_ENTRIES : STRING_ENTRIES;
    }

    /** Returns keys that become what {@code function} returns for the string. */
    public static JsonKeyDecoder of(final IFn function) {
        return new JsonKeyDecoder(false, function);
    }

    /** Returns whether keys become keywords. */
    boolean isKeyword() {
        return isKeyword;
    }

    /** Returns whether keys become what a function makes of them. */
    boolean isFunction() {
        return function != null;
    }

    /**
     * Returns the key for a string.
     *
     * @param position where it is in the text, or near that
     * @throws JsonMalformedException if it cannot become a keyword, see {@link ClientKeywords}
     */
    Object of(final String text, final int position) {
        return function == null ? plain(text, position) : function.invoke(text);
    }

    /**
     * Returns the key that is bytes of the input.
     *
     * @param at where its first byte is in {@code input}
     * @param word its word of the tape
     * @throws JsonMalformedException if it cannot become a keyword, see {@link ClientKeywords}
     */
    Object of(final byte[] input, final int at, final long word) {
        final int length = (int) word >>> 8 & 0xFF;
        final Object key = length <= BYTES_MAX ? known(input, at, length, word) : make(input, at, length, word);
        return function == null ? key : function.invoke(key);
    }

    /** Returns ASCII text as a string, the same one again if it is among those that are kept. */
    static String string(final byte[] input, final int at, final int length) {
        if (length > BYTES_MAX) {
            return Records.latin1(input, at, length);
        }
        final long word = (long) JsonLookup.hash(input, at, length) << 16 | length << 8 | Results.JSON_KEY_ASCII;
        return (String) STRINGS.known(input, at, length, word);
    }

    private Object known(final byte[] input, final int at, final int length, final long word) {
        final long first;
        final long last;
        if (length >= Long.BYTES) {
            first = Records.u64(input, at);
            last = Records.u64(input, at + length - Long.BYTES);
        } else {
            first = few(input, at, length);
            last = first;
        }
        final int place = (int) word >>> 16 & PLACES - 1;
        final Entry entry = entries[place];
        if (entry != null && is(entry, input, at, length, first, last)) {
            return entry.key;
        }
        final Entry other = entries[place ^ 1];
        if (other != null && is(other, input, at, length, first, last)) {
            return other.key;
        }
        final Object key = make(input, at, length, word);
        final byte[] bytes = Arrays.copyOfRange(input, at, at + length);
        entries[place ^ 1] = entry;
        entries[place] = new Entry(length, first, last, bytes, key);
        return key;
    }

    private static boolean is(
            final Entry entry, final byte[] input, final int at, final int length, final long first, final long last) {
        return entry.first == first
                && entry.last == last
                && entry.length == length
                && (length <= 2 * Long.BYTES || Arrays.equals(entry.bytes, 0, length, input, at, at + length));
    }

    /** Returns fewer than eight bytes as a long. */
    static long few(final byte[] input, final int at, final int length) {
        if (at + Long.BYTES <= input.length) {
            return Records.u64(input, at) & LOW_BYTES[length];
        }
        long all = 0;
        for (int i = length - 1; i >= 0; i--) {
            all = all << Byte.SIZE | input[at + i] & 0xFF;
        }
        return all;
    }

    private Object make(final byte[] input, final int at, final int length, final long word) {
        final String text = (byte) word == Results.JSON_KEY_ASCII
                ? Records.latin1(input, at, length)
                : new String(input, at, length, StandardCharsets.UTF_8);
        return plain(text, (int) (word >>> 32));
    }

    private Object plain(final String text, final int position) {
        if (!isKeyword) {
            return text;
        }
        final Keyword keyword = ClientKeywords.of(text);
        if (keyword == null) {
            throw new JsonMalformedException(position, Results.JSON_BAD_HASHES);
        }
        return keyword;
    }
}
