package io.github.hinny;

import clojure.lang.IPersistentMap;
import java.io.ByteArrayInputStream;
import java.nio.charset.Charset;

/**
 * A request body that came as a whole with its request: a stream over the record's bytes.
 *
 * <p>Made by {@link RequestRecord}. Any thread may read. Holds the record's heap array, no native memory.
 */
final class WholeBody extends ByteArrayInputStream {
    WholeBody(final byte[] record, final int from, final int length) {
        super(record, from, length);
    }

    /** Reads what nobody has read yet as a form; see {@link Params#ofForm(byte[], int, int, Charset, int)}. */
    synchronized IPersistentMap readForm(final Charset charset, final int most) {
        final int from = pos;
        pos = count;
        return Params.ofForm(buf, from, count - from, charset, most);
    }

    /** Reads what nobody has read yet as a JSON text; see {@link JsonReader#read}. */
    synchronized Object readJson(final JsonReadSettings settings) {
        final int from = pos;
        pos = count;
        return JsonReader.read(buf, from, count - from, true, settings);
    }
}
