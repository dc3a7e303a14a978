package io.github.hinny;

import clojure.lang.Keyword;
import java.util.Locale;

/**
 * What goes wrong in a handler or a body: the command that answers it, the words for an exception, the line in the log.
 *
 * <p>Stateless; any thread.
 */
final class HandlerFailure {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");
    private static final Keyword METHOD = Keyword.intern(null, "request-method");
    private static final Keyword URI = Keyword.intern(null, "uri");

    private HandlerFailure() {}

    /** Returns why an exchange or a body ended, {@code Records.KIND_…}, in words for an exception. */
    static String reason(final int kind) {
        return switch (kind) {
            case Records.KIND_HANDLER_TIMEOUT -> "the handler timed out";
            case Records.KIND_BODY_TIMEOUT -> "the client sent nothing for too long";
            case Records.KIND_BODY_TOO_LARGE -> "larger than :max-body-bytes";
            case Records.KIND_BODY_MALFORMED -> "malformed";
            case Records.KIND_INTERNAL -> "there is no memory for it";
            default -> "the client is gone";
        };
    }

    /** Appends the error that an invalid response is, and reports it. */
    static void invalid(
            final Driver driver,
            final long id,
            final RingRequest request,
            final InvalidResponseException failure,
            final ReplyWriter writer) {
        ResponseEncoder.encodeFailure(id, Records.KIND_RESPONSE_INVALID, writer.outbox);
        driver.report("handler returned an invalid response", failure, request);
    }

    /** Appends the error that a throwing handler is, and reports it. The answer first: not every exception can be logged. */
    static void thrown(
            final Driver driver,
            final long id,
            final RingRequest request,
            final Throwable failure,
            final ReplyWriter writer) {
        if (failure instanceof ContentMalformedException) {
            // The client's fault, not the handler's.
            ResponseEncoder.encodeFailure(id, Records.KIND_CONTENT_MALFORMED, writer.outbox);
            return;
        }
        ResponseEncoder.encodeFailure(id, Records.KIND_HANDLER_THREW, writer.outbox);
        driver.report("handler threw", failure, request);
    }

    /** Logs what failed for a request, with the stack of what was thrown, unless it says itself what is wrong. */
    static void log(final String what, final Throwable thrown, final RingRequest request) {
        final String described = describe(request);
        if (thrown instanceof InvalidResponseException) {
            LOG.error("{} for {}: {}", what, described, thrown.getMessage());
            return;
        }
        LOG.error("{} for {}", what, described, thrown);
    }

    /** Method and path. The query may hold secrets, so it is not logged. */
    static String describe(final RingRequest request) {
        if (request == null) {
            return "a request that was answered";
        }
        return method(request) + " " + request.valAt(URI);
    }

    private static String method(final RingRequest request) {
        try {
            return ((Keyword) request.valAt(METHOD)).getName().toUpperCase(Locale.ROOT);
        } catch (final ContentMalformedException refused) {
            return "a hostile method";
        }
    }
}
