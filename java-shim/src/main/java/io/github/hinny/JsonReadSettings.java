package io.github.hinny;

/**
 * How JSON is to be read.
 *
 * @param keys what keys become
 * @param maxDepth arrays and objects in each other, 1 to {@link #MAX_DEPTH_MAX}
 * @param maxBytes of the text in UTF-8, 1 to {@link Results#JSON_BYTES_MAX}
 * @param isBigDecimal whether numbers with a fraction or an exponent become BigDecimals
 * @param isLazy whether an object's values are made when they are asked for
 * @param emptyValue what a text without a value is read as, {@link #REFUSED} if that is an error
 */
public record JsonReadSettings(
        JsonKeyDecoder keys, int maxDepth, int maxBytes, boolean isBigDecimal, boolean isLazy, Object emptyValue) {
    /** The largest depth that may be asked for. */
    public static final int MAX_DEPTH_MAX = 10_000;

    /** As the native side reads bodies where nobody asks for another depth. */
    public static final int MAX_DEPTH_DEFAULT = 512;

    /** Instead of a value for texts without one: they are malformed. */
    public static final Object REFUSED = new Object();

    /** String keys, eager, all limits at their defaults. */
    public static final JsonReadSettings DEFAULT = new JsonReadSettings(
            JsonKeyDecoder.STRINGS, MAX_DEPTH_DEFAULT, Results.JSON_BYTES_MAX, false, false, REFUSED);

    /** Returns the settings as the native codec reads them. */
    int bits() {
        return maxDepth | (isBigDecimal ? Results.JSON_BIG_DECIMALS : 0);
    }
}
