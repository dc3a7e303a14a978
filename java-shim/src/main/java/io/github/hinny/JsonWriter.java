package io.github.hinny;

import clojure.lang.IChunk;
import clojure.lang.IChunkedSeq;
import clojure.lang.IFn;
import clojure.lang.IKVReduce;
import clojure.lang.ISeq;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentHashMap;
import clojure.lang.PersistentVector;
import clojure.lang.RT;
import java.lang.reflect.Array;
import java.util.Map;

/**
 * Writes Clojure and Java data as JSON (RFC 8259) in UTF-8. {@code hinny.impl.json-writer} tells what becomes of which
 * type; {@link JsonText} is how it is called.
 *
 * <p>The common classes are told from each other by a chain of comparisons, all others by {@link JsonKinds}. Small maps
 * and vectors are walked by their arrays, other maps by {@code kvreduce}, so that no entry, iterator or box is made. Each
 * entry and element ends with a comma, over the last of which the bracket is written.
 *
 * <p>It recurses: {@code maxDepth} is what keeps it from the end of the stack, and what ends data that contains itself.
 *
 * <p>Owned by one thread at a time; a call may come from within another, for another writer.
 */
final class JsonWriter extends JsonScalars {
    private JsonSettings settings;
    private JsonKeys keys;
    private IFn keyFn;
    private boolean isCommonExtended;
    private boolean pretty;
    private int depth;

    /** Writes one value into the text that has begun. */
    void write(final Object value, final JsonSettings how) {
        settings = how;
        escapes = how.escapes;
        keys = escapes.keys;
        keyFn = how.keyFn;
        pretty = how.pretty;
        isCommonExtended = JsonKinds.isCommonExtended();
        depth = 0;
        try {
            writeValue(value);
        } catch (final StackOverflowError failure) {
            throw new JsonUnwritableException("nested too deep for the stack of this thread", null);
        }
    }

    /** Forgets what it was used for. */
    @Override
    void forget() {
        super.forget();
        strings.forget();
        settings = null;
        keyFn = null;
    }

    private void writeValue(final Object value) {
        if (value == null) {
            putNull();
            return;
        }
        final Class<?> type = value.getClass();
        if (isCommonExtended) {
            writeOther(value);
        } else if (type == String.class) {
            strings.write((String) value, escapes, this);
        } else if (type == Long.class) {
            JsonNumbers.write((long) (Long) value, this);
        } else if (type == PersistentArrayMap.class) {
            writeArrayMap((PersistentArrayMap) value);
        } else if (type == Keyword.class) {
            strings.write(JsonKeys.text((Keyword) value), escapes, this);
        } else if (type == Boolean.class) {
            put((boolean) (Boolean) value);
        } else if (type == Double.class) {
            JsonNumbers.write((double) (Double) value, this);
        } else if (type == PersistentVector.class) {
            writeVector((PersistentVector) value);
        } else if (type == PersistentHashMap.class) {
            writeMap((PersistentHashMap) value);
        } else {
            writeOther(value);
        }
    }

    private void writeArrayMap(final PersistentArrayMap map) {
        final Object[] entries = ArrayMaps.array(map);
        if (entries == null) {
            writeMap(map);
            return;
        }
        open('{');
        int i = 0;
        try {
            for (; i < entries.length; i += 2) {
                writeEntry(entries[i], entries[i + 1]);
            }
        } catch (final JsonUnwritableException failure) {
            throw failure.under(entries[i]);
        }
        close('}');
    }

    private void writeMap(final IKVReduce map) {
        open('{');
        map.kvreduce(this, null);
        close('}');
    }

    /** Writes an entry of the map being written: what {@code kvreduce} calls. */
    @Override
    public Object invoke(final Object nothing, final Object key, final Object value) {
        try {
            writeEntry(key, value);
        } catch (final JsonUnwritableException failure) {
            throw failure.under(key);
        }
        return null;
    }

    private void writeEntry(final Object key, final Object value) {
        if (pretty) {
            newLine();
        }
        final Object name = keyFn == null ? key : keyFn.invoke(key);
        if (name instanceof Keyword) {
            keys.write((Keyword) name, this, strings);
        } else {
            writeKey(name);
            bytes[at++] = ':';
        }
        if (pretty) {
            bytes[at++] = ' ';
        }
        writeValue(value);
        bytes[at++] = ',';
    }

