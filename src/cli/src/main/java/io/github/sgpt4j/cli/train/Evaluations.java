package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.training.TrainingOptions;
import io.github.sgpt4j.training.data.ScoredPairs;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.training.evaluation.DevEvaluation;
import io.github.sgpt4j.training.evaluation.SearchEvaluation;
import io.github.sgpt4j.training.evaluation.StsEvaluation;
import io.github.sgpt4j.training.run.Evaluation;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The evaluations that options ask for, in the order of the options, with the files they read.
final class Evaluations implements Closeable {
    private final List<Evaluation> all = new ArrayList<>();
    private final List<String> notices = new ArrayList<>();
    private Optional<TripleSource> dev = Optional.empty();

    private Evaluations() {}

    /// Reads and checks all files. The caller closes the result.
    ///
    /// @param given names of options in the order in which they were given
    /// @throws IOException if a folder cannot be read
    static Evaluations open(RunSettings settings, DataSettings data, TrainingOptions training, List<String> given)
            throws IOException {
        Evaluations evaluations = new Evaluations();
        try {
            for (String option : given) {
                evaluations.add(option, settings, data, training);
            }
            return evaluations;
        } catch (IOException | RuntimeException | Error e) {
            evaluations.close();
            throw e;
        }
    }

    private void add(String option, RunSettings settings, DataSettings data, TrainingOptions training)
            throws IOException {
        switch (option) {
            case RunSettings.DEV -> {
                TripleSource rows = data.openDev(settings.dev().orElseThrow());
                dev = Optional.of(rows);
                notices.addAll(rows.notices());
                all.add(new DevEvaluation(rows, training.batchSize(), training.scale()));
            }
            case RunSettings.STS ->
                all.add(new StsEvaluation(ScoredPairs.read(settings.sts().orElseThrow())));
            case RunSettings.EVAL -> all.add(new SearchEvaluation(settings.collections()));
            default -> {
                // Measures nothing.
            }
        }
    }

    List<Evaluation> all() {
        return all;
    }

    /// What users should know about the files, one sentence each.
    List<String> notices() {
        return notices;
    }

    @Override
    public void close() throws IOException {
        if (dev.isPresent()) {
            dev.get().close();
        }
    }
}
