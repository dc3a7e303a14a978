package io.github.hinny;

import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentHashMap;
import java.lang.ref.WeakReference;

/**
 * The encodings of maps that come again and again, found by the identity of the map: a literal in a handler is the same
 * object in each response.
 *
 * <p>What is kept: for at most {@link #ENTRIES} maps, a weak reference to the map and its bytes, at most {@link
 * #BYTES_MAX} each. Why that is safe: the maps are of Clojure's own two immutable classes and what is encoded of them is
 * immutable too, which whoever keeps an encoding checks; a weak reference never matches another map, also after its own
 * is gone; and no map lives longer for being here.
 *
 * <p>A map made for one response must not displace one that comes again, nor cost much. So a map is kept when it comes a
 * second time, and only one in {@link #SAMPLE} of those that are not known is watched for that.
 *
 * <p>Not thread-safe; one of an encoder's own.
 */
final class EncodedMaps {
    private static final int ENTRIES = 8;
    private static final int BYTES_MAX = 4096;

    /** Odd, so that responses that alternate are all seen. */
    private static final int SAMPLE = 31;

    private final Entry[] entries = new Entry[ENTRIES];
    private int next;
    private WeakReference<Object> watched = new WeakReference<>(null);
    private int unknown;

    /** A map's encoding. */
    static final class Entry extends WeakReference<Object> {
        final byte[] bytes;

        /** Header fields in it. */
        final int headerCount;

        /** The value of the first Content-Type field, null if there is none. */
        final String contentType;

        private Entry(final Object map, final byte[] bytes, final int headerCount, final String contentType) {
            super(map);
            this.bytes = bytes;
            this.headerCount = headerCount;
            this.contentType = contentType;
        }
    }

    /** Returns whether the map itself can never change, whatever its values can. */
    static boolean isImmutable(final Object map) {
        return map.getClass() == PersistentArrayMap.class || map.getClass() == PersistentHashMap.class;
    }

    /** Returns the encoding of this very map, null if it is not known; nothing is known of null. */
    Entry find(final Object map) {
        if (map == null) {
            return null; // To which every reference refers whose map is gone.
        }
        for (final Entry entry : entries) {
            if (entry == null) {
                return null;
            }
            if (entry.refersTo(map)) {
                return entry;
            }
        }
        return null;
    }

    /** Returns whether an encoding that {@link #find} did not find should be kept. */
    boolean isToBeKept(final Object map, final int length) {
        if (length > BYTES_MAX) {
            return false;
        }
        if (watched.refersTo(map)) {
            return true;
        }
        if (++unknown == SAMPLE) {
            unknown = 0;
            watched = new WeakReference<>(map);
        }
        return false;
    }

    /** Keeps the encoding of a map, in place of the one kept for longest if there is no room. */
    void keep(final Object map, final byte[] bytes, final int headerCount, final String contentType) {
        entries[next] = new Entry(map, bytes, headerCount, contentType);
        next = (next + 1) % ENTRIES;
        watched.clear();
    }
}
