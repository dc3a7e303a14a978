package io.github.hinny;

/**
 * What the native library says about the boundary, line by line; see {@link Native#layout}.
 *
 * <p>Needs the library to be loaded. Stateless.
 */
final class Layout {
    private static final String METRIC = "metric ";
    private static final String WORKER_METRIC = "worker-metric ";
    private static final String JSON_REASON = "json-reason ";

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

    /** Returns for each {@code Results.JSON_BAD_…}, which are the indexes, a word and words that say what is wrong. */
    static String[][] jsonReasons() {
        final String[][] reasons = new String[Results.JSON_BAD_HASHES + 1][];
        Native.layout().lines().filter(line -> line.startsWith(JSON_REASON)).forEach(line -> {
            final String[] words = line.split(" ", 4);
            reasons[Integer.parseInt(words[1])] = new String[] {words[2], words[3]};
        });
        return reasons;
    }
}
