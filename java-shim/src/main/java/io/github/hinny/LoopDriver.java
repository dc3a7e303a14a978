package io.github.hinny;

import clojure.lang.IFn;

/**
 * A native loop from when it is opened until it is closed: the commands that wait for its next poll, and the {@link Inbox}
 * for what the poll brings.
 *
 * <p>Made by an {@link EventLoop}, a new one each time that it opens its native loop: what still answers exchanges of the last
 * one finds that one's driver, and cannot reach exchanges of the next, whose ids may be the same.
 *
 * <p>{@link #turn} and {@link #end} are for the loop's thread; for the rest see {@link Driver}.
 */
final class LoopDriver implements Driver {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    private static final int OUTBOX_BYTES = 64 << 10;
    private static final int OUTBOX_KEPT_BYTES = 1 << 20;

    private final OccasionalLog timeouts = new OccasionalLog(LOG);
    private final EventLoop loop;
    private final IFn onError;
    private final WorkerPool workers;
    private final ReplyQueue replies = new ReplyQueue();
    private final ReplyWriter writer =
            new ReplyWriter(new Outbox(OUTBOX_BYTES, OUTBOX_KEPT_BYTES, Inbox.FAILURES_MAX * Records.FAIL_SIZE));
    private final Outbox outbox = writer.outbox;
    private final ReplyQueue.Loss loss = this::replyLost;
    private final ReplyWriters writers = new SpareWriters();
    private final Inbox inbox;

    private boolean dispatched; // Workers got exchanges in the last turn.

    /**
     * Makes a driver that has nothing to do.
     *
     * @param pool where handlers run that may block, and bodies are written
     * @param tables are told which table the loop uses
     */
    LoopDriver(final EventLoop loop, final Engine.Settings settings, final WorkerPool pool, final RouteTables tables) {
        this.loop = loop;
        this.onError = settings.onError();
        this.workers = pool;
        this.inbox = new Inbox(this, settings, pool, loop.handlerTurn(), version -> tables.use(loop.index(), version));
    }

    /** Polls once and handles what came; returns whether the loop is still open. */
    boolean turn() {
        if (dispatched && replies.isEmpty()) {
            // Workers that share this processor may answer now, which is cheaper than to sleep and be woken by them.
            Thread.yield();
        }
        dispatched = false;
        final long polled;
        try {
            if (replies.takeBeforePoll(outbox, loss)) {
                loop.wake();
            }
            polled = Native.poll(outbox.array(), outbox.position(), inbox.array());
        } finally {
            replies.pollReturned();
            outbox.reset();
        }
        final int count = (int) polled;
        if (count == Records.CLOSED) {
            return false;
        }
        replies.setFull((polled >>> Records.POLL_FULL_BIT & 1) != 0);
        if (count != Records.GROW_INBOX) {
            dispatched = inbox.handle(count);
        } else if (!inbox.grow()) {
            Native.dropRecord();
            inbox.refuseFirst();
        }
        return true;
    }

    /** Ends all exchanges: the native loop is closed. */
    void end() {
        inbox.endAll();
        replies.end();
    }

    /** A part of a response cannot be sent: ends its exchange on both sides. */
    private void replyLost(final long id, final Throwable reason) {
        ResponseEncoder.encodeFailure(id, Records.KIND_HANDLER_THREW, outbox);
        inbox.end(id, Records.KIND_INTERNAL);
        LOG.error("event loop {} has no memory for a response, which breaks off", loop.index(), reason);
    }

    @Override
    public void reply(final byte[] commands) {
        replies.add(commands);
    }

    @Override
    public void fail(final Exchange exchange) {
        replies.addFailed(exchange);
    }

    @Override
    public boolean holdBack(final Runnable goOn) {
        return replies.holdBack(goOn);
    }

    @Override
    public void awaitRoom() {
        wake();
        replies.awaitRoom();
    }

    @Override
    public boolean isFull() {
        return replies.isFull();
    }

    @Override
    public void wake() {
        if (replies.takeWake()) {
            loop.wake();
        }
    }

    @Override
    public boolean isOwnThread() {
        return Thread.currentThread() == loop.thread();
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
        if (onError != null) {
            workers.dispatch(new Work[] {HandlerFailure.call(this, onError, thrown, request)}, 1);
        }
    }

    @Override
    public void reportAside(final String what, final Throwable thrown, final RingRequest request) {
        report(what, thrown, request);
    }

    @Override
    public void timedOut(final RingRequest request) {
        timeouts.warn("handler took longer than :handler-timeout-ms for {}", HandlerFailure.describe(request));
    }

    @Override
    public int exchangeBufferBytes() {
        return loop.exchangeBufferBytes();
    }
}
