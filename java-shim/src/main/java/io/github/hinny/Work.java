package io.github.hinny;

/** Something that a worker does. */
abstract class Work {
    /** When it was handed to the workers, {@link System#nanoTime}. */
    final long dispatchedNanos;

    Work(final long dispatchedNanos) {
        this.dispatchedNanos = dispatchedNanos;
    }

    /**
     * Does it, and leaves the thread uninterrupted. If it throws, it is to {@link #fail}.
     *
     * @return the driver to {@linkplain Driver#wake wake} now, because replies wait with it
     */
    abstract Driver run(ReplyWriters writers);

    /**
     * Returns what is left to do when it has run, and may wait for a client or for the producer of a body; null if nothing
     * is. Asked once.
     */
    Work rest() {
        return null;
    }

    /** It cannot be done: there is no memory left, say. Needs none, and never throws. */
    abstract void fail();

    /** Returns work that runs {@code task}, which must not throw, for an exchange of {@code driver}. */
    static Work of(final Driver driver, final Runnable task) {
        return new Work(System.nanoTime()) {
            @Override
            Driver run(final ReplyWriters writers) {
                try {
                    task.run();
                } finally {
                    Thread.interrupted();
                }
                return driver;
            }

            @Override
            void fail() {
                // The task has seen to its exchange.
            }
        };
    }
}
