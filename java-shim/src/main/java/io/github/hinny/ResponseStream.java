package io.github.hinny;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The body of one response on its way to the client; what Ring calls the output stream.
 *
 * <p>Made by an {@link Exchange} for a body that is not there as a whole. Bytes are gathered until the buffer is full or
 * flushed. A body that is closed before that goes out in one piece, with a Content-Length. A client that does not read
 * stops the writer: at most {@code :exchange-buffer-bytes} are on their way. So does a congested driver. When the client
 * is gone, each write throws.
 *
 * <p>Any thread may write, also after the handler has returned; one at a time. A thread that must not wait (an event
 * loop) gets an {@link IOException} where it would have to.
 */
final class ResponseStream extends OutputStream {
    private static final int BUFFER_BYTES_MAX = 32 << 10;
    private static final int BUFFER_BYTES_MIN = 1 << 10;

    private final Exchange exchange;
    private final Driver driver;
    private final int bufferBytesMax;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition taken = lock.newCondition();

    // All guarded by lock.
    private byte[] head; // The response command without its body; null when it is out.
    private byte[] buffer; // Room for a chunk's fixed part, then the bytes that wait.
    private int count;
    private long inFlight;
    private boolean closed;
    private IOException failure;

    ResponseStream(final Exchange exchange, final Driver driver, final byte[] head) {
        this.exchange = exchange;
        this.driver = driver;
        this.head = head;
        // A quarter may be on its way without credit for it; a full buffer must fit beside that.
        this.bufferBytesMax = Math.min(BUFFER_BYTES_MAX, driver.exchangeBufferBytes() / 2);
        this.buffer = new byte[Records.CHUNK_BODY + BUFFER_BYTES_MIN];
    }

    @Override
    public void write(final int b) throws IOException {
        lock.lock();
        try {
            makeRoom();
            buffer[Records.CHUNK_BODY + count++] = (byte) b;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void write(final byte[] bytes, final int from, final int length) throws IOException {
        Objects.checkFromIndexSize(from, length, bytes.length);
        lock.lock();
        try {
            checkOpen();
            int at = from;
            while (at < from + length) {
                final int size = Math.min(makeRoom(), from + length - at);
                System.arraycopy(bytes, at, buffer, Records.CHUNK_BODY + count, size);
                count += size;
                at += size;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Sends what was written so far; the first time with the head, even if that is all. */
    @Override
    public void flush() throws IOException {
        lock.lock();
        try {
            checkOpen();
            if (count > 0 || head != null) {
                send(false);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Sends the rest and ends the response. Does nothing the second time, or if the client is gone. */
    @Override
    public void close() throws IOException {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            if (failure == null) {
                send(true);
            }
            closed = true;
        } finally {
            lock.unlock();
        }
        exchange.finish();
    }

    /**
     * Writes all that {@code in} gives and flushes whenever it has no more at the moment, so that nothing waits here for
     * what comes later. Closes neither stream.
     */
    void writeAll(final InputStream in) throws IOException {
        final byte[] piece = new byte[bufferBytesMax];
        for (int length = in.read(piece); length >= 0; length = in.read(piece)) {
            write(piece, 0, length);
            if (length < piece.length && mayWait(in)) {
                flush();
            }
        }
    }

    /** Returns whether the next read may wait. */
    private static boolean mayWait(final InputStream in) {
        try {
            return in.available() == 0;
        } catch (final IOException unknown) {
            // Files below /proc, for one, can be read but do not tell.
            return true;
        }
    }

    /** Ends the response with an error: a 500 if nothing is out, else the connection is cut. Any thread. */
    void abort() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            if (failure == null) {
                exchange.failWithoutMemory();
                driver.wake();
            }
        } finally {
            lock.unlock();
        }
        exchange.finish();
    }

    /** The client has taken so much more. The driver. */
    void credit(final int cost) {
        lock.lock();
        try {
            inFlight -= cost;
            taken.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The exchange is over: every write fails from now on. The driver. */
    void fail(final IOException reason) {
        lock.lock();
        try {
            failure = reason;
            taken.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Returns how many bytes fit into the buffer, at least one. */
    private int makeRoom() throws IOException {
        checkOpen();
        if (count == bufferBytesMax) {
            send(false);
        }
        final int size = buffer.length - Records.CHUNK_BODY;
        if (count == size) {
            buffer = Arrays.copyOf(buffer, Records.CHUNK_BODY + Math.min(2 * size, bufferBytesMax));
        }
        return buffer.length - Records.CHUNK_BODY - count;
    }

    private void checkOpen() throws IOException {
        if (closed) {
            throw new IOException("the response is closed");
        }
        if (failure != null) {
            throw new IOException(failure.getMessage(), failure);
        }
    }

    private void send(final boolean last) throws IOException {
        awaitTaken();
        inFlight += cost();
        driver.reply(head == null ? chunk(last) : firstPart(last));
        head = null;
        count = 0;
        driver.wake();
    }

    /** Returns what the buffer's bytes count as a chunk. */
    private int cost() {
        return count == 0 ? 0 : count + Records.CHUNK_COST;
    }

    /** Waits until the buffer's bytes may go on their way. */
    private void awaitTaken() throws IOException {
        while (inFlight > 0 && inFlight + cost() > driver.exchangeBufferBytes()) {
            if (driver.isOwnThread()) {
                throw new IOException("the client reads too slowly, and an event loop must not wait for it");
            }
            await();
        }
        while (count > 0 && !driver.isOwnThread() && driver.holdBack(this::goOn)) {
            driver.wake();
            await();
        }
    }

    private void goOn() {
        lock.lock();
        try {
            taken.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits, without the lock, for the driver to say something. */
    private void await() throws IOException {
        try {
            taken.await();
        } catch (final InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while the client reads").initCause(stop);
        }
        checkOpen();
    }

    private byte[] chunk(final boolean last) {
        final int length = Records.CHUNK_BODY + count;
        final byte[] command;
        if (length == buffer.length && (length & 7) == 0) {
            command = buffer;
            buffer = new byte[length];
        } else {
            command = Arrays.copyOf(buffer, (length + 7) & ~7);
        }
        Records.putU32(command, Records.REQUEST_LENGTH, command.length);
        command[Records.REQUEST_TYPE] = Records.CHUNK;
        command[Records.CHUNK_FLAGS] = (byte) (last ? Records.FLAG_CHUNK_LAST : 0);
        Records.putU64(command, Records.CHUNK_EXCHANGE, exchange.id());
        Records.putU32(command, Records.CHUNK_BODY_LENGTH, count);
        return command;
    }

    private byte[] firstPart(final boolean last) {
        final byte[] command = Arrays.copyOf(head, (head.length + count + 7) & ~7);
        System.arraycopy(buffer, Records.CHUNK_BODY, command, head.length, count);
        Records.putU32(command, Records.RESPONSE_LENGTH, command.length);
        command[Records.RESPONSE_FLAGS] =
                (byte) (Records.FLAG_RESPONSE_BODY | (last ? 0 : Records.FLAG_RESPONSE_STREAM));
        Records.putU32(command, Records.RESPONSE_BODY_LENGTH, count);
        return command;
    }
}
