package io.github.sgpt4j.retrieval.evaluation.significance;

import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Fisher's randomization test of paired values: if two runs are equally good, each difference could as
/// well have the other sign. It assumes nothing about the distribution of the differences.
///
/// @param pValue two-sided: the share of assignments of signs whose mean is at least as far from 0 as
///     the observed one
/// @param assignments how many assignments of signs were tried
/// @param exact whether these are all; otherwise they were drawn at random, and the observed one counts
///     as one more, so that the p-value is never 0 (Phipson and Smyth 2010, "Permutation P-values
///     Should Never Be Zero")
public record RandomizationTest(double pValue, long assignments, boolean exact) {
    /// As many assignments as Smucker, Allan and Carterette use.
    public static final int DEFAULT_ASSIGNMENTS = 100_000;

    private static final int MAX_ASSIGNMENTS = 100_000_000;

    /// Sums are of different orders of the same numbers; this share of the observed one is rounding.
    private static final double ROUNDING = 1e-12;

    private static final int CHECK_EVERY = 1024;

    /// Tests differences. If there are no more assignments of signs to those that are not 0 than
    /// `assignments`, all are tried, otherwise that many at random.
    ///
    /// @param assignments 1 to 100 million
    /// @param seed determines the random assignments
    /// @throws IllegalArgumentException if there are no differences, or `assignments` is out of range
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted
    public static RandomizationTest of(double[] differences, int assignments, long seed) {
        if (differences.length == 0) {
            throw new IllegalArgumentException("expected differences, got none");
        }
        if (assignments < 1 || assignments > MAX_ASSIGNMENTS) {
            throw new IllegalArgumentException(
                    "assignments: expected 1 to %,d, got %,d".formatted(MAX_ASSIGNMENTS, assignments));
        }
        // The sign of a difference of 0 changes nothing.
        double[] some = Arrays.stream(differences).filter(d -> d != 0).toArray();
        double observed = Math.abs(Arrays.stream(some).sum()) * (1 - ROUNDING);
        boolean exact = some.length < Long.SIZE - 1 && 1L << some.length <= assignments;
        return exact ? all(some, observed) : random(some, observed, assignments, seed);
    }

    private static RandomizationTest all(double[] differences, double observed) {
        long all = 1L << differences.length;
        long extreme = 0;
        for (long signs = 0; signs < all; signs++) {
            checkNow(signs);
            double sum = 0;
            for (int i = 0; i < differences.length; i++) {
                sum += (signs >>> i & 1) == 0 ? differences[i] : -differences[i];
            }
            extreme += Math.abs(sum) >= observed ? 1 : 0;
        }
        return new RandomizationTest((double) extreme / all, all, true);
    }

    private static RandomizationTest random(double[] differences, double observed, int assignments, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        long extreme = 0;
        for (int n = 0; n < assignments; n++) {
            checkNow(n);
            double sum = 0;
            long signs = 0;
            for (int i = 0; i < differences.length; i++) {
                signs = i % Long.SIZE == 0 ? random.nextLong() : signs >>> 1;
                sum += (signs & 1) == 0 ? differences[i] : -differences[i];
            }
            extreme += Math.abs(sum) >= observed ? 1 : 0;
        }
        return new RandomizationTest((extreme + 1.0) / (assignments + 1.0), assignments, false);
    }

    private static void checkNow(long n) {
        if (n % CHECK_EVERY == 0) {
            Interrupts.check("randomization test");
        }
    }
}
