package io.github.hinny.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Measures several sides of one comparison in turn, in one process: what else the machine does meets all of them alike.
 *
 * <p>After a warm-up, rounds: in each, every side runs for about as long as the others, and the next round begins with
 * another side. Of a side is told the fifth percentile of its rounds; of two the median of the ratio that they had in each
 * round, with its quartiles. Not thread-safe.
 */
final class SideBySide {
    private static final int WARM_UP_MS = Integer.getInteger("warm-up-ms", 6000);
    private static final int ROUNDS = Integer.getInteger("rounds", 301);
    private static final long ROUND_NS = 200_000;

    private final String what;
    private final List<Side> sides;
    private Object sink;

    /** What is called again and again. */
    interface Call {
        /** Does it once, and returns what must not be optimized away. */
        Object call() throws Exception;
    }

    /** One side of a comparison. */
    record Side(String name, Call call) {}

    /**
     * Makes a comparison.
     *
     * @param sides the first is what the others are compared with
     */
    SideBySide(final String what, final List<Side> sides) {
        this.what = what;
        this.sides = sides;
    }

    /** Runs it, and prints a line for each side. */
    void run() throws Exception {
        final int[] calls = warmUp();
        final double[][] times = new double[sides.size()][ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < sides.size(); i++) {
                final int side = (i + round) % sides.size();
                times[side][round] = nanos(sides.get(side).call(), calls[side]);
            }
        }
        for (int side = 0; side < sides.size(); side++) {
            final double[] ratios = new double[ROUNDS];
            for (int round = 0; round < ROUNDS; round++) {
                ratios[round] = times[0][round] / times[side][round];
            }
            System.out.println(String.format(
                    Locale.ROOT,
                    "%-14s %-30s %9.0f ns  %5.2f x  [%.2f %.2f]",
                    what,
                    sides.get(side).name(),
                    percentile(times[side], 5),
                    percentile(ratios, 50),
                    percentile(ratios, 25),
                    percentile(ratios, 75)));
        }
        if (sink == this) {
            throw new IllegalStateException("never");
        }
    }

    /** Runs all sides until they are compiled; returns how many calls of each make a round. */
    private int[] warmUp() throws Exception {
        final int[] calls = new int[sides.size()];
        Arrays.fill(calls, 1);
        final long end = System.nanoTime() + WARM_UP_MS * 1_000_000L;
        while (System.nanoTime() < end) {
            for (int side = 0; side < calls.length; side++) {
                final double nanos = nanos(sides.get(side).call(), calls[side]);
                calls[side] = Math.max(1, (int) (ROUND_NS / nanos));
            }
        }
        return calls;
    }

    private double nanos(final Call call, final int calls) throws Exception {
        final long began = System.nanoTime();
        for (int i = 0; i < calls; i++) {
            sink = call.call();
        }
        return (double) (System.nanoTime() - began) / calls;
    }

    private static double percentile(final double[] values, final int percent) {
        final double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[(sorted.length - 1) * percent / 100];
    }
}
