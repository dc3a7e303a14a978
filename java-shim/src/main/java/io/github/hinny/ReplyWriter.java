package io.github.hinny;

import java.util.Arrays;

/** What a worker needs to encode responses. One per worker thread; not thread-safe. */
final class ReplyWriter {
    private static final int OUTBOX_BYTES = 4096;

    final ResponseEncoder encoder = new ResponseEncoder();
    final Outbox outbox = new Outbox(OUTBOX_BYTES);

    /** Returns the written commands and forgets them. */
    byte[] take() {
        final byte[] commands = Arrays.copyOf(outbox.array(), outbox.position());
        outbox.reset();
        return commands;
    }
}
