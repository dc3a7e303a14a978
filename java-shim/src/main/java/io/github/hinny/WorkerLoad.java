package io.github.hinny;

import java.util.concurrent.TimeUnit;

/**
 * What the workers of a server do now.
 *
 * @param busy workers in a handler, with a response or with a body
 * @param streaming those of them that are with a body that is streamed, or with a handler whose request's body is
 * @param stuck those of the busy, but not of the streaming, that have been at the same thing for a second or longer
 * @param queued exchanges that wait for a worker
 * @param refused exchanges that were answered 503 since the start because no worker had room
 */
record WorkerLoad(long busy, long streaming, long stuck, long queued, long refused) {
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Returns the numbers in the order of {@link Layout#workerMetricNames}. */
    long[] values() {
        return new long[] {busy, streaming, stuck, queued, refused};
    }

    /** Returns whether nothing runs and nothing waits. */
    boolean isIdle() {
        return busy == 0 && queued == 0;
    }

    /** Returns whether a worker that has been at the same thing for so long is stuck. */
    static boolean isStuck(final long nanos) {
        return nanos >= STUCK_NANOS;
    }
}
