package io.github.hinny.bench.undertow;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.handlers.PathHandler;
import io.undertow.server.handlers.SetHeaderHandler;
import java.net.InetSocketAddress;
import org.xnio.Options;

/**
 * A rival of the load benches: an Undertow server with the endpoints of the Hinny application.
 *
 * <p>Built as Undertow's TechEmpower entry is: handlers on the I/O threads, no {@code Connection: keep-alive} in answers,
 * and else what the builder does by itself. The entry leaves the number of I/O threads to the builder, one a core; here it
 * is LOOPS.
 *
 * <p>Usage: {@code undertow-peer LOOPS PORT}; port 0 is a free one.
 */
public final class UndertowPeer {
    /** Connections that wait to be accepted; as many as for the hyper server. */
    private static final int BACKLOG = 4096;

    private UndertowPeer() {}

    /** Serves on 127.0.0.1 until the process ends. */
    public static void main(String[] arguments) {
        int loops = Integer.parseInt(arguments[0]);
        int port = Integer.parseInt(arguments[1]);
        PathHandler paths = new PathHandler()
                .addExactPath("/plaintext", Answers::plaintext)
                .addExactPath("/json", Answers::json);
        Undertow server = Undertow.builder()
                .addHttpListener(port, "127.0.0.1")
                .setIoThreads(loops)
                .setSocketOption(Options.BACKLOG, BACKLOG)
                .setServerOption(UndertowOptions.ALWAYS_SET_KEEP_ALIVE, false)
                .setHandler(new SetHeaderHandler(paths, "Server", "Undertow"))
                .build();
        server.start();
        InetSocketAddress address =
                (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
        System.out.println("listening on 127.0.0.1:" + address.getPort());
    }
}
