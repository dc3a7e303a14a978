package io.github.hinny;

/**
 * Where handlers run that may block.
 *
 * <p>Thread-safe: every event loop dispatches to the same pool.
 */
interface WorkerPool {
    /**
     * Takes {@code batch[0 .. count)} in order as far as there is room.
     *
     * @return how many were taken; the rest is the caller's to refuse
     */
    int dispatch(Work[] batch, int count);

    /** Takes work even if there is no room. */
    void dispatchAlways(Work work);

    /** Makes more threads if work waits for too long; called by the watchdog. Returns whether it should look again soon. */
    boolean relieve(long nowNanos);

    /** Returns whether the calling thread is one of this pool's. */
    boolean ownsCurrentThread();

    /** Takes no more work, interrupts what still runs, and waits at most {@code timeoutMs} for all that it took to end. */
    void stop(long timeoutMs) throws InterruptedException;

    /** A pool for these options. */
    static WorkerPool of(final int threads, final int queueDepth, final Watchdog watchdog) {
        return threads == VIRTUAL ? new VirtualWorkers(queueDepth) : new PlatformWorkers(threads, queueDepth, watchdog);
    }

    /** In place of a number of threads: a virtual thread for each exchange. */
    int VIRTUAL = 0;
}
