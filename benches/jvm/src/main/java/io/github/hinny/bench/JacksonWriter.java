package io.github.hinny.bench;

import clojure.lang.AFn;
import clojure.lang.IKVReduce;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import clojure.lang.PersistentHashMap;
import clojure.lang.PersistentVector;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.io.SerializedString;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;

/**
 * Clojure data through Jackson's generator, as well as it can be done: the classes by exact comparison, maps by kvreduce,
 * vectors by their arrays, keywords as serialized strings found by identity in an array, an array that is used again.
 * Not thread-safe.
 */
final class JacksonWriter {
    private final JsonFactory factory = JsonFactory.builder()
            .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
            .build();
    private final Keyword[] keywords = new Keyword[2048];
    private final SerializedString[] names = new SerializedString[2048];
    private final Reused output = new Reused();
    private final Entries entries = new Entries();
    private JsonGenerator generator;

    /** Keeps its array. */
    private static final class Reused extends OutputStream {
        private byte[] bytes = new byte[1 << 18];
        private int length;

        @Override
        public void write(final int value) {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(final byte[] source, final int from, final int count) {
            if (length + count > bytes.length) {
                bytes = Arrays.copyOf(bytes, 2 * (length + count));
            }
            System.arraycopy(source, from, bytes, length, count);
            length += count;
        }
    }

    private final class Entries extends AFn {
        @Override
        public Object invoke(final Object nothing, final Object key, final Object value) {
            try {
                generator.writeFieldName(name((Keyword) key));
                writeValue(value);
            } catch (final IOException failure) {
                throw new UncheckedIOException(failure);
            }
            return null;
        }
    }

    /** Writes into an array of its own; returns the length. */
    int write(final Object value) throws IOException {
        output.length = 0;
        generator = factory.createGenerator(output);
        writeValue(value);
        generator.close();
        return output.length;
    }

    /** Returns what was written last. */
    byte[] copy() {
        return Arrays.copyOf(output.bytes, output.length);
    }

    private SerializedString name(final Keyword keyword) {
        final int slot = keyword.hasheq() & names.length - 1;
        if (keywords[slot] != keyword) {
            final String text = keyword.sym.toString();
            keywords[slot] = keyword;
            names[slot] = new SerializedString(text);
        }
        return names[slot];
    }

    private void writeValue(final Object value) throws IOException {
        if (value == null) {
            generator.writeNull();
            return;
        }
        final Class<?> type = value.getClass();
        if (type == String.class) {
            generator.writeString((String) value);
        } else if (type == Long.class) {
            generator.writeNumber((long) (Long) value);
        } else if (type == PersistentArrayMap.class) {
            writeMap((PersistentArrayMap) value);
        } else if (type == Boolean.class) {
            generator.writeBoolean((Boolean) value);
        } else if (type == Double.class) {
            generator.writeNumber((double) (Double) value);
        } else if (type == PersistentVector.class) {
            writeVector((PersistentVector) value);
        } else if (type == PersistentHashMap.class) {
            writeMap((PersistentHashMap) value);
        } else {
            throw new IllegalArgumentException(type.getName());
        }
    }

    private void writeMap(final IKVReduce map) throws IOException {
        generator.writeStartObject();
        map.kvreduce(entries, null);
        generator.writeEndObject();
    }

    private void writeVector(final PersistentVector vector) throws IOException {
        final int count = vector.count();
        generator.writeStartArray();
        for (int i = 0; i < count; ) {
            for (final Object element : vector.arrayFor(i)) {
                writeValue(element);
                i++;
            }
        }
        generator.writeEndArray();
    }
}
