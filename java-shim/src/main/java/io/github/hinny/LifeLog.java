package io.github.hinny;

import java.util.concurrent.TimeUnit;

/**
 * The two lines that a log has of a server's life.
 *
 * <p>Stateless; any thread.
 */
final class LifeLog {
    private static final SafeLogger LOG = SafeLogger.named("hinny.server");

    private LifeLog() {}

    /** It accepts connections. */
    static void started(final Engine.Settings settings, final int port) {
        final String version = Engine.class.getPackage().getImplementationVersion();
        LOG.info(
                "Hinny {} listens on {} port {}: {} event loop(s), {}; native library {}",
                version == null ? "(not of its jar)" : version,
                settings.host(),
                port,
                settings.eventLoops(),
                settings.workerThreads() == WorkerPool.VIRTUAL
                        ? "virtual threads as workers, " + settings.workerQueueDepth() + " at most"
                        : settings.workerThreads() + " workers at most",
                NativeLibrary.loadedFrom());
    }

    /**
     * It has stopped.
     *
     * @param beganNanos when the drain began
     * @param cut exchanges that were not over by the drain timeout
     * @param interrupted workers that were not done by then
     */
    static void stopped(final int port, final long beganNanos, final long cut, final long interrupted) {
        LOG.info(
                "Hinny on port {} has stopped: drained in {} ms, {}",
                port,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNanos),
                cut == 0 && interrupted == 0
                        ? "everything was finished"
                        : cut + " exchange(s) cut and " + interrupted + " worker(s) interrupted at the drain timeout");
    }
}
