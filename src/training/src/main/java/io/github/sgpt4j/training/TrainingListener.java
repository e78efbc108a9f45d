package io.github.sgpt4j.training;

/// Is told what a training does, on the thread that trains.
@FunctionalInterface
public interface TrainingListener {
    /// Ignores everything.
    TrainingListener NONE = step -> {};

    /// Called after every step; the model has its new values. May compute with the model, and interrupt the thread to
    /// end the training.
    void onStep(TrainingStep step);
}
