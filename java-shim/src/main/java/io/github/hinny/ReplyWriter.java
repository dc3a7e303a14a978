package io.github.hinny;

import java.util.Arrays;

/** What a thread needs to encode responses. One per thread at a time; not thread-safe. */
final class ReplyWriter {
    private static final int OUTBOX_BYTES = 4096;

    final ResponseEncoder encoder = new ResponseEncoder();
    final Outbox outbox;

    ReplyWriter() {
        this(OUTBOX_BYTES);
    }

    ReplyWriter(final int outboxBytes) {
        outbox = new Outbox(outboxBytes);
    }

    /** Sends the written commands, if any, and forgets them. */
    void sendTo(final Driver driver) {
        if (outbox.position() > 0) {
            try {
                driver.reply(Arrays.copyOf(outbox.array(), outbox.position()));
            } finally {
                outbox.reset();
            }
        }
    }
}
