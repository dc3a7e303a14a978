package io.github.hinny;

import java.util.HashMap;
import java.util.Map;

/**
 * The route tables of a server: the newest one, and older ones for as long as an event loop matches requests with them.
 *
 * <p>Thread-safe.
 */
final class RouteTables {
    private static final int ENDED = Integer.MAX_VALUE;

    private final Map<Integer, RouteTable> byVersion = new HashMap<>();

    /** Of each loop the version that it uses. */
    private final int[] used;

    private int newest;

    RouteTables(final int loops) {
        used = new int[loops];
    }

    /** Adds a table and gives it to the engine's loops; returns its version. */
    synchronized int add(final RouteTable table, final long engine) {
        // Under the lock, so that the loops get the newest last.
        Native.setRoutes(engine, table.handle(), newest + 1);
        newest++;
        byVersion.put(newest, table);
        return newest;
    }

    /** Returns the newest table, null if there is none. */
    synchronized RouteTable newest() {
        return byVersion.get(newest);
    }

    /** Returns the table that a loop uses from now on. */
    synchronized RouteTable use(final int loop, final int version) {
        final RouteTable table = byVersion.get(version);
        note(loop, version);
        return table;
    }

    /** A loop uses no table any more. */
    synchronized void end(final int loop) {
        note(loop, ENDED);
    }

    /** Waits until every loop uses this version or a newer one. */
    synchronized void await(final int version) throws InterruptedException {
        while (oldestUsed() < version) {
            wait();
        }
    }

    private void note(final int loop, final int version) {
        used[loop] = version;
        final int oldest = oldestUsed();
        byVersion.keySet().removeIf(known -> known < oldest && known < newest);
        notifyAll();
    }

    private int oldestUsed() {
        int oldest = ENDED;
        for (final int version : used) {
            oldest = Math.min(oldest, version);
        }
        return oldest;
    }
}
