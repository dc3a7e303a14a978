package io.github.hinny.bench;

import clojure.lang.ILookup;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import io.github.hinny.RequestWriter;
import io.github.hinny.RingRequest;
import java.util.List;
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
import org.openjdk.jmh.infra.Blackhole;

/**
 * What a handler pays for the lazy request map: a record with the four headers of a TechEmpower
 * request.
 *
 * <p>The record is one array for all invocations, so the copy out of the inbox is not counted.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class RequestMapBench {
    private static final Keyword URI = Keyword.intern(null, "uri");
    private static final Keyword REQUEST_METHOD = Keyword.intern(null, "request-method");
    private static final Keyword HEADERS = Keyword.intern(null, "headers");
    private static final Keyword ROUTE_PARAMS = Keyword.intern(null, "route-params");

    private final byte[] record = record();
    private final RingRequest decoded = RingRequest.of(record);

    /** Makes the map and reads the two keys that a router reads. */
    @Benchmark
    public void createReadUriAndMethod(final Blackhole blackhole) {
        final ILookup request = RingRequest.of(record);
        blackhole.consume(request.valAt(URI));
        blackhole.consume(request.valAt(REQUEST_METHOD));
        blackhole.consume(request);
    }

    /** As above, and one header. */
    @Benchmark
    public void createReadUriMethodAndHeader(final Blackhole blackhole) {
        final ILookup request = RingRequest.of(record);
        blackhole.consume(request.valAt(URI));
        blackhole.consume(request.valAt(REQUEST_METHOD));
        blackhole.consume(((ILookup) request.valAt(HEADERS)).valAt("connection"));
        blackhole.consume(request);
    }

    /** Reads a key that was decoded before. */
    @Benchmark
    public Object readUriAgain() {
        return decoded.valAt(URI);
    }

    /** Looks for a key that is neither the record's nor added. */
    @Benchmark
    public Object readAbsentKey() {
        return decoded.valAt(ROUTE_PARAMS);
    }

    /** Looks for a header that is not there. */
    @Benchmark
    public Object readAbsentHeader() {
        return ((ILookup) decoded.valAt(HEADERS)).valAt("x-forwarded-for");
    }

    /** Adds a key, as most middleware does. */
    @Benchmark
    public Object assocKey() {
        return decoded.assoc(ROUTE_PARAMS, PersistentArrayMap.EMPTY);
    }

    /** Walks all entries of a fresh map, decoding everything. */
    @Benchmark
    public Object createAndHash() {
        return RingRequest.of(record).hasheq();
    }

    private static byte[] record() {
        final RequestWriter.Head head =
                new RequestWriter.Head(42, "GET", "/plaintext", null, "localhost", 8080, "127.0.0.1", false, false);
        final List<RequestWriter.Field> fields = List.of(
                field("host", "tfb-server:8080"),
                field(
                        "accept",
                        "text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7"),
                field("connection", "keep-alive"),
                field("user-agent", "wrk/4.2.0"));
        return RequestWriter.write(head, fields, null);
    }

    private static RequestWriter.Field field(final String name, final String value) {
        return new RequestWriter.Field(name, value, false);
    }
}
