package io.github.hinny;

import clojure.lang.Keyword;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A key that is looked up in objects that are still on the tape.
 *
 * <p>Immutable; any thread may use it. The last ones that were asked for are kept, at most {@link #PLACES} of at most
 * {@link #BYTES_MAX} bytes.
 */
final class JsonLookup {
    private static final int PLACES = 1 << 10;
    private static final int BYTES_MAX = 64;
    private static final JsonLookup[] KNOWN = new JsonLookup[PLACES];

    /** The bits of a key's word that are its length and its hash. */
    private static final int WORD_MASK = 0xFFFF_FF00;

    private final Object key;
    private final String text;
    private final byte[] bytes;
    private final int wordBits;

    private JsonLookup(final Object key, final String text, final byte[] bytes) {
        this.key = key;
        this.text = text;
        this.bytes = bytes;
        this.wordBits =
                bytes.length <= Results.JSON_KEY_BYTES_MAX ? hash(bytes, 0, bytes.length) << 16 | bytes.length << 8 : 0;
    }

    /** Returns the lookup of a string, or of a keyword that {@code keyword} makes of a string; null for other keys. */
    static JsonLookup of(final Object key) {
        final int place = key.hashCode() & PLACES - 1;
        final JsonLookup known = KNOWN[place];
        if (known != null && known.key.equals(key)) {
            return known;
        }
        final String text = key instanceof Keyword ? ((Keyword) key).sym.toString() : (String) key;
        if (key instanceof Keyword && Keyword.find(text) != key) {
            return null;
        }
        final JsonLookup lookup = new JsonLookup(key, text, text.getBytes(StandardCharsets.UTF_8));
        if (lookup.bytes.length <= BYTES_MAX) {
            KNOWN[place] = lookup;
        }
        return lookup;
    }

    /** Returns whether the key with this word is the one. */
    boolean is(final JsonDocument document, final long word, final int at) {
        if ((byte) word == Results.JSON_KEY_HERE) {
            return text.equals(JsonTape.here(document.tape(), at, word));
        }
        if (((int) word & WORD_MASK) != wordBits) {
            return false;
        }
        final int from = document.inputFrom() + (int) (word >>> 32);
        return Arrays.equals(bytes, 0, bytes.length, document.input(), from, from + bytes.length);
    }

    /** As Rust's {@code hash} of a key. */
    static int hash(final byte[] bytes, final int at, final int length) {
        final long first;
        final long last;
        if (length >= Long.BYTES) {
            first = Records.u64(bytes, at);
            last = Records.u64(bytes, at + length - Long.BYTES);
        } else {
            first = JsonKeyDecoder.few(bytes, at, length);
            last = first;
        }
        final long mixed = (first ^ Long.rotateLeft(last, 29)) + length;
        return (int) (mixed * 0x9E37_79B9_7F4A_7C15L >>> 48);
    }
}
