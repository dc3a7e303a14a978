package io.github.hinny;

import clojure.lang.IFn;
import java.util.Arrays;
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;

/**
 * The records that a poll brings, and what becomes of them: requests go to the handler or to workers, what else there is
 * to its exchange.
 *
 * <p>Made by an {@link EventLoop}, and its thread's own. Calls nothing native: who has records may hand them over.
 */
final class Inbox {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    /** A client can bring that about as often as it likes. */
    private static final OccasionalLog NO_ROOM = new OccasionalLog(LOG);

    private static final int CAPACITY_BYTES = 64 << 10;

    /** A larger array does not outlive its record: it was made for that one. */
    private static final int CAPACITY_KEPT_BYTES = 256 << 10;

    /** How many requests one poll can bring, and how many of them may fail. */
    static final int FAILURES_MAX = CAPACITY_KEPT_BYTES / (Records.REQUEST_HEADERS + Records.HEADER_ENTRY_SIZE);

    /** When handlers on the loop have answered so much in one turn, the other requests of the turn are refused. */
    private static final long TURN_BYTES_MAX = Runtime.getRuntime().maxMemory() / 16;

    private final Driver driver;
    private final IFn handler;
    private final Engine.Mode mode;
    private final WorkerPool workers;
    private final HandlerTurn turn;
    private final IntFunction<RouteTable> tables;
    private final ReplyWriter writer;
    private final Outbox outbox;

    /** Exchanges by the slot in their id. One that is over stays until its slot is used again; it holds nothing. */
    private Exchange[] exchanges = new Exchange[256];

    /** What the endpoints in requests are numbers of; null while there is none. */
    private RouteTable table;

    private final byte[] firstArray = new byte[CAPACITY_BYTES];
    private byte[] array = firstArray;
    private Exchange[] batch = new Exchange[64];
    private int batchSize;

    /**
     * Makes an empty inbox.
     *
     * @param workers where handlers run that may block
     * @param turn is told when an inline or async handler begins and ends
     * @param tables the route table of a version, when the core says that it uses it
     */
    Inbox(
            final Driver driver,
            final Engine.Settings settings,
            final WorkerPool workers,
            final HandlerTurn turn,
            final IntFunction<RouteTable> tables) {
        this.driver = driver;
        this.handler = settings.handler();
        this.mode = settings.mode();
        this.workers = workers;
        this.turn = turn;
        this.tables = tables;
        this.writer = driver.writer();
        this.outbox = writer.outbox;
    }

    /** Returns the array that the next records go into. */
    byte[] array() {
        return array;
    }

    /**
     * The next record does not fit, and its head is in the array: makes one that it fits into. Returns false if there is no
     * memory for that.
     */
    boolean grow() {
        try {
            array = new byte[Math.max(Records.u32(array, Records.REQUEST_LENGTH), CAPACITY_KEPT_BYTES)];
            return true;
        } catch (final OutOfMemoryError noMemory) {
            return false;
        }
    }

    /** The record whose head is in the array will not come. */
    void refuseFirst() {
        final long id = Records.u64(array, Records.REQUEST_EXCHANGE);
        switch (array[Records.REQUEST_TYPE]) {
            case Records.REQUEST -> ResponseEncoder.encodeFailure(id, Records.KIND_OVERLOADED, outbox);
            case Records.CHUNK -> breakOff(id);
            default -> {
                // A line of the log. Signals fit.
            }
        }
        NO_ROOM.error(
                "{} has no memory for {} bytes that a client sent; its exchange fails",
                threadName(),
                Records.u32(array, Records.REQUEST_LENGTH));
    }

    /**
     * Handles the first {@code count} records in the array.
     *
     * @return whether workers got exchanges
     */
    boolean handle(final int count) {
        int at = 0;
        final long now = mode == Engine.Mode.INLINE && table == null ? 0 : System.nanoTime();
        for (int i = 0; i < count; i++) {
            final int length = Records.u32(array, at + Records.REQUEST_LENGTH);
            try {
                switch (array[at + Records.REQUEST_TYPE]) {
                    case Records.REQUEST -> handleRequest(at, length, now);
                    case Records.CHUNK -> handleChunk(at, length);
                    case Records.SIGNAL -> handleSignal(at);
                    default -> NativeLog.log(array, at);
                }
            } catch (final Throwable failure) {
                // The other records of this turn are handled all the same.
                LOG.error("{} cannot handle a record", threadName(), failure);
            }
            at += length;
        }
        if (array.length > CAPACITY_KEPT_BYTES) {
            array = firstArray;
        }
        return dispatchBatch();
    }

    /** Makes records about the exchange reach it. */
    void register(final Exchange exchange) {
        final int slot = (int) exchange.id();
        if (slot >= exchanges.length) {
            exchanges = Arrays.copyOf(exchanges, Math.max(slot + 1, 2 * exchanges.length));
        }
        exchanges[slot] = exchange;
    }

    /** Ends an exchange, if it is not over. */
    void end(final long id, final int kind) {
        final Exchange exchange = exchange(id);
        if (exchange != null) {
            exchange.gone(kind);
        }
    }

    /** Ends all exchanges. */
    void endAll() {
        for (final Exchange exchange : exchanges) {
            if (exchange != null) {
                exchange.gone(Records.KIND_DISCONNECTED);
            }
        }
    }

