package io.github.hinny;

import java.math.BigInteger;

/**
 * The shortest decimal of a double: of all that are read back as this double the one with the fewest digits, of these the
 * nearest. (As {@link Double#toString(double)} from JDK 19 on: a decimal of one digit competes with those of two.)
 *
 * <p>The method is Raffaello Giulietti's, "The Schubfach way to render doubles" (2020): the interval of the decimals that
 * are read as the double, scaled by a power of ten so that it holds at least one and at most a few integers.
 *
 * <p>Static; any thread. Makes no garbage but a table of 10 kB, when it is first needed.
 */
final class JsonDoubles {
    /** The exponent of the least double's unit, {@code 2^-1074}. */
    private static final int EXPONENT_MIN = -1074;

    /** The least significand of a normal double. */
    private static final long SIGNIFICAND_NORMAL_MIN = 1L << 52;

    /** Powers of ten in the table: {@code 10^-SCALE_MAX} to {@code 10^-SCALE_MIN}. */
    private static final int SCALE_MIN = -324;

    private static final int SCALE_MAX = 292;

    private static final long BITS_63 = (1L << 63) - 1;

    /** For each scale the first 126 bits of {@code 10^-scale}, rounded up: 63 and 63. */
    private static final long[] POWERS = powers();

    private JsonDoubles() {}

    /** Writes a positive, finite double; returns the position behind it. */
    static int put(final byte[] bytes, final int at, final double value) {
        final long bits = Double.doubleToRawLongBits(value);
        final long fraction = bits & SIGNIFICAND_NORMAL_MIN - 1;
        final int biased = (int) (bits >>> 52);
        if (biased != 0) {
            return put(bytes, at, SIGNIFICAND_NORMAL_MIN | fraction, biased - 1 + EXPONENT_MIN, 0);
        }
        // The two least doubles have too few digits for the method as it is.
        return fraction < 3
                ? put(bytes, at, 10 * fraction, EXPONENT_MIN, -1)
                : put(bytes, at, fraction, EXPONENT_MIN, 0);
    }

    /** Writes {@code significand * 2^exponent * 10^tens}. */
    private static int put(
            final byte[] bytes, final int at, final long significand, final int exponent, final int tens) {
        final boolean even = (significand & 1) == 0;
        final long open = even ? 0 : 1;
        // Below a power of two the doubles lie twice as close as above it.
        final boolean isRegular = significand != SIGNIFICAND_NORMAL_MIN || exponent == EXPONENT_MIN;
        final long quadruple = significand << 2;
        final int scale = isRegular ? floorLog10(exponent) : floorLog10OfThreeQuarters(exponent);
        final int shift = exponent + floorLog2OfPowerOf10(-scale) + 2;
        final int power = (scale - SCALE_MIN) * 2;
        final long middle = scaled(power, quadruple << shift);
        final long lower = scaled(power, quadruple - (isRegular ? 2 : 1) << shift) + open;
        final long upper = scaled(power, quadruple + 2 << shift) - open;
        final long floor = middle >> 2;
        if (floor >= 100) {
            // One digit less, if just one multiple of ten is in the interval.
            final long tenBelow = floor / 10 * 10;
            final long tenAbove = tenBelow + 10;
            final boolean isBelowIn = lower <= tenBelow << 2;
            final boolean isAboveIn = tenAbove << 2 <= upper;
            if (isBelowIn != isAboveIn) {
                return putDecimal(bytes, at, isBelowIn ? tenBelow : tenAbove, scale + tens);
            }
        }
        final boolean isFloorIn = lower <= floor << 2;
        final boolean isCeilingIn = floor + 1 << 2 <= upper;
        final boolean takeFloor;
        if (isFloorIn == isCeilingIn) {
            final long fromHalf = middle - (2 * floor + 1 << 1);
            takeFloor = fromHalf < 0 || fromHalf == 0 && (floor & 1) == 0;
        } else {
            takeFloor = isFloorIn;
        }
        return putDecimal(bytes, at, takeFloor ? floor : floor + 1, scale + tens);
    }

    /** Writes {@code value * 10^exponent} in the notation of Double.toString. */
    private static int putDecimal(final byte[] bytes, final int at, final long value, final int exponent) {
        long digits = value;
        int tens = exponent;
        while (digits % 10 == 0) {
            digits /= 10;
            tens++;
        }
        final int count = JsonNumbers.digits(digits);
        final int point = count + tens;
        if (point > -3 && point <= 0) {
            bytes[at] = '0';
            bytes[at + 1] = '.';
            return JsonNumbers.putDigits(bytes, at + 2, digits, count - point);
        }
        final boolean isPlain = point > 0 && point <= 7;
        final int whole = isPlain ? point : 1;
        // The digits one place to the right, then those before the point back over its place.
        int end = JsonNumbers.putDigits(bytes, at + 1, digits, count);
        for (; end < at + 1 + whole + 1; end++) {
            bytes[end] = '0';
        }
        for (int i = 0; i < whole; i++) {
            bytes[at + i] = bytes[at + i + 1];
        }
        bytes[at + whole] = '.';
        if (isPlain) {
            return end;
        }
        bytes[end++] = 'E';
        int shown = point - 1;
        if (shown < 0) {
            bytes[end++] = '-';
            shown = -shown;
        }
        return JsonNumbers.putDigits(bytes, end, shown, JsonNumbers.digits(shown));
    }

    /** Returns the product with a power of ten, without its low 127 bits; the last bit is 1 if any of them was. */
    private static long scaled(final int power, final long factor) {
        final long high = POWERS[power];
        final long carry = Math.multiplyHigh(POWERS[power + 1], factor);
        final long middle = (high * factor >>> 1) + carry;
        final long top = Math.multiplyHigh(high, factor) + (middle >>> 63);
        return top | (middle & BITS_63) + BITS_63 >>> 63;
    }

    /** Returns the greatest integer not beyond {@code log10(2^exponent)}. */
    private static int floorLog10(final int exponent) {
        return (int) (exponent * 661_971_961_083L >> 41);
    }

    /** Returns the greatest integer not beyond {@code log10(3/4 * 2^exponent)}. */
    private static int floorLog10OfThreeQuarters(final int exponent) {
        return (int) (exponent * 661_971_961_083L - 274_743_187_321L >> 41);
    }

    /** Returns the greatest integer not beyond {@code log2(10^exponent)}. */
    private static int floorLog2OfPowerOf10(final int exponent) {
        return (int) (exponent * 913_124_641_741L >> 38);
    }

    private static long[] powers() {
        final long[] powers = new long[2 * (SCALE_MAX - SCALE_MIN + 1)];
        for (int scale = SCALE_MIN; scale <= SCALE_MAX; scale++) {
            final BigInteger tens = BigInteger.TEN.pow(Math.abs(scale));
            final int shift = 125 - floorLog2OfPowerOf10(-scale);
            final BigInteger first = scale <= 0
                    ? shift >= 0 ? tens.shiftLeft(shift) : tens.shiftRight(-shift)
                    : BigInteger.ONE.shiftLeft(shift).divide(tens);
            final BigInteger rounded = first.add(BigInteger.ONE);
            final int index = (scale - SCALE_MIN) * 2;
            powers[index] = rounded.shiftRight(63).longValueExact();
            powers[index + 1] = rounded.longValue() & BITS_63;
        }
        return powers;
    }
}
