package io.github.hinny;

import clojure.lang.IFn;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One event loop: the daemon thread {@code hinny-loop-N} that drives a native loop through {@link Native#poll}, and
 * runs handlers or passes requests to workers.
 *
 * <p>Made and started by an {@link Engine}. Everything but {@link #handlerTurn}, {@link #thread} and what {@link Driver} says is the
 * loop thread's own.
 */
final class EventLoop implements Driver, Runnable {
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
    private final Engine.Settings settings;
    private final IFn handler;
    private final Thread thread;
    private final CountDownLatch opened = new CountDownLatch(1);
    private final ReplyQueue replies = new ReplyQueue();
    private final ReplyWriter writer = new ReplyWriter(OUTBOX_BYTES);
    private final Outbox outbox = writer.outbox;
    private final ConcurrentLinkedQueue<ReplyWriter> spareWriters = new ConcurrentLinkedQueue<>();

    /** Exchanges by the slot in their id. One that is over stays until its slot is used again; it holds nothing. */
    private Exchange[] exchanges = new Exchange[256];

    private byte[] inbox = new byte[INBOX_BYTES];
    private Exchange[] batch = new Exchange[64];
    private int batchSize;
    private boolean dispatched; // Workers got exchanges in the last turn.

    /** Odd while a handler runs; written opaquely, since only its change within a second matters. */
    @SuppressWarnings("unused") // Through HANDLER_TURN.
    private long handlerTurn;

    private long engine;
    private WorkerPool workers;
    private volatile RuntimeException openFailure;

    EventLoop(final int index, final Engine.Settings settings) {
        this.index = index;
        this.settings = settings;
        this.handler = settings.handler();
        this.thread = new Thread(null, this, "hinny-loop-" + index, STACK_BYTES);
        this.thread.setDaemon(true);
    }

    /**
     * Starts the thread and returns when the loop serves.
     *
     * @param pool where handlers run that may block, and bodies are written
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
    public ReplyWriter borrowWriter() {
        final ReplyWriter spare = spareWriters.poll();
        return spare == null ? new ReplyWriter() : spare;
    }

    @Override
    public void giveBack(final ReplyWriter borrowed) {
        spareWriters.add(borrowed);
    }

    @Override
    public boolean dispatch(final Work work, final boolean always) {
        if (always) {
            workers.dispatchAlways(work);
            return true;
        }
        return workers.dispatch(new Work[] {work}, 1) == 1;
    }

    @Override
    public void register(final Exchange exchange) {
        final int slot = (int) exchange.id();
        if (slot >= exchanges.length) {
            exchanges = Arrays.copyOf(exchanges, Math.max(slot + 1, 2 * exchanges.length));
        }
        exchanges[slot] = exchange;
    }

    @Override
    public void report(final String what, final Throwable thrown, final RingRequest request) {
        HandlerFailure.log(what, thrown, request);
    }

    @Override
    public int exchangeBufferBytes() {
        return settings.exchangeBufferBytes();
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
            for (final Exchange exchange : exchanges) {
                if (exchange != null) {
                    exchange.gone(Records.KIND_DISCONNECTED);
                }
            }
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

    /** A part of a response cannot be sent: ends its exchange on both sides. */
    private void replyLost(final long id, final Throwable reason) {
        ResponseEncoder.encodeFailure(id, Records.KIND_HANDLER_THREW, outbox);
        LOG.error("event loop {} has no memory for a response, which breaks off", index, reason);
        final Exchange exchange = exchange(id);
        if (exchange != null) {
            exchange.gone(Records.KIND_INTERNAL);
        }
    }

    private void handle(final int count) {
        int at = 0;
        final long now = settings.mode() == Engine.Mode.INLINE ? 0 : System.nanoTime();
        for (int i = 0; i < count; i++) {
            final int length = Records.u32(inbox, at + Records.REQUEST_LENGTH);
            switch (inbox[at + Records.REQUEST_TYPE]) {
                case Records.REQUEST -> handleRequest(at, length, now);
                case Records.CHUNK -> handleChunk(at, length);
                case Records.SIGNAL -> handleSignal(at);
                default -> NativeLog.log(inbox, at);
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
            final Engine.Mode mode = settings.mode();
            if (mode == Engine.Mode.INLINE && !request.isBodyStreamed()) {
                answerInline(request);
                return;
            }
            final boolean async = mode == Engine.Mode.ASYNC;
            final Exchange exchange = new Exchange(this, handler, async, request, now);
            register(exchange);
            if (async) {
                nextHandlerTurn();
                try {
                    exchange.callAsync();
                } finally {
                    nextHandlerTurn();
                }
            } else {
                addToBatch(exchange);
            }
        } catch (final Throwable failure) {
            // No memory left, say. The other requests of this turn have theirs.
            ResponseEncoder.encodeFailure(
                    Records.u64(inbox, at + Records.REQUEST_EXCHANGE), Records.KIND_HANDLER_THREW, outbox);
            LOG.error("event loop {} cannot hand over a request", index, failure);
        }
    }

    private void handleChunk(final int at, final int length) {
        final Exchange exchange = exchange(Records.u64(inbox, at + Records.CHUNK_EXCHANGE));
        if (exchange != null) {
            try {
                exchange.bodyChunk(Arrays.copyOfRange(inbox, at, at + length));
            } catch (final OutOfMemoryError failure) {
                // The other records of this turn have their memory.
                LOG.error("event loop {} has no memory for a request body, which breaks off", index, failure);
                exchange.bodyFailed(Records.KIND_INTERNAL);
            }
        }
    }

    private void handleSignal(final int at) {
        final Exchange exchange = exchange(Records.u64(inbox, at + Records.SIGNAL_EXCHANGE));
        if (exchange == null) {
            return;
        }
        final int amount = Records.u32(inbox, at + Records.SIGNAL_AMOUNT);
        switch (inbox[at + Records.SIGNAL_CODE]) {
            case Records.SIGNAL_CREDIT -> exchange.credit(amount);
            case Records.SIGNAL_BODY_FAILED -> exchange.bodyFailed(amount);
            default -> {
                exchanges[(int) exchange.id()] = null;
                exchange.gone(amount);
            }
        }
    }

    private Exchange exchange(final long id) {
        final int slot = (int) id;
        final Exchange exchange = slot < exchanges.length ? exchanges[slot] : null;
        return exchange != null && exchange.id() == id ? exchange : null;
    }

    /** Answers at once if the response is whole, else through an exchange. */
    private void answerInline(final RingRequest request) {
        final long id = request.exchange();
        final int start = outbox.position();
        nextHandlerTurn();
        try {
            final Object response = handler.invoke(request);
            if (response instanceof CompletionStage) {
                registered(request).answer(response);
                return;
            }
            final Object rest = writer.encoder.encode(response, id, request.isHead(), outbox);
            if (rest != null) {
                registered(request).goOn(response, rest, start);
            }
        } catch (final InvalidResponseException invalid) {
            HandlerFailure.invalid(this, id, request, invalid, writer);
        } catch (final Throwable thrown) {
            HandlerFailure.thrown(this, id, request, thrown, writer);
        } finally {
            Thread.interrupted();
            nextHandlerTurn();
        }
    }

    /** Makes the exchange that an inline handler's answer needs when it is not whole. */
    private Exchange registered(final RingRequest request) {
        final Exchange exchange = new Exchange(this, handler, false, request, 0);
        register(exchange);
        return exchange;
    }

    /** A handler begins or ends. */
    private void nextHandlerTurn() {
        HANDLER_TURN.setOpaque(this, handlerTurn + 1);
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
            batch[i].refuse(writer);
        }
        Arrays.fill(batch, 0, size, null);
    }
}
