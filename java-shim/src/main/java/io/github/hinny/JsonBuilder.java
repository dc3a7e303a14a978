package io.github.hinny;

import clojure.lang.PersistentVector;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Makes Clojure values of a tape: vectors, maps, strings, longs, doubles, booleans, nil.
 *
 * <p>One loop over the words, without recursion: the tape says how many entries an object or array has, so they are put
 * where they will stay, and the arrays of those that are open are on a stack. Used once, by one thread.
 */
final class JsonBuilder {
    private static final int FIRST_DEPTH = 4;

    /** Entries of the largest vector that is one array. */
    private static final int VECTOR_TAIL = 32;

    private final byte[] input;
    private final int inputFrom;
    private final byte[] tape;
    private final JsonKeyDecoder keys;
    private final JsonDocument lazy;

    /** See {@link JsonMaps#map}; null until there is an array, whose objects may be alike. */
    private Object[][] knownKeys;

    /**
     * Makes a builder.
     *
     * @param inputFrom where in {@code input} the text starts
     * @param lazy the document, if objects are to be lazy, otherwise null
     */
    JsonBuilder(
            final byte[] input,
            final int inputFrom,
            final byte[] tape,
            final JsonKeyDecoder keys,
            final JsonDocument lazy) {
        this.input = input;
        this.inputFrom = inputFrom;
        this.tape = tape;
        this.keys = keys;
        this.lazy = lazy;
    }

    /** Returns the value whose first word is at {@code start} in the tape. */
    Object value(final int start) {
        int at = start;
        // The entries of the innermost open object or array, and how many there are so far; null outside of any.
        Object[] entries = null;
        int count = 0;
        Object[][] around = new Object[FIRST_DEPTH][];
        int[] counts = new int[FIRST_DEPTH];
        int depth = 0;
        long lastKey = 0;
        while (true) {
            final long word = Records.u64(tape, at);
            at += Results.JSON_WORD_SIZE;
            final Object value;
            switch ((byte) word) {
                case Results.JSON_KEY_ASCII, Results.JSON_KEY_UTF8 -> {
                    lastKey = word;
                    value = keys.of(input, inputFrom + (int) (word >>> 32), word);
                }
                case Results.JSON_KEY_HERE -> {
                    final int length = (int) (word >>> 32);
                    value = keys.of(new String(tape, at, length, StandardCharsets.UTF_8));
                    at += JsonTape.padded(length);
                }
                case Results.JSON_OBJECT, Results.JSON_ARRAY -> {
                    final int size = JsonTape.entries(tape, at - Results.JSON_WORD_SIZE, word);
                    if (lazy != null && (byte) word == Results.JSON_OBJECT && size > 0) {
                        value = new LazyJsonMap(lazy, at - Results.JSON_WORD_SIZE, size);
                        at = JsonTape.end(at, word);
                        break;
                    }
                    if (depth == counts.length) {
                        around = Arrays.copyOf(around, 2 * depth);
                        counts = Arrays.copyOf(counts, 2 * depth);
                    }
                    if (knownKeys == null && (byte) word == Results.JSON_ARRAY && size > 1) {
                        knownKeys = new Object[JsonMaps.ARRAY_MAP_ENTRIES + 1][];
                    }
                    around[depth] = entries;
                    counts[depth++] = count;
                    entries = new Object[(byte) word == Results.JSON_OBJECT ? 2 * size : size];
                    count = 0;
                    continue;
                }
                case Results.JSON_OBJECT_END -> {
                    value = JsonMaps.map(entries, knownKeys);
                    if (value == null) {
                        throw new JsonMalformedException((int) (lastKey >>> 32), Results.JSON_BAD_HASHES);
                    }
                    entries = around[--depth];
                    count = counts[depth];
                }
                case Results.JSON_ARRAY_END -> {
                    value = vector(entries);
                    entries = around[--depth];
                    count = counts[depth];
                }
                case Results.JSON_STRING_ASCII ->
                    value = Records.latin1(input, inputFrom + (int) (word >>> 32), (int) word >>> 8);
                case Results.JSON_LONG -> value = word >> 8;
                case Results.JSON_DOUBLE -> {
                    value = Double.longBitsToDouble(Records.u64(tape, at));
                    at += Results.JSON_WORD_SIZE;
                }
                case Results.JSON_TRUE -> value = Boolean.TRUE;
                case Results.JSON_FALSE -> value = Boolean.FALSE;
                case Results.JSON_NULL -> value = null;
                case Results.JSON_STRING_HERE -> {
                    final int length = (int) (word >>> 32);
                    value = new String(tape, at, length, StandardCharsets.UTF_8);
                    at += JsonTape.padded(length);
                }
                case Results.JSON_LONG_WIDE -> {
                    value = Records.u64(tape, at);
                    at += Results.JSON_WORD_SIZE;
                }
                default -> value = JsonTape.scalar(input, inputFrom, word);
            }
            if (entries == null) {
                return value;
            }
            entries[count++] = value;
        }
    }

    private static PersistentVector vector(final Object[] entries) {
        if (entries.length == 0) {
            return PersistentVector.EMPTY;
        }
        return entries.length <= VECTOR_TAIL ? PersistentVector.adopt(entries) : PersistentVector.create(entries);
    }
}
