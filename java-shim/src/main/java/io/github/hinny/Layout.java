package io.github.hinny;

/**
 * What the native library says about the boundary, line by line; see {@link Native#layout}.
 *
 * <p>Needs the library to be loaded. Stateless.
 */
final class Layout {
    private static final String METRIC = "metric ";

    private Layout() {}

    /** Returns the names of the counters, in the order of {@link Native#metrics}. */
    static String[] metricNames() {
        return Native.layout()
                .lines()
                .filter(line -> line.startsWith(METRIC))
                .map(line -> line.substring(METRIC.length()))
                .toArray(String[]::new);
    }
}
