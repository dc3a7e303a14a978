package io.github.hinny;

import static io.github.hinny.Records.HEADER_ENTRY_SIZE;
import static io.github.hinny.Records.REQUEST_HEADERS;
import static io.github.hinny.Records.REQUEST_HEADER_COUNT;

import clojure.lang.IObj;
import clojure.lang.IPersistentMap;
import clojure.lang.PersistentArrayMap;

/**
 * The headers of a request: a persistent map from lower-case names to values, over the bytes of one
 * request record.
 *
 * <p>Made by {@link RequestRecord}. A lookup walks the header index and decodes only the value it
 * finds; a miss allocates nothing. A decoded value is kept. Changing it ({@code assoc}, {@code
 * dissoc}) gives a plain Clojure map.
 *
 * <p>Immutable to its users; any thread may use it: threads may race to decode a value, and each
 * gets an equal String. Holds the record's heap array, no native memory.
 */
public final class Headers extends LazyMap {
    private static final long serialVersionUID = 1L;

    private static final int ACCEPT_BYTES_MAX = 1024;

    private final transient byte[] bytes;

    /** Where the header texts start in {@link #bytes}. */
    private final transient int textStart;

    /** The values decoded so far, null before the first; shared by copies with other metadata. */
    private transient String[] values; // Racy, as are its elements: see package-info.

    Headers(final byte[] bytes, final int textStart) {
        this(bytes, textStart, null, null);
    }

    private Headers(final byte[] bytes, final int textStart, final String[] values, final IPersistentMap meta) {
        super(meta);
        this.bytes = bytes;
        this.textStart = textStart;
        this.values = values;
    }

    /** Returns {@code entries}: what the reader calls for a map that was printed with {@code *print-dup*}. */
    public static IPersistentMap create(final IPersistentMap entries) {
        return entries;
    }

    /** Returns the value of a header by its lower-case name, or null. */
    String value(final String name) {
        final int index = indexOf(name);
        return index < 0 ? null : valueAt(index);
    }

    /** Returns the cookies of the Cookie header; see {@link Params#ofCookies(String, int)}. */
    IPersistentMap cookies(final int most) {
        final int index = indexOf("cookie");
        return index < 0
                ? PersistentArrayMap.EMPTY
                : Params.ofCookies(bytes, valueStart(index), valueLength(index), most);
    }

    /**
     * Writes the value of the Accept header to {@code outbox}, if it is there, not very long, and {@code outbox} has room for it
     * already.
     *
     * @return its length
     */
    int putAccept(final Outbox outbox) {
        final int index = indexOf("accept");
        final int length = index < 0 ? 0 : valueLength(index);
        if (length == 0 || length > ACCEPT_BYTES_MAX || !outbox.hasRoom(length + Long.BYTES)) {
            return 0;
        }
        outbox.put(bytes, valueStart(index), length);
        return length;
    }

    /** Returns whether there is a header with that lower-case name. */
    boolean has(final String name) {
        return indexOf(name) >= 0;
    }

    @Override
    public Object valAt(final Object key, final Object notFound) {
        final int index = key instanceof String name ? indexOf(name) : -1;
        return index < 0 ? notFound : valueAt(index);
    }

    @Override
    public boolean containsKey(final Object key) {
        return key instanceof String name && has(name);
    }

    @Override
    public int count() {
        return Records.u16(bytes, REQUEST_HEADER_COUNT);
    }

    @Override
    public IPersistentMap assoc(final Object key, final Object value) {
        return value != null && valAt(key, null) == value ? this : plain().assoc(key, value);
    }

    @Override
    public IPersistentMap without(final Object key) {
        return containsKey(key) ? plain().without(key) : this;
    }

    @Override
    public IObj withMeta(final IPersistentMap meta) {
        return meta == meta() ? this : new Headers(bytes, textStart, decoded(), meta);
    }

    @Override
    Object[] keysAndValues() {
        final int count = count();
        final Object[] flat = new Object[2 * count];
        final String[] known = decoded();
        int text = textStart;
        for (int i = 0; i < count; i++) {
            final int nameLength = nameLength(i);
            final int valueLength = valueLength(i);
            final int id = nameId(i);
            flat[2 * i] = id == 0 ? Records.latin1(bytes, text, nameLength) : HeaderNames.name(id);
            if (known[i] == null) {
                known[i] = Records.latin1(bytes, text + nameLength, valueLength);
            }
            flat[2 * i + 1] = known[i];
            text += nameLength + valueLength;
        }
        return flat;
    }

    private int indexOf(final String name) {
        final int count = count();
        int text = textStart;
        for (int i = 0; i < count; i++) {
            final int id = nameId(i);
            if (id == 0
                    ? isTextAt(text, nameLength(i), name)
                    : HeaderNames.name(id).equals(name)) {
                return i;
            }
            text += nameLength(i) + valueLength(i);
        }
        return -1;
    }

    private boolean isTextAt(final int text, final int length, final String name) {
        if (name.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (name.charAt(i) != Records.u8(bytes, text + i)) {
                return false;
            }
        }
        return true;
    }

    private String valueAt(final int index) {
        final String[] known = decoded();
        String value = known[index];
        if (value == null) {
            value = Records.latin1(bytes, valueStart(index), valueLength(index));
            known[index] = value;
        }
        return value;
    }

    private int valueStart(final int index) {
        int text = textStart + nameLength(index);
        for (int i = 0; i < index; i++) {
            text += nameLength(i) + valueLength(i);
        }
        return text;
    }

    private String[] decoded() {
        String[] known = values;
        if (known == null) {
            known = new String[count()];
            values = known;
        }
        return known;
    }

    private int nameId(final int index) {
        return Records.u16(bytes, REQUEST_HEADERS + index * HEADER_ENTRY_SIZE);
    }

    private int nameLength(final int index) {
        return Records.u16(bytes, REQUEST_HEADERS + index * HEADER_ENTRY_SIZE + 2);
    }

    private int valueLength(final int index) {
        return Records.u32(bytes, REQUEST_HEADERS + index * HEADER_ENTRY_SIZE + 4);
    }
}
