package io.github.hinny;

import clojure.lang.IFn;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * One call of a handler without a server: the driver of a single exchange, which keeps what a core would send.
 *
 * <p>The handler runs on a thread of its own, and so does each body that must be written; all are daemons. Bytes of the
 * response are taken as they come, so no writer waits. What a server would log and answer with 500 is kept as
 * {@link #failure}.
 *
 * <p>Any thread may wait for it, and may look at it when {@link #await} has returned true.
 */
public final class HandlerCall implements Driver {
    private static final int BUFFER_BYTES = 256 << 10;

    private final RingRequest request;
    private final Exchange exchange;
    private final Thread thread;
    private final ReplyWriters writers = new SpareWriters();
    private final CountDownLatch ended = new CountDownLatch(1);

    // All guarded by this.
    private byte[] head; // The response command; null before it came.
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private boolean failed; // A FAIL command came.
    private Throwable failure;

    /**
     * Makes a call; {@link #start} begins it.
     *
     * @param handler a Ring handler
     * @param async whether it takes respond and raise
     * @param request what it is called with
     */
    public HandlerCall(final IFn handler, final boolean async, final RingRequest request) {
        this.request = request;
        this.exchange = new Exchange(this, handler, async, request, System.nanoTime());
        this.thread = new Thread(async ? exchange::callAsync : () -> runAll(exchange), "hinny-handler-call");
        this.thread.setDaemon(true);
    }

    /** Calls the handler on its thread. */
    public void start() {
        thread.start();
    }

    /** Returns the thread that the handler was called on. */
    public Thread thread() {
        return thread;
    }

    /** Waits until the response is complete or has failed; returns whether it is. */
    public boolean await(final long timeoutMs) throws InterruptedException {
        return ended.await(timeoutMs, TimeUnit.MILLISECONDS);
    }

    /** Ends the exchange as a server's {@code :handler-timeout-ms} does, and interrupts the handler. */
    public void giveUp() {
        exchange.gone(Records.KIND_HANDLER_TIMEOUT);
        thread.interrupt();
    }

    /** Returns why there is no response, null if there is one; an {@link InvalidResponseException} if it is none. */
    public synchronized Throwable failure() {
        return failure;
    }

    /** Returns the status. */
    public synchronized int status() {
        return Records.u16(head, Records.RESPONSE_STATUS);
    }

    /** Returns name and value of each header field in turn, as the handler gave them; a well-known name in lower case. */
    public synchronized List<String> headers() {
        final List<String> headers = new ArrayList<>();
        int text = textStart();
        for (int entry = Records.RESPONSE_HEADERS; entry < textStart(); entry += Records.HEADER_ENTRY_SIZE) {
            final int id = Records.u16(head, entry);
            final int nameLength = Records.u16(head, entry + 2);
            final int valueLength = Records.u32(head, entry + 4);
            headers.add(id == 0 ? Records.latin1(head, text, nameLength) : HeaderNames.name(id));
            headers.add(Records.latin1(head, text + nameLength, valueLength));
            text += nameLength + valueLength;
        }
        return headers;
    }

    /** Returns the body's bytes, null if the response has none or, like one to HEAD, sends none. */
    public synchronized byte[] body() {
        final int status = status();
        final boolean sendsNone = request.isHead() || status == 204 || status == 205 || status == 304;
        return sendsNone || !hasFlag(Records.FLAG_RESPONSE_BODY) ? null : body.toByteArray();
    }

    @Override
    public void reply(final byte[] commands) {
        for (int at = 0; at < commands.length; at += Records.u32(commands, at + Records.RESPONSE_LENGTH)) {
            switch (commands[at + Records.RESPONSE_TYPE]) {
                case Records.RESPONSE -> takeResponse(commands, at);
                case Records.CHUNK -> takeChunk(commands, at);
                case Records.FAIL -> takeFailure(null);
                default -> {
                    // A signal: what it asks for has come with the request.
                }
            }
        }
    }

    @Override
    public void fail(final Exchange failed) {
        takeFailure(null);
    }

    private synchronized void takeResponse(final byte[] commands, final int at) {
        head = Arrays.copyOfRange(commands, at, at + Records.u32(commands, at + Records.RESPONSE_LENGTH));
        final int length = Records.u32(head, Records.RESPONSE_BODY_LENGTH);
        if (hasFlag(Records.FLAG_RESPONSE_FILE)) {
            takeFile(Arrays.copyOfRange(head, bodyStart(), bodyStart() + length));
        } else {
            body.write(head, bodyStart(), length);
        }
        if (!hasFlag(Records.FLAG_RESPONSE_STREAM)) {
            ended.countDown();
        } else {
            giveCredit(length);
        }
    }

    private void takeFile(final byte[] path) {
        try {
            final Path file = FilePaths.path(path);
            if (!Files.isRegularFile(file)) {
                throw new IOException("not a regular file");
            }
            body.writeBytes(Files.readAllBytes(file));
        } catch (final IOException unreadable) {
            failure = new InvalidResponseException("response :body: cannot send the file "
                    + new String(path, StandardCharsets.UTF_8)
                    + ": "
                    + unreadable);
        }
    }

    private synchronized void takeChunk(final byte[] commands, final int at) {
        final int length = Records.u32(commands, at + Records.CHUNK_BODY_LENGTH);
        body.write(commands, at + Records.CHUNK_BODY, length);
        if ((commands[at + Records.CHUNK_FLAGS] & Records.FLAG_CHUNK_LAST) != 0) {
            ended.countDown();
        } else {
            giveCredit(length);
        }
    }

    private void giveCredit(final int length) {
        exchange.credit(length == 0 ? 0 : length + Records.CHUNK_COST);
    }

    /** The exchange ended in an error: the command that says so and the reason come in any order. */
    private synchronized void takeFailure(final Throwable reason) {
        if (reason == null) {
            failed = true;
        } else {
            failure = reason;
        }
        if (failed && failure != null) {
            ended.countDown();
        }
    }

    @Override
    public void reportAside(final String what, final Throwable thrown, final RingRequest of) {
        HandlerFailure.log(what, thrown, of);
    }

    @Override
    public void report(final String what, final Throwable thrown, final RingRequest of) {
        takeFailure(thrown);
    }

    @Override
    public void awaitRoom() {
        // All is taken as it comes.
    }

    @Override
    public boolean isFull() {
        return false;
    }

    @Override
    public boolean holdBack(final Runnable goOn) {
        return false;
    }

    @Override
    public void wake() {
        // Replies are taken as they come.
    }

    @Override
    public boolean isOwnThread() {
        return false;
    }

    @Override
    public ReplyWriter writer() {
        return new ReplyWriter();
    }

    @Override
    public ReplyWriters writers() {
        return writers;
    }

    @Override
    public boolean dispatchStream(final Work work) {
        dispatchAlways(work);
        return true;
    }

    @Override
    public void dispatchAlways(final Work work) {
        final Thread worker = new Thread(() -> runAll(work), "hinny-handler-call-worker");
        worker.setDaemon(true);
        worker.start();
    }

    private void runAll(final Work first) {
        for (Work work = first; work != null; work = work.rest()) {
            work.run(writers);
        }
    }

    @Override
    public void register(final Exchange registered) {
        // It is the only one.
    }

    @Override
    public void timedOut(final RingRequest of) {
        // Whoever gives up knows.
    }

    @Override
    public int exchangeBufferBytes() {
        return BUFFER_BYTES;
    }

    private boolean hasFlag(final int flag) {
        return (head[Records.RESPONSE_FLAGS] & flag) != 0;
    }

    private int textStart() {
        return Records.RESPONSE_HEADERS + Records.u16(head, Records.RESPONSE_HEADER_COUNT) * Records.HEADER_ENTRY_SIZE;
    }

    private int bodyStart() {
        int start = textStart();
        for (int entry = Records.RESPONSE_HEADERS; entry < textStart(); entry += Records.HEADER_ENTRY_SIZE) {
            start += Records.u16(head, entry + 2) + Records.u32(head, entry + 4);
        }
        return start;
    }
}
