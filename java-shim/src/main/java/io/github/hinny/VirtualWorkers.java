package io.github.hinny;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A virtual thread for each exchange (JDK 21 and later), at most a given number at once, and as many with streamed bodies.
 *
 * <p>Virtual threads are reached by reflection, since Hinny runs on JDK 17 too.
 */
final class VirtualWorkers implements WorkerPool {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    /** In place of what a thread runs that may wait for a client or for the producer of a body. */
    private static final Work STREAM = Work.of(null, () -> {});

    private final ThreadFactory factory = virtualThreadFactory();
    private final int limit;
    private final Map<Thread, Work> threads = new ConcurrentHashMap<>();

    /** Threads with what waits for no client. */
    private final AtomicInteger running = new AtomicInteger();

    /** Threads with a body that is streamed. Counted apart, so that these leave room for others. */
    private final AtomicInteger streaming = new AtomicInteger();

    private final WorkerWatch watch = new WorkerWatch();
    private final AtomicLong refused = new AtomicLong();
    private final ReplyWriters writers = new SpareWriters();
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
        final int taken = reserve(running, count);
        try {
            if (taken == 1) {
                start(batch[0]);
            } else if (taken > 1) {
                startAll(Arrays.copyOf(batch, taken));
            }
            return taken;
        } catch (final OutOfMemoryError noThread) {
            // As if there were no room.
            running.addAndGet(-taken);
            refused.addAndGet(taken);
            return 0;
        }
    }

    @Override
    public boolean dispatchStream(final Work work) {
        if (reserve(streaming, 1) == 0) {
            return false;
        }
        try {
            start(STREAM, () -> runStream(work));
            return true;
        } catch (final OutOfMemoryError noThread) {
            streaming.decrementAndGet();
            refused.incrementAndGet();
            return false;
        }
    }

    @Override
    public void dispatchAlways(final Work work) {
        running.incrementAndGet();
        try {
            start(work);
        } catch (final OutOfMemoryError noThread) {
            running.decrementAndGet();
            throw noThread;
        }
    }

    /** Counts as many of {@code wanted} exchanges as may run, and returns how many these are. */
    private int reserve(final AtomicInteger counter, final int wanted) {
        int taken = 0;
        while (taken == 0 && !stopped) {
            final int now = counter.get();
            final int room = Math.min(wanted, limit - now);
            if (room <= 0) {
                break;
            }
            if (counter.compareAndSet(now, now + room)) {
                taken = room;
            }
        }
        if (taken < wanted) {
            refused.addAndGet(wanted - taken);
        }
        return taken;
    }

    private Thread start(final Work work) {
        return start(work, () -> run(work));
    }

    /** Lets the thread of the first start the others: from outside each start may have to wake a thread of the JVM's. */
    private void startAll(final Work[] works) {
        start(works[0], () -> {
            for (int i = 1; i < works.length; i++) {
                startOrRun(works[i]);
            }
            run(works[0]);
        });
    }

    private void startOrRun(final Work work) {
        try {
            final Thread thread = start(work);
            if (stopped) {
                // It may have come too late for stop to see it.
                thread.interrupt();
            }
        } catch (final OutOfMemoryError noThread) {
            run(work);
        }
    }

    private Thread start(final Work work, final Runnable task) {
        final Thread thread = factory.newThread(task);
        try {
            threads.put(thread, work);
            thread.start();
            return thread;
        } catch (final OutOfMemoryError noThread) {
            threads.remove(thread);
            throw noThread;
        }
    }

    /** Never throws. */
    private void run(final Work work) {
        boolean counts = true;
        try {
            work.run(writers).wake();
            final Work rest = work.rest();
            if (rest != null) {
                threads.put(Thread.currentThread(), STREAM);
                streaming.incrementAndGet();
                running.decrementAndGet();
                counts = false;
                runStream(rest);
            }
        } catch (final Throwable failure) {
            failed(work, failure);
        } finally {
            threads.remove(Thread.currentThread());
            if (counts) {
                running.decrementAndGet();
            }
        }
    }

    /** Runs work that counts as streaming. Never throws. */
    private void runStream(final Work first) {
        Work work = first;
        try {
            while (work != null) {
                work.run(writers).wake();
                work = work.rest();
            }
        } catch (final Throwable failure) {
            failed(work, failure);
        } finally {
            threads.remove(Thread.currentThread());
            streaming.decrementAndGet();
        }
    }

    private static void failed(final Work work, final Throwable failure) {
        work.fail();
        LOG.error("a worker failed", failure);
    }

    @Override
    public boolean relieve(final long nowNanos) {
        watch.refused(refused.get());
        return false;
    }

    @Override
    public WorkerLoad load() {
        final long now = System.nanoTime();
        long stuck = 0;
        for (final Work work : threads.values()) {
            if (work != STREAM && WorkerLoad.isStuck(now - work.dispatchedNanos)) {
                stuck++;
            }
        }
        final long streams = streaming.get();
        return new WorkerLoad(running.get() + streams, streams, stuck, 0, refused.get());
    }

    @Override
    public boolean ownsCurrentThread() {
        return threads.containsKey(Thread.currentThread());
    }

    @Override
    public void stop(final long timeoutMs) throws InterruptedException {
        stopped = true;
        final long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        for (final Thread thread : threads.keySet()) {
            thread.interrupt();
        }
        for (final Thread thread : threads.keySet()) {
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
