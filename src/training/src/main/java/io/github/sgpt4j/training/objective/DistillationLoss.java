package io.github.sgpt4j.training.objective;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// How a student's embeddings are compared with a teacher's.
public enum DistillationLoss {
    /// Each embedding with the teacher's of the same text
    /// ([io.github.sgpt4j.training.loss.CosineLoss]), through a projection if their lengths differ
    /// ([io.github.sgpt4j.training.loss.ProjectedCosineLoss]).
    COSINE,
    /// Similarities within a batch with the teacher's ([io.github.sgpt4j.training.loss.SimilarityLoss]).
    SIMILARITY,
    /// The sum of both, the latter with a weight.
    BOTH;

    /// Its name on the command line and in files.
    public String title() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The value of a name; empty if there is none.
    public static Optional<DistillationLoss> named(String name) {
        return Arrays.stream(values())
                .filter(value -> value.title().equals(name))
                .findFirst();
    }
}
