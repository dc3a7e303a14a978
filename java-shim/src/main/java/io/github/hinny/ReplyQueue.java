package io.github.hinny;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Commands from workers to one event loop: any number of writers, one reader, no lock.
 *
 * <p>A writer adds as many replies as it likes and then asks {@link #takeWake} whether it must wake the loop. One writer
 * is told so for each time that the loop polls, and only while replies wait. No reply is missed: the loop announces its
 * poll before it takes the queue, and a writer adds its reply before it looks at the announcement.
 *
 * <p>One poll gets a batch of about {@link #BATCH_BYTES}, and writers of bodies wait while more than
 * {@link #CONGESTED_BYTES} are here: so the heap need not hold what all exchanges together may have on its way.
 */
final class ReplyQueue {
    /** When a batch is this large it goes. */
    private static final int BATCH_BYTES = 1 << 20;

    /** A reply of this size is counted. */
    private static final int LARGE_BYTES = 4 << 10;

    /** When so much waits in large replies, whoever can wait should. */
    private static final int CONGESTED_BYTES = 8 << 20;

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

    private final AtomicLong largeBytes = new AtomicLong();

    /** The oldest of the replies that were taken and have found no room in a batch; each points to the one after it. */
    private Reply taken; // The loop's own.

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
        if (command.length >= LARGE_BYTES) {
            largeBytes.addAndGet(command.length);
        }
        final Reply reply = new Reply(command);
        Reply previous;
        do {
            previous = newest.get();
            reply.next = previous;
        } while (!newest.compareAndSet(previous, reply));
    }

    /** Learns of a reply that cannot be sent. */
    interface Loss {
        void lost(long exchange, Throwable reason);
    }

    /** Returns whether no reply waits. The loop. */
    boolean isEmpty() {
        return taken == null && newest.get() == null;
    }

    /** Returns whether so much waits that a writer of a body should wait too. Any thread. */
    boolean isCongested() {
        return largeBytes.get() > CONGESTED_BYTES;
    }

    /** Returns whether the caller must wake the loop, for the replies that wait. Any thread. */
    boolean takeWake() {
        return polling && newest.get() != null && POLLING.compareAndSet(this, true, false);
    }

    /**
     * Moves a batch of commands to {@code outbox}, oldest first, and from now on asks writers for a wake. The loop.
     *
     * @param loss is told of a reply for which there is no memory
     * @return whether replies are left: then the loop must not sleep in its poll
     */
    boolean takeBeforePoll(final Outbox outbox, final Loss loss) {
        polling = true;
        if (taken == null && newest.get() != null) {
            taken = takeOldestFirst();
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
            if (command.length >= LARGE_BYTES) {
                largeBytes.addAndGet(-command.length);
            }
            taken = taken.next;
        }
        return !isEmpty();
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
