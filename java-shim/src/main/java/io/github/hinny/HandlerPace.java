package io.github.hinny;

import java.util.concurrent.TimeUnit;

/**
 * How fast a pool's handlers are done: whether another worker would help with what waits.
 *
 * <p>Any thread may write and read; an update that is lost to another does not matter.
 */
final class HandlerPace {
    /** A handler shorter than this is done before another worker would be awake. */
    private static final long SHORT_NANOS = TimeUnit.MICROSECONDS.toNanos(20);

    /** No handler counts for more: a thread that the system has put aside for a while looks like a slow handler. */
    private static final long COUNTED_NANOS = 2 * SHORT_NANOS;

    /** How long exchanges with short handlers may wait for a worker that is awake. */
    private static final long SHORT_WAIT_NANOS = 10 * SHORT_NANOS;

    /** Moving average of the time that handlers take. */
    private volatile long averageNanos = SHORT_NANOS;

    private volatile long done;

    // The watchdog's own.
    private long doneBefore;
    private long lookedNanos = System.nanoTime();

    /** A handler has taken so long. */
    void add(final long nanos) {
        averageNanos += (Math.min(nanos, COUNTED_NANOS) - averageNanos) >> 3;
        done++;
    }

    /** Handlers are not short after all. */
    void slowDown() {
        averageNanos = COUNTED_NANOS;
    }

    /** Returns whether handlers take less time than it takes to wake a thread. */
    boolean isShort() {
        return averageNanos < SHORT_NANOS;
    }

    /** Returns whether so many exchanges are done soon by so many workers, which are awake. */
    boolean isEnough(final int workers, final int waiting) {
        final long average = averageNanos;
        return average < SHORT_NANOS && waiting * average <= SHORT_WAIT_NANOS * workers;
    }

    /**
     * Returns whether {@code waiting} exchanges would wait longer than {@code waitNanos} if the workers go on as they did
     * since this was last asked. Where all processors are busy, exchanges wait and workers are put aside although handlers
     * are short; then more threads do harm. The watchdog.
     */
    boolean isTooSlow(final int waiting, final long waitNanos, final long nowNanos) {
        final long doneNow = done;
        final long did = doneNow - doneBefore;
        final long within = nowNanos - lookedNanos;
        doneBefore = doneNow;
        lookedNanos = nowNanos;
        return (double) waiting * within > (double) did * waitNanos;
    }
}
