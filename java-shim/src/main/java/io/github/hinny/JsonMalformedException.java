package io.github.hinny;

/**
 * A text is not JSON that Hinny reads: {@link #position} and {@link #reason} say where and why, the message both in words.
 *
 * <p>The message has nothing of the text, so that it may reach whoever sent it. No stack trace: the frames would be
 * Hinny's.
 */
public final class JsonMalformedException extends ContentMalformedException {
    private static final long serialVersionUID = 1L;

    /**
     * Of each {@code Results.JSON_BAD_…}, in order, a word, and words: as {@code native/codec/src/json/reason.rs} has them, which a
     * test compares. Not read from there: a text may be found to be malformed where the library cannot be loaded.
     */
    private static final String[][] REASONS = {
        {},
        {"empty", "no value"},
        {"end", "the text ends too early"},
        {"character", "a character that cannot stand there"},
        {"encoding", "bytes that are not UTF-8"},
        {"control-character", "a control character in a string"},
        {"escape", "an unknown escape"},
        {"surrogate", "half a surrogate pair"},
        {"leading-zero", "a number with a leading zero"},
        {"trailing", "something behind the value"},
        {"depth", "nested too deeply"},
        {"digits", "a number of too many digits"},
        {"range", "a number out of range"},
        {"length", "the text is too long"},
        {"hashes", "too many keys with the same hash"},
    };

    private final int position;
    private final String reason;

    /**
     * Makes an exception for the fault at {@code position}.
     *
     * @param position where, in bytes from the start of the text in UTF-8
     * @param reason one of {@code Results.JSON_BAD_…}
     */
    public JsonMalformedException(final int position, final int reason) {
        super("malformed JSON: " + REASONS[reason][1] + ", at byte " + position);
        this.position = position;
        this.reason = REASONS[reason][0];
    }

    /** Returns where the fault is, in bytes from the start of the text in UTF-8. */
    public int position() {
        return position;
    }

    /** Returns what the fault is, in a word: {@code end}, {@code character}, {@code encoding} and so on. */
    public String reason() {
        return reason;
    }
}
