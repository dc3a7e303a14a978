package io.github.hinny;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A virtual thread for each exchange (JDK 21 and later), at most a given number at once.
 *
 * <p>Virtual threads are reached by reflection, since Hinny runs on JDK 17 too.
 */
final class VirtualWorkers implements WorkerPool {
    private final ThreadFactory factory = virtualThreadFactory();
    private final int limit;
    private final AtomicInteger running = new AtomicInteger();
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<ReplyWriter> writers = new ConcurrentLinkedQueue<>();
    private volatile boolean stopped;

    VirtualWorkers(final int limit) {
        this.limit = limit;
    }

    /** Returns whether this JVM has virtual threads. */
    static boolean isSupported() {
        return Runtime.version().feature() >= 21;
    }

    @Override
    public int dispatch(final Work[] batch, final int count) {
        final int taken = reserve(count);
        if (taken == 1) {
            start(batch[0]);
        } else if (taken > 1) {
            startAll(Arrays.copyOf(batch, taken));
        }
        return taken;
    }

    @Override
    public void dispatchAlways(final Work work) {
        running.incrementAndGet();
        start(work);
    }

    /** Counts as many of {@code wanted} exchanges as may run, and returns how many these are. */
    private int reserve(final int wanted) {
        while (!stopped) {
            final int now = running.get();
            final int taken = Math.min(wanted, limit - now);
            if (taken <= 0) {
                return 0;
            }
            if (running.compareAndSet(now, now + taken)) {
                return taken;
            }
        }
        return 0;
    }

    private Thread start(final Work work) {
        return start(() -> run(work));
    }

    /** Lets the thread of the first start the others: from outside each start may have to wake a thread of the JVM's. */
    private void startAll(final Work[] works) {
        start(() -> {
            try {
                for (int i = 1; i < works.length; i++) {
                    final Thread thread = start(works[i]);
                    if (stopped) {
                        // It may have come too late for stop to see it.
                        thread.interrupt();
                    }
                }
            } finally {
                run(works[0]);
            }
        });
    }

    private Thread start(final Runnable task) {
        final Thread thread = factory.newThread(task);
        threads.add(thread);
        thread.start();
        return thread;
    }

    private void run(final Work work) {
        final ReplyWriter reused = writers.poll();
        final ReplyWriter writer = reused == null ? new ReplyWriter() : reused;
        try {
            work.run(writer).wake();
        } finally {
            writers.add(writer);
            threads.remove(Thread.currentThread());
            running.decrementAndGet();
        }
    }

    @Override
    public boolean relieve(final long nowNanos) {
        return false;
    }

    @Override
    public boolean ownsCurrentThread() {
        return threads.contains(Thread.currentThread());
    }

    @Override
    public void stop(final long timeoutMs) throws InterruptedException {
        stopped = true;
        final long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        for (final Thread thread : threads) {
            thread.interrupt();
        }
        for (final Thread thread : threads) {
            final long leftMs = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (leftMs > 0) {
                thread.join(leftMs);
            }
        }
    }

    private static ThreadFactory virtualThreadFactory() {
        try {
            final Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            final Class<?> type = Class.forName("java.lang.Thread$Builder");
            final Object named =
                    type.getMethod("name", String.class, long.class).invoke(builder, "hinny-worker-", 0L);
            return (ThreadFactory) type.getMethod("factory").invoke(named);
        } catch (final NoSuchMethodException | ClassNotFoundException | IllegalAccessException missing) {
            throw new UnsupportedOperationException(
                    "virtual threads need JDK 21, this is " + Runtime.version(), missing);
        } catch (final InvocationTargetException failed) {
            throw new IllegalStateException("cannot make virtual threads", failed.getCause());
        }
    }
}
