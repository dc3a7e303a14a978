package io.github.hinny;

import clojure.lang.IPersistentMap;
import clojure.lang.IPersistentVector;
import clojure.lang.ITransientMap;
import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentHashMap;
import clojure.lang.PersistentVector;
import java.util.Arrays;
import java.util.Objects;

/**
 * Makes a persistent map of names that may come again: in order, as long as it is a small one, as {@code assoc} does.
 *
 * <p>Not thread-safe; of one use. Holds no native memory.
 */
final class ParamsBuilder {
    /** As many entries as Clojure keeps in an array. */
    private static final int SMALL = 8;

    /** As many names may have one hash: a persistent map searches them one by one. */
    private static final int SAME_HASH_MOST = 32;

    private Object[] flat;
    private int length;
    private ITransientMap large;

    /** The bits that the hashes of the names choose: one whose bit is not set has not been there. */
    private long seen;

    /** Of the names in {@link #large}, as far as they are known. */
    private int[] hashes;

    private int hashCount;
    private boolean hostile;

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
            assocLarge(name, values == null ? value : with(values, value));
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
            assocLarge(name, value);
        }
    }

    /**
     * Returns whether names have been chosen to have the same hash, so that the time for each grows with their number. Looks
     * whenever that has doubled.
     */
    boolean isHostile() {
        return hostile;
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
            large = (ITransientMap) PersistentHashMap.EMPTY.asTransient();
            hashes = new int[2 * SAME_HASH_MOST];
            for (int at = 0; at < length; at += 2) {
                assocLarge(flat[at], flat[at + 1]);
            }
            assocLarge(name, value);
            return;
        }
        if (length == flat.length) {
            flat = Arrays.copyOf(flat, 2 * SMALL);
        }
        flat[length] = name;
        flat[length + 1] = value;
        length += 2;
    }

    private void assocLarge(final Object name, final Object value) {
        final int count = large.count();
        large = large.assoc(name, value);
        if (large.count() > count) {
            hashes[hashCount++] = Objects.hashCode(name);
            if (hashCount == hashes.length) {
                hostile |= hasManyEqual(hashes.clone());
                hashes = Arrays.copyOf(hashes, 2 * hashCount);
            }
        }
    }

    private static boolean hasManyEqual(final int[] numbers) {
        Arrays.sort(numbers);
        for (int i = SAME_HASH_MOST; i < numbers.length; i++) {
            if (numbers[i] == numbers[i - SAME_HASH_MOST]) {
                return true;
            }
        }
        return false;
    }

    private static IPersistentVector with(final Object values, final String value) {
        return values instanceof IPersistentVector many ? many.cons(value) : PersistentVector.create(values, value);
    }
}
