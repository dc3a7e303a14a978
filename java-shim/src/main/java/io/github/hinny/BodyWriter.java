package io.github.hinny;

import clojure.lang.IFn;
import clojure.lang.ISeq;
import clojure.lang.RT;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.util.concurrent.CompletionStage;

/**
 * Writes one response body that must be read, realized or produced, on a thread that may wait.
 *
 * <p>Made by a {@link ResponseEncoder}; {@link #writeTo} is called at most once. An InputStream is closed on success,
 * failure and when the client has left. A sequence may be endless: while it is written, nothing here holds its head.
 */
final class BodyWriter {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    private final IFn writer;
    private final Charset charset;
    private Object body;
    private Object response;

    /**
     * Makes a writer.
     *
     * @param body an InputStream, an ISeq, or what {@code writer} writes
     * @param response the whole Ring response, for {@code writer}
     * @param writer a user's {@code write-body-to-stream}, null for Hinny's own
     * @param charset of the elements of an ISeq, null for other bodies
     */
    BodyWriter(final Object body, final Object response, final IFn writer, final Charset charset) {
        this.body = body;
        this.response = writer == null ? null : response;
        this.writer = writer;
        this.charset = charset;
    }

    /**
     * Writes the body.
     *
     * @param ends whether the response ends when a user's writer returns; the body of an async handler's response may be
     *     written on by another thread, which then closes the stream
     */
    void writeTo(final ResponseStream stream, final boolean ends) throws IOException {
        if (writer != null) {
            writer.invoke(takeBody(), takeResponse(), stream);
            if (!ends) {
                return;
            }
        } else if (body instanceof InputStream) {
            try (InputStream in = (InputStream) takeBody()) {
                stream.writeAll(in);
            }
        } else {
            writeSeq(RT.seq(takeBody()), stream);
        }
        stream.close();
    }

    /** Closes a body that nobody will read, as far as it can be closed. Never throws. */
    void discard() {
        discard(takeBody());
    }

    /** Closes a body that nobody will read, as far as it can be closed, when it is there. Never throws. */
    static void discard(final Object body) {
        if (body instanceof CompletionStage<?> stage) {
            try {
                stage.whenComplete((completed, thrown) -> discard(completed));
            } catch (final Throwable failure) {
                LOG.warn("a response body that was not needed cannot be closed", failure);
            }
        } else if (body instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (final Throwable failure) {
                LOG.warn("a response body that was not needed cannot be closed", failure);
            }
        }
    }

    private void writeSeq(ISeq rest, final ResponseStream stream) throws IOException {
        while (rest != null) {
            final Object element = rest.first();
            if (element != null) {
                stream.write(element.toString().getBytes(charset));
            }
            stream.flush();
            rest = rest.next();
        }
    }

    private Object takeBody() {
        final Object taken = body;
        body = null;
        return taken;
    }

    private Object takeResponse() {
        final Object taken = response;
        response = null;
        return taken;
    }
}
