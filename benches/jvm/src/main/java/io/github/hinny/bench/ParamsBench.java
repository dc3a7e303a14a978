package io.github.hinny.bench;

import io.github.hinny.Params;
import io.github.hinny.RequestWriter;
import io.github.hinny.Results;
import io.github.hinny.RingRequest;
import java.nio.charset.StandardCharsets;
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

/**
 * From the bytes of a request record to Clojure maps of parameters and cookies.
 *
 * <p>The record is one array for all invocations, so the copy out of the inbox is not counted. Ring's middleware is
 * beside Hinny's in benches/middleware.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class ParamsBench {
    private static final String QUERY = "q=native+codecs&page=2&size=50&sort=name&tag=http%2F1.1&lang=en";
    private static final String COOKIES =
            "session=0123456789abcdef0123456789abcdef; theme=dark; lang=en-US; consent=%7B%22all%22%3Atrue%7D";

    private final RingRequest request = RingRequest.of(record());
    private final byte[] form = ("text=" + "The+quick+brown+fox+jumps+over+the+lazy+dog.%0D%0A".repeat(80))
            .getBytes(StandardCharsets.US_ASCII);

    /** Six parameters, two of them with escapes. */
    @Benchmark
    public Object query() {
        return request.queryParams(StandardCharsets.UTF_8, Results.PARAMS_MOST);
    }

    /** The same of a String. */
    @Benchmark
    public Object queryString() {
        return Params.ofForm(QUERY, StandardCharsets.UTF_8, Results.PARAMS_MOST);
    }

    /** A form of one text, four kilobytes. */
    @Benchmark
    public Object longForm() {
        return Params.ofForm(form, 0, form.length, StandardCharsets.UTF_8, Results.PARAMS_MOST);
    }

    /** Four cookies. */
    @Benchmark
    public Object cookies() {
        return request.cookies(Results.PARAMS_MOST);
    }

    private static byte[] record() {
        final RequestWriter.Head head =
                new RequestWriter.Head(42, "GET", "/a", QUERY, "localhost", 8080, "127.0.0.1", false, false);
        final List<RequestWriter.Field> fields = List.of(
                new RequestWriter.Field("host", "localhost:8080", false),
                new RequestWriter.Field("cookie", COOKIES, false));
        return RequestWriter.write(head, fields, null);
    }
}
