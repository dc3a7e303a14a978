package io.github.hinny;

import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentHashMap;
import clojure.lang.Util;
import java.util.Arrays;

/**
 * Makes persistent maps of keys that clients choose, with their values: the two stand in an array in turn. Of keys that are
 * equal the last value wins, at the place of the first.
 *
 * <p>A persistent map looks through keys of one hash one by one, so too many of them in one map are refused: see {@link
 * ClientKeywords} for those of keywords in all maps.
 *
 * <p>Stateless; any thread may use it.
 */
public final class ClientMaps {
    /** Entries of the largest array map that Clojure itself makes. */
    static final int ARRAY_MAP_ENTRIES = 8;

    /** Keys of one map that may have one hash: more are no accident, and each costs a look at all the others. */
    private static final int SAME_HASH_MAX = 64;

    private ClientMaps() {}

    /**
     * Returns the map of keys and values, whose array it may keep.
     *
     * @param knownKeys by their number, the entries of the last map of so many keys that are all different: records that
     *     follow one another have the same ones; null where none do
     * @return null if too many keys have one hash
     */
    static IPersistentMap map(final Object[] entries, final Object[][] knownKeys) {
        final int count = entries.length / 2;
        if (count == 0) {
            return PersistentArrayMap.EMPTY;
        }
        if (count <= ARRAY_MAP_ENTRIES) {
            final int same = knownKeys == null ? 0 : sameKeys(knownKeys[count], entries);
            if (same == entries.length) {
                return new PersistentArrayMap(entries);
            }
            if (!isDistinct(entries, same)) {
                return new PersistentArrayMap(distinct(entries));
            }
            if (knownKeys != null) {
                knownKeys[count] = entries;
            }
            return new PersistentArrayMap(entries);
        }
        if (isFlood(entries, 2)) {
            return null;
        }
        return PersistentHashMap.create(entries);
    }

    /** Returns up to where the keys are those of {@code known}, which may be null. */
    private static int sameKeys(final Object[] known, final Object[] entries) {
        int same = 0;
        if (known != null) {
            while (same < entries.length && known[same] == entries[same]) {
                same += 2;
            }
        }
        return same;
    }

    /** Returns whether all keys are different, when those before {@code from} are. */
    private static boolean isDistinct(final Object[] entries, final int from) {
        for (int i = from; i < entries.length; i += 2) {
            final Object key = entries[i];
            for (int j = 0; j < i; j += 2) {
                if (isSame(entries[j], key)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static Object[] distinct(final Object[] entries) {
        final Object[] distinct = new Object[entries.length];
        int length = 0;
        for (int i = 0; i < entries.length; i += 2) {
            int at = 0;
            while (at < length && !isSame(distinct[at], entries[i])) {
                at += 2;
            }
            if (at == length) {
                distinct[at] = entries[i];
                length += 2;
            }
            distinct[at + 1] = entries[i + 1];
        }
        return Arrays.copyOf(distinct, length);
    }

    private static boolean isSame(final Object key, final Object other) {
        return key == other || !(key instanceof Keyword) && Util.equiv(key, other);
    }

    /**
     * Returns whether more than {@link #SAME_HASH_MAX} different keys have one hash.
     *
     * @param step 2 if every other object in {@code keys} is a value, 1 if none is
     */
    public static boolean isFlood(final Object[] keys, final int step) {
        final int count = keys.length / step;
        if (count <= SAME_HASH_MAX) {
            return false;
        }
        final long[] hashesAndPlaces = new long[count];
        for (int i = 0; i < count; i++) {
            hashesAndPlaces[i] = (long) Util.hasheq(keys[step * i]) << 32 | step * i;
        }
        Arrays.sort(hashesAndPlaces);
        int from = 0;
        for (int i = 1; i <= count; i++) {
            if (i == count || hashesAndPlaces[i] >> 32 != hashesAndPlaces[from] >> 32) {
                if (i - from > SAME_HASH_MAX && areMany(keys, hashesAndPlaces, from, i)) {
                    return true;
                }
                from = i;
            }
        }
        return false;
    }

    private static boolean areMany(final Object[] keys, final long[] places, final int from, final int to) {
        final Object[] seen = new Object[SAME_HASH_MAX];
        int count = 0;
        for (int i = from; i < to; i++) {
            final Object key = keys[(int) places[i]];
            int at = 0;
            while (at < count && !isSame(seen[at], key)) {
                at++;
            }
            if (at == SAME_HASH_MAX) {
                return true;
            }
            if (at == count) {
                seen[count++] = key;
            }
        }
        return false;
    }
}
