package io.github.hinny;

import clojure.lang.Util;
import java.util.Objects;

/**
 * A response body that is a Clojure value to be written as JSON, straight into the response: no text is made before.
 *
 * <p>Its {@code toString} is that text, for whoever looks at a response without sending it. Equal to another of an equal
 * value. Immutable if the value is; any thread may use it.
 */
public final class JsonBody {
    private final Object value;
    private final JsonSettings settings;

    /**
     * Makes a body.
     *
     * @param value what {@link JsonText} can write, or nil
     * @param settings how
     */
    public JsonBody(final Object value, final JsonSettings settings) {
        this.value = value;
        this.settings = Objects.requireNonNull(settings);
    }

    /** Returns the value. */
    public Object value() {
        return value;
    }

    /** Appends the text to an outbox; see {@link JsonText#append}. */
    void appendTo(final Outbox outbox) {
        JsonText.append(value, settings, outbox);
    }

    @Override
    public boolean equals(final Object other) {
        return other instanceof JsonBody body && Util.equiv(value, body.value);
    }

    @Override
    public int hashCode() {
        return Util.hasheq(value);
    }

    @Override
    public String toString() {
        return JsonText.toString(value, settings);
    }
}