    private Exchange exchange(final long id) {
        final int slot = (int) id;
        final Exchange exchange = slot < exchanges.length ? exchanges[slot] : null;
        return exchange != null && exchange.id() == id ? exchange : null;
    }

    private void handleRequest(final int at, final int length, final long now) {
        try {
            final int number = Records.u32(array, at + Records.REQUEST_ENDPOINT);
            final Endpoint endpoint = number == 0 ? null : table.endpoint(number);
            final IFn called = endpoint == null ? handler : endpoint.handler();
            final Engine.Mode how = endpoint == null ? mode : endpoint.mode();
            if (how != Engine.Mode.WORKER && (driver.isFull() || outbox.position() > TURN_BYTES_MAX)) {
                ResponseEncoder.encodeFailure(
                        Records.u64(array, at + Records.REQUEST_EXCHANGE), Records.KIND_OVERLOADED, outbox);
                return;
            }
            final RingRequest request = RingRequest.of(Arrays.copyOfRange(array, at, at + length), endpoint);
            if (how == Engine.Mode.INLINE && !request.isBodyStreamed()) {
                answerInline(called, request);
                return;
            }
            final Exchange exchange =
                    new Exchange(driver, called, how.isAsync(), request, now == 0 ? System.nanoTime() : now);
            register(exchange);
            if (how == Engine.Mode.ASYNC) {
                turn.next();
                try {
                    exchange.callAsync();
                } finally {
                    turn.next();
                }
            } else if (!request.isBodyStreamed()) {
                addToBatch(exchange);
            } else if (!workers.dispatchStream(exchange)) {
                exchange.refuse(writer);
            }
        } catch (final OutOfMemoryError noMemory) {
            // The other requests of this turn may have theirs.
            ResponseEncoder.encodeFailure(
                    Records.u64(array, at + Records.REQUEST_EXCHANGE), Records.KIND_OVERLOADED, outbox);
            NO_ROOM.error("{} has no memory for a request", threadName(), noMemory);
        } catch (final Throwable failure) {
            ResponseEncoder.encodeFailure(
                    Records.u64(array, at + Records.REQUEST_EXCHANGE), Records.KIND_HANDLER_THREW, outbox);
            LOG.error("{} cannot hand over a request", threadName(), failure);
        }
    }

    private void handleChunk(final int at, final int length) {
        final Exchange exchange = exchange(Records.u64(array, at + Records.CHUNK_EXCHANGE));
        if (exchange != null) {
            try {
                exchange.bodyChunk(Arrays.copyOfRange(array, at, at + length));
            } catch (final OutOfMemoryError noMemory) {
                breakOff(exchange.id());
                NO_ROOM.error("{} has no memory for a request body, which breaks off", threadName(), noMemory);
            }
        }
    }

    private void breakOff(final long id) {
        final Exchange exchange = exchange(id);
        if (exchange != null) {
            exchange.bodyFailed(Records.KIND_INTERNAL);
        }
    }

    private void handleSignal(final int at) {
        if (array[at + Records.SIGNAL_CODE] == Records.SIGNAL_ROUTES) {
            table = tables.apply(Records.u32(array, at + Records.SIGNAL_AMOUNT));
            return;
        }
        final Exchange exchange = exchange(Records.u64(array, at + Records.SIGNAL_EXCHANGE));
        if (exchange == null) {
            return;
        }
        final int amount = Records.u32(array, at + Records.SIGNAL_AMOUNT);
        switch (array[at + Records.SIGNAL_CODE]) {
            case Records.SIGNAL_CREDIT -> exchange.credit(amount);
            case Records.SIGNAL_BODY_FAILED -> exchange.bodyFailed(amount);
            case Records.SIGNAL_INPUT_ENDED -> exchange.inputEnded();
            default -> {
                exchanges[(int) exchange.id()] = null;
                exchange.gone(amount);
            }
        }
    }

    /** Answers at once if the response is whole, else through an exchange. */
    private void answerInline(final IFn called, final RingRequest request) {
        final long id = request.exchange();
        final int start = outbox.position();
        turn.next();
        try {
            final Object response = called.invoke(request);
            if (response instanceof CompletionStage) {
                registered(called, request).answer(response);
                return;
            }
            final Object rest = writer.encoder.encode(response, id, request.isHead(), outbox);
            if (rest != null) {
                registered(called, request).goOn(response, rest, start);
            }
        } catch (final Throwable thrown) {
            HandlerFailure.answer(id, thrown, request, writer);
            HandlerFailure.report(driver, thrown, request);
        } finally {
            Thread.interrupted();
            turn.next();
        }
    }

    /** Makes the exchange that an inline handler's answer needs when it is not whole. */
    private Exchange registered(final IFn called, final RingRequest request) {
        final Exchange exchange = new Exchange(driver, called, false, request, 0);
        register(exchange);
        return exchange;
    }

    private void addToBatch(final Exchange exchange) {
        if (batchSize == batch.length) {
            batch = Arrays.copyOf(batch, batchSize * 2);
        }
        batch[batchSize++] = exchange;
    }

    private boolean dispatchBatch() {
        final int size = batchSize;
        if (size == 0) {
            return false;
        }
        batchSize = 0;
        for (int i = workers.dispatch(batch, size); i < size; i++) {
            batch[i].refuse(writer);
        }
        Arrays.fill(batch, 0, size, null);
        return true;
    }

    private static String threadName() {
        return Thread.currentThread().getName();
    }
}
