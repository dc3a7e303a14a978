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

    /** Takes work that may wait for a client, or for the producer of a body; returns whether there was room. */
    boolean dispatchStream(Work work);

    /** Takes work even if there is no room. */
    void dispatchAlways(Work work);

    /** Returns what the workers do now. */
    WorkerLoad load();

    /** Makes more threads if work waits for too long; called by the watchdog. Returns whether it should look again soon. */
    boolean relieve(long nowNanos);

    /** Returns whether the calling thread is one of this pool's. */
    boolean ownsCurrentThread();

    /** Waits until no worker runs and nothing waits for one, until {@code deadlineNanos} at most; nobody but workers may add work. */
    default void awaitIdle(final long deadlineNanos) throws InterruptedException {
        while (!load().isIdle() && System.nanoTime() - deadlineNanos < 0) {
            Thread.sleep(1);
        }
    }

    /** Takes no more work, interrupts what still runs, and waits at most {@code timeoutMs} for all that it took to end. */
    void stop(long timeoutMs) throws InterruptedException;

    /** A pool for these options. */
    static WorkerPool of(final Engine.Settings settings, final Watchdog watchdog) {
        return settings.workerThreads() == VIRTUAL
                ? new VirtualWorkers(settings.workerQueueDepth())
                : new PlatformWorkers(
                        settings.workerThreads(), settings.streamThreads(), settings.workerQueueDepth(), watchdog);
    }

    /** In place of a number of threads: a virtual thread for each exchange. */
    int VIRTUAL = 0;
}
