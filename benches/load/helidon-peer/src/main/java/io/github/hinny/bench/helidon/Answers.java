package io.github.hinny.bench.helidon;

import io.github.hinny.bench.Message;
import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;

/**
 * The answers; Helidon adds {@code Date}.
 *
 * <p>The JSON text is serialised for each request; of {@code /plaintext}, the bytes are kept, as its rules allow.
 */
final class Answers {
    private static final byte[] PLAINTEXT = "Hello, World!".getBytes(StandardCharsets.US_ASCII);

    private static final Header SERVER = HeaderValues.createCached(HeaderNames.SERVER, "Helidon");
    private static final Header TEXT_PLAIN = HeaderValues.createCached(HeaderNames.CONTENT_TYPE, "text/plain");
    private static final Header PLAINTEXT_LENGTH = length(PLAINTEXT);
    private static final Header JSON_LENGTH = length(greeting());

    private Answers() {}

    private static Header length(byte[] body) {
        return HeaderValues.createCached(HeaderNames.CONTENT_LENGTH, body.length);
    }

    private static byte[] greeting() {
        return new Message("Hello, World!").toJson();
    }

    static void plaintext(ServerRequest request, ServerResponse response) {
        response.header(PLAINTEXT_LENGTH).header(TEXT_PLAIN).header(SERVER);
        response.send(PLAINTEXT);
    }

    static void json(ServerRequest request, ServerResponse response) {
        response.header(JSON_LENGTH).header(HeaderValues.CONTENT_TYPE_JSON).header(SERVER);
        response.send(greeting());
    }
}
