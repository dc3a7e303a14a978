package io.github.hinny.bench.helidon;

import io.helidon.webserver.WebServer;
import io.helidon.webserver.http1.Http1Config;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.Map;

/**
 * A rival of the load benches: a Helidon SE server with the endpoints of the Hinny application.
 *
 * <p>Built as Helidon's TechEmpower entry is: its buffers and write queue, no read timeout, no validation of headers and
 * paths, no log of the wire. Two options that are newer than the entry are in its favour, too: writes that leave the
 * queue where it does not pay, and no {@code Connection: keep-alive} in answers.
 *
 * <p>A connection is served on a virtual thread: how many carry those is the JVM's, by
 * {@code jdk.virtualThreadScheduler.parallelism}.
 *
 * <p>Usage: {@code helidon-peer PORT}; port 0 is a free one.
 */
public final class HelidonPeer {
    /** Connections that wait to be accepted; as many as for the hyper server. */
    private static final int BACKLOG = 4096;

    private static final int BUFFER_BYTES = 64_000;
    private static final int WRITE_QUEUE_LENGTH = 8192;

    private HelidonPeer() {}

    /** Serves on 127.0.0.1 until the process ends. */
    public static void main(String[] arguments) {
        WebServer server = WebServer.builder()
                .host("127.0.0.1")
                .port(Integer.parseInt(arguments[0]))
                .backlog(BACKLOG)
                .addListenerSocketOptions(Map.of(StandardSocketOptions.SO_RCVBUF, BUFFER_BYTES))
                .writeQueueLength(WRITE_QUEUE_LENGTH)
                .smartAsyncWrites(true)
                .connectionOptions(options -> options.readTimeout(Duration.ZERO)
                        .connectTimeout(Duration.ZERO)
                        .socketSendBufferSize(BUFFER_BYTES)
                        .socketReceiveBufferSize(BUFFER_BYTES))
                .addProtocol(http())
                .routing(rules -> rules.get("/plaintext", Answers::plaintext).get("/json", Answers::json))
                .build()
                .start();
        System.out.println("listening on 127.0.0.1:" + server.port());
    }

    // The log of the wire has no other switch in this version.
    @SuppressWarnings("removal")
    private static Http1Config http() {
        return Http1Config.builder()
                .validateRequestHeaders(false)
                .validateResponseHeaders(false)
                .validatePath(false)
                .validatePrologue(false)
                .sendKeepAliveHeader(false)
                .receiveLog(false)
                .sendLog(false)
                .build();
    }
}
