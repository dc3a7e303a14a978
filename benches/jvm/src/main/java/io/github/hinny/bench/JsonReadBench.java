package io.github.hinny.bench;

import clojure.java.api.Clojure;
import clojure.lang.IFn;
import clojure.lang.ILookup;
import clojure.lang.Keyword;
import clojure.lang.RT;
import io.github.hinny.JsonKeyDecoder;
import io.github.hinny.JsonReadSettings;
import io.github.hinny.JsonReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** JSON bytes to Clojure values with keywords as keys, beside Jackson and data.json. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class JsonReadBench {
    private static final JsonReadSettings SETTINGS =
            new JsonReadSettings(JsonKeyDecoder.KEYWORDS, 512, 1 << 20, false, false, JsonReadSettings.REFUSED);
    private static final JsonReadSettings LAZY =
            new JsonReadSettings(JsonKeyDecoder.KEYWORDS, 512, 1 << 20, false, true, JsonReadSettings.REFUSED);
    private static final Keyword STATUS = Keyword.intern(null, "status");
    private static final Keyword TOTAL = Keyword.intern(null, "total");

    /** Bytes of the text, about. */
    @Param({"100", "1000", "10000", "100000"})
    public int size;

    private final JacksonReader jackson = new JacksonReader();
    private byte[] text;
    private IFn dataJson;
    private Object keywordKeys;

    /** Makes the text, and checks that all readers agree about it. */
    @Setup
    public void prepare() throws IOException {
        Clojure.var("clojure.core", "require").invoke(Clojure.read("clojure.data.json"));
        dataJson = Clojure.var("clojure.data.json", "read-str");
        keywordKeys = Clojure.read(":key-fn");
        text = JsonPayload.ofBytes(size);
        final Object expected = dataJson();
        if (!RT.booleanCast(Clojure.var("clojure.core", "=").invoke(expected, eager(), jackson()))) {
            throw new IllegalStateException("the readers do not agree");
        }
    }

    /** Hinny, all of it. */
    @Benchmark
    public Object eager() {
        return JsonReader.read(text, 0, text.length, false, SETTINGS);
    }

    /** Hinny, and two fields of the object: the first and the last. The bytes are copied, as their owner may change them. */
    @Benchmark
    public void lazyTwoFields(final Blackhole blackhole) {
        final ILookup object = (ILookup) JsonReader.read(text, 0, text.length, false, LAZY);
        blackhole.consume(object.valAt(STATUS));
        blackhole.consume(object.valAt(TOTAL));
    }

    /** Jackson's streaming parser. */
    @Benchmark
    public Object jackson() throws IOException {
        return jackson.read(text);
    }

    /** The library of the Clojure project, which reads text: the bytes are decoded first. */
    @Benchmark
    public Object dataJson() {
        return dataJson.invoke(
                new String(text, StandardCharsets.UTF_8), keywordKeys, Clojure.var("clojure.core", "keyword"));
    }
}
