package io.github.hinny;

import java.util.stream.Stream;

/**
 * The native side could not do what it was asked; {@link #kind} says why in one word, the message in a sentence.
 *
 * <p>This constructor is called from native code.
 */
public final class EngineException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String kind;
    private final int[] endpoints;

    /** Makes an exception of {@code kind LF message}; behind the kind there may be numbers, each behind a space. */
    public EngineException(final String text) {
        super(text.substring(text.indexOf('\n') + 1));
        final String[] head = text.substring(0, Math.max(0, text.indexOf('\n'))).split(" ");
        this.kind = head[0];
        this.endpoints = Stream.of(head).skip(1).mapToInt(Integer::parseInt).toArray();
    }

    /**
     * Returns {@code port-in-use}, {@code bind-failed}, {@code option-invalid}, {@code route-conflict}, {@code route-pattern},
     * {@code route-invalid}, {@code stopped}, {@code panic} or {@code internal}.
     */
    public String kind() {
        return kind;
    }

    /** Returns the numbers of both endpoints of a {@code route-conflict}, from 1; nothing for other kinds. */
    public int[] endpoints() {
        return endpoints.clone();
    }
}
