package io.github.hinny;

import java.util.Arrays;

/**
 * What a thread needs to encode responses. One per thread at a time; not thread-safe.
 *
 * <p>Between two responses one that is not a loop's keeps at most {@link #KEPT_BYTES} and the encoder's few literals: there
 * may be hundreds.
 */
final class ReplyWriter {
    private static final int OUTBOX_BYTES = 4096;
    private static final int KEPT_BYTES = 64 << 10;

    final ResponseEncoder encoder = new ResponseEncoder();
    final Outbox outbox;

    ReplyWriter() {
        this(new Outbox(OUTBOX_BYTES, KEPT_BYTES));
    }

    /** A writer into {@code outbox}. */
    ReplyWriter(final Outbox outbox) {
        this.outbox = outbox;
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
