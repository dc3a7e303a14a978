package io.github.hinny.bench.handler;

import clojure.java.api.Clojure;
import clojure.lang.AFn;
import clojure.lang.IFn;
import clojure.lang.ILookup;
import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;

/**
 * The handler of the TechEmpower application in Java: the same Ring responses from the same requests, so that what the
 * other one costs more is the cost of writing it in Clojure.
 *
 * <p>As in that one, {@code /plaintext} is a constant map, and {@code /json} makes its response and its object anew for
 * each request.
 *
 * <p>Stateless; any thread may call it.
 */
public final class JavaHandler extends AFn {
    private static final Keyword URI = Keyword.intern("uri");
    private static final Keyword STATUS = Keyword.intern("status");
    private static final Keyword HEADERS = Keyword.intern("headers");
    private static final Keyword BODY = Keyword.intern("body");
    private static final Keyword MESSAGE = Keyword.intern("message");

    private static final Object OK = 200L;
    private static final IPersistentMap PLAIN = map("Content-Type", "text/plain");
    private static final IPersistentMap JSON = map("Content-Type", "application/json");
    private static final IPersistentMap PLAINTEXT = map(STATUS, OK, HEADERS, PLAIN, BODY, "Hello, World!");
    private static final IPersistentMap NOT_FOUND = map(STATUS, 404L, HEADERS, map(), BODY, null);

    private final IFn jsonBody;

    /** Makes a handler; {@code hinny.json} must have been loaded. */
    public JavaHandler() {
        jsonBody = Clojure.var("hinny.json", "body");
    }

    @Override
    public Object invoke(final Object request) {
        if (!(((ILookup) request).valAt(URI) instanceof String uri)) {
            return NOT_FOUND;
        }
        return switch (uri) {
            case "/plaintext" -> PLAINTEXT;
            case "/json" -> map(STATUS, OK, HEADERS, JSON, BODY, jsonBody.invoke(greeting("Hello, World!")));
            default -> NOT_FOUND;
        };
    }

    private static IPersistentMap greeting(final String text) {
        return map(MESSAGE, text);
    }

    private static IPersistentMap map(final Object... entries) {
        return new PersistentArrayMap(entries);
    }
}
