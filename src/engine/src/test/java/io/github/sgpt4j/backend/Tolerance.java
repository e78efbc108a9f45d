package io.github.sgpt4j.backend;

import static org.junit.jupiter.api.Assertions.fail;

/// How far a backend may be from the reference: `absolute + relative · |reference|`.
///
/// @param reason why these numbers, shown with a failure
record Tolerance(double absolute, double relative, String reason) {
    /// Arithmetic in 32-bit floats. Contract data give results of size about 1: sums of K products
    /// with errors of √K · 2⁻²⁴, which is 3.3e-6 for the longest sum here, K = 3000; three times
    /// that is allowed. Element-wise operations are off by a few 2⁻²⁴, far below that.
    static final Tolerance FLOAT32 = new Tolerance(1e-5, 1e-5, "sums of at most 3000 products in 32-bit floats");

    /// Inputs and weights are given in bfloat16 (2⁻⁹ relative rounding), sums are in 32-bit floats; rounded are results
    /// of
    /// size 3 at most, attention's weights, and sums before an activation that is computed apart.
    static final Tolerance BFLOAT16 = new Tolerance(2e-2, 1e-2, "results and some intermediate values in bfloat16");

    /// As [#BFLOAT16], with 2⁻¹².
    static final Tolerance FLOAT16 =
            new Tolerance(3e-3, 2e-3, "results and some intermediate values in half precision");

    /// Inputs and weights of products are rounded to e4m3: by up to 2⁻⁴, 2.6 % in the mean square, both together
    /// 3.7 % of results of size 1; six times that is allowed, as there are tens of thousands of them.
    static final Tolerance FLOAT8 = new Tolerance(0.22, 3e-2, "inputs and weights of products in e4m3");

    /// Bit for bit.
    static final Tolerance EXACT = new Tolerance(0, 0, "values are moved, not computed");

    /// For intermediate values that are `factor` times larger than 1: their rounding grows with them.
    Tolerance scaled(double factor) {
        return new Tolerance(absolute * factor, relative, reason + ", absolute part times " + (float) factor);
    }

    /// For results of all magnitudes that are exact up to one rounding.
    Tolerance relativeOnly() {
        return new Tolerance(0, relative, reason + ", relative to any magnitude");
    }

    /// Fails with the worst element; NaN is never close.
    void check(String what, double[] expected, double[] actual, int columns) {
        if (expected.length != actual.length) {
            fail("%s: expected %d values, got %d".formatted(what, expected.length, actual.length));
        }
        int worst = -1;
        int wrong = 0;
        double worstExcess = 0;
        for (int i = 0; i < expected.length; i++) {
            double allowed = absolute + relative * Math.abs(expected[i]);
            double excess = Math.abs(actual[i] - expected[i]) - allowed;
            if (!(excess <= 0)) {
                wrong++;
                if (worst < 0 || Double.isNaN(excess) && !Double.isNaN(worstExcess) || excess > worstExcess) {
                    worst = i;
                    worstExcess = excess;
                }
            }
        }
        if (wrong > 0) {
            fail(
                    "%s: %d of %d values off; worst at row %d column %d: expected %s, got %s (allowed %s + %s·|x|: %s; seed %d)"
                            .formatted(
                                    what,
                                    wrong,
                                    expected.length,
                                    worst / columns,
                                    worst % columns,
                                    expected[worst],
                                    actual[worst],
                                    absolute,
                                    relative,
                                    reason,
                                    TestData.SEED));
        }
    }
}
