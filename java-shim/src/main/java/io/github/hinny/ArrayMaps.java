package io.github.hinny;

import clojure.lang.PersistentArrayMap;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/**
 * The array of keys and values in a {@link PersistentArrayMap}, to walk over it without a call for each entry.
 *
 * <p>Why not {@code kvreduce}: the whole program shares that loop, so the JIT knows less of what it calls. Where others use
 * it too, writing JSON took a fifth longer.
 *
 * <p>The field is not part of Clojure's API. Where it cannot be read (another Clojure, a native image) there is no array,
 * and callers use {@code kvreduce}.
 *
 * <p>Static; any thread.
 */
final class ArrayMaps {
    /** {@code (PersistentArrayMap) -> Object[]}, null if there is no such field. */
    private static final MethodHandle ARRAY = find();

    private ArrayMaps() {}

    /** Returns key, value, key, value …, not to be changed; null if it cannot be had. */
    static Object[] array(final PersistentArrayMap map) {
        if (ARRAY == null) {
            return null;
        }
        try {
            return (Object[]) ARRAY.invokeExact(map);
        } catch (final Throwable impossible) {
            throw new IllegalStateException(impossible); // A field is read: it throws nothing.
        }
    }

    private static MethodHandle find() {
        try {
            return MethodHandles.privateLookupIn(PersistentArrayMap.class, MethodHandles.lookup())
                    .findGetter(PersistentArrayMap.class, "array", Object[].class);
        } catch (final ReflectiveOperationException | RuntimeException hidden) {
            return null;
        }
    }
}
