package io.github.hinny;

import clojure.lang.IFn;
import clojure.lang.Keyword;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request and its response, on its way through a worker.
 *
 * <p>Made by an {@link EventLoop}, run once by one thread.
 */
final class Exchange {
    private static final Logger LOG = LoggerFactory.getLogger("hinny.server");
    private static final Keyword METHOD = Keyword.intern(null, "request-method");
    private static final Keyword URI = Keyword.intern(null, "uri");

    /** When it was handed to the workers, {@link System#nanoTime}. */
    final long dispatchedNanos;

    private final EventLoop loop;
    private final RingRequest request;

    Exchange(final EventLoop loop, final RingRequest request, final long dispatchedNanos) {
        this.loop = loop;
        this.request = request;
        this.dispatchedNanos = dispatchedNanos;
    }

    /**
     * Runs the handler and leaves its response, or the error that it ended in, with the loop, which the caller must
     * {@linkplain EventLoop#wake wake} then. Never throws.
     */
    EventLoop run(final ReplyWriter writer) {
        answer(loop.handler(), request, writer.encoder, writer.outbox);
        byte[] commands;
        try {
            commands = writer.take();
        } catch (final OutOfMemoryError tooLarge) {
            writer.outbox.reset();
            ResponseEncoder.encodeFailure(request.exchange(), Records.KIND_HANDLER_THREW, writer.outbox);
            commands = writer.take();
            logThrown(request, tooLarge);
        }
        loop.reply(commands);
        return loop;
    }

    /** Answers that no worker has room; {@code outbox} is the loop's. */
    void refuse(final Outbox outbox) {
        ResponseEncoder.encodeFailure(request.exchange(), Records.KIND_OVERLOADED, outbox);
    }

    /**
     * Calls {@code handler} and appends its response to {@code outbox}, or the error that it ended in. Never throws,
     * and leaves the thread uninterrupted.
     */
    static void answer(
            final IFn handler, final RingRequest request, final ResponseEncoder encoder, final Outbox outbox) {
        try {
            encoder.encode(handler.invoke(request), request.exchange(), outbox);
        } catch (final InvalidResponseException invalid) {
            ResponseEncoder.encodeFailure(request.exchange(), Records.KIND_RESPONSE_INVALID, outbox);
            LOG.error("handler returned an invalid response for {}: {}", describe(request), invalid.getMessage());
        } catch (final Throwable thrown) {
            // The answer first: not every exception lets itself be logged.
            ResponseEncoder.encodeFailure(request.exchange(), Records.KIND_HANDLER_THREW, outbox);
            logThrown(request, thrown);
        } finally {
            Thread.interrupted();
        }
    }

    private static void logThrown(final RingRequest request, final Throwable thrown) {
        try {
            LOG.error("handler threw for {}", describe(request), thrown);
        } catch (final Throwable unprintable) {
            LOG.error(
                    "handler threw a {} that cannot be logged, for {}",
                    thrown.getClass().getName(),
                    describe(request));
        }
    }

    /** Method and path: neither can hold a control character. The query may hold secrets, so it is not logged. */
    private static String describe(final RingRequest request) {
        final String method = ((Keyword) request.valAt(METHOD)).getName().toUpperCase(Locale.ROOT);
        return method + " " + request.valAt(URI);
    }
}
