package io.github.hinny;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Commands from workers to one event loop: any number of writers, one reader, no lock.
 *
 * <p>A writer adds as many replies as it likes and then asks {@link #takeWake} whether it must wake the loop. One writer
 * is told so for each time that the loop polls, and only while replies wait. No reply is missed: the loop announces its
 * poll before it takes the queue, and a writer adds its reply before it looks at the announcement.
 *
 * <p>One poll gets a batch of about {@link #BATCH_BYTES}, and workers with bodies or large replies wait while more than
 * {@link #CONGESTED_BYTES} are here: so the heap need not hold what all exchanges together may have on its way. Writers of
 * bodies wait too while the core {@linkplain #setFull is full}; whole replies do not, since their workers would wait for
 * clients.
 */
final class ReplyQueue {
    /** When a batch is this large it goes. */
    private static final int BATCH_BYTES = 1 << 20;

    /** When so much memory waits in parts of bodies and large replies, whoever can wait should. */
    private static final int CONGESTED_BYTES = 8 << 20;

    /** Other replies below this size are not counted. */
    static final int SMALL_BYTES = 4 << 10;

    /** What a reply takes besides its bytes. */
    private static final int REPLY_BYTES = 40;

    private static final VarHandle POLLING;

    static {
        try {
            POLLING = MethodHandles.lookup().findVarHandle(ReplyQueue.class, "polling", boolean.class);
        } catch (final ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    /** The newest reply; each points to the one before it. */
    private final AtomicReference<Reply> newest = new AtomicReference<>();

    /** The newest of the exchanges that are to fail; each points to the one before it. */
    private final AtomicReference<Exchange> newestToFail = new AtomicReference<>();

    private final AtomicLong waitingBytes = new AtomicLong();
    private final ConcurrentLinkedQueue<Runnable> held = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<CountDownLatch> waiting = new ConcurrentLinkedQueue<>();

    /** The core holds as much of responses as it may. */
    private volatile boolean full;

    private volatile boolean ended;

    /** The oldest of the replies that were taken and have found no room in a batch; each points to the one after it. */
    private Reply taken; // The loop's own.

    /** An exchange that fails when all of {@link #taken} is sent; each points to another one. */
    private Exchange takenToFail; // The loop's own.

    /** Whether the loop is in poll, or about to be, and nobody has woken it. */
    private volatile boolean polling;

    private static final class Reply {
        final byte[] command;
        Reply next;

        Reply(final byte[] command) {
            this.command = command;
        }
    }

    /** Adds a command. Any thread. */
    void add(final byte[] command) {
        final int weight = weight(command);
        if (weight > 0) {
            waitingBytes.addAndGet(weight);
        }
        final Reply reply = new Reply(command);
        Reply previous;
        do {
            previous = newest.get();
            reply.next = previous;
        } while (!newest.compareAndSet(previous, reply));
    }

    /** Lets an exchange fail when what was added before has gone out; once for each, and without memory. Any thread. */
    void addFailed(final Exchange exchange) {
        Exchange previous;
        do {
            previous = newestToFail.get();
            exchange.nextToFail = previous;
        } while (!newestToFail.compareAndSet(previous, exchange));
    }

    /** Learns of a reply that cannot be sent. */
    interface Loss {
        void lost(long exchange, Throwable reason);
    }

    /** Returns whether no reply waits. The loop. */
    boolean isEmpty() {
        return taken == null && newest.get() == null && takenToFail == null && newestToFail.get() == null;
    }

    private static int weight(final byte[] command) {
        final boolean counts = command.length >= SMALL_BYTES || command[Records.REQUEST_TYPE] == Records.CHUNK;
        return counts ? command.length + REPLY_BYTES : 0;
    }

    /**
     * Returns whether so much waits that the writer of a body should wait too; then {@code goOn} is called by the loop
     * when there is room. Any thread.
     */
    boolean holdBack(final Runnable goOn) {
        if (!full && !isCongested()) {
            return false;
        }
        held.add(goOn);
        // If it is so still, the loop is yet to make room, and finds it there.
        return full || isCongested();
    }

    private boolean isCongested() {
        return waitingBytes.get() > CONGESTED_BYTES && !ended;
    }

    /** Waits until the loop has taken most of what waits, which no client can delay. A thread that may wait. */
    void awaitRoom() {
        boolean interrupted = false;
        while (!interrupted && isCongested()) {
            final CountDownLatch room = new CountDownLatch(1);
            waiting.add(room);
            if (isCongested()) {
                try {
                    room.await();
                } catch (final InterruptedException stop) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Notes whether the core holds as much of responses as it may. The loop. */
    void setFull(final boolean isFull) {
        if (full != isFull) {
            full = isFull;
        }
    }

    /** Returns whether the core holds as much of responses as it may, so that no handler should make another. */
    boolean isFull() {
        return full;
    }

    /** Nothing is taken any more: nobody waits. */
    void end() {
        ended = true;
        full = false;
        release();
    }

    private void release() {
        if (waitingBytes.get() > CONGESTED_BYTES / 2 && !ended) {
            return;
        }
        for (CountDownLatch room = waiting.poll(); room != null; room = waiting.poll()) {
            room.countDown();
        }
        if (!full) {
            for (Runnable goOn = held.poll(); goOn != null; goOn = held.poll()) {
                goOn.run();
            }
        }
    }

    /** Returns whether the caller must wake the loop, for the replies that wait. Any thread. */
    boolean takeWake() {
        return polling
                && (newest.get() != null || newestToFail.get() != null)
                && POLLING.compareAndSet(this, true, false);
    }

    /**
     * Moves a batch of commands to {@code outbox}, oldest first, and from now on asks writers for a wake. The loop.
     *
     * @param loss is told of a reply for which there is no memory
     * @return whether replies are left: then the loop must not sleep in its poll
     */
    boolean takeBeforePoll(final Outbox outbox, final Loss loss) {
        polling = true;
        if (taken == null) {
            // In this order: what an exchange has sent before it failed is among the replies.
            if (takenToFail == null && newestToFail.get() != null) {
                takenToFail = newestToFail.getAndSet(null);
            }
            if (newest.get() != null) {
                taken = takeOldestFirst();
            }
        }
        while (taken != null && outbox.position() < BATCH_BYTES) {
            final byte[] command = taken.command;
            try {
                outbox.put(command);
            } catch (final OutOfMemoryError | InvalidResponseException tooLarge) {
                if (outbox.position() > 0) {
                    // Perhaps there is room when these are gone.
                    return true;
                }
                loss.lost(Records.u64(command, Records.RESPONSE_EXCHANGE), tooLarge);
            }
            final int weight = weight(command);
            if (weight > 0) {
                waitingBytes.addAndGet(-weight);
            }
            taken = taken.next;
        }
        if (taken == null && takenToFail != null) {
            takeFailed(outbox);
        }
        release();
        return !isEmpty();
    }

    /** What finds no room goes with the next batch, which begins with these. */
    private void takeFailed(final Outbox outbox) {
        while (takenToFail != null && outbox.hasRoomForFailure(Records.FAIL_SIZE)) {
            final Exchange exchange = takenToFail;
            ResponseEncoder.encodeFailure(exchange.id(), Records.KIND_HANDLER_THREW, outbox);
            takenToFail = exchange.nextToFail;
            exchange.nextToFail = null;
        }
    }

    private Reply takeOldestFirst() {
        Reply oldest = null;
        Reply reply = newest.getAndSet(null);
        while (reply != null) {
            final Reply next = reply.next;
            reply.next = oldest;
            oldest = reply;
            reply = next;
        }
        return oldest;
    }

    /** From now on writers need not wake the loop. The loop. */
    void pollReturned() {
        polling = false;
    }
}
