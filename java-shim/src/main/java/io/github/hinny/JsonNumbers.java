package io.github.hinny;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Writes integers, two digits at a time, and doubles: the fewest digits that are read back as the same double, in the
 * notation of {@link Double#toString(double)} (whose digits they are from JDK 19 on).
 *
 * <p>Static; any thread. Makes no garbage.
 */
final class JsonNumbers {
    private static final VarHandle PAIR = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    /** The two digits of 0 to 99, the tens in the low byte. */
    private static final short[] PAIRS = new short[100];

    private static final long[] POWERS_OF_10 = new long[19];

    static {
        for (int i = 0; i < PAIRS.length; i++) {
            PAIRS[i] = (short) ('0' + i / 10 | '0' + i % 10 << 8);
        }
        POWERS_OF_10[0] = 1;
        for (int i = 1; i < POWERS_OF_10.length; i++) {
            POWERS_OF_10[i] = 10 * POWERS_OF_10[i - 1];
        }
    }

    private JsonNumbers() {}

    /** Writes an integer. */
    static void write(final long value, final JsonBuffer out) {
        out.need(20);
        final byte[] bytes = out.bytes;
        int at = out.at;
        long positive = value;
        if (value < 0) {
            if (value == Long.MIN_VALUE) {
                out.putAscii("-9223372036854775808");
                return;
            }
            bytes[at++] = '-';
            positive = -value;
        }
        out.at = putDigits(bytes, at, positive, digits(positive));
    }

    /**
     * Writes a double.
     *
     * @throws JsonUnwritableException if it is infinite or not a number: JSON has neither
     */
    static void write(final double value, final JsonBuffer out) {
        if (!Double.isFinite(value)) {
            throw new JsonUnwritableException("JSON has no " + value, Double.class);
        }
        out.need(32);
        final byte[] bytes = out.bytes;
        int at = out.at;
        if (Double.doubleToRawLongBits(value) < 0) {
            bytes[at++] = '-';
        }
        out.at = putPositive(bytes, at, Math.abs(value));
    }

    private static int putPositive(final byte[] bytes, final int at, final double value) {
        if (value >= 1e-3 && value < 1e7) {
            // Few decimals are the common case. The quotient of two integers below 2^53 is rounded correctly, so it is
            // what the decimal is read as; and two decimals of at most 15 digits are never read as the same double.
            final long hundredths = (long) (value * 1e2 + 0.5);
            if (hundredths / 1e2 == value) {
                return putFixed(bytes, at, hundredths / 100, hundredths % 100, 2);
            }
            final long millionths = (long) (value * 1e6 + 0.5);
            if (millionths / 1e6 == value) {
                return putFixed(bytes, at, millionths / 1_000_000, millionths % 1_000_000, 6);
            }
        } else if (value == 0) {
            return putFixed(bytes, at, 0, 0, 2);
        }
        return JsonDoubles.put(bytes, at, value);
    }

    /** Writes a number with so many decimals, but without zeros at the end beyond the first decimal. */
    private static int putFixed(
            final byte[] bytes, final int start, final long whole, final long fraction, final int decimals) {
        int at = putDigits(bytes, start, whole, digits(whole));
        bytes[at] = '.';
        at = putDigits(bytes, at + 1, fraction, decimals);
        for (int i = 1; i < decimals && bytes[at - 1] == '0'; i++) {
            at--;
        }
        return at;
    }

    /** Returns the number of decimal digits of a value that is not negative. */
    static int digits(final long value) {
        if (value < 10) {
            return 1;
        }
        // 1233 / 4096 is a little more than log10(2).
        final int guess = (Long.SIZE - Long.numberOfLeadingZeros(value)) * 1233 >> 12;
        return guess < POWERS_OF_10.length && value >= POWERS_OF_10[guess] ? guess + 1 : guess;
    }

    /** Writes the last {@code count} digits of a value that is not negative; returns the position behind them. */
    static int putDigits(final byte[] bytes, final int at, final long value, final int count) {
        final int end = at + count;
        int left = end;
        long rest = value;
        while (rest > Integer.MAX_VALUE && left - at >= 2) {
            final long next = rest / 100;
            left -= 2;
            PAIR.set(bytes, left, PAIRS[(int) (rest - next * 100)]);
            rest = next;
        }
        int low = (int) rest;
        while (left - at >= 2) {
            final int next = low / 100;
            left -= 2;
            PAIR.set(bytes, left, PAIRS[low - next * 100]);
            low = next;
        }
        if (left > at) {
            bytes[at] = (byte) ('0' + low % 10);
        }
        return end;
    }
}
