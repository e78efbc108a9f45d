package io.github.sgpt4j.training.objective;

import io.github.sgpt4j.TextKind;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// How a teacher is distilled.
///
/// @param loss what is compared
/// @param similarityWeight with [DistillationLoss#BOTH], what the loss of similarities is multiplied by before it is
///     added to that of cosines; otherwise of no effect
/// @param kind what the student takes the texts for
public record DistillationOptions(DistillationLoss loss, double similarityWeight, TextKind kind) {
    /// Both losses in the ratio of Zhang et al., arXiv:2412.19048 (10 for cosines, 200 for similarities), without their
    /// third loss, that of relative similarities (20); and texts that are neither queries nor documents.
    public static final DistillationOptions DEFAULT = new DistillationOptions(DistillationLoss.BOTH, 20, TextKind.TEXT);

    /// Checks the weight.
    public DistillationOptions {
        Objects.requireNonNull(loss, "loss");
        Objects.requireNonNull(kind, "kind");
        if (!(similarityWeight > 0) || Double.isInfinite(similarityWeight)) {
            throw new IllegalArgumentException("similarity weight: expected a number above 0, got " + similarityWeight);
        }
    }

    /// The same with another comparison.
    public DistillationOptions withLoss(DistillationLoss other) {
        return new DistillationOptions(other, similarityWeight, kind);
    }

    /// The same with another weight.
    ///
    /// @throws IllegalArgumentException if it is not positive
    public DistillationOptions withSimilarityWeight(double other) {
        return new DistillationOptions(loss, other, kind);
    }

    /// The same with another kind of texts.
    public DistillationOptions withKind(TextKind other) {
        return new DistillationOptions(loss, similarityWeight, other);
    }

    /// What decides the numbers of a training, by name.
    public Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>();
        settings.put("distill", loss.title());
        settings.put("texts as", kind.name().toLowerCase(Locale.ROOT));
        if (loss == DistillationLoss.BOTH) {
            settings.put("similarity weight", Double.toString(similarityWeight));
        }
        return settings;
    }
}
