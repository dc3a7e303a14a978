package io.github.hinny;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Work that may wait for a client or for the producer of a body: how much of it runs, and what waits for its turn.
 *
 * <p>Made by a {@link PlatformWorkers}. What runs was taken by {@link #poll} and is over with {@link #leave}.
 *
 * <p>Any thread.
 */
final class StreamQueue {
    private final int runningMax;
    private final int waitingMax;
    private final ConcurrentLinkedQueue<Work> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicInteger running = new AtomicInteger();

    StreamQueue(final int runningMax, final int waitingMax) {
        this.runningMax = runningMax;
        this.waitingMax = waitingMax;
    }

    /** Adds work if there is room; returns whether there was. */
    boolean offer(final Work work) {
        if (waiting.incrementAndGet() > waitingMax) {
            waiting.decrementAndGet();
            return false;
        }
        addCounted(work);
        return true;
    }

    /** Adds work that has begun already, whether there is room or not. */
    void add(final Work work) {
        waiting.incrementAndGet();
        addCounted(work);
    }

    private void addCounted(final Work work) {
        try {
            queue.add(work);
        } catch (final OutOfMemoryError noMemory) {
            waiting.decrementAndGet();
            throw noMemory;
        }
    }

    /** Takes the oldest work, which counts as running now; null if none waits, or as much runs as may. */
    Work poll() {
        // Again: what was added while this one stood in the way may have found no room.
        while (waiting.get() > 0 && enter()) {
            final Work work = queue.poll();
            if (work != null) {
                waiting.decrementAndGet();
                return work;
            }
            leave();
        }
        return null;
    }

    private boolean enter() {
        int now = running.get();
        while (now < runningMax) {
            if (running.compareAndSet(now, now + 1)) {
                return true;
            }
            now = running.get();
        }
        return false;
    }

    /** Work that was taken is over. */
    void leave() {
        running.decrementAndGet();
    }

    /** Returns how much runs. */
    int running() {
        return running.get();
    }

    /** Returns how much waits. */
    int waiting() {
        return waiting.get();
    }

    /** Returns how much of what waits may run now. */
    int startable() {
        final int waits = waiting.get();
        return waits == 0 ? 0 : Math.max(0, Math.min(waits, runningMax - running.get()));
    }

    /** Returns the work that waits for longest, null if none waits. */
    Work peek() {
        return queue.peek();
    }
}
