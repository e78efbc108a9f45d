package io.github.sgpt4j.training.objective;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.training.data.Triple;
import io.github.sgpt4j.training.loss.ContrastiveLoss;
import io.github.sgpt4j.training.loss.Matrix;
import io.github.sgpt4j.training.optimizer.Parameter;
import io.github.sgpt4j.training.step.EmbeddingLoss;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// The embedding of an anchor shall be closer to its positive's than to those of all other texts of the batch
/// ([ContrastiveLoss]).
public final class Contrast implements Objective<Triple> {
    private final ContrastiveLoss loss;
    private final List<TextKind> kinds;

    /// @param scale what cosines are multiplied by
    /// @param negatives of each triple
    public Contrast(double scale, int negatives) {
        loss = new ContrastiveLoss(scale);
        List<TextKind> all = new ArrayList<>(List.of(TextKind.QUERY, TextKind.DOCUMENT));
        for (int i = 0; i < negatives; i++) {
            all.add(TextKind.DOCUMENT);
        }
        kinds = List.copyOf(all);
    }

    @Override
    public List<TextKind> kinds() {
        return kinds;
    }

    @Override
    public EmbeddingLoss loss(List<Triple> rows) {
        return embeddings -> {
            ContrastiveLoss.Result result = loss.of(embeddings.getFirst(), embeddings.subList(1, embeddings.size()));
            List<float[][]> gradients = new ArrayList<>();
            gradients.add(result.anchors().toFloats());
            result.candidates().stream().map(Matrix::toFloats).forEach(gradients::add);
            return new EmbeddingLoss.Result(result.loss(), OptionalInt.of(result.first()), gradients);
        };
    }

    @Override
    public List<Parameter> parameters() {
        return List.of();
    }

    @Override
    public List<double[]> gradients() {
        return List.of();
    }
}
