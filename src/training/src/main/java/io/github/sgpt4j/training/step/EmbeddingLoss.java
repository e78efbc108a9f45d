package io.github.sgpt4j.training.step;

import java.util.List;
import java.util.OptionalInt;

/// A loss of the embeddings of a batch.
@FunctionalInterface
public interface EmbeddingLoss {
    /// What a batch amounts to.
    ///
    /// @param loss the loss; not finite if an embedding is not
    /// @param first number of rows whose positive has the highest score, if rows have positives
    /// @param gradients with respect to the embeddings, of the same shapes
    record Result(double loss, OptionalInt first, List<float[][]> gradients) {}

    /// Computes loss and gradients.
    ///
    /// @param embeddings column by column, `[rows][dimension]` each
    Result of(List<float[][]> embeddings);
}
