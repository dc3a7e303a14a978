package io.github.hinny;

import clojure.lang.APersistentMap;
import clojure.lang.ArraySeq;
import clojure.lang.IDeref;
import clojure.lang.IEditableCollection;
import clojure.lang.IFn;
import clojure.lang.IKVReduce;
import clojure.lang.IMapEntry;
import clojure.lang.IMapIterable;
import clojure.lang.IObj;
import clojure.lang.IPersistentCollection;
import clojure.lang.IPersistentMap;
import clojure.lang.ISeq;
import clojure.lang.ITransientCollection;
import clojure.lang.MapEntry;
import clojure.lang.PersistentArrayMap;
import clojure.lang.RT;
import clojure.lang.Util;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * What {@link RingRequest} and {@link Headers} share: a persistent map whose entries are decoded
 * when asked for.
 *
 * <p>A subclass looks one key up without decoding the others; everything that walks the whole map
 * ({@code seq}, {@code reduce-kv}, {@code =}, {@code hash}, {@code print}, the {@code
 * java.util.Map} views) goes over one flat array of keys and values. Serialized as the plain map
 * with the same entries, and printed as it with {@code *print-dup*}: a subclass has a static {@code
 * create} that the reader calls.
 *
 * <p>Immutable to its users; any thread may use it.
 */
abstract class LazyMap extends APersistentMap implements IObj, IKVReduce, IMapIterable, IEditableCollection {
    private static final long serialVersionUID = 1L;
    private static final Object ABSENT = new Object();

    private final transient IPersistentMap meta;

    LazyMap(final IPersistentMap meta) {
        this.meta = meta;
    }

    /** Returns key, value, key, value … of all entries, in an array of the caller's own. */
    abstract Object[] keysAndValues();

    @Override
    public abstract Object valAt(Object key, Object notFound);

    @Override
    public final Object valAt(final Object key) {
        return valAt(key, null);
    }

    @Override
    public boolean containsKey(final Object key) {
        return valAt(key, ABSENT) != ABSENT;
    }

    @Override
    public IMapEntry entryAt(final Object key) {
        final Object value = valAt(key, ABSENT);
        return value == ABSENT ? null : MapEntry.create(key, value);
    }

    @Override
    public final IPersistentMap assocEx(final Object key, final Object value) {
        if (containsKey(key)) {
            throw Util.runtimeException("Key already present");
        }
        return assoc(key, value);
    }

    @Override
    public final IPersistentCollection empty() {
        return (IPersistentCollection) PersistentArrayMap.EMPTY.withMeta(meta);
    }

    @Override
    public final IPersistentMap meta() {
        return meta;
    }

    /** Returns an array map or hash map with the same entries and metadata. */
    final IPersistentMap plain() {
        return (IPersistentMap) ((IObj) RT.mapUniqueKeys(keysAndValues())).withMeta(meta);
    }

    @Override
    public final ITransientCollection asTransient() {
        return new TransientLazyMap(this);
    }

    @Override
    public final ISeq seq() {
        final Object[] flat = keysAndValues();
        if (flat.length == 0) {
            return null;
        }
        final Object[] entries = new Object[flat.length / 2];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = MapEntry.create(flat[2 * i], flat[2 * i + 1]);
        }
        return ArraySeq.create(entries);
    }

    @Override
    public final Object kvreduce(final IFn f, final Object init) {
        final Object[] flat = keysAndValues();
        Object result = init;
        for (int i = 0; i < flat.length; i += 2) {
            result = f.invoke(result, flat[i], flat[i + 1]);
            if (RT.isReduced(result)) {
                return ((IDeref) result).deref();
            }
        }
        return result;
    }

    @Override
    public final Iterator<Object> iterator() {
        return new FlatIterator(keysAndValues()) {
            @Override
            Object item(final Object[] flat, final int at) {
                return MapEntry.create(flat[at], flat[at + 1]);
            }
        };
    }

    @Override
    public final Iterator<Object> keyIterator() {
        return new FlatIterator(keysAndValues()) {
            @Override
            Object item(final Object[] flat, final int at) {
                return flat[at];
            }
        };
    }

    @Override
    public final Iterator<Object> valIterator() {
        return new FlatIterator(keysAndValues()) {
            @Override
            Object item(final Object[] flat, final int at) {
                return flat[at + 1];
            }
        };
    }

    /** Called by Java serialization: what travels is a plain map, readable without Hinny. */
    final Object writeReplace() {
        return plain();
    }

    private abstract static class FlatIterator implements Iterator<Object> {
        private final Object[] flat;
        private int next;

        FlatIterator(final Object[] flat) {
            this.flat = flat;
        }

        abstract Object item(Object[] flat, int at);

        @Override
        public final boolean hasNext() {
            return next < flat.length;
        }

        @Override
        public final Object next() {
            if (next >= flat.length) {
                throw new NoSuchElementException();
            }
            final Object item = item(flat, next);
            next += 2;
            return item;
        }
    }
}
