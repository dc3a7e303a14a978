/**
 * The Java side of the boundary: loads the native library, drives event loops through {@link io.github.hinny.Native}
 * and shows requests to Clojure as Ring maps.
 *
 * <p>Not an API: {@code hinny.server} is what users call. Nothing here holds a pointer or native memory; a record is
 * copied once into a heap array and read there.
 *
 * <p>Fields that are marked <em>racy</em> keep what is made when it is first asked for, without a lock, in classes that any
 * thread may use. That is right on every memory model, since: one field is all that there is to know of a value; it
 * is read once, into a local variable; each thread that finds it empty makes an equal value; and the value is published by
 * final fields of its own (Strings, Clojure's collections and keywords, our classes whose fields are final), or is an array of
 * such values, whose elements are racy in turn.
 */
package io.github.hinny;
