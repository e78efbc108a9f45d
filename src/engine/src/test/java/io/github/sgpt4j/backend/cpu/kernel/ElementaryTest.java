package io.github.sgpt4j.backend.cpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("vector")
class ElementaryTest {
    /// A function of whole vectors, in place.
    @FunctionalInterface
    private interface Function {
        void apply(float[] x, int at, int count);
    }

    /// Applies a function to one value, in a lane other than the first.
    private static float at(Function function, float x) {
        float[] lanes = new float[Simd.LANES];
        lanes[Simd.LANES - 1] = x;
        function.apply(lanes, 0, Simd.LANES);
        return lanes[Simd.LANES - 1];
    }

    private interface Allowed {
        double error(double x, double expected);
    }

    /// Compares on `[from, to]`, about `count` values.
    private static void compare(
            Function function, DoubleUnaryOperator exact, double from, double to, int count, Allowed allowed) {
        float[] xs = new float[Simd.LANES];
        float[] ys = new float[Simd.LANES];
        for (int i = 0; i < count; i += Simd.LANES) {
            for (int l = 0; l < Simd.LANES; l++) {
                xs[l] = (float) (from + (to - from) * (i + l) / count);
            }
            System.arraycopy(xs, 0, ys, 0, Simd.LANES);
            function.apply(ys, 0, Simd.LANES);
            for (int l = 0; l < Simd.LANES; l++) {
                double expected = exact.applyAsDouble(xs[l]);
                double error = Math.abs(ys[l] - expected);
                double most = allowed.error(xs[l], expected);
                if (!(error <= most)) {
                    throw new AssertionError("at %s: expected %s, got %s, off by %s, allowed %s"
                            .formatted(xs[l], expected, ys[l], error, most));
                }
            }
        }
    }

    private static Allowed ulps(double ulps) {
        return (x, expected) -> ulps * Math.ulp((float) expected);
    }

    private static Allowed absolute(double error) {
        return (x, expected) -> error;
    }

    @Test
    void expIsWithinTwoUlps() {
        compare(Elementary::exp, Math::exp, -86.63, 88.72, 2_000_000, ulps(2));
        compare(Elementary::exp, Math::exp, -1, 1, 1_000_000, ulps(2));
    }

    @Test
    void expUnderflowsToZeroAndOverflowsToInfinity() {
        compare(Elementary::exp, Math::exp, -200, -86, 100_000, absolute(0x1p-125));
        assertEquals(0f, at(Elementary::exp, -1e30f));
        assertEquals(0f, at(Elementary::exp, Float.NEGATIVE_INFINITY));
        assertEquals(1f, at(Elementary::exp, 0f));
        assertEquals(1f, at(Elementary::exp, -0f));
        assertEquals(1f, at(Elementary::exp, Float.MIN_VALUE));
        assertTrue(Float.isFinite(at(Elementary::exp, 88.7228f)));
        assertEquals(Float.POSITIVE_INFINITY, at(Elementary::exp, 88.73f));
        assertEquals(Float.POSITIVE_INFINITY, at(Elementary::exp, Float.MAX_VALUE));
        assertEquals(Float.POSITIVE_INFINITY, at(Elementary::exp, Float.POSITIVE_INFINITY));
    }

    @Test
    void tanhIsWithinThreeUlps() {
        compare(Elementary::tanh, Math::tanh, -12, 12, 2_000_000, ulps(3));
        compare(Elementary::tanh, Math::tanh, -0.7, 0.7, 1_000_000, ulps(3));
        compare(Elementary::tanh, Math::tanh, -1e-6, 1e-6, 10_000, ulps(2));
        assertEquals(1f, at(Elementary::tanh, Float.POSITIVE_INFINITY));
        assertEquals(-1f, at(Elementary::tanh, Float.NEGATIVE_INFINITY));
        assertEquals(Float.MIN_VALUE, at(Elementary::tanh, Float.MIN_VALUE));
        assertEquals(-0f, at(Elementary::tanh, -0f));
    }

