package io.github.hinny.bench.undertow;

import io.github.hinny.bench.Message;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The answers; Undertow adds {@code Content-Length} and {@code Date}.
 *
 * <p>The JSON text is serialised for each request; of {@code /plaintext}, the bytes are kept, as its rules allow.
 */
final class Answers {
    private static final ByteBuffer PLAINTEXT = direct("Hello, World!");

    private Answers() {}

    private static ByteBuffer direct(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    static void plaintext(HttpServerExchange exchange) {
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/plain");
        exchange.getResponseSender().send(PLAINTEXT.duplicate());
    }

    static void json(HttpServerExchange exchange) {
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/json");
        exchange.getResponseSender().send(ByteBuffer.wrap(new Message("Hello, World!").toJson()));
    }
}
