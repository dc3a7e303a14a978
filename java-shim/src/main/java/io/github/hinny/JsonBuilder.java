package io.github.hinny;

import clojure.lang.PersistentVector;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Makes Clojure values of a tape: vectors, maps, strings, longs, doubles, booleans, nil.
 *
 * <p>One loop over the words, without recursion: values are put on a stack, and the end of an object or array makes one of
 * as many as it has. Used once, by one thread.
 */
final class JsonBuilder {
    private static final int FIRST_VALUES = 32;

    /** Entries of the largest vector that is one array. */
    private static final int VECTOR_TAIL = 32;

    private final byte[] input;
    private final int inputFrom;
    private final byte[] tape;
    private final JsonKeyDecoder keys;
    private Object[] values = new Object[FIRST_VALUES];

    /**
     * Makes a builder.
     *
     * @param inputFrom where in {@code input} the text starts
     */
    JsonBuilder(final byte[] input, final int inputFrom, final byte[] tape, final JsonKeyDecoder keys) {
        this.input = input;
        this.inputFrom = inputFrom;
        this.tape = tape;
        this.keys = keys;
    }

    /** Returns the value whose first word is at {@code start} in the tape. */
    Object value(final int start) {
        int at = start;
        int top = 0;
        int open = 0;
        long lastKey = 0;
        while (true) {
            final long word = Records.u64(tape, at);
            at += Results.JSON_WORD_SIZE;
            final Object value;
            switch ((byte) word) {
                case Results.JSON_KEY_ASCII, Results.JSON_KEY_UTF8 -> {
                    lastKey = word;
                    values[top++] = keys.of(input, inputFrom + (int) (word >>> 32), word);
                    continue;
                }
                case Results.JSON_KEY_HERE -> {
                    final int length = (int) (word >>> 32);
                    values[top++] = keys.of(new String(tape, at, length, StandardCharsets.UTF_8));
                    at += JsonTape.padded(length);
                    continue;
                }
                case Results.JSON_OBJECT, Results.JSON_ARRAY -> {
                    final int entries = JsonTape.entries(tape, at - Results.JSON_WORD_SIZE, word);
                    // One place more for the container itself, where it is empty.
                    ensureRoom(top + 2 * entries + 1);
                    open++;
                    continue;
                }
                case Results.JSON_OBJECT_END -> {
                    final int entries = (int) (word >>> 32);
                    top -= 2 * entries;
                    value = JsonMaps.map(values, top, entries);
                    if (value == null) {
                        throw new JsonMalformedException((int) (lastKey >>> 32), Results.JSON_BAD_HASHES);
                    }
                    open--;
                }
                case Results.JSON_ARRAY_END -> {
                    final int entries = (int) (word >>> 32);
                    top -= entries;
                    value = vector(values, top, entries);
                    open--;
                }
                case Results.JSON_STRING_HERE -> {
                    final int length = (int) (word >>> 32);
                    value = new String(tape, at, length, StandardCharsets.UTF_8);
                    at += JsonTape.padded(length);
                }
                case Results.JSON_LONG_WIDE, Results.JSON_DOUBLE -> {
                    value = JsonTape.wide(word, Records.u64(tape, at));
                    at += Results.JSON_WORD_SIZE;
                }
                default -> value = JsonTape.scalar(input, inputFrom, word);
            }
            if (open == 0) {
                return value;
            }
            values[top++] = value;
        }
    }

    private void ensureRoom(final int needed) {
        if (needed > values.length) {
            values = Arrays.copyOf(values, Math.max(needed, 2 * values.length));
        }
    }

    private static PersistentVector vector(final Object[] values, final int from, final int count) {
        if (count == 0) {
            return PersistentVector.EMPTY;
        }
        final Object[] entries = Arrays.copyOfRange(values, from, from + count);
        return count <= VECTOR_TAIL ? PersistentVector.adopt(entries) : PersistentVector.create(entries);
    }
}
