package io.github.hinny;

import clojure.lang.IPersistentMap;
import java.lang.ref.Cleaner;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * A compiled route table: the core's part of it, which matches, and the endpoints that it names by number.
 *
 * <p>Immutable; any thread may use it, and any number of servers. The native part lives as long as this object, and as long
 * as a server uses it.
 */
public final class RouteTable {
    private static final Cleaner CLEANER = Cleaner.create();

    private static final int PARAMS_BYTES = 1 << 10;

    private final long handle;
    private final Endpoint[] endpoints;
    private final Object routes;

    private RouteTable(final long handle, final Endpoint[] endpoints, final Object routes) {
        this.handle = handle;
        this.endpoints = endpoints;
        this.routes = routes;
    }

    /**
     * An endpoint that matches, and the parameters of the path.
     *
     * @param endpoint the endpoint
     * @param pathParams a map of keyword to String
     */
    public record MatchResult(Endpoint endpoint, IPersistentMap pathParams) {}

    /**
     * Compiles a table.
     *
     * @param words the endpoints as {@code native/router/src/spec.rs} reads them
     * @param endpoints the same ones, in the same order
     * @param routes what the table was made of, for {@link #routes}
     * @throws EngineException of kind {@code route-conflict}, {@code route-pattern} or {@code route-invalid}; its message
     *     names the routes
     * @throws clojure.lang.ExceptionInfo if the native library cannot be loaded, see {@link NativeLibrary#need}
     */
    public static RouteTable compile(final byte[] words, final Endpoint[] endpoints, final Object routes) {
        NativeLibrary.need();
        final long handle = Native.compileRoutes(words);
        final RouteTable table = new RouteTable(handle, endpoints.clone(), routes);
        CLEANER.register(table, () -> Native.freeRoutes(handle));
        return table;
    }

    /** Returns an endpoint by its number, from 1. */
    public Endpoint endpoint(final int number) {
        return endpoints[number - 1];
    }

    /** Returns what the table was made of. */
    public Object routes() {
        return routes;
    }

    /**
     * Returns what answers a method at a path, whatever content it is about; null if nothing does.
     *
     * @param method as on the wire
     * @param path as on the wire, without the query string
     */
    public MatchResult match(final String method, final String path) {
        final byte[] methodBytes = method.toUpperCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8);
        final byte[] pathBytes = path.getBytes(StandardCharsets.UTF_8);
        byte[] params = new byte[PARAMS_BYTES];
        int number = (int) Native.findRoute(handle(), methodBytes, pathBytes, params);
        if (number == Results.GROW_OUTPUT) {
            params = new byte[Records.u32(params, 0)];
            number = (int) Native.findRoute(handle(), methodBytes, pathBytes, params);
        }
        if (number == 0) {
            return null;
        }
        final Endpoint endpoint = endpoint(number);
        return new MatchResult(endpoint, PathParams.read(endpoint.params(), params, 0));
    }

    /** Returns the native part; whoever calls a native method with it must keep this object. */
    long handle() {
        return handle;
    }
}
