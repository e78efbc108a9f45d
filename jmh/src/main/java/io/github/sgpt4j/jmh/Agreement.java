package io.github.sgpt4j.jmh;

/// Checks that two libraries computed the same.
///
/// All compute in 32-bit floats and sum in different orders; 24 layers of that leave a relative error around 1e-6.
/// [#TOLERANCE] is far above that and far below what a wrong mask, norm or activation gives.
public final class Agreement {
    /// Largest distance of two vectors, relative to the length of the expected one.
    public static final double TOLERANCE = 1e-3;

    private Agreement() {}

    /// @throws IllegalStateException if shapes differ or vectors are further apart than `tolerance`, relatively
    public static void require(String what, float[][] expected, float[][] got, double tolerance) {
        if (expected.length != got.length) {
            throw new IllegalStateException("%s: expected %d, got %d".formatted(what, expected.length, got.length));
        }
        for (int i = 0; i < expected.length; i++) {
            require(what + " " + i, expected[i], got[i], tolerance);
        }
    }

    /// @throws IllegalStateException if lengths differ or the vectors are further apart than [#TOLERANCE]
    public static void require(String what, float[] expected, float[] got) {
        require(what, expected, got, TOLERANCE);
    }

    private static void require(String what, float[] expected, float[] got, double tolerance) {
        if (expected.length != got.length) {
            throw new IllegalStateException("%s: expected %d, got %d".formatted(what, expected.length, got.length));
        }
        double distance = 0;
        double length = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = expected[i] - (double) got[i];
            distance += difference * difference;
            length += (double) expected[i] * expected[i];
        }
        // Written so that NaN fails.
        if (!(Math.sqrt(distance) <= tolerance * Math.sqrt(length))) {
            throw new IllegalStateException("%s: distance %.3g of vectors of length %.3g"
                    .formatted(what, Math.sqrt(distance), Math.sqrt(length)));
        }
    }

    /// @throws IllegalStateException unless the ids are equal
    public static void require(String what, int[] expected, int[] got) {
        int at = java.util.Arrays.mismatch(expected, got);
        if (at >= 0) {
            throw new IllegalStateException(
                    "%s: ids differ at token %d of %d and %d".formatted(what, at, expected.length, got.length));
        }
    }
}
