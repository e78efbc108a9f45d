package io.github.sgpt4j.training.run;

import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.retrieval.evaluation.EvaluationListener;
import java.io.IOException;
import java.util.Map;

/// Measures a model while it is trained.
public interface Evaluation {
    /// Name of the score that decides which state is best, in the curve and for users. Higher is better.
    String name();

    /// What it measures with, such as hashes of files: a training that continues must measure with the same.
    String source();

    /// Measures the model as it is now.
    ///
    /// @param listener is told of the progress
    /// @return finite numbers by name, that of [#name] first
    /// @throws IOException if a file cannot be read
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    Map<String, Double> scores(TrainableModel model, EvaluationListener listener) throws IOException;
}
