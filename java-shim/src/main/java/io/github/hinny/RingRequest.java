package io.github.hinny;

import clojure.lang.IFn;
import clojure.lang.ILookup;
import clojure.lang.IMapEntry;
import clojure.lang.IObj;
import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.MapEntry;
import clojure.lang.PersistentArrayMap;
import java.nio.charset.Charset;
import java.util.Iterator;
import java.util.Map;

/**
 * A Ring request: a persistent map over the bytes of one request record.
 *
 * <p>Made by {@link #of}, one per request. The keys of the Ring SPEC ("core keys") are decoded when
 * asked for; keys that are added, and core keys that are given another value, live in an ordinary
 * map beside them. It equals, hashes and prints as the plain map with the same entries.
 *
 * <p>Invariants: a core key is visible (its value comes from the record) or hidden (removed, or
 * replaced by a value in {@link #ext}), never both; no core key's value in the record is nil, so
 * null there means that the key is absent.
 *
 * <p>Immutable to its users, except that all copies share one body stream; any thread may use it.
 * Holds the record's heap array, no native memory, so it may outlive its exchange.
 */
public final class RingRequest extends LazyMap {
    private static final long serialVersionUID = 1L;

    // Core keys: positions in CORE_KEYS and bits in hidden.
    private static final int URI = 0;
    private static final int REQUEST_METHOD = 1;
    private static final int HEADERS = 2;
    private static final int QUERY_STRING = 3;
    private static final int BODY = 4;
    private static final int SCHEME = 5;
    private static final int SERVER_NAME = 6;
    private static final int SERVER_PORT = 7;
    private static final int REMOTE_ADDR = 8;
    private static final int PROTOCOL = 9;
    private static final int CONTENT_TYPE = 10;
    private static final int CONTENT_LENGTH = 11;
    private static final int CHARACTER_ENCODING = 12;
    private static final int QUERY_PARAMS = 13;
    private static final int FORM_PARAMS = 14;
    private static final int JSON_PARAMS = 15;
    private static final int PARAMS = 16;
    private static final int PATH_PARAMS = 17;
    private static final int ROUTE = 18;
    private static final int MATCH = 19;

    private static final Keyword[] CORE_KEYS = new Keyword[20];

    static {
        CORE_KEYS[URI] = Keyword.intern(null, "uri");
        CORE_KEYS[REQUEST_METHOD] = Keyword.intern(null, "request-method");
        CORE_KEYS[HEADERS] = Keyword.intern(null, "headers");
        CORE_KEYS[QUERY_STRING] = Keyword.intern(null, "query-string");
        CORE_KEYS[BODY] = Keyword.intern(null, "body");
        CORE_KEYS[SCHEME] = Keyword.intern(null, "scheme");
        CORE_KEYS[SERVER_NAME] = Keyword.intern(null, "server-name");
        CORE_KEYS[SERVER_PORT] = Keyword.intern(null, "server-port");
        CORE_KEYS[REMOTE_ADDR] = Keyword.intern(null, "remote-addr");
        CORE_KEYS[PROTOCOL] = Keyword.intern(null, "protocol");
        CORE_KEYS[CONTENT_TYPE] = Keyword.intern(null, "content-type");
        CORE_KEYS[CONTENT_LENGTH] = Keyword.intern(null, "content-length");
        CORE_KEYS[CHARACTER_ENCODING] = Keyword.intern(null, "character-encoding");
        CORE_KEYS[QUERY_PARAMS] = Keyword.intern(null, "query-params");
        CORE_KEYS[FORM_PARAMS] = Keyword.intern(null, "form-params");
        CORE_KEYS[JSON_PARAMS] = Keyword.intern(null, "json-params");
        CORE_KEYS[PARAMS] = Keyword.intern(null, "params");
        CORE_KEYS[PATH_PARAMS] = Keyword.intern(null, "path-params");
        CORE_KEYS[ROUTE] = Keyword.intern(null, "route");
        CORE_KEYS[MATCH] = Keyword.intern("hinny.router", "match");
    }

    private static final Keyword HTTP = Keyword.intern(null, "http");
    private static final Keyword HTTPS = Keyword.intern(null, "https");
    private static final Keyword PATH = Keyword.intern(null, "path");

    private final transient RequestRecord record;

    /** The core keys that the record no longer answers, one bit each. */
    private final transient int hidden;

    private final transient IPersistentMap ext;

    private RingRequest(
            final RequestRecord record, final int hidden, final IPersistentMap ext, final IPersistentMap meta) {
        super(meta);
        this.record = record;
        this.hidden = hidden;
        this.ext = ext;
    }

