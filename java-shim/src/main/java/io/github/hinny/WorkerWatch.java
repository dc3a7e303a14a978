package io.github.hinny;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Says in the log when a pool of workers is exhausted.
 *
 * <p>Made by a {@link PlatformWorkers}, and its watchdog's own: a thread that answers requests logs nothing of it.
 */
final class WorkerWatch {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    /** What waits this long for a worker waits because all are taken. */
    private static final long LONG_WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final OccasionalLog waits;
    private final OccasionalLog streamsWait;
    private final OccasionalLog refusals;
    private long refusedBefore;

    WorkerWatch() {
        this(System::nanoTime);
    }

    WorkerWatch(final LongSupplier nanoClock) {
        waits = new OccasionalLog(LOG, nanoClock);
        streamsWait = new OccasionalLog(LOG, nanoClock);
        refusals = new OccasionalLog(LOG, nanoClock);
    }

    /** Exchanges wait for a worker, the oldest of them since it was dispatched. */
    void queued(final Work oldest, final int waiting, final int workers, final long nowNanos) {
        final long nanos = nowNanos - oldest.dispatchedNanos;
        if (nanos >= LONG_WAIT_NANOS) {
            waits.warn(
                    "all {} workers are busy: {} exchanges wait for one, the first for {} ms",
                    workers,
                    waiting,
                    TimeUnit.NANOSECONDS.toMillis(nanos));
        }
    }

    /** Streamed bodies wait because as many as may be are on their way. */
    void streamsQueued(final Work oldest, final int waiting, final int running, final long nowNanos) {
        final long nanos = nowNanos - oldest.dispatchedNanos;
        if (nanos >= LONG_WAIT_NANOS) {
            streamsWait.warn(
                    "{} workers are with streamed bodies, more may not be (:stream-threads): {} exchanges wait, the first"
                            + " for {} ms",
                    running,
                    waiting,
                    TimeUnit.NANOSECONDS.toMillis(nanos));
        }
    }

    /** So many exchanges were refused since the start. */
    void refused(final long total) {
        if (total != refusedBefore) {
            refusals.warn(
                    "exchanges found no room to wait for a worker (:worker-queue-depth) and were answered 503, {} since the"
                            + " start",
                    total);
            refusedBefore = total;
        }
    }
}
