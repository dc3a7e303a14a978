package io.github.hinny;

import clojure.lang.IFn;
import clojure.lang.Keyword;
import java.io.IOException;
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

    private static final IOException NO_MEMORY = new IOException("there is no memory for it");

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

    /** Returns a reason for whoever reads or writes a body of an exchange that is over; if there is no memory for it, an older one. */
    static IOException ended(final String what) {
        try {
            return new IOException(what);
        } catch (final OutOfMemoryError noMemory) {
            return NO_MEMORY;
        }
    }

    /** Appends the error that answers what a handler has thrown or returned. It goes out before {@link #report}. */
    static void answer(final long id, final Throwable failure, final RingRequest request, final ReplyWriter writer) {
        final int kind;
        if (failure instanceof ContentMalformedException) {
            kind = Records.KIND_CONTENT_MALFORMED;
        } else if (failure instanceof InvalidResponseException) {
            kind = Records.KIND_RESPONSE_INVALID;
        } else {
            kind = Records.KIND_HANDLER_THREW;
        }
        ResponseEncoder.encodeFailure(id, kind, request, writer.outbox);
    }

    /** Reports what was answered, unless it is the client's fault. */
    static void report(final Driver driver, final Throwable failure, final RingRequest request) {
        if (failure instanceof InvalidResponseException) {
            driver.report("handler returned an invalid response", failure, request);
        } else if (!(failure instanceof ContentMalformedException)) {
            driver.report("handler threw", failure, request);
        }
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

    /** Returns the work of telling an {@code :on-error} function of what {@link #log} logs. */
    static Work call(final Driver driver, final IFn onError, final Throwable thrown, final RingRequest request) {
        return Work.of(driver, () -> {
            try {
                onError.invoke(request, thrown);
            } catch (final Throwable another) {
                log(":on-error function threw", another, request);
            }
        });
    }

    /** Method and path. The query may hold secrets, so it is not logged. */
    static String describe(final RingRequest request) {
        if (request == null) {
            return "a request that was answered";
        }
        try {
            return method(request) + " " + request.valAt(URI);
        } catch (final OutOfMemoryError noMemory) {
            return "a request";
        }
    }

    private static String method(final RingRequest request) {
        try {
            return ((Keyword) request.valAt(METHOD)).getName().toUpperCase(Locale.ROOT);
        } catch (final ContentMalformedException refused) {
            return "a hostile method";
        }
    }
}
