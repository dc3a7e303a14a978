package io.github.hinny;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One event loop: the daemon thread {@code hinny-loop-N} that drives a native loop through a {@link LoopDriver}.
 *
 * <p>Nothing that is thrown ends it. When turns fail in a row, the native loop is closed with its connections and opened
 * again, after a pause that grows while that helps nothing; until then the loop is {@linkplain #isDown down}.
 *
 * <p>Made and started by an {@link Engine}. Any thread may ask or wake it.
 */
final class EventLoop implements Runnable {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    /** hyper's header arrays and the handlers share this stack. */
    private static final long STACK_BYTES = 2 << 20;

    /** A native loop that fails this often in a row is beyond repair. */
    private static final int FAILURES_MAX = 100;

    /** After so many failures in a row there is a pause behind each, in which memory may become free. */
    private static final int FAILURES_WITHOUT_PAUSE = 10;

    private static final long FAILURE_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    /** How long the loop stays closed: the first time, and most. */
    private static final long CLOSED_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private static final long CLOSED_MAX_NANOS = TimeUnit.SECONDS.toNanos(8);

    /** A native loop that lived so long was well: the next pause is the first again. */
    private static final long WELL_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final int index;
    private final Engine.Settings settings;
    private final Thread thread;
    private final CountDownLatch opened = new CountDownLatch(1);
    private final HandlerTurn handlerTurn = new HandlerTurn();

    // Made beforehand: a lambda is linked where it is first made, for which there may be no memory.
    private final Runnable closeNative = Native::closeLoop;
    private final Runnable leaveRoutes = this::leaveRoutes;
    private final Runnable endExchanges = this::endExchanges;

    private long engine;
    private WorkerPool workers;
    private RouteTables tables;
    private volatile Throwable openFailure;
    private volatile boolean down;
    private volatile boolean ending;

    private volatile LoopDriver driver; // Written by the thread, once that runs.
    private long pauseNanos = CLOSED_MIN_NANOS; // The thread's own.

    EventLoop(final int index, final Engine.Settings settings) {
        this.index = index;
        this.settings = settings;
        this.thread = new Thread(null, this, "hinny-loop-" + index, STACK_BYTES);
        this.thread.setDaemon(true);
    }

    /**
     * Starts the thread and returns when the loop serves.
     *
     * @param pool where handlers run that may block, and bodies are written
     * @param routeTables are told which table the loop uses
     */
    void start(final long engineHandle, final WorkerPool pool, final RouteTables routeTables)
            throws InterruptedException {
        engine = engineHandle;
        workers = pool;
        tables = routeTables;
        driver = new LoopDriver(this, settings, pool, routeTables);
        thread.start();
        opened.await();
        if (openFailure instanceof RuntimeException failure) {
            throw failure;
        } else if (openFailure != null) {
            throw new IllegalStateException("cannot open an event loop", openFailure);
        }
    }

    int index() {
        return index;
    }

    Thread thread() {
        return thread;
    }

    /** Returns what tells whether the loop is in a handler. */
    HandlerTurn handlerTurn() {
        return handlerTurn;
    }

    int exchangeBufferBytes() {
        return settings.exchangeBufferBytes();
    }

    /** Makes the native loop return from its poll soon. */
    void wake() {
        Native.wake(engine, index);
    }

    /** Does so if replies wait that it has not been woken for. */
    void wakeForReplies() {
        driver.wake();
    }

    /** Returns whether the loop has lost its native loop, and serves nobody until that is opened again. */
    boolean isDown() {
        return down;
    }

    /** The server stops: a native loop that ends stays closed. */
    void end() {
        ending = true;
        LockSupport.unpark(thread);
    }

    @Override
    public void run() {
        try {
            Native.openLoop(engine, index);
        } catch (final Throwable failure) {
            openFailure = failure;
            return;
        } finally {
            opened.countDown();
        }
        boolean goesOn = true;
        while (goesOn) {
            try {
                goesOn = !serve() && reopen();
                down = false;
            } catch (final Throwable again) {
                // It could not even be logged: compiled code may throw an OutOfMemoryError anywhere.
            }
        }
    }

    /** Turns until the native loop is closed; returns whether that is the end, since the server stops. */
    private boolean serve() {
        final long began = System.nanoTime();
        turnUntilClosed();
        final boolean stops = ending;
        down = !stops;
        if (System.nanoTime() - began > WELL_NANOS) {
            pauseNanos = CLOSED_MIN_NANOS;
        }
        fenced(closeNative);
        fenced(leaveRoutes);
        fenced(endExchanges);
        return stops;
    }

    /** Returns when the native loop has closed, or failed too often. */
    private void turnUntilClosed() {
        int failures = 0;
        while (failures < FAILURES_MAX) {
            try {
                if (!driver.turn()) {
                    return;
                }
                failures = 0;
            } catch (final Throwable failure) {
                failures++;
                if (failures == FAILURES_MAX) {
                    LOG.error(
                            "event loop {} failed too often in a row: its connections are cut, and it is opened again",
                            index,
                            failure);
                } else if (failures == 1) {
                    LOG.error("event loop {} failed and goes on", index, failure);
                } else if (failures > FAILURES_WITHOUT_PAUSE) {
                    LockSupport.parkNanos(FAILURE_PAUSE_NANOS);
                }
            }
        }
    }

    /** Opens the native loop again, as soon as that succeeds; returns false if the server stops. */
    private boolean reopen() {
        while (!ending) {
            pause();
            try {
                final LoopDriver next = new LoopDriver(this, settings, workers, tables);
                Native.openLoop(engine, index);
                driver = next;
                LOG.info("event loop {} serves again", index);
                return true;
            } catch (final Throwable failure) {
                if (!ending) {
                    LOG.error("event loop {} cannot be opened", index, failure);
                }
            }
        }
        return false;
    }

    private void pause() {
        final long until = System.nanoTime() + pauseNanos;
        for (long left = pauseNanos; left > 0 && !ending; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
        pauseNanos = Math.min(2 * pauseNanos, CLOSED_MAX_NANOS);
    }

    private void leaveRoutes() {
        tables.end(index);
    }

    private void endExchanges() {
        driver.end();
    }

    private void fenced(final Runnable step) {
        try {
            step.run();
        } catch (final Throwable failure) {
            LOG.error("event loop {} was not closed in full", index, failure);
        }
    }
}