    @Test
    void sigmoidIsPreciseInBothTails() {
        compare(Elementary::sigmoid, x -> 1 / (1 + Math.exp(-x)), -86, 30, 1_000_000, ulps(4));
        assertEquals(0f, at(Elementary::sigmoid, Float.NEGATIVE_INFINITY));
        assertEquals(0f, at(Elementary::sigmoid, -1000f));
        assertEquals(1f, at(Elementary::sigmoid, Float.POSITIVE_INFINITY));
    }

    @Test
    void geluMatchesItsDefinition() {
        DoubleUnaryOperator exact = x -> 0.5 * x * (x < 0 ? erfc(-x / Math.sqrt(2)) : 1 + erf(x / Math.sqrt(2)));
        compare(
                Elementary::gelu,
                exact,
                -12,
                12,
                500_000,
                (x, y) -> 3e-7 * Math.min(1, Math.abs(x)) + 4e-7 * Math.abs(y));
        extremes(Elementary::gelu);
    }

    @Test
    void geluTanhMatchesItsDefinition() {
        DoubleUnaryOperator exact = x -> x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
        // The argument of the exponential grows like x³ and is rounded before: its error is relative to its size.
        compare(
                Elementary::geluTanh,
                exact,
                -10,
                10,
                1_000_000,
                (x, y) -> Math.abs(y) * 1e-6 * (1 + Math.abs(x * x * x) / 4) + 1e-37);
        extremes(Elementary::geluTanh);
    }

    @Test
    void siluAndQuickGeluMatchTheirDefinitions() {
        compare(Elementary::silu, x -> x / (1 + Math.exp(-x)), -80, 80, 1_000_000, ulps(4));
        compare(
                Elementary::geluQuick,
                x -> x / (1 + Math.exp(-1.702 * x)),
                -40,
                40,
                1_000_000,
                (x, y) -> Math.abs(y) * 1e-6 * (1 + Math.abs(x)));
        extremes(Elementary::silu);
        extremes(Elementary::geluQuick);
    }

    private static void extremes(Function activation) {
        assertEquals(Float.POSITIVE_INFINITY, at(activation, Float.POSITIVE_INFINITY));
        assertEquals(1e30f, at(activation, 1e30f));
        assertEquals(0f, Math.abs(at(activation, -1e30f)));
        assertEquals(0f, Math.abs(at(activation, -0f)));
    }

    @Test
    void onlyTheRequestedVectorsChange() {
        for (Function function : all()) {
            float[] x = new float[4 * Simd.LANES];
            Arrays.fill(x, -3f);
            function.apply(x, Simd.LANES, 2 * Simd.LANES);
            for (int i = 0; i < x.length; i++) {
                boolean requested = i >= Simd.LANES && i < 3 * Simd.LANES;
                assertEquals(requested, x[i] != -3f, "value " + i);
            }
        }
    }

    @Test
    void notANumberStaysNotANumber() {
        for (Function function : all()) {
            assertTrue(Float.isNaN(at(function, Float.NaN)));
        }
    }

    private static List<Function> all() {
        return List.of(
                Elementary::exp,
                Elementary::tanh,
                Elementary::sigmoid,
                Elementary::gelu,
                Elementary::geluTanh,
                Elementary::geluQuick,
                Elementary::silu,
                Elementary::relu);
    }

    /// The error function: its power series near 0, else by [#erfc].
    private static double erf(double x) {
        if (Math.abs(x) > 2.5) {
            return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 100; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return sum * 2 / Math.sqrt(Math.PI);
    }

    /// 1 − erf(x) for x ≥ 0; beyond 2.5 by its continued fraction.
    private static double erfc(double x) {
        if (x <= 2.5) {
            return 1 - erf(x);
        }
        double fraction = x;
        for (int k = 120; k > 0; k--) {
            fraction = x + k / 2.0 / fraction;
        }
        return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
    }
}
