package io.github.sgpt4j.backend;

/// Widens arrays.
final class Doubles {
    private Doubles() {}

    static double[] of(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }
}
