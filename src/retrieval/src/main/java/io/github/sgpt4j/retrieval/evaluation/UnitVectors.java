package io.github.sgpt4j.retrieval.evaluation;

/// Vectors scaled to length 1.
final class UnitVectors {
    private UnitVectors() {}

    /// Copies; the zero vector, of a text without tokens, stays zero, which makes its cosine with everything 0.
    static float[][] of(float[][] vectors) {
        float[][] units = new float[vectors.length][];
        for (int i = 0; i < units.length; i++) {
            units[i] = of(vectors[i]);
        }
        return units;
    }

    static float[] of(float[] vector) {
        double squares = 0;
        for (float x : vector) {
            squares += (double) x * x;
        }
        double scale = squares == 0 ? 0 : 1 / Math.sqrt(squares);
        float[] unit = new float[vector.length];
        for (int i = 0; i < unit.length; i++) {
            unit[i] = (float) (vector[i] * scale);
        }
        return unit;
    }
}
