package io.github.hinny.bench;

import clojure.java.api.Clojure;
import clojure.lang.IFn;
import clojure.lang.IPersistentMap;
import io.github.hinny.JsonSettings;
import io.github.hinny.JsonText;
import io.github.hinny.Outbox;
import java.io.IOException;
import java.util.Arrays;
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

/** Clojure data with keywords as keys to JSON bytes, beside Jackson's generator and data.json. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class JsonWriteBench {
    /** Bytes of the text, about. */
    @Param({"100", "1000", "10000", "100000"})
    public int size;

    private final Outbox outbox = new Outbox(256 << 10);
    private final JacksonWriter jackson = new JacksonWriter();
    private IPersistentMap data;
    private IFn dataJson;

    /** Makes the data, and sees that everybody writes it the same. */
    @Setup
    public void prepare() throws IOException {
        data = JsonData.ofBytes(size);
        Clojure.var("clojure.core", "require").invoke(Clojure.read("clojure.data.json"));
        dataJson = Clojure.var("clojure.data.json", "write-str");
        if (!Arrays.equals(hinnyBytes(), jacksonBytes())) {
            throw new IllegalStateException("not the same text");
        }
    }

    /** Into an outbox, as a response body is written. */
    @Benchmark
    public int hinnyOutbox() {
        outbox.reset();
        return JsonText.append(data, JsonSettings.DEFAULT, outbox);
    }

    /** Jackson's generator into an array that is used again. */
    @Benchmark
    public int jacksonReused() throws IOException {
        return jackson.write(data);
    }

    /** To an array of its own. */
    @Benchmark
    public byte[] hinnyBytes() {
        return JsonText.toBytes(data, JsonSettings.DEFAULT);
    }

    /** The same with Jackson. */
    @Benchmark
    public byte[] jacksonBytes() throws IOException {
        jackson.write(data);
        return jackson.copy();
    }

    /** The library that most use: a String. */
    @Benchmark
    public Object dataJson() {
        return dataJson.invoke(data);
    }
}
