package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.matrix.NpyHeader;
import java.util.function.Supplier;

/// Checks embeddings that were read.
final class Embeddings {
    /// Most components: more than any model has, and rows of so many fit into memory.
    static final int MAX_DIMENSION = NpyHeader.MAX_COLUMNS;

    /// Shorter vectors have no direction that losses could use.
    private static final double MIN_LENGTH = 1e-12;

    private Embeddings() {}

    /// Checks that a vector has a direction.
    ///
    /// @param where file and row
    /// @return the vector
    /// @throws FormatException if a component is not finite, or the vector is shorter than 1e-12
    static float[] checked(Supplier<String> where, float[] vector) {
        double squares = 0;
        for (int i = 0; i < vector.length; i++) {
            if (!Float.isFinite(vector[i])) {
                throw new FormatException("%s: component %d: expected a finite 32-bit number, got %s"
                        .formatted(where.get(), i + 1, vector[i]));
            }
            squares += (double) vector[i] * vector[i];
        }
        if (Math.sqrt(squares) < MIN_LENGTH) {
            throw new FormatException("%s: expected an embedding of a length of at least %s, got %s"
                    .formatted(where.get(), MIN_LENGTH, Math.sqrt(squares)));
        }
        return vector;
    }
}
