package io.github.hinny.bench.vertx;

import io.github.hinny.bench.Message;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.function.IntConsumer;

/**
 * Answers requests on one event loop; the instances share a port.
 *
 * <p>The JSON text is serialised for each request; nothing of an answer but constants and the date outlives it.
 */
final class AnswerVerticle extends VerticleBase {
    /** Connections that wait to be accepted; as many as for the hyper server. */
    private static final int BACKLOG = 4096;

    private static final long DATE_EVERY_MS = 1000;

    private static final CharSequence SERVER = HttpHeaders.createOptimized("Vert.x");
    private static final CharSequence TEXT_PLAIN = HttpHeaders.createOptimized("text/plain");
    private static final CharSequence APPLICATION_JSON = HttpHeaders.createOptimized("application/json");

    private static final Buffer PLAINTEXT = Buffer.buffer("Hello, World!");
    private static final CharSequence PLAINTEXT_LENGTH =
            HttpHeaders.createOptimized(Integer.toString(PLAINTEXT.length()));

    private final int port;
    private final IntConsumer listening;
    private CharSequence date = now();

    /** {@code listening} is told the port when this instance listens. */
    AnswerVerticle(int port, IntConsumer listening) {
        this.port = port;
        this.listening = listening;
    }

    private static CharSequence now() {
        return HttpHeaders.createOptimized(
                DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)));
    }

    @Override
    public Future<?> start() {
        vertx.setPeriodic(DATE_EVERY_MS, timer -> date = now());
        HttpServerOptions options = new HttpServerOptions().setAcceptBacklog(BACKLOG);
        return vertx.createHttpServer(options)
                .requestHandler(this::answer)
                .listen(port, "127.0.0.1")
                .onSuccess(server -> listening.accept(server.actualPort()));
    }

    private void answer(HttpServerRequest request) {
        HttpServerResponse response = request.response();
        MultiMap headers = response.headers();
        headers.add(HttpHeaders.SERVER, SERVER).add(HttpHeaders.DATE, date);
        switch (request.path()) {
            case "/plaintext" -> {
                headers.add(HttpHeaders.CONTENT_TYPE, TEXT_PLAIN).add(HttpHeaders.CONTENT_LENGTH, PLAINTEXT_LENGTH);
                response.end(PLAINTEXT);
            }
            case "/json" -> {
                headers.add(HttpHeaders.CONTENT_TYPE, APPLICATION_JSON);
                response.end(Buffer.buffer(new Message("Hello, World!").toJson()));
            }
            default -> response.setStatusCode(404).end();
        }
    }
}
