package io.github.hinny;

import java.util.concurrent.atomic.AtomicReference;

/**
 * Commands from workers to one event loop: any number of writers, one reader, no lock.
 *
 * <p>A writer wakes the loop only if it is the first since the loop last took the queue, and only if the loop is in
 * {@code poll}. No reply is missed: the loop announces its poll before it takes the queue, and a writer adds its reply
 * before it looks at the announcement.
 */
final class ReplyQueue {
    /** The newest reply; each points to the one before it. */
    private final AtomicReference<Reply> newest = new AtomicReference<>();

    private volatile boolean polling;

    private static final class Reply {
        final byte[] command;
        Reply next;

        Reply(final byte[] command) {
            this.command = command;
        }
    }

    /** Adds a command; returns whether the caller must wake the loop. Any thread. */
    boolean add(final byte[] command) {
        final Reply reply = new Reply(command);
        Reply previous;
        do {
            previous = newest.get();
            reply.next = previous;
        } while (!newest.compareAndSet(previous, reply));
        return previous == null && polling;
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
