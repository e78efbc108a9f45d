package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.training.StepCount;
import io.github.sgpt4j.training.TrainingOptions;
import java.util.Optional;

/// Settings of SGPT's reference for a kind of data. Options that are given win.
public enum Recipe {
    /// MS MARCO, for search: brackets tell queries from documents.
    MSMARCO(300, Optional.of(true)) {
        @Override
        TrainingOptions options() {
            return TrainingOptions.DEFAULT
                    .withBatchSize(256)
                    .withLearningRate(4e-4)
                    .withEpochs(10)
                    .withWarmup(new StepCount.Steps(1000));
        }
    },

    /// AllNLI, for similarity of sentences.
    NLI(75, Optional.empty()) {
        @Override
        TrainingOptions options() {
            return TrainingOptions.DEFAULT
                    .withBatchSize(1024)
                    .withLearningRate(3.2e-4)
                    .withEpochs(1)
                    .withWarmup(new StepCount.Percent(10))
                    .withNoDuplicates(true);
        }
    };

    private final int maxLength;
    private final Optional<Boolean> specb;

    Recipe(int maxLength, Optional<Boolean> specb) {
        this.maxLength = maxLength;
        this.specb = specb;
    }

    abstract TrainingOptions options();

    /// Most tokens of a text.
    int maxLength() {
        return maxLength;
    }

    /// Whether queries and documents are put in brackets; empty for as the model says.
    Optional<Boolean> specb() {
        return specb;
    }
}
