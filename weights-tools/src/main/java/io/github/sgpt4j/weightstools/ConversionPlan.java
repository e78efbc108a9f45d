package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.weights.MappedFiles;
import java.io.IOException;
import java.util.List;

/// Decides what a conversion writes; keeps its sources open until closed.
sealed interface ConversionPlan extends AutoCloseable permits PicklePlan, MergePlan, TrainedPlan {
    /// What is written, by folder.
    List<Part> parts();

    /// The files to read from.
    MappedFiles mapped();

    @Override
    void close() throws IOException;
}
