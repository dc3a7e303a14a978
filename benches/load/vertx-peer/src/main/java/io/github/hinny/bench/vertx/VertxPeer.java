package io.github.hinny.bench.vertx;

import io.vertx.core.DeploymentOptions;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;

/**
 * A rival of the load benches: a Vert.x server with the endpoints of the Hinny application.
 *
 * <p>Built as Vert.x's TechEmpower entry is: the native transport, a verticle for each event loop, all with one server
 * between them, and a request handler without a router.
 *
 * <p>Usage: {@code vertx-peer LOOPS PORT}; port 0 is a free one.
 */
public final class VertxPeer {
    /** Vert.x's way to say that the verticles share one free port: with 0 each has its own. */
    private static final int SHARED_FREE_PORT = -1;

    private VertxPeer() {}

    /** Serves on 127.0.0.1 until the process ends. */
    public static void main(String[] arguments) {
        int loops = Integer.parseInt(arguments[0]);
        int wanted = Integer.parseInt(arguments[1]);
        int port = wanted == 0 ? SHARED_FREE_PORT : wanted;
        Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(loops).setPreferNativeTransport(true));
        if (!vertx.isNativeTransportEnabled()) {
            throw new IllegalStateException("no native transport", vertx.unavailableNativeTransportCause());
        }
        Listening listening = new Listening(loops);
        vertx.deployVerticle(() -> new AnswerVerticle(port, listening), new DeploymentOptions().setInstances(loops))
                .onFailure(failure -> {
                    failure.printStackTrace();
                    System.exit(1);
                });
    }
}
