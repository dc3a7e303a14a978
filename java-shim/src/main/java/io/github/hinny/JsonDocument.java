package io.github.hinny;

/**
 * A JSON text with its tape, of which {@link LazyJsonMap}s are views.
 *
 * <p>Immutable, as nobody writes to the two arrays any more; any thread may use it. Owns no native memory.
 *
 * @param input an array that has the text
 * @param inputFrom where in it the text starts
 * @param tape an array that has the tape
 * @param keys what keys become
 */
record JsonDocument(byte[] input, int inputFrom, byte[] tape, JsonKeyDecoder keys) {
    /** Returns the value whose first word is at {@code at}; objects in it are lazy. */
    Object value(final int at) {
        return new JsonBuilder(input, inputFrom, tape, keys, this).value(at);
    }
}
