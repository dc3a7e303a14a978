package io.github.hinny;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * Looks after a server from outside: reports event loops that are stuck in a handler, tells of those that are down, gives the
 * worker pool more threads when work waits, and passes on changes of log levels.
 *
 * <p>One daemon thread per server, {@code hinny-watchdog}. It sleeps most of the time, and nothing that is thrown ends it.
 */
final class Watchdog extends Thread {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    /** How long a handler may keep its loop before that is reported. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long LONG_NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long SHORT_NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    /** How long naps stay short after somebody asked: waking this thread costs the asker. */
    private static final long HURRY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final EventLoop[] loops;
    private final Sighting[] sightings;
    private volatile WorkerPool workers;
    private volatile IntConsumer loopsDownAction;
    private volatile boolean asked;
    private volatile boolean napsLong;
    private volatile boolean stopped;

    // The thread's own.
    private long nextLoopLook = System.nanoTime();
    private long hurryUntil = nextLoopLook;
    private int loopsDownTold;

    /** What was last seen of a loop. */
    private static final class Sighting {
        long turn;
        long sinceNanos;
        boolean reported;
    }

    Watchdog(final EventLoop[] loops) {
        super("hinny-watchdog");
        setDaemon(true);
        this.loops = loops;
        this.sightings = new Sighting[loops.length];
        for (int i = 0; i < loops.length; i++) {
            sightings[i] = new Sighting();
        }
    }

    /** From now on looks after these workers too. */
    void watch(final WorkerPool pool) {
        workers = pool;
    }

    /** Work or replies wait: look within two milliseconds. Any thread; nearly free when it was asked before. */
    void lookSoon() {
        if (!asked) {
            asked = true;
            if (napsLong) {
                LockSupport.unpark(this);
            }
        }
    }

    /** From now on {@code action} is called when loops are down that were not, or the other way round: with how many are. */
    void whenLoopsDown(final IntConsumer action) {
        loopsDownAction = action;
    }

    /** Ends the thread; returns when it has ended, or after {@code timeoutMs}. */
    void end(final long timeoutMs) throws InterruptedException {
        stopped = true;
        LockSupport.unpark(this);
        join(timeoutMs);
    }

    @Override
    public void run() {
        while (!stopped) {
            try {
                lookAndNap();
            } catch (final Throwable again) {
                // It could not even be logged: compiled code may throw an OutOfMemoryError anywhere.
            }
        }
    }

    private void lookAndNap() {
        try {
            look(System.nanoTime());
        } catch (final Throwable failure) {
            // The next look may succeed. No short naps: what fails may go on failing.
            hurryUntil = System.nanoTime();
            LOG.error("the watchdog failed and goes on", failure);
        }
        nap();
    }

    private void look(final long now) {
        final WorkerPool pool = workers;
        final boolean waits = pool != null && pool.relieve(now);
        if (asked || waits) {
            asked = false;
            hurryUntil = now + HURRY_NANOS;
        }
        lookForDown();
        if (now - nextLoopLook >= 0) {
            nextLoopLook = now + LONG_NAP_NANOS;
            NativeLog.refreshLevel();
            for (int i = 0; i < loops.length; i++) {
                look(loops[i], sightings[i], now);
            }
        }
    }

    /** Told again until it is taken: whoever is told may have no memory either. */
    private void lookForDown() {
        int down = 0;
        for (final EventLoop loop : loops) {
            if (loop.isDown()) {
                down++;
            }
        }
        final IntConsumer action = loopsDownAction;
        if (action != null && down != loopsDownTold) {
            action.accept(down);
            loopsDownTold = down;
        }
    }

    private void nap() {
        if (System.nanoTime() - hurryUntil < 0) {
            for (final EventLoop loop : loops) {
                loop.wakeForReplies();
            }
            LockSupport.parkNanos(this, SHORT_NAP_NANOS);
        } else {
            napLong();
        }
    }

    /** Whoever asks before this thread says that it naps is seen here; whoever asks after that wakes it. */
    private void napLong() {
        napsLong = true;
        if (!asked && !stopped) {
            LockSupport.parkNanos(this, LONG_NAP_NANOS);
        }
        napsLong = false;
    }

    private static void look(final EventLoop loop, final Sighting last, final long now) {
        final long turn = loop.handlerTurn().now();
        if (turn != last.turn || !HandlerTurn.isInHandler(turn)) {
            last.turn = turn;
            last.sinceNanos = now;
            last.reported = false;
        } else if (!last.reported && now - last.sinceNanos >= STUCK_NANOS) {
            last.reported = true;
            report(loop.thread(), now - last.sinceNanos);
        }
    }

    private static void report(final Thread thread, final long nanos) {
        final IllegalStateException where =
                new IllegalStateException("the handler is here (stack of " + thread.getName() + ")");
        where.setStackTrace(thread.getStackTrace());
        LOG.warn(
                "{} has been in a handler for {} ms; it serves nobody else meanwhile. Handlers that block"
                        + " belong to :handler-mode :worker",
                thread.getName(),
                TimeUnit.NANOSECONDS.toMillis(nanos),
                where);
    }
}
