package io.github.sgpt4j.jmh;

/// Checks that two libraries computed the same results.
///
/// All of them compute in 32-bit floats with different summation orders; over 24 layers that gives a relative error
/// around 1e-6. [#TOLERANCE] is far above that and far below the error of a wrong mask, norm or activation.
public final class Agreement {
    /// Maximum distance of two vectors, relative to the length of the expected one.
    public static final double TOLERANCE = 1e-3;

    private Agreement() {}

    /// @throws IllegalStateException if shapes differ or vectors are further apart than [#TOLERANCE]
    public static void require(String what, float[][] expected, float[][] got) {
        if (expected.length != got.length) {
            throw new IllegalStateException("%s: expected %d, got %d".formatted(what, expected.length, got.length));
        }
        for (int i = 0; i < expected.length; i++) {
            require(what + " " + i, expected[i], got[i]);
        }
    }

    /// @throws IllegalStateException if lengths differ or the vectors are further apart than [#TOLERANCE]
    public static void require(String what, float[] expected, float[] got) {
        if (expected.length != got.length) {
            throw new IllegalStateException("%s: expected %d, got %d".formatted(what, expected.length, got.length));
        }
        double distance = distance(expected, got);
        // Written so that NaN fails.
        if (!(distance <= TOLERANCE)) {
            throw new IllegalStateException("%s: relative distance %.3g".formatted(what, distance));
        }
    }

    /// Distance of two vectors of equal dimension, relative to the length of the expected one; 0 if both are
    /// zero.
    static double distance(float[] expected, float[] got) {
        double distance = 0;
        double length = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = expected[i] - (double) got[i];
            distance += difference * difference;
            length += (double) expected[i] * expected[i];
        }
        return distance == 0 ? 0 : Math.sqrt(distance / length);
    }

    /// Cosine of the angle between two vectors of equal dimension.
    static double cosine(float[] a, float[] b) {
        double product = 0;
        double lengthA = 0;
        double lengthB = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            lengthA += (double) a[i] * a[i];
            lengthB += (double) b[i] * b[i];
        }
        return product / Math.sqrt(lengthA * lengthB);
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
