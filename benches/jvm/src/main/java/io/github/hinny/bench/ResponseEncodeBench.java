package io.github.hinny.bench;

import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.PersistentVector;
import clojure.lang.RT;
import io.github.hinny.Outbox;
import io.github.hinny.ResponseEncoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What encoding a Ring response into the outbox costs; the maps are literals, as in a handler. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class ResponseEncodeBench {
    private final Outbox outbox = new Outbox(64 * 1024);
    private final ResponseEncoder encoder = new ResponseEncoder();

    private final IPersistentMap plaintext = response("Hello, World!", "Content-Type", "text/plain");

    private final IPersistentMap bytes =
            response("Hello, World!".getBytes(StandardCharsets.US_ASCII), "Content-Type", "text/plain");

    private final IPersistentMap literalNames = response(
            "Hello, World!",
            "Content-Type",
            "text/plain; charset=utf-8",
            "X-Served-By",
            "hinny-1",
            "Set-Cookie",
            PersistentVector.create("a=1; Path=/", "b=2; Path=/"));

    private final IPersistentMap json1k =
            response("{\"message\":\"0123456789\"},".repeat(40), "Content-Type", "application/json");

    private final IPersistentMap nonAscii1k = response("Жук, жук. ".repeat(100));

    /** The TechEmpower plaintext response. */
    @Benchmark
    public int plaintext() {
        return encode(plaintext);
    }

    /** The same with a byte array as the body. */
    @Benchmark
    public int bytes() {
        return encode(bytes);
    }

    /** A name without an id, a charset parameter, a vector of two values. */
    @Benchmark
    public int literalNames() {
        return encode(literalNames);
    }

    /** A body of 1,000 ASCII characters. */
    @Benchmark
    public int json1k() {
        return encode(json1k);
    }

    /** A body of 1,000 characters that needs the charset encoder, no headers. */
    @Benchmark
    public int nonAscii1k() {
        return encode(nonAscii1k);
    }

    private int encode(final IPersistentMap response) {
        outbox.reset();
        encoder.encode(response, 42, false, outbox);
        return outbox.position();
    }

    private static IPersistentMap response(final Object body, final Object... headers) {
        return RT.map(
                Keyword.intern(null, "status"),
                200L,
                Keyword.intern(null, "headers"),
                RT.map(headers),
                Keyword.intern(null, "body"),
                body);
    }
}
