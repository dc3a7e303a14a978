package io.github.hinny.bench.handler;

import clojure.java.api.Clojure;
import clojure.lang.IFn;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;

/**
 * Serves {@link JavaHandler} on Hinny, by the public API, with the options that the TechEmpower application has.
 *
 * <p>Prints where it listens; ends with the process.
 */
public final class JavaServer {
    private JavaServer() {}

    /** Starts it: MODE LOOPS PORT ENGINE, where MODE is inline or worker. */
    public static void main(final String[] arguments) {
        final IFn require = Clojure.var("clojure.core", "require");
        require.invoke(Clojure.read("hinny.server"));
        require.invoke(Clojure.read("hinny.json"));
        final Object server = Clojure.var("hinny.server", "run-server")
                .invoke(new JavaHandler(), PersistentArrayMap.createAsIfByAssoc(new Object[] {
                    key("host"), "127.0.0.1",
                    key("handler-mode"), key(arguments[0]),
                    key("event-loops"), Long.valueOf(arguments[1]),
                    key("port"), Long.valueOf(arguments[2]),
                    key("http1-engine"), key(arguments[3])
                }));
        final Object port = Clojure.var("hinny.server", "server-port").invoke(server);
        System.out.println("listening on 127.0.0.1:" + port);
    }

    private static Keyword key(final String name) {
        return Keyword.intern(name);
    }
}
