package io.github.sgpt4j;

import io.github.sgpt4j.checkpoint.EmbeddingSettings;
import io.github.sgpt4j.inference.EmbeddingSteps;
import io.github.sgpt4j.text.Quoted;
import java.util.Arrays;
import java.util.Locale;

/// How embeddings are compared; higher is more similar. Names and values are those of
/// sentence-transformers (`similarity_fn_name`), computed in 64-bit arithmetic.
public enum Similarity {
    /// The dot product of the vectors scaled to length 1; 0 if either is the zero vector.
    COSINE,
    /// The dot product of the vectors as they are.
    DOT,
    /// Minus the Euclidean distance.
    EUCLIDEAN,
    /// Minus the sum of the absolute differences of the components.
    MANHATTAN;

    /// Reads a name such as `cosine`.
    ///
    /// @throws IllegalArgumentException if no similarity has that name
    public static Similarity parse(String name) {
        for (Similarity similarity : values()) {
            if (similarity.toString().equals(name)) {
                return similarity;
            }
        }
        throw new IllegalArgumentException("similarity: expected one of %s, got %s"
                .formatted(String.join(", ", EmbeddingSettings.SIMILARITIES), Quoted.of(name)));
    }

    /// Similarity of two vectors.
    ///
    /// @param a `[dimension]`
    /// @param b `[dimension]`
    /// @throws IllegalArgumentException if they have different dimensions
    public float of(float[] a, float[] b) {
        return ofPrepared(prepare(a), prepare(b));
    }

    /// Similarity of each vector of one list to each vector of another.
    ///
    /// @param a `[rows][dimension]`
    /// @param b `[columns][dimension]`
    /// @return `[rows][columns]`
    /// @throws IllegalArgumentException if vectors have different dimensions
    public float[][] matrix(float[][] a, float[][] b) {
        float[][] prepared = Arrays.stream(b).map(this::prepare).toArray(float[][]::new);
        float[][] result = new float[a.length][b.length];
        for (int i = 0; i < a.length; i++) {
            float[] row = prepare(a[i]);
            for (int j = 0; j < b.length; j++) {
                result[i][j] = ofPrepared(row, prepared[j]);
            }
        }
        return result;
    }

    /// A vector in the form that [#ofPrepared] takes, so that work on a single vector is done once:
    /// scaled to length 1 for the cosine, otherwise unchanged.
    ///
    /// @return a new array
    public float[] prepare(float[] vector) {
        float[] copy = vector.clone();
        if (this == COSINE) {
            EmbeddingSteps.normalize(copy);
        }
        return copy;
    }

    /// Similarity of two vectors returned by [#prepare].
    ///
    /// @throws IllegalArgumentException if they have different dimensions
    public float ofPrepared(float[] a, float[] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(
                    "vectors: expected equal dimensions, got %d and %d".formatted(a.length, b.length));
        }
        return switch (this) {
            case COSINE, DOT -> (float) dot(a, b);
            case EUCLIDEAN -> (float) (0 - Math.sqrt(squares(a, b)));
            case MANHATTAN -> (float) (0 - distances(a, b));
        };
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    private static double squares(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            double difference = (double) a[i] - b[i];
            sum += difference * difference;
        }
        return sum;
    }

    private static double distances(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += Math.abs((double) a[i] - b[i]);
        }
        return sum;
    }

    /// The lower-case name, such as `cosine`.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
