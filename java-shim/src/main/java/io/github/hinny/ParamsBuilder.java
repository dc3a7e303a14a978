package io.github.hinny;

import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentVector;
import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentVector;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Makes a persistent map of names that may come again: in order, as long as it is a small one, as {@code assoc} does.
 *
 * <p>Not thread-safe; of one use. Holds no native memory.
 */
final class ParamsBuilder {
    /** As many entries as Clojure keeps in an array. */
    private static final int SMALL = 8;

    private Object[] flat;
    private int length;

    /** All names, once they are more than {@link #SMALL}: finds Strings of one hash in the time of a logarithm. */
    private Map<Object, Object> large;

    /** The bits that the hashes of the names choose: one whose bit is not set has not been there. */
    private long seen;

    /** A builder that will likely get {@code count} entries. */
    ParamsBuilder(final int count) {
        flat = new Object[2 * Math.min(count, SMALL)];
    }

    /** Adds a value to those that the name has: then the name's value is a vector of them. */
    void add(final String name, final String value) {
        if (large == null) {
            final int at = indexOf(name);
            if (at < 0) {
                append(name, value);
            } else {
                flat[at + 1] = with(flat[at + 1], value);
            }
        } else {
            final Object values = large.get(name);
            large.put(name, values == null ? value : with(values, value));
        }
    }

    /** Gives the name this value, in place of one that it has. */
    void put(final Object name, final Object value) {
        if (large == null) {
            final int at = indexOf(name);
            if (at < 0) {
                append(name, value);
            } else {
                flat[at + 1] = value;
            }
        } else {
            large.put(name, value);
        }
    }

    /**
     * Returns the map; the builder is of no use any more.
     *
     * @return null if too many names have one hash
     */
    IPersistentMap build() {
        if (large != null) {
            final Object[] entries = new Object[2 * large.size()];
            int at = 0;
            for (final Map.Entry<Object, Object> entry : large.entrySet()) {
                entries[at++] = entry.getKey();
                entries[at++] = entry.getValue();
            }
            return ClientMaps.map(entries, null);
        }
        if (length == 0) {
            return PersistentArrayMap.EMPTY;
        }
        return new PersistentArrayMap(length == flat.length ? flat : Arrays.copyOf(flat, length));
    }

    private int indexOf(final Object name) {
        final long bit = 1L << Objects.hashCode(name);
        if ((seen & bit) == 0) {
            seen |= bit;
            return -1;
        }
        for (int at = 0; at < length; at += 2) {
            if (Objects.equals(name, flat[at])) {
                return at;
            }
        }
        return -1;
    }

    /** Appends a name that is not there yet. */
    private void append(final Object name, final Object value) {
        if (length == 2 * SMALL) {
            large = new HashMap<>(4 * SMALL);
            for (int at = 0; at < length; at += 2) {
                large.put(flat[at], flat[at + 1]);
            }
            large.put(name, value);
            return;
        }
        if (length == flat.length) {
            flat = Arrays.copyOf(flat, 2 * SMALL);
        }
        flat[length] = name;
        flat[length + 1] = value;
        length += 2;
    }

    private static IPersistentVector with(final Object values, final String value) {
        return values instanceof IPersistentVector many ? many.cons(value) : PersistentVector.create(values, value);
    }
}
