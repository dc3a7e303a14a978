package io.github.hinny;

import static io.github.hinny.Records.HEADER_ENTRY_SIZE;

import clojure.lang.AFn;
import clojure.lang.IKVReduce;
import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentVector;
import clojure.lang.ISeq;
import clojure.lang.RT;
import clojure.lang.Sequential;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;

/**
 * Writes the headers of a Ring response: the header index, then the names without an id and the
 * values.
 *
 * <p>Made by {@link ResponseEncoder}, one per encoder, and used again for each response. It is
 * itself the function that reduces over the header map, so that walking a Clojure map allocates
 * nothing.
 *
 * <p>Rules: a name is an RFC 9110 token; a value is a String, or a vector or other sequential of
 * Strings (one entry each, order kept). Spaces and tabs around a value are not part of it (RFC 9110
 * §5.5) and are left out. A value is written as Latin-1, or as UTF-8 if it has a character beyond
 * U+00FF. Control characters but tab are refused.
 *
 * <p>Not thread-safe.
 */
final class ResponseHeaders extends AFn {
    /** The header count and a literal name's length are u16. */
    private static final int U16_MAX = 0xFFFF;

    private static final boolean[] TOKEN_CHARS = new boolean[128];

    static {
        for (final char c : "!#$%&'*+-.^_`|~".toCharArray()) {
            TOKEN_CHARS[c] = true;
        }
        for (char c = 0; c < TOKEN_CHARS.length; c++) {
            TOKEN_CHARS[c] |= c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z';
        }
    }

    private final EncodedMaps literals = new EncodedMaps();
    private Outbox outbox;

    /** Whether all values so far are Strings. */
    private boolean onlyStrings;

    /** Where the next index entry goes. */
    private int entry;

    /** Where the index ends and the texts start. */
    private int textStart;

    private String contentType;

    /** Returns the value of the first Content-Type header just written, or null. */
    String contentType() {
        return contentType;
    }

    /**
     * Writes header index and texts at the position of {@code target} and returns the number of
     * entries.
     *
     * @throws InvalidResponseException if the headers cannot be sent
     */
    int write(final IPersistentMap headers, final Outbox target) {
        final EncodedMaps.Entry known = literals.find(headers);
        if (known != null) {
            contentType = known.contentType;
            target.put(known.bytes);
            return known.headerCount;
        }
        outbox = target;
        contentType = null;
        onlyStrings = true;
        final int indexLength = headers.count() * HEADER_ENTRY_SIZE;
        outbox.reserve(indexLength);
        final int indexStart = outbox.position();
        entry = indexStart;
        textStart = indexStart + indexLength;
        outbox.position(textStart);
        if (headers instanceof IKVReduce reducible) {
            reducible.kvreduce(this, null);
        } else {
            final Iterator<?> entries = headers.iterator();
            while (entries.hasNext()) {
                final Map.Entry<?, ?> header = (Map.Entry<?, ?>) entries.next();
                invoke(null, header.getKey(), header.getValue());
            }
        }
        if (entry != textStart) {
            throw new InvalidResponseException("response headers: the map's count is not its size");
        }
        final int count = (textStart - indexStart) / HEADER_ENTRY_SIZE;
        if (count > U16_MAX) {
            throw new InvalidResponseException("response headers: " + count + " are too many");
        }
        if (isConstant(headers) && literals.isToBeKept(headers, outbox.position() - indexStart)) {
            literals.keep(headers, outbox.copyFrom(indexStart), count, contentType);
        }
        return count;
    }

    /** Returns whether the map that was just written will always be written so. */
    boolean isConstant(final IPersistentMap headers) {
        return onlyStrings && EncodedMaps.isImmutable(headers);
    }

    /** Writes one entry of the header map; the reducing function. */
    @Override
    public Object invoke(final Object ignored, final Object key, final Object value) {
        if (!(key instanceof String name)) {
            throw new InvalidResponseException("response header name: must be a String, is " + typeOf(key));
        }
        final int id = HeaderNames.id(name);
        if (id == 0) {
            checkToken(name);
        }
        if (value instanceof String text) {
            writeField(id, name, text);
            return null;
        }
        onlyStrings = false;
        if (value instanceof IPersistentVector values) {
            makeRoom(name, values.count());
            for (int i = 0; i < values.count(); i++) {
                writeField(id, name, string(name, values.nth(i)));
            }
        } else if (value instanceof Sequential) {
            final ISeq values = RT.seq(value);
            makeRoom(name, values == null ? 0 : RT.boundedLength(values, U16_MAX));
            for (ISeq rest = values; rest != null; rest = rest.next()) {
                writeField(id, name, string(name, rest.first()));
            }
        } else {
            throw invalid(name, "value must be a String or a vector of Strings, is " + typeOf(value));
        }
        return null;
    }

