package io.github.hinny;

import java.time.Instant;
import java.util.UUID;

/**
 * Writes points in time as ISO 8601 in UTC, with milliseconds ({@code 2026-01-01T00:00:00.000Z}), or with as many
 * digits more, in threes, as they have; and UUIDs.
 *
 * <p>Static; any thread.
 */
final class JsonTimes {
    private static final long MILLIS_PER_DAY = 86_400_000;
    private static final long NANOS_PER_MILLI = 1_000_000;

    /** 0001-01-01 and 10000-01-01, in days since 1970. */
    private static final long DAY_MIN = -719_162;

    private static final long DAY_END = 2_932_897;

    private static final String HEX = "0123456789abcdef";

    private JsonTimes() {}

    /** Writes milliseconds since 1970, quoted. */
    static void writeMillis(final long millis, final JsonBuffer out) {
        write(millis, 0, out);
    }

    /** Writes an instant, quoted. */
    static void write(final Instant instant, final JsonBuffer out) {
        final long seconds = instant.getEpochSecond();
        final int nanos = instant.getNano();
        if (Math.abs(seconds) < Long.MAX_VALUE / 1000) {
            write(seconds * 1000 + nanos / NANOS_PER_MILLI, (int) (nanos % NANOS_PER_MILLI), out);
        } else {
            writeFar(instant, out);
        }
    }

    private static void write(final long millis, final int nanos, final JsonBuffer out) {
        final long day = Math.floorDiv(millis, MILLIS_PER_DAY);
        if (day < DAY_MIN || day >= DAY_END) {
            writeFar(Instant.ofEpochMilli(millis).plusNanos(nanos), out);
            return;
        }
        out.need(32);
        final byte[] bytes = out.bytes;
        int at = out.at;
        bytes[at] = '"';
        at = putDate(bytes, at + 1, day);
        final int ofDay = (int) (millis - day * MILLIS_PER_DAY);
        bytes[at] = 'T';
        at = putPart(bytes, at + 1, ofDay / 3_600_000, 2, ':');
        at = putPart(bytes, at, ofDay / 60_000 % 60, 2, ':');
        at = putPart(bytes, at, ofDay / 1000 % 60, 2, '.');
        at = JsonNumbers.putDigits(bytes, at, ofDay % 1000, 3);
        if (nanos != 0) {
            at = nanos % 1000 == 0
                    ? JsonNumbers.putDigits(bytes, at, nanos / 1000, 3)
                    : JsonNumbers.putDigits(bytes, at, nanos, 6);
        }
        bytes[at] = 'Z';
        bytes[at + 1] = '"';
        out.at = at + 2;
    }

    /** Writes the civil date of a day since 1970, in eras of 400 years that begin on the first of March. */
    private static int putDate(final byte[] bytes, final int at, final long day) {
        final long shifted = day + 719_468; // Days since 0000-03-01.
        final long era = Math.floorDiv(shifted, 146_097);
        final int ofEra = (int) (shifted - era * 146_097);
        final int yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365;
        final int ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        final int monthFromMarch = (5 * ofYear + 2) / 153;
        final int ofMonth = ofYear - (153 * monthFromMarch + 2) / 5 + 1;
        final int month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
        final long year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
        int next = putPart(bytes, at, year, 4, '-');
        next = putPart(bytes, next, month, 2, '-');
        return JsonNumbers.putDigits(bytes, next, ofMonth, 2);
    }

    private static int putPart(
            final byte[] bytes, final int at, final long value, final int digits, final char behind) {
        final int next = JsonNumbers.putDigits(bytes, at, value, digits);
        bytes[next] = (byte) behind;
        return next + 1;
    }

    /** A year of other than four digits, with a sign: as the JDK writes it, and milliseconds if there are none. */
    private static void writeFar(final Instant instant, final JsonBuffer out) {
        final String text = instant.toString();
        out.put('"');
        out.putAscii(text.substring(0, text.length() - 1));
        out.putAscii(instant.getNano() == 0 ? ".000Z\"" : "Z\"");
    }

    /** Writes a UUID, quoted. */
    static void write(final UUID uuid, final JsonBuffer out) {
        out.need(38);
        final byte[] bytes = out.bytes;
        final long high = uuid.getMostSignificantBits();
        final long low = uuid.getLeastSignificantBits();
        int at = out.at;
        bytes[at++] = '"';
        at = putHex(bytes, at, high >>> 32, 8, '-');
        at = putHex(bytes, at, high >>> 16, 4, '-');
        at = putHex(bytes, at, high, 4, '-');
        at = putHex(bytes, at, low >>> 48, 4, '-');
        out.at = putHex(bytes, at, low, 12, '"');
    }

    private static int putHex(final byte[] bytes, final int at, final long value, final int digits, final char behind) {
        for (int i = 0; i < digits; i++) {
            bytes[at + i] = (byte) HEX.charAt((int) (value >>> 4 * (digits - 1 - i)) & 15);
        }
        bytes[at + digits] = (byte) behind;
        return at + digits + 1;
    }
}
