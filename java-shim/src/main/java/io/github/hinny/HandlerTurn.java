package io.github.hinny;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Tells whether an event loop is in a handler, and whether it is still the same call.
 *
 * <p>Written by the loop's thread alone; any thread may read it.
 */
final class HandlerTurn {
    private static final VarHandle TURN;

    static {
        try {
            TURN = MethodHandles.lookup().findVarHandle(HandlerTurn.class, "turn", long.class);
        } catch (final ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    /** Odd while a handler runs; written opaquely, since only its change within a second matters. */
    @SuppressWarnings("unused") // Through TURN.
    private long turn;

    /** A handler begins or ends. */
    void next() {
        TURN.setOpaque(this, turn + 1);
    }

    /** Returns a number that changes when a handler begins or ends. */
    long now() {
        return (long) TURN.getOpaque(this);
    }

    /** Returns whether the loop was in a handler at that turn. */
    static boolean isInHandler(final long turn) {
        return (turn & 1) != 0;
    }
}
