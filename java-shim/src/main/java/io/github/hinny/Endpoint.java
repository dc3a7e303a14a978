package io.github.hinny;

import clojure.lang.IFn;
import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;

/**
 * What the JVM needs of one endpoint of a route table.
 *
 * <p>Made by {@code hinny.impl.route-table}, one for each endpoint in the table's order. Immutable; any thread may use it.
 * Nobody changes {@code params}, which is shared.
 *
 * @param handler the handler, composed with its middleware; null if the core answers by itself
 * @param mode how the handler is called; null without one
 * @param params the names of the path parameters, in the order of their values
 * @param data the merged data of the route and the endpoint, the {@code :route} of a request
 * @param match {@code :template} and {@code :data}, {@code :name} if it has one, {@code :method} if it answers just one; what
 *     depends on the request is added for each
 */
public record Endpoint(IFn handler, Engine.Mode mode, Keyword[] params, IPersistentMap data, IPersistentMap match) {
    /** Checks that a handler has a mode, and that what the core answers has none. */
    public Endpoint {
        if ((handler == null) != (mode == null)) {
            throw new IllegalArgumentException("an endpoint has a handler and a mode, or neither");
        }
    }
}
