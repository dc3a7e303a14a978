package io.github.hinny;

import clojure.lang.PersistentVector;
import clojure.lang.RT;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A value that cannot be written as JSON.
 *
 * <p>Thrown by {@link JsonWriter}; each collection that it passes on its way out adds where the value stands in it. It
 * has no stack trace, because the frames would be Hinny's and not the caller's.
 */
public final class JsonUnwritableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** So many parts of a path are shown in the message. */
    private static final int SHOWN_MAX = 20;

    private final transient Class<?> type;

    /** Keys and indexes, the innermost first. */
    private final transient List<Object> inside = new ArrayList<>();

    JsonUnwritableException(final String message, final Class<?> type) {
        super(message, null, false, false);
        this.type = type;
    }

    /** Says that the value is in, or under, the entry with this key or index of a collection. */
    JsonUnwritableException under(final Object key) {
        inside.add(key);
        return this;
    }

    /** Returns the class of the value, null for nil and where no single value is to blame. */
    public Class<?> type() {
        return type;
    }

    /** Returns the keys and indexes that lead from the outermost value to this one. */
    public PersistentVector path() {
        final List<Object> outermostFirst = new ArrayList<>(inside);
        Collections.reverse(outermostFirst);
        return PersistentVector.create(outermostFirst);
    }

    /** Returns what is wrong, and where unless it is the outermost value. */
    @Override
    public String getMessage() {
        if (inside.isEmpty()) {
            return super.getMessage();
        }
        final StringBuilder text = new StringBuilder(super.getMessage()).append(", at [");
        final int shown = Math.min(inside.size(), SHOWN_MAX);
        for (int i = 0; i < shown; i++) {
            text.append(i == 0 ? "" : " ").append(RT.printString(inside.get(inside.size() - 1 - i)));
        }
        return text.append(shown < inside.size() ? " …]" : "]").toString();
    }
}
