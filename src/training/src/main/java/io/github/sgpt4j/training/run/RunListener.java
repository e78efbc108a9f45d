package io.github.sgpt4j.training.run;

import io.github.sgpt4j.training.TrainingStep;
import java.nio.file.Path;
import java.util.Map;

/// Is told what a training does, on the thread that trains.
public interface RunListener {
    /// Ignores everything.
    RunListener NONE = new RunListener() {};

    /// Before the first step: what is odd about what an earlier process left, a sentence.
    default void onNotice(String notice) {}

    /// After every step.
    default void onStep(TrainingStep step) {}

    /// Before an evaluation, which may take long.
    default void onEvaluating(long step) {}

    /// During an evaluation.
    ///
    /// @param task what is being done, such as `embed scifact`
    /// @param done how much of it, in a unit of the task
    /// @param total how much there is
    default void onProgress(String task, long done, long total) {}

    /// After the evaluations of a step.
    ///
    /// @param scores by name, the deciding one first
    default void onScores(long step, Map<String, Double> scores) {}

    /// After a state was saved.
    default void onSaved(long step, Path folder) {}

    /// Before the checkpoint is written, which takes long for a large model.
    default void onFinishing(long step) {}
}
