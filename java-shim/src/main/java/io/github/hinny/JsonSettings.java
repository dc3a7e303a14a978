package io.github.hinny;

import clojure.lang.IFn;

/**
 * How {@link JsonWriter} writes: a user's options, checked by whoever made them.
 *
 * <p>Immutable; any thread.
 */
public final class JsonSettings {
    /** The greatest depth if nothing else is asked for. */
    public static final int MAX_DEPTH = 512;

    /** The greatest depth that can be asked for: beyond it a thread's stack is what ends. */
    public static final int MAX_DEPTH_MAX = 10_000;

    /** The greatest length in bytes if nothing else is asked for. */
    public static final long MAX_BYTES = 256L << 20;

    /** Compact, no more escapes than JSON asks for. */
    public static final JsonSettings DEFAULT = new JsonSettings(false, 0, null, MAX_DEPTH, MAX_BYTES);

    final boolean pretty;
    final JsonEscapes escapes;
    final IFn keyFn;
    final int maxDepth;
    final long maxBytes;

    /**
     * Makes settings.
     *
     * @param pretty one entry or element a line, two blanks for each level
     * @param escapes {@code JsonEscapes.…} bits
     * @param keyFn what is called with each key of a map and returns what is written, null for none
     * @param maxDepth collections in each other
     * @param maxBytes of the whole text
     */
    public JsonSettings(
            final boolean pretty, final int escapes, final IFn keyFn, final int maxDepth, final long maxBytes) {
        this.pretty = pretty;
        this.escapes = JsonEscapes.of(escapes);
        this.keyFn = keyFn;
        this.maxDepth = maxDepth;
        this.maxBytes = maxBytes;
    }
}