    /** Returns the request in a request record, whose array it owns from now on. */
    public static RingRequest of(final byte[] record) {
        return of(record, null);
    }

    /** Returns {@code entries}: what the reader calls for a map that was printed with {@code *print-dup*}. */
    public static IPersistentMap create(final IPersistentMap entries) {
        return entries;
    }

    /** Returns the request in a request record, for an endpoint of the route table; null for none. */
    static RingRequest of(final byte[] record, final Endpoint endpoint) {
        return new RingRequest(new RequestRecord(record, endpoint), 0, PersistentArrayMap.EMPTY, null);
    }

    /**
     * Returns the id of the exchange that the request belongs to, whatever was changed in the map.
     */
    public long exchange() {
        return record.exchange();
    }

    /**
     * Calls {@code f} when the exchange ends before its response is complete: with {@code :disconnected} or
     * {@code :timed-out}, once, on a worker; soon if it has ended already; never when the response was complete.
     *
     * @throws IllegalStateException if the request belongs to no exchange that can outlive its handler
     */
    public void onClose(final IFn f) {
        final Exchange exchange = record.attached();
        if (exchange == null) {
            throw new IllegalStateException("an inline handler has answered before its client can leave");
        }
        exchange.onClose(f);
    }

    /**
     * Returns the parameters of {@code :query-string}, without making a String of it; see {@link Params#ofForm(String,
     * Charset, int)}.
     */
    public IPersistentMap queryParams(final Charset charset, final int most) {
        if (!isHidden(QUERY_STRING)) {
            return record.queryParams(charset, most);
        }
        final Object text = ext.valAt(CORE_KEYS[QUERY_STRING]);
        return text == null ? PersistentArrayMap.EMPTY : Params.ofForm((String) text, charset, most);
    }

    /** Returns whether {@code :body} is the request's own, and came as a whole. */
    public boolean isBodyWhole() {
        return !isHidden(BODY) && record.body() instanceof WholeBody;
    }

    /** Reads a body that {@link #isBodyWhole} to its end, as a form; see {@link Params#ofForm(String, Charset, int)}. */
    public IPersistentMap readForm(final Charset charset, final int most) {
        return ((WholeBody) record.body()).readForm(charset, most);
    }

    /**
     * Reads a body that {@link #isBodyWhole} to its end, as a JSON text; see {@link JsonReader#read}.
     *
     * @throws JsonMalformedException if it is malformed, or beyond a limit
     */
    public Object readJson(final JsonReadSettings settings) {
        return ((WholeBody) record.body()).readJson(settings);
    }

    /** Returns the cookies of the Cookie header; see {@link Params#ofCookies(String, int)}. */
    public IPersistentMap cookies(final int most) {
        if (!isHidden(HEADERS)) {
            return record.headers().cookies(most);
        }
        final Object headers = ext.valAt(CORE_KEYS[HEADERS]);
        final Object header = headers instanceof ILookup fields ? fields.valAt("cookie") : null;
        return header == null ? PersistentArrayMap.EMPTY : Params.ofCookies((String) header, most);
    }

    /** Writes the request's own Accept header to {@code outbox}; see {@link Headers#putAccept}. */
    int putAccept(final Outbox outbox) {
        return record.headers().putAccept(outbox);
    }

    /** Makes the request a part of an exchange; see {@link RequestRecord#attachTo}. */
    RequestBody attachTo(final Exchange exchange, final Driver driver) {
        return record.attachTo(exchange, driver);
    }

    /** Returns whether the body did not come as a whole. */
    boolean isBodyStreamed() {
        return record.isStreamed();
    }

    /** Returns whether the request's own method is HEAD, whatever was changed in the map. */
    boolean isHead() {
        return record.isHead();
    }

    @Override
    public Object valAt(final Object key, final Object notFound) {
        final int core = visibleCore(key);
        if (core < 0) {
            return ext.valAt(key, notFound);
        }
        final Object value = coreValue(core);
        return value == null ? notFound : value;
    }

    @Override
    public boolean containsKey(final Object key) {
        final int core = visibleCore(key);
        return core < 0 ? ext.containsKey(key) : hasCore(core);
    }

    @Override
    public IMapEntry entryAt(final Object key) {
        final int core = visibleCore(key);
        if (core < 0) {
            return ext.entryAt(key);
        }
        final Object value = coreValue(core);
        return value == null ? null : MapEntry.create(key, value);
    }

    @Override
    public int count() {
        int count = ext.count();
        for (int core = 0; core < CORE_KEYS.length; core++) {
            if (!isHidden(core) && hasCore(core)) {
                count++;
            }
        }
        return count;
    }

