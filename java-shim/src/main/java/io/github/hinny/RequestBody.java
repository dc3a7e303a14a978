package io.github.hinny;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A request body that arrives while it is read.
 *
 * <p>Made by a {@link RequestRecord} whose body did not come whole. Nothing is asked of the client before the first read
 * that needs it; from then on at most {@code :exchange-buffer-bytes} wait here. A read waits for the client, unless the
 * thread must not (an event loop): that gets an {@link IOException}. So does every reader when the client is gone, the
 * body is malformed, too large or too slow, or the response is out.
 *
 * <p>Any thread may read, one at a time.
 */
final class RequestBody extends InputStream {
    private final Exchange exchange;
    private final Driver driver;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();

    // All guarded by lock.
    private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();
    private byte[] current;
    private int at;
    private int end;
    private boolean asked;
    private int taken; // Since the last credit.
    private boolean ended;
    private boolean closed;
    private IOException failure;

    /** A body whose first bytes are {@code first[from .. from + length)}. */
    RequestBody(final Exchange exchange, final Driver driver, final byte[] first, final int from, final int length) {
        this.exchange = exchange;
        this.driver = driver;
        this.current = first;
        this.at = from;
        this.end = from + length;
    }

    @Override
    public int read() throws IOException {
        final byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(final byte[] bytes, final int from, final int length) throws IOException {
        Objects.checkFromIndexSize(from, length, bytes.length);
        if (length == 0) {
            return 0;
        }
        lock.lock();
        try {
            if (!await()) {
                return -1;
            }
            final int size = Math.min(length, end - at);
            System.arraycopy(current, at, bytes, from, size);
            at += size;
            return size;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int available() throws IOException {
        lock.lock();
        try {
            checkOpen();
            int available = end - at;
            for (final byte[] chunk : waiting) {
                available += chunkLength(chunk);
            }
            return available;
        } finally {
            lock.unlock();
        }
    }

    /** Reads no more: what is left of the body is dropped. */
    @Override
    public void close() {
        final boolean unread;
        lock.lock();
        try {
            unread = !closed && !ended && failure == null;
            closed = true;
            release();
        } finally {
            lock.unlock();
        }
        if (unread) {
            driver.reply(Records.signal(exchange.id(), Records.SIGNAL_DISCARD, 0));
            driver.wake();
        }
    }

    /** Adds a chunk record. The driver. */
    void add(final byte[] chunk) {
        lock.lock();
        try {
            ended = (chunk[Records.CHUNK_FLAGS] & Records.FLAG_CHUNK_LAST) != 0;
            if (!closed && chunkLength(chunk) > 0) {
                waiting.add(chunk);
            }
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Every read fails from now on. The driver, or whoever has sent the response. */
    void fail(final IOException reason) {
        lock.lock();
        try {
            if (failure == null) {
                failure = reason;
            }
            release();
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits for bytes; returns whether there are any. */
    private boolean await() throws IOException {
        checkOpen();
        while (at == end) {
            final byte[] chunk = waiting.poll();
            if (chunk != null) {
                current = chunk;
                at = Records.CHUNK_BODY;
                end = at + chunkLength(chunk);
                giveCredit(end - at + Records.CHUNK_COST);
            } else if (ended) {
                return false;
            } else {
                awaitChunk();
            }
        }
        return true;
    }

    private void awaitChunk() throws IOException {
        if (driver.isOwnThread()) {
            throw new IOException(
                    "the request body has not arrived, and an event loop must not wait for it: read it on another thread");
        }
        if (!asked) {
            asked = true;
            sendCredit(driver.exchangeBufferBytes());
        }
        try {
            arrived.await();
        } catch (final InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw (IOException)
                    new InterruptedIOException("interrupted while the request body arrives").initCause(stop);
        }
        checkOpen();
    }

    private void giveCredit(final int cost) {
        taken += cost;
        if (taken >= driver.exchangeBufferBytes() / 4) {
            sendCredit(taken);
            taken = 0;
        }
    }

    private void sendCredit(final int bytes) {
        driver.reply(Records.signal(exchange.id(), Records.SIGNAL_CREDIT, bytes));
        driver.wake();
    }

    private void checkOpen() throws IOException {
        if (closed) {
            throw new IOException("the request body is closed");
        }
        if (failure != null) {
            throw new IOException(failure.getMessage(), failure);
        }
    }

    private void release() {
        waiting.clear();
        current = null;
        at = 0;
        end = 0;
    }

    private static int chunkLength(final byte[] chunk) {
        return Records.u32(chunk, Records.CHUNK_BODY_LENGTH);
    }
}
