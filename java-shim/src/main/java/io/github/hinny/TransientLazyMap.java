package io.github.hinny;

import clojure.lang.AFn;
import clojure.lang.IMapEntry;
import clojure.lang.IObj;
import clojure.lang.IPersistentMap;
import clojure.lang.ITransientAssociative2;
import clojure.lang.ITransientMap;

/**
 * A {@link LazyMap} while it is changed in bulk. Each change makes another persistent map, which for one of these is one more
 * entry beside the record; so what becomes of a request is still that request.
 *
 * <p>As any transient: of one thread at a time, and of no use after {@link #persistent}.
 */
final class TransientLazyMap extends AFn implements ITransientMap, ITransientAssociative2 {
    /** What it is now, null after {@link #persistent}. */
    private IPersistentMap map;

    TransientLazyMap(final LazyMap map) {
        this.map = map;
    }

    private IPersistentMap editable() {
        if (map == null) {
            throw new IllegalAccessError("Transient used after persistent! call");
        }
        return map;
    }

    @Override
    public ITransientMap assoc(final Object key, final Object value) {
        map = editable().assoc(key, value);
        return this;
    }

    @Override
    public ITransientMap without(final Object key) {
        map = editable().without(key);
        return this;
    }

    @Override
    public ITransientMap conj(final Object entries) {
        map = (IPersistentMap) editable().cons(entries);
        return this;
    }

    @Override
    public Object valAt(final Object key) {
        return editable().valAt(key);
    }

    @Override
    public Object valAt(final Object key, final Object notFound) {
        return editable().valAt(key, notFound);
    }

    @Override
    public boolean containsKey(final Object key) {
        return editable().containsKey(key);
    }

    @Override
    public IMapEntry entryAt(final Object key) {
        return editable().entryAt(key);
    }

    @Override
    public Object invoke(final Object key) {
        return editable().valAt(key);
    }

    @Override
    public Object invoke(final Object key, final Object notFound) {
        return editable().valAt(key, notFound);
    }

    @Override
    public int count() {
        return editable().count();
    }

    /** Without metadata, as other transient maps. */
    @Override
    public IPersistentMap persistent() {
        final IPersistentMap made = (IPersistentMap) ((IObj) editable()).withMeta(null);
        map = null;
        return made;
    }
}