    private void writeVector(final PersistentVector vector) {
        final int count = vector.count();
        open('[');
        int i = 0;
        try {
            while (i < count) {
                final Object[] chunk = vector.arrayFor(i);
                final int length = Math.min(chunk.length, count - i);
                for (int j = 0; j < length; j++, i++) {
                    element(chunk[j]);
                }
            }
        } catch (final JsonUnwritableException failure) {
            throw failure.under((long) i);
        }
        close(']');
    }

    private void element(final Object value) {
        if (pretty) {
            newLine();
        }
        writeValue(value);
        bytes[at++] = ',';
    }

    private void open(final char bracket) {
        if (++depth > settings.maxDepth) {
            throw new JsonUnwritableException("nested deeper than :max-depth " + settings.maxDepth, null);
        }
        put(bracket);
    }

    private void close(final char bracket) {
        depth--;
        if (bytes[at - 1] != ',') {
            put(bracket);
            return;
        }
        at--;
        if (pretty) {
            newLine();
        }
        put(bracket);
    }

    private void newLine() {
        final int blanks = 2 * depth;
        need(1 + blanks);
        bytes[at++] = '\n';
        for (int i = 0; i < blanks; i++) {
            bytes[at++] = ' ';
        }
    }

    private void writeOther(final Object value) {
        final Class<?> type = value.getClass();
        final JsonKinds.Writing writing = JsonKinds.of(type);
        if (writing.replacement() != null) {
            final Object replacement = writing.replacement().invoke(value);
            if (replacement == null || replacement.getClass() != type) {
                // A level, so that replacements that never end in anything are an error.
                if (++depth > settings.maxDepth) {
                    throw new JsonUnwritableException("nested deeper than :max-depth " + settings.maxDepth, type);
                }
                writeValue(replacement);
                depth--;
                return;
            }
            writeKind(replacement, type, writing.kind());
        } else {
            writeKind(value, type, writing.kind());
        }
    }

    private void writeKind(final Object value, final Class<?> type, final JsonKinds.Kind kind) {
        switch (kind) {
            case REDUCIBLE_MAP -> writeMap((IKVReduce) value);
            case JAVA_MAP -> writeEntries(((Map<?, ?>) value).entrySet());
            case PERSISTENT_MAP -> writeEntries((Iterable<?>) value);
            case SEQ -> writeSeq(RT.seq(value));
            case ITERABLE -> writeIterable((Iterable<?>) value);
            case ARRAY -> writeArray(value);
            default -> writeScalar(value, type, kind);
        }
    }

    private void writeEntries(final Iterable<?> map) {
        open('{');
        for (final Object next : map) {
            final Map.Entry<?, ?> entry = (Map.Entry<?, ?>) next;
            invoke(null, entry.getKey(), entry.getValue());
        }
        close('}');
    }

    private void writeSeq(final ISeq first) {
        open('[');
        long i = 0;
        try {
            ISeq rest = first;
            while (rest != null) {
                if (rest instanceof IChunkedSeq chunked) {
                    final IChunk chunk = chunked.chunkedFirst();
                    final int count = chunk.count();
                    for (int j = 0; j < count; j++, i++) {
                        element(chunk.nth(j));
                    }
                    rest = chunked.chunkedNext();
                } else {
                    element(rest.first());
                    i++;
                    rest = rest.next();
                }
            }
        } catch (final JsonUnwritableException failure) {
            throw failure.under(i);
        }
        close(']');
    }

    private void writeIterable(final Iterable<?> elements) {
        open('[');
        long i = 0;
        try {
            for (final Object element : elements) {
                element(element);
                i++;
            }
        } catch (final JsonUnwritableException failure) {
            throw failure.under(i);
        }
        close(']');
    }

    private void writeArray(final Object array) {
        final int count = Array.getLength(array);
        open('[');
        int i = 0;
        try {
            for (; i < count; i++) {
                element(Array.get(array, i));
            }
        } catch (final JsonUnwritableException failure) {
            throw failure.under((long) i);
        }
        close(']');
    }
}
