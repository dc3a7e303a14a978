package io.github.hinny;

/**
 * What a client sent cannot be read, which shows only when a handler looks at it: the answer is 400, unless somebody
 * catches this.
 *
 * <p>The message has nothing of the content. No stack trace: the frames would be Hinny's.
 */
public class ContentMalformedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Makes an exception that says what is wrong. */
    public ContentMalformedException(final String message) {
        super(message, null, false, false);
    }
}
