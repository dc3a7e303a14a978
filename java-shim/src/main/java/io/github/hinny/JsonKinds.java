package io.github.hinny;

import clojure.lang.BigInt;
import clojure.lang.IFn;
import clojure.lang.IKVReduce;
import clojure.lang.IPersistentMap;
import clojure.lang.ISeq;
import clojure.lang.Keyword;
import clojure.lang.LazySeq;
import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentHashMap;
import clojure.lang.PersistentVector;
import clojure.lang.Ratio;
import clojure.lang.Seqable;
import clojure.lang.Sequential;
import clojure.lang.Symbol;
import java.lang.ref.WeakReference;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.temporal.TemporalAccessor;
import java.time.temporal.TemporalAmount;
import java.util.Collection;
import java.util.Date;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What each class is in JSON, and what users extended a protocol to.
 *
 * <p>A user's extension wins over what Hinny makes of a class; one to Object is for the classes that Hinny makes nothing
 * of. What is extended is Clojure's to tell: see {@code hinny.impl.json-writer}. Its answers are kept by class until the
 * protocol changes.
 *
 * <p>Static, as protocols are: all writers of one Clojure runtime share it. Any thread.
 */
public final class JsonKinds {
    /** How a value is written. */
    enum Kind {
        /** {@code true} or {@code false}. */
        BOOLEAN,
        /** A Number that is a long. */
        LONG,
        /** A Number written as the double that it is. */
        DOUBLE,
        /** A Number written as what its {@code toString} says. */
        NUMBER_TEXT,
        /** A string, as are the following: a CharSequence or what has a {@code toString} for it. */
        TEXT,
        KEYWORD,
        UUID,
        DATE,
        INSTANT,
        ZONED_DATE_TIME,
        ENUM,
        CHARACTERS,
        BASE64,
        /** An object: {@link IKVReduce}. */
        REDUCIBLE_MAP,
        /** An object: {@link Map}. */
        JAVA_MAP,
        /** An object: an {@link Iterable} of {@link java.util.Map.Entry}. */
        PERSISTENT_MAP,
        /** An array: {@link ISeq}, or what has one. */
        SEQ,
        /** An array: {@link Iterable}. */
        ITERABLE,
        /** An array: one of Java's. */
        ARRAY,
        /** Nothing that JSON has. */
        NONE
    }

    /** A class's kind, and the user's function that gives a simpler value to write instead, null if there is none. */
    record Writing(Kind kind, IFn replacement) {}

    /** The classes that {@link JsonWriter} tells from each other without asking here, unless one is extended. */
    private static final Class<?>[] COMMON = {
        String.class,
        Long.class,
        Double.class,
        Boolean.class,
        Keyword.class,
        PersistentArrayMap.class,
        PersistentHashMap.class,
        PersistentVector.class
    };

    private static volatile IFn replacementOf;
    private static volatile Known writings = new Known();
    private static volatile boolean commonExtended;

    private JsonKinds() {}

    /**
     * Sets the function of a class, and of whether Hinny knows what it is in JSON, that returns the user's function to
     * call with such a value, or nil.
     */
    public static void setReplacementOf(final IFn function) {
        replacementOf = function;
        changed();
    }

    /** The protocol was extended: forgets what was known. */
    public static void changed() {
        writings = new Known();
        boolean extended = false;
        for (final Class<?> common : COMMON) {
            extended |= of(common).replacement() != null;
        }
        commonExtended = extended;
    }

    /** Returns whether a user extended the protocol to a class that the writer knows by itself. */
    static boolean isCommonExtended() {
        return commonExtended;
    }

    /** Returns how values of a class are written. */
    static Writing of(final Class<?> type) {
        Writing writing = null;
        while (writing == null) {
            // Null only if the protocol has changed meanwhile.
            writing = writings.get(type).get();
        }
        return writing;
    }

    /**
     * What is known of classes. The JDK's own are in it too, and live for ever: they must not hold what is ours, or a class
     * loader that nobody needs would stay. So they have weak references, and this holds what these lead to.
     */
    private static final class Known extends ClassValue<WeakReference<Writing>> {
        private final Queue<Writing> kept = new ConcurrentLinkedQueue<>();

        @Override
        protected WeakReference<Writing> computeValue(final Class<?> type) {
            final Kind kind = kind(type);
            final IFn ask = replacementOf;
            final IFn replacement = ask == null ? null : (IFn) ask.invoke(type, kind != Kind.NONE);
            final Writing writing = new Writing(kind, replacement);
            kept.add(writing);
            return new WeakReference<>(writing);
        }
    }

    private static Kind kind(final Class<?> type) {
        if (Number.class.isAssignableFrom(type)) {
            return numberKind(type);
        }
        if (type.isArray()) {
            return type == byte[].class ? Kind.BASE64 : type == char[].class ? Kind.CHARACTERS : Kind.ARRAY;
        }
        if (type == Boolean.class) {
            return Kind.BOOLEAN;
        }
        if (type == Keyword.class) {
            return Kind.KEYWORD;
        }
        if (type == UUID.class) {
            return Kind.UUID;
        }
        if (type == Instant.class) {
            return Kind.INSTANT;
        }
        if (type == ZonedDateTime.class) {
            return Kind.ZONED_DATE_TIME;
        }
        if (Date.class.isAssignableFrom(type)) {
            return Kind.DATE;
        }
        if (Enum.class.isAssignableFrom(type)) {
            return Kind.ENUM;
        }
        if (isText(type)) {
            return Kind.TEXT;
        }
        return collectionKind(type);
    }

    private static Kind numberKind(final Class<?> type) {
        if (type == Long.class || type == Integer.class || type == Short.class || type == Byte.class) {
            return Kind.LONG;
        }
        if (type == Double.class || type == Ratio.class) {
            return Kind.DOUBLE;
        }
        final boolean isNumberText = type == Float.class
                || type == BigInt.class
                || BigInteger.class.isAssignableFrom(type)
                || BigDecimal.class.isAssignableFrom(type)
                || type == AtomicLong.class
                || type == AtomicInteger.class;
        return isNumberText ? Kind.NUMBER_TEXT : Kind.NONE;
    }

    private static boolean isText(final Class<?> type) {
        return CharSequence.class.isAssignableFrom(type)
                || type == Character.class
                || type == Symbol.class
                || TemporalAccessor.class.isAssignableFrom(type)
                || TemporalAmount.class.isAssignableFrom(type)
                || ZoneId.class.isAssignableFrom(type)
                || type == java.net.URI.class
                || type == java.net.URL.class;
    }

    private static Kind collectionKind(final Class<?> type) {
        final boolean isPersistentMap = IPersistentMap.class.isAssignableFrom(type);
        if (isPersistentMap && IKVReduce.class.isAssignableFrom(type)) {
            return Kind.REDUCIBLE_MAP;
        }
        if (isPersistentMap) {
            return Kind.PERSISTENT_MAP; // Not by entrySet: a record's is a set, in no order.
        }
        if (Map.class.isAssignableFrom(type)) {
            return Kind.JAVA_MAP;
        }
        if (ISeq.class.isAssignableFrom(type) || type == LazySeq.class) {
            return Kind.SEQ;
        }
        final boolean isSequential = Sequential.class.isAssignableFrom(type);
        if (Collection.class.isAssignableFrom(type) || isSequential && Iterable.class.isAssignableFrom(type)) {
            return Kind.ITERABLE;
        }
        return isSequential && Seqable.class.isAssignableFrom(type) ? Kind.SEQ : Kind.NONE;
    }
}
