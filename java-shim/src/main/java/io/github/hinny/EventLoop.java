package io.github.hinny;

import java.util.concurrent.CountDownLatch;

/**
 * One event loop: the daemon thread {@code hinny-loop-N} that drives a native loop through {@link Native#poll}, and
 * lets its {@link Inbox} handle what comes.
 *
 * <p>Made and started by an {@link Engine}. Everything but {@link #handlerTurn}, {@link #thread} and what {@link Driver} says is the
 * loop thread's own.
 */
final class EventLoop implements Driver, Runnable {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    private static final int OUTBOX_BYTES = 64 << 10;

    /** hyper's header arrays and the handlers share this stack. */
    private static final long STACK_BYTES = 2 << 20;

    /** A loop that fails this often in a row is beyond repair. */
    private static final int FAILURES_MAX = 100;

    private final int index;
    private final Engine.Settings settings;
    private final Thread thread;
    private final CountDownLatch opened = new CountDownLatch(1);
    private final ReplyQueue replies = new ReplyQueue();
    private final ReplyWriter writer = new ReplyWriter(new Outbox(OUTBOX_BYTES));
    private final Outbox outbox = writer.outbox;
    private final ReplyWriters writers = new SpareWriters();

    private final HandlerTurn handlerTurn = new HandlerTurn();
    private final OccasionalLog timeouts = new OccasionalLog(LOG);

    private boolean dispatched; // Workers got exchanges in the last turn.

    private long engine;
    private WorkerPool workers;
    private RouteTables tables;
    private Inbox inbox;
    private volatile RuntimeException openFailure;

    EventLoop(final int index, final Engine.Settings settings) {
        this.index = index;
        this.settings = settings;
        this.thread = new Thread(null, this, "hinny-loop-" + index, STACK_BYTES);
        this.thread.setDaemon(true);
    }

    /**
     * Starts the thread and returns when the loop serves.
     *
     * @param pool where handlers run that may block, and bodies are written
     * @param routeTables are told which table the loop uses
     */
    void start(final long engineHandle, final WorkerPool pool, final RouteTables routeTables)
            throws InterruptedException {
        engine = engineHandle;
        workers = pool;
        tables = routeTables;
        inbox = new Inbox(this, settings, pool, handlerTurn, version -> tables.use(index, version));
        thread.start();
        opened.await();
        if (openFailure != null) {
            throw openFailure;
        }
    }

    Thread thread() {
        return thread;
    }

    @Override
    public void reply(final byte[] commands) {
        replies.add(commands);
    }

    @Override
    public boolean holdBack(final Runnable goOn) {
        return replies.holdBack(goOn);
    }

    @Override
    public void wake() {
        if (replies.takeWake()) {
            Native.wake(engine, index);
        }
    }

    @Override
    public boolean isOwnThread() {
        return Thread.currentThread() == thread;
    }

    @Override
    public ReplyWriter writer() {
        return writer;
    }

    @Override
    public ReplyWriters writers() {
        return writers;
    }

    @Override
    public boolean dispatchStream(final Work work) {
        return workers.dispatchStream(work);
    }

    @Override
    public void dispatchAlways(final Work work) {
        workers.dispatchAlways(work);
    }

    @Override
    public void register(final Exchange exchange) {
        inbox.register(exchange);
    }

    @Override
    public void report(final String what, final Throwable thrown, final RingRequest request) {
        HandlerFailure.log(what, thrown, request);
    }

    @Override
    public void timedOut(final RingRequest request) {
        timeouts.warn("handler took longer than :handler-timeout-ms for {}", HandlerFailure.describe(request));
    }

    @Override
    public int exchangeBufferBytes() {
        return settings.exchangeBufferBytes();
    }

    /** Returns what tells whether the loop is in a handler. */
    HandlerTurn handlerTurn() {
        return handlerTurn;
    }

    @Override
    public void run() {
        try {
            Native.openLoop(engine, index);
        } catch (final RuntimeException failure) {
            openFailure = failure;
            return;
        } finally {
            opened.countDown();
        }
        try {
            turnUntilClosed();
        } finally {
            Native.closeLoop();
            tables.end(index);
            inbox.endAll();
        }
    }

    private void turnUntilClosed() {
        int failures = 0;
        while (failures < FAILURES_MAX) {
            try {
                if (!turn()) {
                    return;
                }
                failures = 0;
            } catch (final Throwable failure) {
                failures++;
                LOG.error("event loop {} failed and goes on", index, failure);
            }
        }
        LOG.error("event loop {} failed {} times in a row and ends; its connections are cut", index, FAILURES_MAX);
    }

    /** Polls once and handles what came; returns whether the loop is still open. */
    private boolean turn() {
        if (dispatched && replies.isEmpty()) {
            // Workers that share this processor may answer now, which is cheaper than to sleep and be woken by them.
            Thread.yield();
        }
        dispatched = false;
        final int count;
        try {
            if (replies.takeBeforePoll(outbox, this::replyLost)) {
                Native.wake(engine, index);
            }
            count = (int) Native.poll(outbox.array(), outbox.position(), inbox.array());
        } finally {
            replies.pollReturned();
            outbox.reset();
        }
        if (count == Records.CLOSED) {
            return false;
        }
        if (count == Records.GROW_INBOX) {
            inbox.grow();
            return true;
        }
        dispatched = inbox.handle(count);
        return true;
    }

    /** A part of a response cannot be sent: ends its exchange on both sides. */
    private void replyLost(final long id, final Throwable reason) {
        ResponseEncoder.encodeFailure(id, Records.KIND_HANDLER_THREW, outbox);
        LOG.error("event loop {} has no memory for a response, which breaks off", index, reason);
        inbox.end(id, Records.KIND_INTERNAL);
    }
}
