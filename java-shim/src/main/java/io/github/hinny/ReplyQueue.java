package io.github.hinny;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Commands from workers to one event loop: any number of writers, one reader, no lock.
 *
 * <p>A writer adds as many replies as it likes and then asks {@link #takeWake} whether it must wake the loop. One writer
 * is told so for each time that the loop polls, and only while replies wait. No reply is missed: the loop announces its
 * poll before it takes the queue, and a writer adds its reply before it looks at the announcement.
 */
final class ReplyQueue {
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
        final Reply reply = new Reply(command);
        Reply previous;
        do {
            previous = newest.get();
            reply.next = previous;
        } while (!newest.compareAndSet(previous, reply));
    }

    /** Returns whether no reply waits. */
    boolean isEmpty() {
        return newest.get() == null;
    }

    /** Returns whether the caller must wake the loop, for the replies that wait. Any thread. */
    boolean takeWake() {
        return polling && newest.get() != null && POLLING.compareAndSet(this, true, false);
    }

    /** Moves all commands to {@code outbox}, oldest first, and from now on asks writers for a wake. The loop. */
    void takeBeforePoll(final Outbox outbox) {
        polling = true;
        if (newest.get() == null) {
            return;
        }
        Reply oldest = null;
        Reply reply = newest.getAndSet(null);
        while (reply != null) {
            final Reply next = reply.next;
            reply.next = oldest;
            oldest = reply;
            reply = next;
        }
        for (; oldest != null; oldest = oldest.next) {
            outbox.put(oldest.command);
        }
    }

    /** From now on writers need not wake the loop. The loop. */
    void pollReturned() {
        polling = false;
    }
}
