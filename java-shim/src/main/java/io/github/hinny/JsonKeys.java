package io.github.hinny;

import clojure.lang.Keyword;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The keywords that come again and again as keys, with the bytes of {@code "name":}, found by identity.
 *
 * <p>Bounded: {@link #SLOTS} keywords of at most {@link #TEXT_MAX} bytes each, so keywords made of what a client sends
 * can displace others but not fill the memory. Two slots for each hash: two keywords that share one do not displace each
 * other.
 *
 * <p>Any thread, without a lock: an entry is immutable, and a slot that another thread overwrites costs one encoding.
 */
final class JsonKeys {
    private static final int SLOTS = 2048;
    private static final int TEXT_MAX = 128;
    private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final Entry NOBODY = new Entry(null, new byte[0]);

    /** By hash; {@link #NOBODY} where there is none. */
    private final Entry[] entries = new Entry[SLOTS];

    private final JsonEscapes escapes;

    /** A keyword's text: quoted, escaped, with the colon. */
    private static final class Entry {
        final Keyword keyword;
        final int length;

        /** The first eight bytes, and the second. */
        final long first;

        final long second;

        /** All bytes, and zeros to a multiple of eight, at least two of these. */
        final byte[] padded;

        Entry(final Keyword keyword, final byte[] text) {
            this.keyword = keyword;
            this.length = text.length;
            this.padded = Arrays.copyOf(text, Math.max(16, text.length + 7 & -8));
            this.first = (long) WORD.get(padded, 0);
            this.second = (long) WORD.get(padded, 8);
        }
    }

    JsonKeys(final JsonEscapes escapes) {
        this.escapes = escapes;
        Arrays.fill(entries, NOBODY);
    }

    /** Writes a keyword as the key of an entry, with the colon. */
    void write(final Keyword keyword, final JsonBuffer out, final JsonStrings strings) {
        final int slot = keyword.hasheq() & SLOTS - 1;
        Entry entry = entries[slot];
        if (entry.keyword != keyword) {
            entry = entries[slot ^ 1];
            if (entry.keyword != keyword) {
                writeUnknown(keyword, slot, out, strings);
                return;
            }
        }
        final int length = entry.length;
        out.need(length);
        final byte[] bytes = out.bytes;
        final int at = out.at;
        WORD.set(bytes, at, entry.first);
        WORD.set(bytes, at + 8, entry.second);
        for (int i = 16; i < length; i += 8) {
            WORD.set(bytes, at + i, (long) WORD.get(entry.padded, i));
        }
        out.at = at + length;
    }

    private void writeUnknown(final Keyword keyword, final int slot, final JsonBuffer out, final JsonStrings strings) {
        final String text = text(keyword);
        out.need(8 + 6 * TEXT_MAX); // Room for all that is kept: what is written is found in one piece.
        final int start = out.at;
        strings.write(text, escapes, out);
        out.bytes[out.at++] = ':';
        if (text.length() <= TEXT_MAX && out.at - start <= TEXT_MAX) {
            final Entry entry = new Entry(keyword, Arrays.copyOfRange(out.bytes, start, out.at));
            entries[entries[slot] == NOBODY ? slot : slot ^ 1] = entry;
        }
    }

    /** Returns the name, with the namespace and a slash before it if there is one. */
    static String text(final Keyword keyword) {
        final String namespace = keyword.getNamespace();
        return namespace == null ? keyword.getName() : namespace + '/' + keyword.getName();
    }
}
