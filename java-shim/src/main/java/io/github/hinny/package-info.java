/**
 * The Java side of the boundary: loads the native library, drives event loops through {@link io.github.hinny.Native}
 * and shows requests to Clojure as Ring maps.
 *
 * <p>Not an API: {@code hinny.server} is what users call. Nothing here holds a pointer or native memory; a record is
 * copied once into a heap array and read there.
 */
package io.github.hinny;