    @Override
    public IPersistentMap assoc(final Object key, final Object value) {
        final int core = visibleCore(key);
        if (core < 0) {
            final IPersistentMap changed = ext.assoc(key, value);
            return changed == ext ? this : new RingRequest(record, hidden, changed, meta());
        }
        if (value != null && coreValue(core) == value) {
            return this;
        }
        return new RingRequest(record, hidden | 1 << core, ext.assoc(key, value), meta());
    }

    @Override
    public IPersistentMap without(final Object key) {
        final int core = visibleCore(key);
        if (core < 0) {
            final IPersistentMap changed = ext.without(key);
            return changed == ext ? this : new RingRequest(record, hidden, changed, meta());
        }
        return hasCore(core) ? new RingRequest(record, hidden | 1 << core, ext, meta()) : this;
    }

    @Override
    public IObj withMeta(final IPersistentMap meta) {
        return meta == meta() ? this : new RingRequest(record, hidden, ext, meta);
    }

    @Override
    Object[] keysAndValues() {
        final Object[] flat = new Object[2 * count()];
        int at = 0;
        for (int core = 0; core < CORE_KEYS.length; core++) {
            final Object value = isHidden(core) ? null : coreValue(core);
            if (value != null) {
                flat[at++] = CORE_KEYS[core];
                flat[at++] = value;
            }
        }
        final Iterator<?> entries = ext.iterator();
        while (entries.hasNext()) {
            final Map.Entry<?, ?> entry = (Map.Entry<?, ?>) entries.next();
            flat[at++] = entry.getKey();
            flat[at++] = entry.getValue();
        }
        return flat;
    }

    private boolean isHidden(final int core) {
        return (hidden & 1 << core) != 0;
    }

    /** Returns the position of a core key that the record answers, -1 for any other key. */
    private int visibleCore(final Object key) {
        final int core = coreIndex(key);
        return core >= 0 && isHidden(core) ? -1 : core;
    }

    /** Keywords are interned, so identity is equality. */
    private static int coreIndex(final Object key) {
        if (key instanceof Keyword) {
            for (int core = 0; core < CORE_KEYS.length; core++) {
                if (CORE_KEYS[core] == key) {
                    return core;
                }
            }
        }
        return -1;
    }

    private boolean hasCore(final int core) {
        return switch (core) {
            case QUERY_STRING -> record.hasQueryString();
            case BODY -> record.body() != null;
            case CONTENT_TYPE -> record.hasContentType();
            case CONTENT_LENGTH -> record.contentLength() != null;
            case CHARACTER_ENCODING -> record.characterEncoding() != null;
            case QUERY_PARAMS, FORM_PARAMS, JSON_PARAMS, PARAMS -> parsedValue(core) != null;
            case PATH_PARAMS, ROUTE, MATCH -> record.endpoint() != null;
            default -> true;
        };
    }

    /** Returns a core key's value in the record, null if it has none. */
    private Object coreValue(final int core) {
        return switch (core) {
            case URI -> record.uri();
            case REQUEST_METHOD -> record.requestMethod();
            case HEADERS -> record.headers();
            case QUERY_STRING -> record.queryString();
            case BODY -> record.body();
            case SCHEME -> record.isHttps() ? HTTPS : HTTP;
            case SERVER_NAME -> record.serverName();
            case SERVER_PORT -> record.serverPort();
            case REMOTE_ADDR -> record.remoteAddr();
            case PROTOCOL -> record.protocol();
            case CONTENT_TYPE -> record.contentType();
            case CONTENT_LENGTH -> record.contentLength();
            case CHARACTER_ENCODING -> record.characterEncoding();
            case QUERY_PARAMS, FORM_PARAMS, JSON_PARAMS, PARAMS -> parsedValue(core);
            case PATH_PARAMS -> record.pathParams();
            case ROUTE -> record.endpoint() == null ? null : record.endpoint().data();
            case MATCH -> match();
            default -> throw new IllegalArgumentException("no core key " + core);
        };
    }

    /** Returns what the route table knows of the request, null without a route. */
    private Object match() {
        final Endpoint endpoint = record.endpoint();
        return endpoint == null
                ? null
                : endpoint.match().assoc(PATH, record.uri()).assoc(CORE_KEYS[PATH_PARAMS], record.pathParams());
    }

    /** Returns what the core parsed, null where it did not. */
    private Object parsedValue(final int core) {
        final ParsedContent parsed = record.parsed();
        if (parsed == null) {
            return null;
        }
        return switch (core) {
            case QUERY_PARAMS -> parsed.queryParams();
            case FORM_PARAMS -> parsed.formParams();
            case JSON_PARAMS -> parsed.jsonParams();
            default -> parsed.params();
        };
    }
}
