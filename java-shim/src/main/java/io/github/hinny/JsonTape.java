package io.github.hinny;

import clojure.lang.BigInt;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;

/**
 * What stands in the words of a tape; see {@code Results.JSON_…}.
 *
 * <p>Stateless; any thread may use it.
 */
final class JsonTape {
    private static final int TEXT_LENGTH_MASK = 0xFF_FFFF;

    private JsonTape() {}

    /** Returns how many entries the object or array with the first word {@code word}, at {@code at}, has. */
    static int entries(final byte[] tape, final int at, final long word) {
        final int entries = (int) word >>> 8;
        return entries == Results.JSON_ENTRIES_MANY ? (int) (Records.u64(tape, end(at, word)) >>> 32) : entries;
    }

    /** Returns where the last word of the object or array is whose first word {@code word} is at {@code at}. */
    static int end(final int at, final long word) {
        return at + (int) (word >>> 32) * Results.JSON_WORD_SIZE;
    }

    /** Returns how many bytes of the tape so many bytes of a string take. */
    static int padded(final int length) {
        return length + Results.JSON_WORD_SIZE - 1 & -Results.JSON_WORD_SIZE;
    }

    /** Returns the string behind the word {@code word} at {@code at}. */
    static String here(final byte[] tape, final int at, final long word) {
        return new String(tape, at + Results.JSON_WORD_SIZE, (int) (word >>> 32), StandardCharsets.UTF_8);
    }

    /** Returns where the key or value that starts at {@code at} ends. */
    static int behind(final byte[] tape, final int at) {
        final long word = Records.u64(tape, at);
        return Results.JSON_WORD_SIZE
                + switch ((byte) word) {
                    case Results.JSON_OBJECT, Results.JSON_ARRAY -> end(at, word);
                    case Results.JSON_STRING_HERE, Results.JSON_KEY_HERE -> at + padded((int) (word >>> 32));
                    case Results.JSON_LONG_WIDE, Results.JSON_DOUBLE -> at + Results.JSON_WORD_SIZE;
                    default -> at;
                };
    }

    /** Returns the value in one word. */
    static Object scalar(final byte[] input, final int inputFrom, final long word) {
        final int at = inputFrom + (int) (word >>> 32);
        final int length = (int) word >>> 8;
        return switch ((byte) word) {
            case Results.JSON_STRING_ASCII -> Records.latin1(input, at, length);
            case Results.JSON_LONG -> word >> 8;
            case Results.JSON_STRING_UTF8 -> new String(input, at, length, StandardCharsets.UTF_8);
            case Results.JSON_TRUE -> Boolean.TRUE;
            case Results.JSON_FALSE -> Boolean.FALSE;
            case Results.JSON_NULL -> null;
            case Results.JSON_BIG_INTEGER -> BigInt.fromBigInteger(new BigInteger(Records.latin1(input, at, length)));
            case Results.JSON_BIG_DECIMAL -> new BigDecimal(Records.latin1(input, at, length));
            default -> throw new IllegalArgumentException("no value has the tag " + (byte) word);
        };
    }
}
