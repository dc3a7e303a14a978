package io.github.hinny;

import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import clojure.lang.RT;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads the parameters of a path, as the core writes them: without escapes.
 *
 * <p>Stateless; any thread may use it.
 */
final class PathParams {
    private PathParams() {}

    /**
     * Returns the parameters as a map of names to Strings. Bytes that are not UTF-8 become U+FFFD; a group of a regular
     * expression that took no part is not in the map.
     *
     * @param names one for each parameter, in order
     * @param at where in {@code bytes} their head is
     */
    static IPersistentMap read(final Keyword[] names, final byte[] bytes, final int at) {
        if (names.length == 0) {
            return PersistentArrayMap.EMPTY;
        }
        final Object[] entries = new Object[2 * names.length];
        int filled = 0;
        int length = at + Records.PARSED_HEAD_SIZE;
        int text = length + 4 * names.length;
        for (final Keyword name : names) {
            final int word = Records.u32(bytes, length);
            length += 4;
            if (word == Records.PARAM_ABSENT) {
                continue;
            }
            final int size = word & ~Records.PARAM_NOT_ASCII;
            entries[filled++] = name;
            entries[filled++] = (word & Records.PARAM_NOT_ASCII) == 0
                    ? Records.latin1(bytes, text, size)
                    : new String(bytes, text, size, StandardCharsets.UTF_8);
            text += size;
        }
        return RT.mapUniqueKeys(filled == entries.length ? entries : Arrays.copyOf(entries, filled));
    }
}
