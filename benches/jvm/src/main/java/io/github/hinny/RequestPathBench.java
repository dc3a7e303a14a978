package io.github.hinny;

import clojure.java.api.Clojure;
import clojure.lang.IFn;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a request costs in the JVM, from its record to its response command: a batch of 16 plaintext requests, as a
 * poll brings it, through a Clojure handler.
 *
 * <p>Figures are for one request. With {@code -prof gc} they say what garbage one makes. In the package of the shim, for the
 * way of a batch is not public.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(RequestPathBench.BATCH)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class RequestPathBench {
    static final int BATCH = 16;

    /** The response maps are literals, and what differs between requests is made by {@code str}. */
    private static final String HANDLER = """
            (fn [request]
              (case (:uri request)
                "/plaintext" {:status 200 :headers {"Content-Type" "text/plain"} :body "Hello, World!"}
                "/greeting" {:status 200 :headers {"Content-Type" "text/plain"} :body (str "Hello, " (:uri request))}
                {:status 404 :headers {} :body nil}))
            """;

    /** Whose header fields the requests have. */
    @Param({"wrk", "techempower"})
    public String client;

    /** {@code plaintext} gets a literal map, {@code greeting} a new one with literal headers. */
    @Param({"plaintext", "greeting"})
    public String route;

    private BenchDriver inlineDriver;
    private Inbox inline;
    private BenchDriver workerDriver;
    private Inbox worker;

    /** Makes the records, and sees that they are answered as they should be. */
    @Setup
    public void setUp() {
        final IFn handler = (IFn) Clojure.var("clojure.core", "load-string").invoke(HANDLER);
        inlineDriver = new BenchDriver();
        inline = inbox(inlineDriver, handler, Engine.Mode.INLINE);
        workerDriver = new BenchDriver();
        worker = inbox(workerDriver, handler, Engine.Mode.WORKER);
        check(inline(), inlineDriver);
        check(worker(), workerDriver);
    }

    /** Inline mode, all that the JVM does. */
    @Benchmark
    public int inline() {
        inlineDriver.writer.outbox.reset();
        inline.handle(BATCH);
        return inlineDriver.writer.outbox.position();
    }

    /** Worker mode without a second thread: exchange, handler, reply, queue. */
    @Benchmark
    public int worker() {
        final Outbox outbox = workerDriver.writer.outbox;
        outbox.reset();
        worker.handle(BATCH);
        workerDriver.replies.takeBeforePoll(outbox, workerDriver);
        workerDriver.replies.pollReturned();
        return outbox.position();
    }

    private Inbox inbox(final BenchDriver driver, final IFn handler, final Engine.Mode mode) {
        final Engine.Settings settings =
                new Engine.Settings(handler, null, 1, mode, 1, 1, 1024, 256 << 10, "::", 0, null, null);
        final Inbox inbox = new Inbox(driver, settings, new SameThread(), new HandlerTurn(), version -> null);
        int at = 0;
        for (int i = 0; i < BATCH; i++) {
            final byte[] record = record(1L << 32 | i);
            System.arraycopy(record, 0, inbox.array(), at, record.length);
            at += record.length;
        }
        return inbox;
    }

    private byte[] record(final long exchange) {
        final RequestWriter.Head head = new RequestWriter.Head(
                exchange, "GET", "/" + route, null, "127.0.0.1", 8080, "127.0.0.1", false, false);
        final RequestWriter.Field host = field("host", "127.0.0.1:8080");
        final List<RequestWriter.Field> fields = client.equals("wrk")
                ? List.of(host)
                : List.of(
                        host,
                        field(
                                "accept",
                                "text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7"),
                        field("connection", "keep-alive"));
        return RequestWriter.write(head, fields, null);
    }

    private static RequestWriter.Field field(final String name, final String value) {
        return new RequestWriter.Field(name, value, false);
    }

    private static void check(final int length, final BenchDriver driver) {
        final byte[] commands = driver.writer.outbox.array();
        int count = 0;
        for (int at = 0; at < length; at += Records.u32(commands, at + Records.RESPONSE_LENGTH)) {
            if (commands[at + Records.RESPONSE_TYPE] == Records.RESPONSE
                    && Records.u16(commands, at + Records.RESPONSE_STATUS) == 200) {
                count++;
            }
        }
        if (count != BATCH) {
            throw new IllegalStateException(count + " of " + BATCH + " requests were answered with 200");
        }
    }

    /** Runs each exchange at once. */
    private static final class SameThread implements WorkerPool, ReplyWriters {
        private final ReplyWriter writer = new ReplyWriter();

        @Override
        public ReplyWriter borrow() {
            return writer;
        }

        @Override
        public void giveBack(final ReplyWriter borrowed) {
            // There is one thread.
        }

        @Override
        public int dispatch(final Work[] batch, final int count) {
            for (int i = 0; i < count; i++) {
                batch[i].run(this).wake();
            }
            return count;
        }

        @Override
        public boolean dispatchStream(final Work work) {
            return false;
        }

        @Override
        public void dispatchAlways(final Work work) {
            work.run(this);
        }

        @Override
        public WorkerLoad load() {
            return new WorkerLoad(0, 0, 0, 0, 0);
        }

        @Override
        public boolean relieve(final long nowNanos) {
            return false;
        }

        @Override
        public boolean ownsCurrentThread() {
            return true;
        }

        @Override
        public void stop(final long timeoutMs) {
            // No thread is its own.
        }
    }

    /** An event loop without its core. */
    private static final class BenchDriver implements Driver, ReplyQueue.Loss {
        final ReplyWriter writer = new ReplyWriter(new Outbox(64 << 10));
        final ReplyQueue replies = new ReplyQueue();

        @Override
        public void reply(final byte[] commands) {
            replies.add(commands);
        }

        @Override
        public boolean holdBack(final Runnable goOn) {
            return false;
        }

        @Override
        public void wake() {
            replies.takeWake();
        }

        @Override
        public boolean isOwnThread() {
            return true;
        }

        @Override
        public ReplyWriter writer() {
            return writer;
        }

        @Override
        public ReplyWriters writers() {
            return new SpareWriters();
        }

        @Override
        public boolean dispatchStream(final Work work) {
            return false;
        }

        @Override
        public void dispatchAlways(final Work work) {
            throw new IllegalStateException("nothing here has work of its own");
        }

        @Override
        public void register(final Exchange exchange) {
            // No record is for it.
        }

        @Override
        public void report(final String what, final Throwable thrown, final RingRequest request) {
            throw new IllegalStateException(what, thrown);
        }

        @Override
        public void timedOut(final RingRequest request) {
            throw new IllegalStateException("nothing here waits");
        }

        @Override
        public int exchangeBufferBytes() {
            return 256 << 10;
        }

        @Override
        public void lost(final long exchange, final Throwable reason) {
            throw new IllegalStateException(reason);
        }
    }
}
