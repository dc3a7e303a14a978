package io.github.hinny;

/**
 * A handler's return value is not a Ring response that Hinny can send.
 *
 * <p>Thrown by {@link ResponseEncoder}. The message says exactly what is wrong, in one line for the log; it is
 * never sent to a client. It has no stack trace, because the frames would be Hinny's and not the
 * handler's.
 */
public final class InvalidResponseException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Makes an exception with its reason. */
    public InvalidResponseException(final String message) {
        super(LogText.escape(message), null, false, false);
    }
}
