package io.github.hinny;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Writers for threads that have none of their own: at most {@link #SPARES} of them are kept while nobody uses them, each
 * with what {@link ReplyWriter} keeps.
 *
 * <p>Thread-safe, without a lock or a count that all threads share.
 */
final class SpareWriters implements ReplyWriters {
    /** A power of two; more threads than that encode at once only where there are more processors. */
    private static final int SPARES = 16;

    private final AtomicReferenceArray<ReplyWriter> spares = new AtomicReferenceArray<>(SPARES);

    @Override
    public ReplyWriter borrow() {
        final int first = first();
        for (int i = 0; i < SPARES; i++) {
            final int at = first + i & SPARES - 1;
            if (spares.get(at) != null) {
                final ReplyWriter spare = spares.getAndSet(at, null);
                if (spare != null) {
                    return spare;
                }
            }
        }
        return new ReplyWriter();
    }

    @Override
    public void giveBack(final ReplyWriter writer) {
        final int first = first();
        for (int i = 0; i < SPARES; i++) {
            final int at = first + i & SPARES - 1;
            if (spares.get(at) == null && spares.compareAndSet(at, null, writer)) {
                return;
            }
        }
    }

    /** Threads begin to look in different places. */
    private static int first() {
        return (int) Thread.currentThread().getId();
    }
}
