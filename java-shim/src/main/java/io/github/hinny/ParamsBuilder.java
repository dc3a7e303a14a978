package io.github.hinny;

import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentVector;
import clojure.lang.ITransientMap;
import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentHashMap;
import clojure.lang.PersistentVector;
import java.util.Arrays;

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
    private ITransientMap large;

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
            final Object values = large.valAt(name);
            large = large.assoc(name, values == null ? value : with(values, value));
        }
    }

    /** Gives the name this value, in place of one that it has. */
    void put(final String name, final Object value) {
        if (large == null) {
            final int at = indexOf(name);
            if (at < 0) {
                append(name, value);
            } else {
                flat[at + 1] = value;
            }
        } else {
            large = large.assoc(name, value);
        }
    }

    /** Returns the map; the builder is of no use any more. */
    IPersistentMap build() {
        if (large != null) {
            return large.persistent();
        }
        if (length == 0) {
            return PersistentArrayMap.EMPTY;
        }
        return new PersistentArrayMap(length == flat.length ? flat : Arrays.copyOf(flat, length));
    }

    private int indexOf(final String name) {
        for (int at = 0; at < length; at += 2) {
            if (name.equals(flat[at])) {
                return at;
            }
        }
        return -1;
    }

    /** Appends a name that is not there yet. */
    private void append(final String name, final Object value) {
        if (length == 2 * SMALL) {
            large = (ITransientMap) PersistentHashMap.EMPTY.asTransient();
            for (int at = 0; at < length; at += 2) {
                large = large.assoc(flat[at], flat[at + 1]);
            }
            large = large.assoc(name, value);
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