    /** Turns the one index entry that a name has by default into {@code entries} entries. */
    private void makeRoom(final String name, final int entries) {
        if (entries > U16_MAX) {
            throw invalid(name, "more than " + U16_MAX + " values");
        }
        if (entries != 1) {
            final int growth = (entries - 1) * HEADER_ENTRY_SIZE;
            outbox.shift(textStart, growth);
            textStart += growth;
        }
    }

    private void writeField(final int id, final String name, final String value) {
        if (entry >= textStart) {
            throw new InvalidResponseException("response headers: the map's count is not its size");
        }
        if (id == HeaderNames.CONTENT_TYPE && contentType == null) {
            contentType = value;
        }
        final int nameLength = id == 0 ? name.length() : 0;
        if (id == 0) {
            outbox.putLatin1(name);
        }
        final long valueLength = writeValue(name, value);
        Records.putU64(outbox.array(), entry, id | (long) nameLength << 16 | valueLength << 32);
        entry += HEADER_ENTRY_SIZE;
    }

    /** Writes a value without the space around it and returns the number of bytes. */
    private int writeValue(final String name, final String value) {
        int from = 0;
        int to = value.length();
        while (from < to && isSpace(value.charAt(from))) {
            from++;
        }
        while (from < to && isSpace(value.charAt(to - 1))) {
            to--;
        }
        final byte[] array = outbox.reserve(to - from);
        final int start = outbox.position();
        int at = start;
        boolean latin1 = true;
        for (int i = from; i < to; i++) {
            final char c = value.charAt(i);
            if (c < ' ' && c != '\t' || c == 0x7F) {
                throw invalid(name, "value contains " + controlName(c));
            }
            latin1 &= c <= 0xFF;
            array[at++] = (byte) c;
        }
        if (latin1) {
            outbox.position(at);
        } else {
            outbox.put(value.substring(from, to).getBytes(StandardCharsets.UTF_8));
        }
        return outbox.position() - start;
    }

    private static void checkToken(final String name) {
        if (name.isEmpty()) {
            throw new InvalidResponseException("response header name: is empty");
        }
        if (name.length() > U16_MAX) {
            throw invalid(name, "name is longer than " + U16_MAX + " characters");
        }
        for (int i = 0; i < name.length(); i++) {
            final char c = name.charAt(i);
            if (c >= TOKEN_CHARS.length || !TOKEN_CHARS[c]) {
                throw invalid(name, "name is not a token (RFC 9110), it contains " + charName(c));
            }
        }
    }

    private static String string(final String name, final Object value) {
        if (value instanceof String text) {
            return text;
        }
        throw invalid(name, "values must be Strings, one is " + typeOf(value));
    }

    private static boolean isSpace(final char c) {
        return c == ' ' || c == '\t';
    }

    private static InvalidResponseException invalid(final String name, final String reason) {
        return new InvalidResponseException("response header " + quoted(name) + ": " + reason);
    }

    /** Quotes a name for the log: no control or non-ASCII characters, 64 characters at most. */
    static String quoted(final String name) {
        final StringBuilder text = new StringBuilder("\"");
        for (int i = 0; i < Math.min(name.length(), 64); i++) {
            final char c = name.charAt(i);
            text.append(c >= ' ' && c < 0x7F ? String.valueOf(c) : String.format(Locale.ROOT, "\\u%04X", (int) c));
        }
        return text.append(name.length() > 64 ? "…\"" : "\"").toString();
    }

    private static String charName(final char c) {
        return c > ' ' && c < 0x7F ? "'" + c + "'" : controlName(c);
    }

    private static String controlName(final char c) {
        return switch (c) {
            case '\r', '\n' -> "CR or LF";
            case 0 -> "NUL";
            case ' ' -> "a space";
            default -> String.format(Locale.ROOT, "U+%04X", (int) c);
        };
    }

    private static String typeOf(final Object value) {
        return value == null ? "nil" : value.getClass().getTypeName();
    }
}
