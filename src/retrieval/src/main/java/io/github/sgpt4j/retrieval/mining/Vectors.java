package io.github.sgpt4j.retrieval.mining;

/// Checks vectors before they are compared.
final class Vectors {
    private Vectors() {}

    /// @throws IllegalArgumentException if their lengths differ or are 0, or a number is not finite
    static void check(float[][] vectors) {
        for (int i = 0; i < vectors.length; i++) {
            if (vectors[i].length == 0 || vectors[i].length != vectors[0].length) {
                throw new IllegalArgumentException("vector %d: expected %d numbers, got %d"
                        .formatted(i + 1, Math.max(1, vectors[0].length), vectors[i].length));
            }
            for (float x : vectors[i]) {
                if (!Float.isFinite(x)) {
                    throw new IllegalArgumentException(
                            "vector %d: expected finite numbers, got %s".formatted(i + 1, x));
                }
            }
        }
    }
}
