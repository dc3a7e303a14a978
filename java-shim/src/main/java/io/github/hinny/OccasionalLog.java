package io.github.hinny;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Logs a kind of event at most once in ten seconds, with the number of those that it kept quiet about since.
 *
 * <p>Made by whoever logs, one for each place, so that one kind of event does not silence another. What a client can
 * bring about as often as it likes goes through one of these.
 *
 * <p>Any thread may log.
 */
public final class OccasionalLog {
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final SafeLogger logger;
    private final LongSupplier nanoClock;
    private final AtomicLong next; // When the next event may be logged.
    private final AtomicLong unlogged = new AtomicLong();

    /** Logs to {@code logger}. */
    OccasionalLog(final SafeLogger logger) {
        this(logger, System::nanoTime);
    }

    /**
     * Logs to {@code logger} by a clock.
     *
     * @param nanoClock returns nanoseconds since any moment, as {@link System#nanoTime} does
     */
    public OccasionalLog(final SafeLogger logger, final LongSupplier nanoClock) {
        this.logger = logger;
        this.nanoClock = nanoClock;
        this.next = new AtomicLong(nanoClock.getAsLong());
    }

    /** Logs a warning, or counts it; {@code format} and {@code arguments} are SLF4J's, a Throwable may be the last. */
    public void warn(final String format, final Object... arguments) {
        final long before = count();
        if (before >= 0) {
            logger.warn(withCount(format, before), arguments);
        }
    }

    /** Logs an error, or counts it; {@code format} and {@code arguments} are SLF4J's, a Throwable may be the last. */
    public void error(final String format, final Object... arguments) {
        final long before = count();
        if (before >= 0) {
            logger.error(withCount(format, before), arguments);
        }
    }

    /** Returns how many events were kept quiet about if one is to be logged now, else -1. */
    private long count() {
        final long now = nanoClock.getAsLong();
        final long due = next.get();
        if (now - due >= 0 && next.compareAndSet(due, now + PAUSE_NANOS)) {
            return unlogged.getAndSet(0);
        }
        unlogged.incrementAndGet();
        return -1;
    }

    private static String withCount(final String format, final long before) {
        return before == 0 ? format : format + " (and " + before + " times more since this was last logged)";
    }
}
