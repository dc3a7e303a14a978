package io.github.hinny;

import clojure.lang.IObj;
import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import java.util.Iterator;
import java.util.Map;

/**
 * A JSON object whose values are made when they are asked for: a persistent map over its part of a tape.
 *
 * <p>A key is found on the tape, without a look into what stands between. What walks the whole map makes an ordinary one
 * first, with objects in it as lazy as before, and so do {@code assoc} and {@code dissoc}. It equals, hashes and prints as
 * the plain map with the same entries.
 *
 * <p>Immutable to its users; any thread may use it. Keeps the text and the tape as long as it lives.
 */
public final class LazyJsonMap extends LazyMap {
    private static final long serialVersionUID = 1L;

    /** In objects with more entries keys are looked for on the tape only so often: see {@link #SEARCHES_MAX}. */
    private static final int SMALL_ENTRIES = 16;

    private static final int SEARCHES_MAX = 8;

    private final transient JsonDocument document;

    /** Where the object starts in the tape, and how many entries it has there. */
    private final transient int start;

    private final transient int entries;

    /** Values that were asked for, by their place; made without a lock, so that one may be made twice. */
    private transient Object[] values; // Racy, as are its elements: see package-info.

    private transient int searches; // Racy: only a guess how many there were, one that is lost costs a search.

    /** The same map as an ordinary one, once it was needed. */
    private transient volatile IPersistentMap whole;

    LazyJsonMap(final JsonDocument document, final int start, final int entries) {
        this(document, start, entries, null, null);
    }

    private LazyJsonMap(
            final JsonDocument document,
            final int start,
            final int entries,
            final IPersistentMap whole,
            final IPersistentMap meta) {
        super(meta);
        this.document = document;
        this.start = start;
        this.entries = entries;
        this.whole = whole;
    }

    /** Returns {@code entries}: what the reader calls for a map that was printed with {@code *print-dup*}. */
    public static IPersistentMap create(final IPersistentMap entries) {
        return entries;
    }

    @Override
    public Object valAt(final Object key, final Object notFound) {
        final IPersistentMap known = whole;
        if (known != null) {
            return known.valAt(key, notFound);
        }
        if (document.keys().isFunction() || entries > SMALL_ENTRIES && ++searches > SEARCHES_MAX) {
            return whole().valAt(key, notFound);
        }
        if (key == null || key.getClass() != (document.keys().isKeyword() ? Keyword.class : String.class)) {
            return notFound;
        }
        final JsonLookup lookup = JsonLookup.of(key);
        return lookup == null ? notFound : search(lookup, notFound);
    }

    @Override
    public int count() {
        return whole().count();
    }

    @Override
    public IPersistentMap assoc(final Object key, final Object value) {
        return ((IPersistentMap) ((IObj) whole()).withMeta(meta())).assoc(key, value);
    }

    @Override
    public IPersistentMap without(final Object key) {
        return ((IPersistentMap) ((IObj) whole()).withMeta(meta())).without(key);
    }

    @Override
    public IObj withMeta(final IPersistentMap meta) {
        return meta == meta() ? this : new LazyJsonMap(document, start, entries, whole, meta);
    }

    @Override
    Object[] keysAndValues() {
        final Object[] flat = new Object[2 * count()];
        int at = 0;
        for (final Iterator<?> all = whole().iterator(); all.hasNext(); ) {
            final Map.Entry<?, ?> entry = (Map.Entry<?, ?>) all.next();
            flat[at++] = entry.getKey();
            flat[at++] = entry.getValue();
        }
        return flat;
    }

    /** Returns the value of the last key that is the one. */
    private Object search(final JsonLookup lookup, final Object notFound) {
        final byte[] tape = document.tape();
        int at = start + Results.JSON_WORD_SIZE;
        int found = -1;
        int foundAt = 0;
        for (int place = 0; place < entries; place++) {
            final long key = Records.u64(tape, at);
            final int valueAt = JsonTape.behind(tape, at);
            if (lookup.is(document, key, at)) {
                found = place;
                foundAt = valueAt;
            }
            at = JsonTape.behind(tape, valueAt);
        }
        return found < 0 ? notFound : value(found, foundAt);
    }

    private Object value(final int place, final int at) {
        Object[] known = values;
        if (known == null) {
            known = new Object[entries];
            values = known;
        }
        Object value = known[place];
        if (value == null) {
            value = document.value(at);
            known[place] = value;
        }
        return value;
    }

    /** Returns the whole map as an ordinary one. */
    private IPersistentMap whole() {
        IPersistentMap made = whole;
        if (made == null) {
            made = make();
            whole = made;
        }
        return made;
    }

    private IPersistentMap make() {
        final byte[] tape = document.tape();
        final Object[] flat = new Object[2 * entries];
        int at = start + Results.JSON_WORD_SIZE;
        for (int place = 0; place < entries; place++) {
            final long key = Records.u64(tape, at);
            flat[2 * place] = (byte) key == Results.JSON_KEY_HERE
                    ? document.keys().of(JsonTape.here(tape, at, key), 0)
                    : document.keys().of(document.input(), document.inputFrom() + (int) (key >>> 32), key);
            at = JsonTape.behind(tape, at);
            flat[2 * place + 1] = value(place, at);
            at = JsonTape.behind(tape, at);
        }
        final IPersistentMap made = ClientMaps.map(flat, null);
        if (made == null) {
            throw new JsonMalformedException(0, Results.JSON_BAD_HASHES);
        }
        return made;
    }
}
