package io.github.hinny;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A bounded pool of platform threads that wakes and makes as few of them as the work needs.
 *
 * <p>Waking a thread costs more than a short handler. So a batch wakes one worker at most; a worker that finds work
 * behind its own wakes one more before it runs its handler, and nobody wakes a second while a woken one is still
 * looking for work. While handlers are short, one that is awake is left to work through a few exchanges alone, and
 * looks again a few times before it sleeps; it wakes the loop once for their replies. The last worker to fall idle is the first to be woken, so spare ones stay
 * asleep and end.
 *
 * <p>A new thread is made at once up to one per processor, and after that only when an exchange has waited for {@link
 * #WAIT_NANOS} and the pool is too slow for those that wait: then the number doubles, at most to the limit. The same
 * tells that handlers are not short after all: nothing waits for a blocked worker for longer than that and a nap of the
 * watchdog.
 *
 * <p>A worker whose work may wait for a client or for the producer of a body ({@link StreamQueue}) does not count against the
 * limit: others may be made in its place, and it ends when it comes back and there are enough. So streams hold up nothing
 * else, and at most the limits of both are there.
 */
final class PlatformWorkers implements WorkerPool {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    /** A wait that says that the workers are blocked, or too few. */
    private static final long WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private static final long KEEP_ALIVE_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** After how many short handlers a worker that still has work sends their replies. */
    private static final int REPLIES_HELD = 16;

    /** How often a worker that ran short handlers lets others run, and looks again, before it sleeps. */
    private static final int LOOKS_BEFORE_SLEEP = 8;

    /** How long no thread is asked for when the system gave none. */
    private static final long NO_THREAD_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long STOP_NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final int limit;
    private final int eagerLimit;
    private final int queueDepth;
    private final Watchdog watchdog;
    private final WorkerWatch watch = new WorkerWatch();
    private final ClassLoader contextClassLoader = Thread.currentThread().getContextClassLoader();
    private final ConcurrentLinkedQueue<Work> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger queued = new AtomicInteger();
    private final StreamQueue streams;
    private final AtomicLong refused = new AtomicLong();

    /** 1 while a worker that was woken or made has not found work yet. */
    private final AtomicInteger searching = new AtomicInteger();

    /** Workers that are neither idle nor with a stream. */
    private final AtomicInteger awake = new AtomicInteger();

    private final HandlerPace pace = new HandlerPace();

    /** How many workers had been at the same work for {@link #WAIT_NANOS} when the watchdog last looked. */
    private volatile int stuck;

    private final Object lock = new Object();
    private final ArrayDeque<Worker> idle; // Guarded by lock.
    private final Set<Worker> workers = new HashSet<>(); // Guarded by lock.
    private int made; // Guarded by lock.
    private long noThreadUntil = System.nanoTime(); // Guarded by lock.
    private volatile boolean stopped;

    PlatformWorkers(final int limit, final int streamLimit, final int queueDepth, final Watchdog watchdog) {
        this.limit = limit;
        this.eagerLimit = Math.min(limit, Runtime.getRuntime().availableProcessors());
        this.queueDepth = queueDepth;
        this.streams = new StreamQueue(streamLimit, queueDepth);
        this.watchdog = watchdog;
        this.idle = new ArrayDeque<>(limit);
    }

    @Override
    public int dispatch(final Work[] batch, final int count) {
        if (stopped) {
            return 0;
        }
        final int room = queueDepth - (queued.addAndGet(count) - count);
        final int taken = Math.max(0, Math.min(count, room));
        if (taken < count) {
            queued.addAndGet(taken - count);
            refused.addAndGet(count - taken);
        }
        int added = 0;
        try {
            while (added < taken) {
                queue.add(batch[added]);
                added++;
            }
        } catch (final OutOfMemoryError noMemory) {
            // As if there were no room for the others.
            queued.addAndGet(added - taken);
            refused.addAndGet(taken - added);
        }
        if (added > 0) {
            callForHelp();
        }
        return added;
    }

    @Override
    public boolean dispatchStream(final Work work) {
        if (stopped || !streams.offer(work)) {
            refused.incrementAndGet();
            return false;
        }
        callForHelp();
        return true;
    }

    @Override
    public void dispatchAlways(final Work work) {
        queue.add(work);
        queued.incrementAndGet();
        callForHelp();
    }

    /** Work waits: sees to it that as many workers are awake as it needs. */
    private void callForHelp() {
        final int awakeNow = awake.get() - stuck;
        if (awakeNow > 0 && pace.isEnough(awakeNow, waiting())) {
            watchdog.lookSoon();
        } else {
            wakeOne();
        }
    }

    /** Returns how much could run if there were workers. */
    private int waiting() {
        return queued.get() + streams.startable();
    }

    /** Sees to it that a worker looks at the queues, unless one is about to. */
    private void wakeOne() {
        if (searching.get() != 0 || !searching.compareAndSet(0, 1)) {
            return;
        }
        final Worker woken;
        synchronized (lock) {
            woken = idle.pollLast();
            if (woken == null) {
                if (size() - stuck < eagerLimit && size() < limit) {
                    makeWorker();
                    return;
                }
                searching.set(0);
            }
        }
        if (woken != null) {
            woken.wake();
        } else if (hasRoom()) {
            watchdog.lookSoon();
        }
    }

    private boolean hasRoom() {
        synchronized (lock) {
            return size() < limit;
        }
    }

    /** Returns how many workers there are that are not with a stream. Call with the lock. */
    private int size() {
        return workers.size() - streams.running();
    }

    /** Call with the lock. Never throws. */
    private void makeWorker() {
        if (System.nanoTime() - noThreadUntil < 0) {
            searching.set(0);
            return;
        }
        Worker worker = null;
        try {
            worker = new Worker("hinny-worker-" + made++);
            worker.setDaemon(true);
            worker.setContextClassLoader(contextClassLoader);
            workers.add(worker);
            awake.incrementAndGet();
            worker.start();
        } catch (final OutOfMemoryError noThread) {
            // The workers that there are go on with the work.
            if (worker != null && workers.remove(worker)) {
                awake.decrementAndGet();
            }
            searching.set(0);
            noThreadUntil = System.nanoTime() + NO_THREAD_PAUSE_NANOS;
            LOG.warn("cannot make another worker beside {}", workers.size(), noThread);
        }
    }

    @Override
    public boolean relieve(final long nowNanos) {
        countStuck(nowNanos);
        watch.refused(refused.get());
        final boolean tooSlow = pace.isTooSlow(waiting(), WAIT_NANOS, nowNanos);
        final Work oldest = oldest(nowNanos);
        if (oldest == null || stopped) {
            return false;
        }
        if (tooSlow && nowNanos - oldest.dispatchedNanos >= WAIT_NANOS) {
            pace.slowDown();
            synchronized (lock) {
                // An idle worker is a wake that is on its way; more threads would not be faster.
                final int more = idle.isEmpty() ? Math.min(Math.max(size(), 1), waiting()) : 0;
                for (int i = 0; i < more && size() < limit; i++) {
                    makeWorker();
                }
                if (size() >= limit && idle.isEmpty()) {
                    watch.queued(oldest, waiting(), limit, nowNanos);
                }
            }
            wakeOne();
        } else if (awake.get() <= stuck) {
            wakeOne();
        }
        return true;
    }

    /** Returns what could run and waits for longest; null if nothing does. */
    private Work oldest(final long nowNanos) {
        final Work stream = streams.peek();
        if (stream != null && streams.startable() == 0) {
            watch.streamsQueued(stream, streams.waiting(), streams.running(), nowNanos);
        }
        final Work plain = queue.peek();
        return plain != null || streams.startable() == 0 ? plain : stream;
    }

    /** A worker that has been in a handler for so long is no help for what waits. */
    private void countStuck(final long nowNanos) {
        int count = 0;
        synchronized (lock) {
            for (final Worker worker : workers) {
                if (!worker.streaming && worker.busyNanos(nowNanos) >= WAIT_NANOS) {
                    count++;
                }
            }
        }
        stuck = count;
    }

    @Override
    public WorkerLoad load() {
        final long now = System.nanoTime();
        // First: work that a worker has taken is the worker's before it is no longer the queue's.
        final int waiting = queued.get() + streams.waiting();
        long busy = 0;
        long stuckFor = 0;
        synchronized (lock) {
            for (final Worker worker : workers) {
                final long nanos = worker.busyNanos(now);
                busy += nanos > 0 ? 1 : 0;
                stuckFor += !worker.streaming && WorkerLoad.isStuck(nanos) ? 1 : 0;
            }
        }
        return new WorkerLoad(busy, streams.running(), stuckFor, waiting, refused.get());
    }

    @Override
    public boolean ownsCurrentThread() {
        return Thread.currentThread() instanceof Worker worker && worker.pool() == this;
    }

    @Override
    public void stop(final long timeoutMs) throws InterruptedException {
        awaitQueueEmpty(TimeUnit.MILLISECONDS.toNanos(timeoutMs) / 2);
        stopped = true;
        final Set<Worker> all;
        synchronized (lock) {
            all = Set.copyOf(workers);
            idle.clear();
        }
        final long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        for (final Worker worker : all) {
            worker.wake();
            worker.interrupt();
        }
        for (final Worker worker : all) {
            final long leftMs = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (leftMs > 0) {
                worker.join(leftMs);
            }
        }
    }

    /** The loops are gone: what waits are exchanges that are over and functions that are to hear of it. */
    private void awaitQueueEmpty(final long timeoutNanos) {
        final long deadline = System.nanoTime() + timeoutNanos;
        while (queued.get() + streams.waiting() > 0 && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(this, STOP_NAP_NANOS);
        }
    }

    /** A worker's thread. */
    private final class Worker extends Thread implements ReplyWriters {
        private final ReplyWriter writer = new ReplyWriter();

        /** The current work may wait for a client or for the producer of a body. */
        private volatile boolean streaming;

        private final Driver[] driversHeld = new Driver[REPLIES_HELD];
        private int held;
        private volatile boolean woken;

        /** When the current work began; 0 while there is none. */
        private final AtomicLong busySince = new AtomicLong();

        Worker(final String name) {
            super(name);
        }

        PlatformWorkers pool() {
            return PlatformWorkers.this;
        }

        void wake() {
            awake.incrementAndGet();
            woken = true;
            LockSupport.unpark(this);
        }

        @Override
        public void run() {
            // A worker is made to search.
            boolean goesOn = true;
            while (goesOn) {
                try {
                    goesOn = workAndSleep();
                    interrupted();
                } catch (final Throwable again) {
                    // It could not even be logged: compiled code may throw an OutOfMemoryError anywhere.
                }
            }
            synchronized (lock) {
                workers.remove(this);
            }
        }

        /** Works, then waits for more; returns whether there may be. Nothing that is thrown ends a worker. */
        private boolean workAndSleep() {
            try {
                return work() && sleep();
            } catch (final Throwable failure) {
                LOG.error("{} failed and goes on", getName(), failure);
                return !stopped;
            }
        }

        @Override
        public ReplyWriter borrow() {
            return writer;
        }

        @Override
        public void giveBack(final ReplyWriter borrowed) {
            // It is this worker's own.
        }

        /** Returns for how long it has been with the same work, 0 without any. */
        long busyNanos(final long nowNanos) {
            final long since = busySince.get();
            return since == 0 ? 0 : Math.max(1, nowNanos - since);
        }

        /** Runs work until there is none, also that of a stopped pool: exchanges that are gone end. Returns whether it goes on. */
        private boolean work() {
            Work work = next();
            searching.set(0);
            long before = System.nanoTime();
            while (work != null) {
                busySince.lazySet(before);
                if (!streaming && queued.decrementAndGet() + streams.startable() > 0) {
                    callForHelp();
                }
                if (!streaming) {
                    final Work rest = runAndHold(work);
                    final long now = System.nanoTime();
                    pace.add(now - before);
                    before = now;
                    work = startRest(rest);
                }
                if (streaming) {
                    if (!runStream(work)) {
                        return false;
                    }
                    before = System.nanoTime();
                }
                busySince.lazySet(0);
                work = next();
                if (work == null || held == REPLIES_HELD || !pace.isShort()) {
                    wakeDrivers();
                }
                if (work == null && pace.isShort()) {
                    work = lookAgain();
                    before = System.nanoTime();
                }
            }
            return !stopped;
        }

        /** Takes work, a stream first: there are never too many of them. */
        private Work next() {
            final Work stream = streams.poll();
            if (stream != null) {
                streaming = true;
                return stream;
            }
            return queue.poll();
        }

        /** Takes the oldest of the streams that wait, of which {@code rest} is the newest; null if none may run. */
        private Work startRest(final Work rest) {
            if (rest == null) {
                return null;
            }
            try {
                streams.add(rest);
            } catch (final OutOfMemoryError noMemory) {
                rest.fail();
            }
            final Work stream = streams.poll();
            streaming = stream != null;
            return stream;
        }

        /**
         * Runs work that was taken from {@link #streams}. Meanwhile another worker may be in this one's place; returns whether
         * this one goes on after that.
         */
        private boolean runStream(final Work first) {
            wakeDrivers();
            awake.decrementAndGet();
            if (waiting() > 0) {
                callForHelp();
            }
            final boolean goesOn;
            try {
                for (Work work = first; work != null; work = runAndWake(work)) {
                    // As far as it goes.
                }
            } finally {
                goesOn = comeBack();
            }
            if (!goesOn && waiting() > 0) {
                wakeOne();
            }
            return goesOn;
        }

        /** Runs work, and wakes its driver later; returns what is left of it. Never throws. */
        private Work runAndHold(final Work work) {
            try {
                hold(work.run(this));
                return work.rest();
            } catch (final Throwable failure) {
                return failed(work, failure);
            }
        }

        /** The same, and wakes its driver at once. */
        private Work runAndWake(final Work work) {
            try {
                work.run(this).wake();
                return work.rest();
            } catch (final Throwable failure) {
                return failed(work, failure);
            }
        }

        private Work failed(final Work work, final Throwable failure) {
            work.fail();
            LOG.error("{} failed and goes on", getName(), failure);
            return null;
        }

        /** The stream is over; returns whether the pool has room for this worker. */
        private boolean comeBack() {
            synchronized (lock) {
                streams.leave();
                streaming = false;
                final boolean goesOn = size() <= limit;
                if (goesOn) {
                    awake.incrementAndGet();
                } else {
                    workers.remove(this);
                }
                return goesOn;
            }
        }

        /** The loop has a reply that it need not know of yet. If the next handler blocks, the watchdog tells it. */
        private void hold(final Driver driver) {
            watchdog.lookSoon();
            driversHeld[held++] = driver;
        }

        private void wakeDrivers() {
            while (held > 0) {
                driversHeld[--held].wake();
            }
        }

        /** Lets the loops run and looks whether they brought work: cheaper than to sleep and be woken. */
        private Work lookAgain() {
            Work work = null;
            for (int i = 0; i < LOOKS_BEFORE_SLEEP && work == null; i++) {
                Thread.yield();
                work = next();
            }
            return work;
        }

        /** Waits to be woken; returns whether that happened. */
        private boolean sleep() {
            woken = false;
            synchronized (lock) {
                idle.addLast(this); // There is room for all.
            }
            awake.decrementAndGet();
            // What was added before this worker was idle may have found nobody to wake.
            if (waiting() > 0) {
                wakeOne();
            }
            final long deadline = System.nanoTime() + KEEP_ALIVE_NANOS;
            while (!woken) {
                final long left = deadline - System.nanoTime();
                if (left <= 0) {
                    synchronized (lock) {
                        if (idle.remove(this)) {
                            // In the same breath: whoever finds nobody idle must count one worker less.
                            workers.remove(this);
                            return false;
                        }
                    }
                    // Somebody took it off the list: the wake is on its way.
                    LockSupport.park(this);
                } else {
                    LockSupport.parkNanos(this, left);
                }
                if (stopped && waiting() == 0) {
                    return false;
                }
            }
            return true;
        }
    }
}
