package io.github.hinny;

import java.io.IOException;

/**
 * A multipart body that is malformed, or has more of something than its reader allows.
 *
 * <p>Made by {@link MultipartReader} and those who read with it. Immutable.
 */
public final class MultipartException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String reason;
    private final long max;

    private MultipartException(final String message, final String reason, final long max) {
        super(message);
        this.reason = reason;
        this.max = max;
    }

    /** A body that is no multipart body, because of {@code reason}: one word, which the message explains. */
    public static MultipartException malformed(final String reason, final String message) {
        return new MultipartException(message, reason, -1);
    }

    /** A body that has more of {@code limit}, one word, than {@code max}. */
    static MultipartException beyond(final String limit, final long max) {
        return new MultipartException("the form exceeds " + limit + ", which is " + max, limit, max);
    }

    /** Returns whether the body is malformed, otherwise it is too large. */
    public boolean isMalformed() {
        return max < 0;
    }

    /** Returns what is wrong, or which limit there is, in one word. */
    public String reason() {
        return reason;
    }

    /** Returns the limit, -1 if it is none that is exceeded. */
    public long max() {
        return max;
    }
}
