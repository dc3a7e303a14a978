package io.github.hinny;

import clojure.lang.IFn;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * A running server: the native engine, its event loops, workers and watchdog.
 *
 * <p>Made by {@link #start}; gone for good after {@link #stop}. Thread-safe.
 */
public final class Engine {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    /** Beyond the drain deadline: time for threads to end. */
    private static final long END_GRACE_MS = 1_000;

    /** The life of a server. */
    public enum State {
        /** It accepts connections. */
        RUNNING,
        /** It finishes what it has begun. */
        STOPPING,
        /** Nothing of it is left. */
        STOPPED
    }

    private final long handle;
    private final Settings settings;
    private final int port;
    private final EventLoop[] loops;
    private final RouteTables tables;
    private final WorkerPool workers;
    private final Watchdog watchdog;
    private final String[] metricNames;
    private final String[] workerMetricNames;
    private final AtomicReference<State> state = new AtomicReference<>(State.RUNNING);
    private final CompletableFuture<Void> begin = new CompletableFuture<>();
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private final CountDownLatch stopped = new CountDownLatch(1);

    /** Made and started with the server: when it is to stop there may be no memory for another thread. */
    private final Thread stopper = new Thread(this::awaitEnd, "hinny-stop");

    // Steps of a stop, made beforehand: a lambda is linked where it is first made, for which there may be no memory
    // either.
    private final Runnable tellBegin = () -> begin.complete(null);
    private final Runnable callOnDrained = this::callOnDrained;
    private final Runnable stopNative = this::stopNative;
    private final Runnable tellEnd = () -> end.complete(null);

    private volatile long drainTimeoutMs = -1; // Until it is told to stop.

    private Engine(final long handle, final Settings settings) throws InterruptedException {
        this.handle = handle;
        this.settings = settings;
        this.port = Native.port(handle);
        this.metricNames = Layout.metricNames();
        this.workerMetricNames = Layout.workerMetricNames();
        this.tables = new RouteTables(settings.eventLoops());
        if (settings.routes() != null) {
            tables.add(settings.routes(), handle);
        }
        this.loops = new EventLoop[settings.eventLoops()];
        for (int i = 0; i < loops.length; i++) {
            loops[i] = new EventLoop(i, settings);
        }
        this.watchdog = new Watchdog(loops);
        this.workers = WorkerPool.of(settings, watchdog);
        watchdog.watch(workers);
        watchdog.start();
        try {
            for (final EventLoop loop : loops) {
                loop.start(handle, workers, tables);
            }
            stopper.setDaemon(true);
            stopper.start();
        } catch (final Throwable failure) {
            for (final EventLoop loop : loops) {
                loop.end();
            }
            watchdog.end(END_GRACE_MS);
            throw failure;
        }
    }

    /** How a handler is called. */
    public enum Mode {
        /** With a request, on a worker. */
        WORKER,
        /** With a request, on the event loop; on a worker if the request's body is still arriving. */
        INLINE,
        /** With request, respond and raise, on the event loop. */
        ASYNC,
        /** With request, respond and raise, on a worker. */
        ASYNC_WORKER;

        /** Returns whether the handler takes respond and raise. */
        boolean isAsync() {
            return this == ASYNC || this == ASYNC_WORKER;
        }
    }

    /**
     * What the JVM side needs of a server's options.
     *
     * @param handler a Ring handler; null if the route table has no use for one
     * @param routes a route table, null for none
     * @param eventLoops number of event loops
     * @param mode how the handler is called
     * @param workerThreads most worker threads, {@link WorkerPool#VIRTUAL} for virtual threads
     * @param streamThreads most worker threads beside those, in place of those that are with a streamed body
     * @param workerQueueDepth exchanges that may wait for a worker
     * @param exchangeBufferBytes how much of each body of an exchange may wait for its receiver
     * @param host what is listened on, for the log
     * @param drainDelayMs from a stop until the drain begins
     * @param onDrained called without arguments when the last exchange of a stop is over, null for nothing
     * @param onError called with request and throwable when a handler has failed, null for nothing
     */
    public record Settings(
            IFn handler,
            RouteTable routes,
            int eventLoops,
            Mode mode,
            int workerThreads,
            int streamThreads,
            int workerQueueDepth,
            int exchangeBufferBytes,
            String host,
            long drainDelayMs,
            IFn onDrained,
            IFn onError) {}

    /**
     * Starts a server and returns when it accepts connections.
     *
     * @param nativeOptions {@code name NUL value NUL …} in UTF-8
     * @throws EngineException if an option is wrong or the address cannot be listened on; nothing is left behind
     * @throws clojure.lang.ExceptionInfo if the native library cannot be loaded, see {@link NativeLibrary#need}
     * @throws UnsupportedOperationException if virtual threads are asked for and this JVM has none
     */
    public static Engine start(final Settings settings, final byte[] nativeOptions) throws InterruptedException {
        NativeLibrary.need();
        if (settings.workerThreads() == WorkerPool.VIRTUAL && !VirtualWorkers.isSupported()) {
            throw new UnsupportedOperationException("virtual threads need JDK 21, this is " + Runtime.version());
        }
        NativeLog.refreshLevel();
        final long handle = Native.start(nativeOptions);
        try {
            final Engine engine = new Engine(handle, settings);
            LifeLog.started(settings, engine.port());
            return engine;
        } catch (final Throwable failure) {
            Native.drain(handle, 0);
            Native.stop(handle);
            throw failure;
        }
    }

    /** Returns the options table as EDN. */
    public static String optionTable() {
        NativeLibrary.need();
        return Native.optionTable();
    }

    /** Returns the port that is listened on, also after the server has stopped. */
    public int port() {
        return port;
    }

    /**
     * Gives the server another route table. When this returns, every request that the server takes is matched with it; on a
     * thread of the server's own event loops, soon.
     *
     * @throws EngineException if the server is stopped
     */
    public void setRoutes(final RouteTable routes) throws InterruptedException {
        final int version = tables.add(routes, handle);
        if (!isLoopThread()) {
            tables.await(version);
        }
    }

    /** Returns the route table that was last given, null if there is none. */
    public RouteTable routes() {
        return tables.newest();
    }

    /**
     * Sets the response of the endpoints that have the reply {@code number}.
     *
     * @param response a whole RESPONSE command
     */
    public void setReply(final int number, final byte[] response) {
        Native.setReply(handle, number, response);
    }

    /** Calls {@code action} when the server is told to stop, before it stops accepting; it must not throw. */
    public void whenStopping(final Runnable action) {
        begin.thenRun(action);
    }

    /**
     * Calls {@code action} when an event loop is down, which serves nobody until it is opened again, and when it is no longer:
     * with how many are. Again until it returns without an exception.
     */
    public void whenLoopsDown(final IntConsumer action) {
        watchdog.whenLoopsDown(action);
    }

    /** Returns where in its life the server is. */
    public State state() {
        return state.get();
    }

    /** Returns the counters of all loops together and of the workers by name; empty when the server has stopped. */
    public Map<String, Long> metrics() {
        final long[] values = new long[metricNames.length];
        try {
            Native.metrics(handle, values);
        } catch (final EngineException gone) {
            return Map.of();
        }
        final Map<String, Long> metrics = new LinkedHashMap<>();
        putAll(metrics, metricNames, values);
        putAll(metrics, workerMetricNames, workers.load().values());
        return metrics;
    }

    private static void putAll(final Map<String, Long> metrics, final String[] names, final long[] values) {
        for (int i = 0; i < values.length; i++) {
            metrics.put(names[i], values[i]);
        }
    }

    /**
     * Stops accepting (after the drain delay), lets exchanges finish and handlers return for at most {@code timeoutMs}, cuts and
     * interrupts what is left, and returns when the server's threads have ended. A later call waits for the first one to be done.
     *
     * <p>A handler may call it: then it returns at once and the server stops behind its back, for it cannot wait for
     * the handler's own response.
     */
    public void stop(final long timeoutMs) {
        fenced(tellBegin);
        if (state.compareAndSet(State.RUNNING, State.STOPPING)) {
            drainTimeoutMs = Math.max(0, timeoutMs);
            LockSupport.unpark(stopper);
        }
        if (!isOwnThread()) {
            awaitStopped();
        }
    }

    /** Waits until the server has stopped. */
    public void join() throws InterruptedException {
        stopped.await();
    }

    /** Calls {@code action} when the server has stopped, before {@link #stop} and {@link #join} return. */
    public void whenStopped(final Runnable action) {
        end.thenRun(action);
    }

    private void awaitStopped() {
        boolean interrupted = false;
        while (true) {
            try {
                stopped.await();
                break;
            } catch (final InterruptedException early) {
                // Stopping goes on in its own thread and has a deadline.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isOwnThread() {
        return isLoopThread() || workers.ownsCurrentThread() || Thread.currentThread() == stopper;
    }

    private boolean isLoopThread() {
        final Thread current = Thread.currentThread();
        for (final EventLoop loop : loops) {
            if (loop.thread() == current) {
                return true;
            }
        }
        return false;
    }

    private void awaitEnd() {
        while (drainTimeoutMs < 0) {
            LockSupport.park(this);
        }
        try {
            end(drainTimeoutMs);
        } catch (final Throwable failure) {
            LOG.error("stopping failed; threads may be left", failure);
        } finally {
            tellStopped();
        }
    }

    private void tellStopped() {
        try {
            fenced(callOnDrained);
            fenced(stopNative);
            state.set(State.STOPPED);
            fenced(tellEnd);
        } finally {
            state.set(State.STOPPED);
            stopped.countDown();
        }
    }

    private void end(final long timeoutMs) throws InterruptedException {
        Thread.sleep(settings.drainDelayMs());
        for (final EventLoop loop : loops) {
            loop.end();
        }
        final long beganNanos = System.nanoTime();
        final long drainedBy = beganNanos + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        Native.drain(handle, timeoutMs);
        final long deadline = drainedBy + TimeUnit.MILLISECONDS.toNanos(END_GRACE_MS);
        for (final EventLoop loop : loops) {
            final long leftMs = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            loop.thread().join(Math.max(1, leftMs));
            if (loop.thread().isAlive()) {
                LOG.warn(
                        "{} is still in a handler after the drain timeout; it ends when the handler does",
                        loop.thread().getName());
            }
        }
        final long interrupted;
        try {
            // Handlers whose client has left, or had its 503, run on.
            workers.awaitIdle(drainedBy);
            interrupted = workers.load().busy();
            workers.stop(END_GRACE_MS);
        } finally {
            watchdog.end(END_GRACE_MS);
        }
        LifeLog.stopped(port, beganNanos, metrics().getOrDefault("exchanges-cut", 0L), interrupted);
    }

    private void stopNative() {
        Native.stop(handle);
    }

    private void callOnDrained() {
        if (settings.onDrained() != null) {
            settings.onDrained().invoke();
        }
    }

    /** What is thrown must not keep a stop from its end. */
    private static void fenced(final Runnable step) {
        try {
            step.run();
        } catch (final Throwable failure) {
            LOG.error("a step of stopping failed", failure);
        }
    }
}
