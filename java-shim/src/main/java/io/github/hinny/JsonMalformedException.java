package io.github.hinny;

/**
 * A text is not JSON that Hinny reads: {@link #position} and {@link #reason} say where and why, the message both in words.
 *
 * <p>The message has nothing of the text, so that it may reach whoever sent it. No stack trace: the frames would be
 * Hinny's.
 */
public final class JsonMalformedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private static final String[] REASONS = new String[Results.JSON_BAD_HASHES + 1];
    private static final String[] TEXTS = new String[REASONS.length];

    static {
        reason(Results.JSON_BAD_EMPTY, "empty", "no value");
        reason(Results.JSON_BAD_END, "end", "the text ends too early");
        reason(Results.JSON_BAD_BYTE, "character", "a character that cannot stand there");
        reason(Results.JSON_BAD_UTF8, "encoding", "bytes that are not UTF-8");
        reason(Results.JSON_BAD_CONTROL, "control-character", "a control character in a string");
        reason(Results.JSON_BAD_ESCAPE, "escape", "an unknown escape");
        reason(Results.JSON_BAD_SURROGATE, "surrogate", "half a surrogate pair");
        reason(Results.JSON_BAD_ZERO, "leading-zero", "a number with a leading zero");
        reason(Results.JSON_BAD_REST, "trailing", "something behind the value");
        reason(Results.JSON_BAD_DEPTH, "depth", "nested too deeply");
        reason(Results.JSON_BAD_DIGITS, "digits", "a number of too many digits");
        reason(Results.JSON_BAD_RANGE, "range", "a number out of range");
        reason(Results.JSON_BAD_LENGTH, "length", "the text is too long");
        reason(Results.JSON_BAD_HASHES, "hashes", "too many keys with the same hash");
    }

    private final int position;
    private final String reason;

    /**
     * Makes an exception for the fault at {@code position}.
     *
     * @param position where, in bytes from the start of the text in UTF-8
     * @param reason one of {@code Results.JSON_BAD_…}
     */
    public JsonMalformedException(final int position, final int reason) {
        super("malformed JSON: " + TEXTS[reason] + ", at byte " + position, null, false, false);
        this.position = position;
        this.reason = REASONS[reason];
    }

    /** Returns where the fault is, in bytes from the start of the text in UTF-8. */
    public int position() {
        return position;
    }

    /** Returns what the fault is, in a word: {@code end}, {@code character}, {@code encoding} and so on. */
    public String reason() {
        return reason;
    }

    private static void reason(final int number, final String name, final String text) {
        REASONS[number] = name;
        TEXTS[number] = text;
    }
}
