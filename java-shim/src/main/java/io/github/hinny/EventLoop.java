package io.github.hinny;

import clojure.lang.IFn;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One event loop: the daemon thread {@code hinny-loop-N} that drives a native loop through {@link Native#poll}, and
 * runs inline handlers or passes requests to workers.
 *
 * <p>Made and started by an {@link Engine}. Everything but {@link #reply}, {@link #wake}, {@link #handlerTurn} and {@link #thread}
 * is the loop thread's own.
 */
final class EventLoop implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger("hinny.server");

    private static final int INBOX_BYTES = 64 << 10;
    private static final int INBOX_KEPT_BYTES = 1 << 20;
    private static final int OUTBOX_BYTES = 64 << 10;

    /** hyper's header arrays and the handlers share this stack. */
    private static final long STACK_BYTES = 2 << 20;

    /** A loop that fails this often in a row is beyond repair. */
    private static final int FAILURES_MAX = 100;

    private static final VarHandle HANDLER_TURN;

    static {
        try {
            HANDLER_TURN = MethodHandles.lookup().findVarHandle(EventLoop.class, "handlerTurn", long.class);
        } catch (final ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    private final int index;
    private final IFn handler;
    private final Thread thread;
    private final CountDownLatch opened = new CountDownLatch(1);
    private final ReplyQueue replies = new ReplyQueue();
    private final ResponseEncoder encoder = new ResponseEncoder();
    private final Outbox outbox = new Outbox(OUTBOX_BYTES);
    private byte[] inbox = new byte[INBOX_BYTES];
    private Exchange[] batch = new Exchange[64];
    private int batchSize;
    private boolean dispatched; // Workers got exchanges in the last turn.

    /** Odd while a handler runs; written opaquely, since only its change within a second matters. */
    @SuppressWarnings("unused") // Through HANDLER_TURN.
    private long handlerTurn;

    private long engine;
    private WorkerPool workers; // null: handlers run inline.
    private volatile RuntimeException openFailure;

    EventLoop(final int index, final IFn handler) {
        this.index = index;
        this.handler = handler;
        this.thread = new Thread(null, this, "hinny-loop-" + index, STACK_BYTES);
        this.thread.setDaemon(true);
    }

    /**
     * Starts the thread and returns when the loop serves.
     *
     * @param pool where handlers run, null for inline
     */
    void start(final long engineHandle, final WorkerPool pool) throws InterruptedException {
        engine = engineHandle;
        workers = pool;
        thread.start();
        opened.await();
        if (openFailure != null) {
            throw openFailure;
        }
    }

    Thread thread() {
        return thread;
    }

    IFn handler() {
        return handler;
    }

    /** Takes encoded commands; they go out when {@link #wake} is called, at the latest. Any thread. */
    void reply(final byte[] commands) {
        replies.add(commands);
    }

    /** Makes the loop send the replies that wait, if it does not do so already. Any thread. */
    void wake() {
        if (replies.takeWake()) {
            Native.wake(engine, index);
        }
    }

    /** A number that changes when a handler begins or ends. Any thread. */
    long handlerTurn() {
        return (long) HANDLER_TURN.getOpaque(this);
    }

    /** Returns whether the loop was in a handler at that turn. */
    static boolean isInHandler(final long turn) {
        return (turn & 1) != 0;
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
        replies.takeBeforePoll(outbox);
        final int count;
        try {
            count = Native.poll(outbox.array(), outbox.position(), inbox);
        } finally {
            replies.pollReturned();
            outbox.reset();
        }
        if (count == Records.CLOSED) {
            return false;
        }
        if (count == Records.GROW_INBOX) {
            inbox = new byte[Math.multiplyExact(inbox.length, 2)];
            return true;
        }
        handle(count);
        if (inbox.length > INBOX_KEPT_BYTES) {
            inbox = new byte[INBOX_BYTES];
        }
        return true;
    }

    private void handle(final int count) {
        int at = 0;
        final long now = workers == null ? 0 : System.nanoTime();
        for (int i = 0; i < count; i++) {
            final int length = Records.u32(inbox, at + Records.REQUEST_LENGTH);
            if (inbox[at + Records.REQUEST_TYPE] == Records.LOG) {
                NativeLog.log(inbox, at);
            } else {
                handleRequest(at, length, now);
            }
            at += length;
        }
        if (batchSize > 0) {
            dispatchBatch();
        }
    }

    private void handleRequest(final int at, final int length, final long now) {
        try {
            final RingRequest request = RingRequest.of(Arrays.copyOfRange(inbox, at, at + length));
            if (workers == null) {
                answerInline(request);
            } else {
                addToBatch(new Exchange(this, request, now));
            }
        } catch (final Throwable failure) {
            // No memory left, say. The other requests of this turn have theirs.
            ResponseEncoder.encodeFailure(
                    Records.u64(inbox, at + Records.REQUEST_EXCHANGE), Records.KIND_HANDLER_THREW, outbox);
            LOG.error("event loop {} cannot hand over a request", index, failure);
        }
    }

    private void answerInline(final RingRequest request) {
        final long turn = handlerTurn;
        HANDLER_TURN.setOpaque(this, turn + 1);
        try {
            Exchange.answer(handler, request, encoder, outbox);
        } finally {
            HANDLER_TURN.setOpaque(this, turn + 2);
        }
    }

    private void addToBatch(final Exchange exchange) {
        if (batchSize == batch.length) {
            batch = Arrays.copyOf(batch, batchSize * 2);
        }
        batch[batchSize++] = exchange;
    }

    private void dispatchBatch() {
        final int size = batchSize;
        batchSize = 0;
        dispatched = true;
        for (int i = workers.dispatch(batch, size); i < size; i++) {
            batch[i].refuse(outbox);
        }
        Arrays.fill(batch, 0, size, null);
    }
}
