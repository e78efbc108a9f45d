package io.github.sgpt4j.training.run;

import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.retrieval.evaluation.EvaluationListener;
import io.github.sgpt4j.training.StepCount;
import io.github.sgpt4j.training.TrainingMethod;
import io.github.sgpt4j.training.TrainingOptions;
import io.github.sgpt4j.training.data.DataForm;
import io.github.sgpt4j.training.data.DataOptions;
import io.github.sgpt4j.training.data.TrainingData;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.training.evaluation.DevEvaluation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// A training of a golden model that takes a moment: six steps with three measurements and saved states between.
final class TinyTraining {
    static final Path MODELS = Path.of("../engine/src/test/resources/goldens/models");
    static final Path MODEL = MODELS.resolve("gptneo-be");
    static final int STEPS = 6;

    static final TrainingOptions OPTIONS = TrainingOptions.DEFAULT
            .withBatchSize(4)
            .withSteps(STEPS)
            .withLearningRate(1e-2)
            .withWarmup(new StepCount.Steps(1))
            .withSeed(7);

    private TinyTraining() {}

    /// Rows of numbers; different for each `kind`.
    static Path rows(Path folder, String kind, int count) throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add("{\"query\": \"%s number %d\", \"positive\": \"the %s %d\", \"negative\": \"a %s other than %d\"}"
                    .formatted(kind, i, kind, i * i, kind, i));
        }
        return Files.write(folder.resolve(kind + ".jsonl"), rows);
    }

    static TripleSource data(Path rows) {
        return TrainingData.open(rows, DataForm.AUTO, DataOptions.DEFAULT);
    }

    static TrainableModel model() {
        return model(MODEL);
    }

    static TrainableModel model(Path directory) {
        return model(directory, TrainingMethod.BITFIT::trains);
    }

    static TrainableModel model(Path directory, Predicate<TrainableTensor> trained) {
        return TrainableModel.open(
                directory,
                ModelOptions.DEFAULT.withDevice("cpu").withThreads(1),
                BiEncoderOptions.DEFAULT.withMaxLength(16),
                trained);
    }

    /// What is measured: dev rows, decided by a number that rises and falls with the steps.
    static RunOptions kept(TripleSource dev, Keep keep) {
        return new RunOptions(
                new StepCount.Steps(2),
                new StepCount.Steps(3),
                keep,
                List.of(new Hill(new DevEvaluation(dev, 4, 20))),
                Map.of("recipe", "tiny"));
    }

    /// A number that rises until the third step and then falls; like those of dev rows, it depends on the model alone.
    record Hill(DevEvaluation dev) implements Evaluation {
        /// The loss of dev rows after three steps, nearly.
        private static final double SUMMIT = 1.764;

        @Override
        public String name() {
            return "hill";
        }

        @Override
        public String source() {
            return dev.source();
        }

        @Override
        public Map<String, Double> scores(TrainableModel model, EvaluationListener listener) {
            Map<String, Double> found = dev.scores(model, listener);
            Map<String, Double> scores = new LinkedHashMap<>();
            scores.put("hill", -Math.abs(found.get("dev_loss") - SUMMIT));
            scores.putAll(found);
            return scores;
        }
    }
}
