package io.github.sgpt4j.training.run;

import io.github.sgpt4j.TrainableModel;

/// Measures a model while it is trained. Higher scores are better.
public interface Evaluation {
    /// Name of the score, in the curve and for users.
    String name();

    /// Measures the model as it is now.
    double score(TrainableModel model);
}
