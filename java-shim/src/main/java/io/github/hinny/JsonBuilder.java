package io.github.hinny;

import clojure.lang.IPersistentMap;
import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentVector;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Makes Clojure values of a tape: vectors, maps, strings, longs, doubles, booleans, nil.
 *
 * <p>One loop over the values, without recursion: the tape says how many entries an object or array has, so they are put
 * where they will stay, its end is where that array is full, and the arrays of those that are open are on a stack. Used
 * once, by one thread.
 */
final class JsonBuilder {
    private static final int FIRST_DEPTH = 4;

    private static final Object[][] NONE_AROUND = {};
    private static final int[] NO_COUNTS = {};

    /** Entries of the largest vector that is one array. */
    private static final int VECTOR_TAIL = 32;

    private final byte[] input;
    private final int inputFrom;
    private final byte[] tape;
    private final JsonKeyDecoder keys;
    private final JsonDocument lazy;

    /** See {@link ClientMaps#map}; null until there is an array, whose objects may be alike. */
    private Object[][] knownKeys;

    /** The entries of the objects and arrays around the open one, as far as they are known. */
    private Object[][] around = NONE_AROUND;

    /** How many there are so far; the complement for an object. */
    private int[] counts = NO_COUNTS;

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
        boolean isObject = false;
        int depth = 0;
        long lastKey = 0;
        while (true) {
            if (isObject) {
                final long word = Records.u64(tape, at);
                at += Results.JSON_WORD_SIZE;
                if ((byte) word == Results.JSON_KEY_HERE) {
                    final int length = (int) (word >>> 32);
                    final String key = new String(tape, at, length, StandardCharsets.UTF_8);
                    entries[count++] = keys.of(key, (int) (lastKey >>> 32));
                    at += JsonTape.padded(length);
                } else {
                    lastKey = word;
                    entries[count++] = keys.of(input, inputFrom + (int) (word >>> 32), word);
                }
            }
            final long word = Records.u64(tape, at);
            at += Results.JSON_WORD_SIZE;
            Object value;
            switch ((byte) word) {
                case Results.JSON_STRING_ASCII ->
                    value = Records.latin1(input, inputFrom + (int) (word >>> 32), (int) word >>> 8);
                case Results.JSON_LONG -> value = word >> 8;
                case Results.JSON_DOUBLE -> {
                    value = Double.longBitsToDouble(Records.u64(tape, at));
                    at += Results.JSON_WORD_SIZE;
                }
                case Results.JSON_OBJECT, Results.JSON_ARRAY -> {
                    final boolean opensObject = (byte) word == Results.JSON_OBJECT;
                    final int size = JsonTape.entries(tape, at - Results.JSON_WORD_SIZE, word);
                    if (size == 0) {
                        value = opensObject ? PersistentArrayMap.EMPTY : PersistentVector.EMPTY;
                        at += Results.JSON_WORD_SIZE;
                    } else if (opensObject && lazy != null) {
                        value = new LazyJsonMap(lazy, at - Results.JSON_WORD_SIZE, size);
                        at = JsonTape.end(at, word);
                    } else {
                        if (entries != null) {
                            push(depth++, entries, isObject ? ~count : count);
                        }
                        if (knownKeys == null && !opensObject && size > 1) {
                            knownKeys = new Object[ClientMaps.ARRAY_MAP_ENTRIES + 1][];
                        }
                        isObject = opensObject;
                        entries = new Object[isObject ? 2 * size : size];
                        count = 0;
                        continue;
                    }
                }
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
            while (count == entries.length) {
                at += Results.JSON_WORD_SIZE;
                value = isObject ? map(entries, lastKey) : vector(entries);
                if (depth == 0) {
                    return value;
                }
                entries = around[--depth];
                count = counts[depth];
                isObject = count < 0;
                if (isObject) {
                    count = ~count;
                }
                entries[count++] = value;
            }
        }
    }

    /** Remembers an object or array that is open around another one. */
    private void push(final int depth, final Object[] entries, final int count) {
        if (depth == counts.length) {
            around = Arrays.copyOf(around, depth == 0 ? FIRST_DEPTH : 2 * depth);
            counts = Arrays.copyOf(counts, around.length);
        }
        around[depth] = entries;
        counts[depth] = count;
    }

    private IPersistentMap map(final Object[] entries, final long lastKey) {
        final IPersistentMap map = ClientMaps.map(entries, knownKeys);
        if (map == null) {
            throw new JsonMalformedException((int) (lastKey >>> 32), Results.JSON_BAD_HASHES);
        }
        return map;
    }

    private static PersistentVector vector(final Object[] entries) {
        return entries.length <= VECTOR_TAIL ? PersistentVector.adopt(entries) : PersistentVector.create(entries);
    }
}
