package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.training.TrainingOptions;
import io.github.sgpt4j.training.objective.DistillationLoss;
import io.github.sgpt4j.training.objective.DistillationOptions;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that say how a teacher is distilled.
final class DistillSettings {
    static final String DISTILL = "--distill";
    static final String TEACHER = "--teacher";
    static final String SIMILARITY_WEIGHT = "--similarity-weight";
    static final String AS = "--as";

    @Option(
            names = DISTILL,
            paramLabel = "cosine|similarity|both",
            converter = TrainConverters.Distill.class,
            description = "Follow a teacher's embeddings instead of contrasting texts: --data are texts (.txt, .jsonl)."
                    + " Compares each embedding with the teacher's, similarities within a batch, or both.")
    private @Nullable DistillationLoss loss;

    @Option(
            names = TEACHER,
            paramLabel = "FILE",
            converter = Converters.PathName.class,
            description =
                    "The teacher's embeddings, a row of an .npy file for each text (default: \"embedding\" of each"
                            + " object in --data).")
    private @Nullable Path teacher;

    @Option(
            names = SIMILARITY_WEIGHT,
            paramLabel = "X",
            converter = TrainConverters.SimilarityWeight.class,
            description =
                    "With --distill both, what the loss of similarities is multiplied by before it is added to that"
                            + " of cosines (default: 20).")
    private @Nullable Double similarityWeight;

    @Option(
            names = AS,
            paramLabel = "text|query|document",
            description = "Role of the texts in --distill for an asymmetric model (default: text).")
    private @Nullable TextKind kind;

    /// What is compared; empty without distillation.
    Optional<DistillationLoss> loss() {
        return Optional.ofNullable(loss);
    }

    Optional<Path> teacher() {
        return Optional.ofNullable(teacher);
    }

    TrainingOptions addTo(TrainingOptions options) {
        if (loss == null) {
            return options;
        }
        DistillationOptions distillation = DistillationOptions.DEFAULT.withLoss(loss);
        if (similarityWeight != null) {
            distillation = distillation.withSimilarityWeight(similarityWeight);
        }
        return options.withDistillation(kind == null ? distillation : distillation.withKind(kind));
    }
}
