package io.github.hinny;

/**
 * Ties a server to the life of its JVM, both ways: the JVM goes on while the server runs, and the server stops, with its
 * drain, when the JVM ends all the same.
 *
 * <p>Stateless; each tie goes with the server that it was made for.
 */
public final class Lifeline {

    private Lifeline() {}

    /**
     * Keeps the JVM from ending until {@code engine} has stopped: one thread, {@code hinny-keeper}, which is the only one
     * of a server that is no daemon.
     */
    public static void keepAlive(final Engine engine) {
        final Thread keeper = new Thread(() -> keep(engine), "hinny-keeper");
        keeper.setDaemon(false);
        keeper.start();
    }

    private static void keep(final Engine engine) {
        while (engine.state() != Engine.State.STOPPED) {
            try {
                engine.join();
            } catch (final Throwable notTheEnd) {
                // Only a stop ends the server, no interrupt and no lack of memory.
            }
        }
    }

    /**
     * Stops {@code engine} when the JVM ends (SIGTERM, Ctrl-C, {@code System.exit}), by a shutdown hook of its own,
     * {@code hinny-shutdown}: the JVM runs hooks at once, so several servers drain side by side. The hook goes when the
     * server has stopped; when the JVM is ending already, there is none.
     */
    public static void stopAtShutdown(final Engine engine, final long drainTimeoutMs) {
        final Thread hook = new Thread(() -> engine.stop(drainTimeoutMs), "hinny-shutdown");
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (final IllegalStateException ending) {
            return;
        }
        engine.whenStopped(() -> forget(hook));
    }

    private static void forget(final Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (final IllegalStateException ending) {
            // It is this hook, or the one of another server, that runs.
        }
    }

    /**
     * Waits until {@code engine} has stopped. An interrupt stops it: the thread that waits may be the only one that knows
     * the server.
     *
     * @throws InterruptedException when interrupted; the server has stopped then
     */
    public static void join(final Engine engine, final long drainTimeoutMs) throws InterruptedException {
        try {
            engine.join();
        } catch (final InterruptedException interrupt) {
            engine.stop(drainTimeoutMs);
            throw interrupt;
        }
    }
}
