package io.github.hinny;

import clojure.lang.AFn;
import clojure.lang.IFn;
import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * One request and its response, on the way through a handler.
 *
 * <p>Made by a {@link Driver} on its own thread. It is answered once: by what the handler returns (sync), or by the first
 * call of respond or raise (async); what comes later is dropped. The bodies of its request and response may be on their
 * way at the same time.
 *
 * <p>Any thread may answer it. {@link #gone}, {@link #inputEnded}, {@link #bodyFailed}, {@link #bodyChunk} and
 * {@link #credit} are the driver's.
 */
final class Exchange extends Work {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");
    private static final Keyword BODY = Keyword.intern(null, "body");

    // What an on-close function is told.
    private static final Keyword TIMED_OUT = Keyword.intern(null, "timed-out");
    private static final Keyword DISCONNECTED = Keyword.intern(null, "disconnected");

    private static final VarHandle ANSWERED;
    private static final VarHandle FAILED;
    private static final VarHandle ON_CLOSE;
    private static final VarHandle PENDING;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            ANSWERED = lookup.findVarHandle(Exchange.class, "answered", boolean.class);
            FAILED = lookup.findVarHandle(Exchange.class, "failed", boolean.class);
            ON_CLOSE = lookup.findVarHandle(Exchange.class, "onClose", IFn.class);
            PENDING = lookup.findVarHandle(Exchange.class, "pending", BodyWriter.class);
        } catch (final ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    private final Driver driver;
    private final IFn handler;
    private final boolean async;
    private final long id;

    /** Null when it is no longer needed, so that whoever still knows the exchange does not keep it. */
    private volatile RingRequest request;

    /** Somebody has begun to answer. */
    @SuppressWarnings("unused") // Through ANSWERED.
    private volatile boolean answered;

    /** The driver was told to {@linkplain Driver#fail fail} it. */
    @SuppressWarnings("unused") // Through FAILED.
    private volatile boolean failed;

    /** The one before it among those that the driver is to fail. Written by who fails it, then the driver's. */
    Exchange nextToFail;

    /** Why the exchange is over before its response was complete, {@code Records.KIND_…}; 0 while it is not. */
    private volatile int goneAs;

    /** The client has ended its side. */
    private volatile boolean inputEnded;

    private volatile RequestBody requestBody;
    private volatile ResponseStream stream;

    /** What to call when the exchange is gone. Whoever takes it calls it. */
    private volatile IFn onClose;

    /** A body that is still to be written to {@link #stream}. Whoever takes it writes it. */
    private volatile BodyWriter pending;

    Exchange(
            final Driver driver,
            final IFn handler,
            final boolean async,
            final RingRequest request,
            final long dispatchedNanos) {
        super(dispatchedNanos);
        this.driver = driver;
        this.handler = handler;
        this.async = async;
        this.id = request.exchange();
        this.request = request;
        this.requestBody = request.attachTo(this, driver);
    }

    long id() {
        return id;
    }

    /** Calls the handler, unless the client has left already, and leaves the response of a sync one with the driver. */
    @Override
    Driver run(final ReplyWriters writers) {
        if (goneAs == 0 && async) {
            callAsync();
        } else if (goneAs == 0 && driver.isFull()) {
            final ReplyWriter writer = writers.borrow();
            try {
                refuse(writer);
                send(writer);
            } finally {
                writers.giveBack(writer);
            }
        } else if (goneAs == 0) {
            final RingRequest called = request;
            Object response = null;
            Throwable failure = null;
            try {
                response = handler.invoke(called);
            } catch (final Throwable thrown) {
                failure = thrown;
            }
            // Only now: handlers that wait have none.
            final ReplyWriter writer = writers.borrow();
            try {
                failure = answer(response, failure, writer);
                if (writer.outbox.position() >= ReplyQueue.SMALL_BYTES) {
                    driver.awaitRoom();
                }
                send(writer);
            } finally {
                Thread.interrupted();
                writers.giveBack(writer);
            }
            if (failure != null) {
                driver.wake();
                HandlerFailure.report(driver, failure, called);
            }
        }
        return driver;
    }

    /** Returns the body that is left to write, if there is one. */
    @Override
    Work rest() {
        return pending == null ? null : new Writing();
    }

    /** Calls an async handler. */
    void callAsync() {
        try {
            handler.invoke(request, new Respond(), new Raise());
        } catch (final Throwable thrown) {
            raise(thrown);
        } finally {
            Thread.interrupted();
        }
    }

    /** Answers that no worker has room, with the calling thread's {@code writer}. */
    void refuse(final ReplyWriter writer) {
        try {
            ResponseEncoder.encodeFailure(id, Records.KIND_OVERLOADED, request, writer.outbox);
        } catch (final OutOfMemoryError noMemory) {
            failWithoutMemory();
        }
        finish();
    }

    /** Answers with the stage that an inline handler returned. The driver's own thread. */
    void answer(final Object stage) {
        answerAnywhere(writer -> respond(stage, writer));
    }

    /**
     * Goes on with an inline handler's response whose command begins at {@code start} of the driver's outbox and lacks
     * {@code rest}, see {@link ResponseEncoder#encode}. The driver's own thread.
     */
    void goOn(final Object response, final Object rest, final int start) {
        takeRest(response, rest, start, driver.writer());
        dispatchPending(driver.writer());
    }

    /**
     * Calls {@code f} with a keyword when the exchange ends before its response is complete, as it does from now on when
     * the client ends its side.
     */
    void onClose(final IFn f) {
        onClose = f;
        if (goneAs != 0) {
            callOnClose();
        } else if (inputEnded && request != null) {
            abandon();
        }
    }

    /** The client has ended its side. It gets its response all the same, unless the handler takes that for its leaving. */
    void inputEnded() {
        inputEnded = true;
        if (onClose != null) {
            abandon();
        }
    }

    /** The core ends the exchange, and says so as it does when the client has left. */
    private void abandon() {
        driver.reply(Records.signal(id, Records.SIGNAL_ABANDON, 0));
        driver.wake();
    }

    /** A piece of the request body has come. */
    void bodyChunk(final byte[] record) {
        final RequestBody body = requestBody;
        if (body != null) {
            body.add(record);
        }
    }

    /** The rest of the request body will not come. */
    void bodyFailed(final int kind) {
        final RequestBody body = requestBody;
        if (body != null) {
            body.fail(new IOException("request body: " + HandlerFailure.reason(kind)));
        }
    }

    /** The client has taken so many bytes more of the response. */
    void credit(final int bytes) {
        final ResponseStream out = stream;
        if (out != null) {
            out.credit(bytes);
        }
    }

    /** The exchange is over before its response was complete. */
    void gone(final int kind) {
        goneAs = kind;
        final RingRequest of = request;
        if (kind == Records.KIND_HANDLER_TIMEOUT && of != null) {
            driver.timedOut(of);
        }
        // First: a stream that fails lets its writer finish the exchange, and with that forget the function.
        callOnClose();
        final IOException reason = HandlerFailure.ended(HandlerFailure.reason(kind));
        final RequestBody body = requestBody;
        if (body != null) {
            body.fail(reason);
        }
        final ResponseStream out = stream;
        if (out != null) {
            out.fail(reason);
        }
    }

    /** The response is out: the request body can no longer be read. Any thread. */
    void finish() {
        final RequestBody body = requestBody;
        if (body != null) {
            body.fail(HandlerFailure.ended("request body: the response is complete"));
        }
        requestBody = null;
        stream = null;
        request = null;
        if (goneAs == 0) {
            onClose = null;
        }
    }

    /** Appends what a sync handler has returned or thrown to the writer's outbox; returns what failed, null if nothing did. */
    private Throwable answer(final Object response, final Throwable thrown, final ReplyWriter writer) {
        Throwable failure = thrown;
        if (failure == null) {
            try {
                respond(response, writer);
            } catch (final Throwable unwritable) {
                failure = unwritable;
            }
        }
        if (failure != null) {
            fail(failure, writer);
        }
        return failure;
    }

    /** Appends a response to the writer's outbox. Throws what the response's data throws, or says that it is none. */
    private void respond(final Object response, final ReplyWriter writer) {
        if (response instanceof CompletionStage<?> stage) {
            stage.whenComplete(this::completed);
            return;
        }
        final int start = writer.outbox.position();
        final Object rest = writer.encoder.encode(response, id, isToHead(), writer.outbox);
        if (rest == null) {
            finish();
        } else {
            takeRest(response, rest, start, writer);
        }
    }

    private void takeRest(final Object response, final Object rest, final int start, final ReplyWriter writer) {
        if (rest instanceof BodyWriter body) {
            final byte[] head = Arrays.copyOfRange(writer.outbox.array(), start, writer.outbox.position());
            writer.outbox.position(start);
            final ResponseStream out = new ResponseStream(this, driver, head);
            stream = out;
            if (goneAs != 0) {
                out.fail(new IOException(HandlerFailure.reason(goneAs)));
            }
            pending = body;
        } else {
            final IPersistentMap map = (IPersistentMap) response;
            ((CompletionStage<?>) rest)
                    .whenComplete((body, thrown) -> completed(thrown == null ? map.assoc(BODY, body) : null, thrown));
        }
    }

    /** A stage is complete: whatever thread this is, it must not be kept for long. */
    private void completed(final Object response, final Throwable thrown) {
        answerAnywhere(writer -> {
            if (thrown != null) {
                throw thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
            }
            respond(response, writer);
        });
    }

    private interface Answer {
        void write(ReplyWriter writer) throws Throwable;
    }

    /** Writes an answer on any thread, and lets a worker write the body that it may have. Never throws. */
    private void answerAnywhere(final Answer answer) {
        final RingRequest called = request;
        final boolean own = driver.isOwnThread();
        final ReplyWriter writer = own ? driver.writer() : borrowWriter();
        if (writer == null) {
            return;
        }
        Throwable failure = null;
        try {
            answer.write(writer);
        } catch (final Throwable thrown) {
            failure = thrown;
            fail(thrown, writer);
        }
        dispatchPending(writer);
        if (!own) {
            send(writer);
            driver.wake();
            driver.writers().giveBack(writer);
        }
        if (failure != null) {
            HandlerFailure.report(driver, failure, called);
        }
    }

    /** Returns null if there is no memory for one; the exchange has failed then. */
    private ReplyWriter borrowWriter() {
        try {
            return driver.writers().borrow();
        } catch (final OutOfMemoryError noMemory) {
            failWithoutMemory();
            driver.wake();
            return null;
        }
    }

    private void raise(final Throwable thrown) {
        if (ANSWERED.compareAndSet(this, false, true)) {
            answerAnywhere(writer -> {
                throw thrown;
            });
        } else {
            driver.reportAside("handler threw after it had answered", thrown, request);
        }
    }

    private void fail(final Throwable thrown, final ReplyWriter writer) {
        try {
            HandlerFailure.answer(id, thrown, request, writer);
        } catch (final OutOfMemoryError noMemory) {
            failWithoutMemory();
        }
        finish();
    }

    /** Answers with an error by what is there already: for when there is memory for nothing else. */
    void failWithoutMemory() {
        if (FAILED.compareAndSet(this, false, true)) {
            driver.fail(this);
        }
    }

    @Override
    void fail() {
        failWithoutMemory();
        final BodyWriter body = takePending();
        if (body != null) {
            body.discard();
        }
        finish();
        driver.wake();
    }

    /** Leaves what was written with the driver. */
    private void send(final ReplyWriter writer) {
        try {
            writer.sendTo(driver);
        } catch (final OutOfMemoryError tooLarge) {
            failWithoutMemory();
            finish();
        }
    }

    private void dispatchPending(final ReplyWriter writer) {
        if (pending == null) {
            return;
        }
        boolean dispatched = false;
        try {
            dispatched = driver.dispatchStream(new Writing());
        } catch (final OutOfMemoryError noMemory) {
            // As if no worker had room.
        }
        final BodyWriter body = dispatched ? null : takePending();
        if (body != null) {
            refuse(writer);
            body.discard();
        }
    }

    /** Null if there is none, or another thread writes it: the worker that a stage was complete for, say. */
    private BodyWriter takePending() {
        return pending == null ? null : (BodyWriter) PENDING.getAndSet(this, null);
    }

    /** Writes the body that is left to write, if there is one. The calling thread may have to wait. */
    private void writePending() {
        final BodyWriter body = takePending();
        if (body == null) {
            return;
        }
        final ResponseStream out = stream;
        final RingRequest of = request;
        try {
            if (goneAs != 0) {
                throw new IOException(HandlerFailure.reason(goneAs));
            }
            body.writeTo(out, !async);
        } catch (final Throwable thrown) {
            final int reason = goneAs;
            out.abort();
            body.discard();
            if (reason == 0) {
                driver.report("response body broke off", thrown, of);
            } else {
                LOG.debug("response body broke off, since the exchange was over: {}", HandlerFailure.reason(reason));
            }
        } finally {
            Thread.interrupted();
        }
    }

    private void callOnClose() {
        final IFn f = (IFn) ON_CLOSE.getAndSet(this, null);
        if (f == null) {
            return;
        }
        try {
            driver.dispatchAlways(Work.of(driver, () -> callOnClose(f)));
        } catch (final OutOfMemoryError noMemory) {
            LOG.error("there is no memory to call an on-close function", noMemory);
        }
    }

    private void callOnClose(final IFn f) {
        try {
            f.invoke(goneAs == Records.KIND_HANDLER_TIMEOUT ? TIMED_OUT : DISCONNECTED);
        } catch (final Throwable thrown) {
            driver.reportAside("on-close function threw", thrown, request);
        }
    }

    private boolean isToHead() {
        final RingRequest of = request;
        return of != null && of.isHead();
    }

    /** A worker's part in a body that is left to write. */
    private final class Writing extends Work {
        Writing() {
            super(System.nanoTime());
        }

        @Override
        Driver run(final ReplyWriters writers) {
            writePending();
            return driver;
        }

        @Override
        void fail() {
            Exchange.this.fail();
        }
    }

    /** Ring's respond. */
    private final class Respond extends AFn {
        @Override
        public Object invoke(final Object response) {
            if (ANSWERED.compareAndSet(Exchange.this, false, true)) {
                answerAnywhere(writer -> respond(response, writer));
            }
            return null;
        }
    }

    /** Ring's raise. */
    private final class Raise extends AFn {
        @Override
        public Object invoke(final Object thrown) {
            raise(
                    thrown instanceof Throwable throwable
                            ? throwable
                            : new IllegalArgumentException("raise was called with no exception"));
            return null;
        }
    }
}
