package io.github.hinny;

/**
 * What the native library says about the boundary, line by line; see {@link Native#layout}.
 *
 * <p>Needs the library to be loaded. Stateless.
 */
final class Layout {
    private static final String METRIC = "metric ";
    private static final String WORKER_METRIC = "worker-metric ";

    private Layout() {}

    /** Returns the names of the counters, in the order of {@link Native#metrics}. */
    static String[] metricNames() {
        return behind(METRIC);
    }

    /** Returns the names of the numbers of a {@link WorkerLoad}, in its order. */
    static String[] workerMetricNames() {
        return behind(WORKER_METRIC);
    }

    private static String[] behind(final String word) {
        return Native.layout()
                .lines()
                .filter(line -> line.startsWith(word))
                .map(line -> line.substring(word.length()))
                .toArray(String[]::new);
    }
}
