package io.github.hinny.bench;

import clojure.lang.ILookup;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import io.github.hinny.Records;
import io.github.hinny.RingRequest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

    /** Name ids of host, accept, connection, user-agent, as in {@code HeaderNames}. */
    private static final int[] HEADER_IDS = {35, 1, 18, 61};

    private static final String[] HEADER_VALUES = {
        "tfb-server:8080",
        "text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7",
        "keep-alive",
        "wrk/4.2.0",
    };

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
        final String texts = "/plaintext" + "localhost" + "127.0.0.1" + String.join("", HEADER_VALUES);
        final int textStart = Records.REQUEST_HEADERS + HEADER_IDS.length * Records.HEADER_ENTRY_SIZE;
        final int length = (textStart + texts.length() + 7) / 8 * 8;
        final ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(Records.REQUEST_LENGTH, length);
        buffer.put(Records.REQUEST_TYPE, (byte) Records.REQUEST);
        buffer.put(Records.REQUEST_METHOD, (byte) 1);
        buffer.put(Records.REQUEST_REMOTE_ADDR_LENGTH, (byte) "127.0.0.1".length());
        buffer.putLong(Records.REQUEST_EXCHANGE, 42);
        buffer.putShort(Records.REQUEST_HEADER_COUNT, (short) HEADER_IDS.length);
        buffer.putShort(Records.REQUEST_URI_LENGTH, (short) "/plaintext".length());
        buffer.putShort(Records.REQUEST_SERVER_NAME_LENGTH, (short) "localhost".length());
        buffer.putShort(Records.REQUEST_SERVER_PORT, (short) 8080);
        for (int i = 0; i < HEADER_IDS.length; i++) {
            final int entry = Records.REQUEST_HEADERS + i * Records.HEADER_ENTRY_SIZE;
            buffer.putShort(entry, (short) HEADER_IDS[i]);
            buffer.putInt(entry + 4, HEADER_VALUES[i].length());
        }
        buffer.position(textStart);
        buffer.put(texts.getBytes(StandardCharsets.ISO_8859_1));
        return buffer.array();
    }
}
