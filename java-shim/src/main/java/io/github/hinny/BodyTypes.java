package io.github.hinny;

import clojure.lang.IFn;
import clojure.lang.ISeq;
import java.io.File;
import java.io.InputStream;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which response bodies can be sent, and how: the types that Hinny knows, and those that users extended a protocol to.
 *
 * <p>A user's extension wins, also over the types that Hinny knows; one to Object is for the others. What is extended is Clojure's to tell: see
 * {@code hinny.impl.body}. Its answers are kept by class until a protocol changes.
 *
 * <p>Static, as protocols are: all servers of one Clojure runtime share it. Any thread.
 */
public final class BodyTypes {
    /** A class of which nobody extended a protocol to. */
    private static final Object NONE = new Object();

    /** Classes come and go where code is reloaded; beyond this many, all are asked for again. */
    private static final int KNOWN_MAX = 1000;

    private static volatile IFn writerOf;
    private static volatile Map<Class<?>, Object> known = new ConcurrentHashMap<>();
    private static volatile boolean plainExtended;

    private BodyTypes() {}

    /** Sets the function of a body that returns the function {@code (body response output-stream)} to write it, or nil. */
    public static void setWriterOf(final IFn function) {
        writerOf = function;
        changed();
    }

    /** A protocol was extended: forgets what was known. */
    public static void changed() {
        known = new ConcurrentHashMap<>();
        plainExtended = writer("") != null || writer(new byte[0]) != null || ask(null) != null;
    }

    /** Returns whether Hinny can send the body, which is not null, by itself. */
    public static boolean isKnown(final Object body) {
        return body instanceof String
                || body instanceof byte[]
                || body instanceof JsonBody
                || body instanceof InputStream
                || body instanceof File
                || body instanceof ISeq
                || body instanceof CompletionStage;
    }

    /** Returns whether somebody extended a protocol to nil, String or byte[]. */
    static boolean isPlainExtended() {
        return plainExtended;
    }

    /** Returns the user's function to write {@code body}, null if there is none. */
    static IFn writer(final Object body) {
        if (body == null) {
            return plainExtended ? ask(null) : null;
        }
        final Map<Class<?>, Object> answers = known;
        final Class<?> type = body.getClass();
        Object writer = answers.get(type);
        if (writer == null) {
            final IFn found = ask(body);
            writer = found == null ? NONE : found;
            if (answers.size() >= KNOWN_MAX) {
                answers.clear();
            }
            answers.put(type, writer);
        }
        return writer == NONE ? null : (IFn) writer;
    }

    private static IFn ask(final Object body) {
        final IFn function = writerOf;
        return function == null ? null : (IFn) function.invoke(body);
    }
}
