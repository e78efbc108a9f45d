package io.github.sgpt4j.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

/// Compares with references: |actual − expected| ≤ absolute + relative · |expected|.
public final class Closeness {
    /// The project's bound for 32-bit arithmetic at the end of a model.
    public static final Closeness FP32 = new Closeness(5e-5, 5e-5);

    /// The bound for the same text computed in another batch, order or number of threads.
    public static final Closeness SAME = new Closeness(1e-5, 1e-5);

    private final double absolute;
    private final double relative;

    public Closeness(double absolute, double relative) {
        this.absolute = absolute;
        this.relative = relative;
    }

    public void check(String what, double expected, double actual) {
        double allowed = absolute + relative * Math.abs(expected);
        assertTrue(
                Math.abs(actual - expected) <= allowed,
                () -> "%s: expected %.9g, got %.9g, off by %.3g, allowed %.3g"
                        .formatted(what, expected, actual, Math.abs(actual - expected), allowed));
    }

    public void check(String what, JsonNode expected, float[] actual) {
        check(what, doubles(expected), actual);
    }

    public void check(String what, double[] expected, float[] actual) {
        assertEquals(expected.length, actual.length, what + ": length");
        for (int i = 0; i < actual.length; i++) {
            check(what + "[" + i + "]", expected[i], actual[i]);
        }
    }

    public void check(String what, float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length, what + ": length");
        for (int i = 0; i < actual.length; i++) {
            check(what + "[" + i + "]", expected[i], actual[i]);
        }
    }

    /// The largest |actual − expected| / (1 + |expected|) of two vectors.
    public static double deviation(double[] expected, float[] actual) {
        double worst = 0;
        for (int i = 0; i < actual.length; i++) {
            worst = Math.max(worst, Math.abs(actual[i] - expected[i]) / (1 + Math.abs(expected[i])));
        }
        return worst;
    }

    /// Scales a vector to Euclidean length 1.
    public static void normalize(double[] vector) {
        double sum = 0;
        for (double v : vector) {
            sum += v * v;
        }
        double length = Math.sqrt(sum);
        for (int i = 0; i < vector.length; i++) {
            vector[i] /= length;
        }
    }

    public static double[] doubles(JsonNode array) {
        double[] values = new double[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).doubleValue();
        }
        return values;
    }

    public static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }

    public static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).intValue();
        }
        return values;
    }
}
