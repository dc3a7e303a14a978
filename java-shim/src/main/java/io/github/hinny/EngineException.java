package io.github.hinny;

/**
 * The native side could not do what it was asked; {@link #kind} says why in one word, the message in a sentence.
 *
 * <p>This constructor is called from native code.
 */
public final class EngineException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String kind;

    /** Makes an exception of {@code kind LF message}. */
    public EngineException(final String text) {
        super(text.substring(text.indexOf('\n') + 1));
        this.kind = text.substring(0, Math.max(0, text.indexOf('\n')));
    }

    /**
     * Returns {@code port-in-use}, {@code bind-failed}, {@code option-invalid}, {@code route-conflict}, {@code route-pattern},
     * {@code route-invalid}, {@code stopped}, {@code panic} or {@code internal}.
     */
    public String kind() {
        return kind;
    }
}
