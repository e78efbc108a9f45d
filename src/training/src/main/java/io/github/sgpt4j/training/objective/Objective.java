package io.github.sgpt4j.training.objective;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.training.data.TextRow;
import io.github.sgpt4j.training.optimizer.Parameter;
import io.github.sgpt4j.training.step.EmbeddingLoss;
import java.util.List;

/// What the embeddings of a batch are trained to do.
///
/// @param <R> what a row of the data is
public sealed interface Objective<R extends TextRow> permits Contrast, Distillation {
    /// The kinds of a row's texts, in the order of [TextRow#texts].
    List<TextKind> kinds();

    /// The loss of a batch.
    ///
    /// @param rows of the batch
    EmbeddingLoss loss(List<R> rows);

    /// What is trained besides the model, and dropped afterwards.
    List<Parameter> parameters();

    /// Gradients of the loss that was computed last.
    ///
    /// @return one per parameter, in their order; overwritten by the next loss
    List<double[]> gradients();
}
