package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// USEB, the benchmark of unsupervised sentence embeddings used in SGPT's paper.
public final class Useb {
    /// Names of the tasks, and of their folders.
    public static final List<String> TASKS = List.of("askubuntu", "cqadupstack", "scidocs", "twitterpara");

    /// Which queries are evaluated.
    public enum Split {
        /// `test` in the files' names.
        TEST,
        /// `valid`; `dev` for AskUbuntu. TwitterPara has none, and USEB uses its test set instead.
        VALIDATION;

        /// Reads `test`, `valid` or `dev`.
        ///
        /// @throws IllegalArgumentException for anything else
        public static Split parse(String name) {
            return switch (name) {
                case "test" -> TEST;
                case "valid", "dev" -> VALIDATION;
                default -> throw new IllegalArgumentException("split: expected test, valid or dev, got " + name);
            };
        }
    }

    /// The result of a task's evaluation.
    ///
    /// @param task its name
    /// @param values by measure, in USEB's order
    /// @param mainMeasure the measure that counts in the average
    public record Result(String task, Map<String, Double> values, String mainMeasure) {
        /// @throws IllegalArgumentException if the main measure has no value
        public Result {
            values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
            if (!values.containsKey(mainMeasure)) {
                throw new IllegalArgumentException(task + ": no value of " + mainMeasure);
            }
        }

        /// The main measure's value.
        public double main() {
            return values.getOrDefault(mainMeasure, 0.0);
        }
    }

    private Useb() {}

    /// Reads the tasks whose folders exist.
    ///
    /// @param directory with a folder per task
    /// @throws FormatException if there is none, or a file is malformed or missing
    /// @throws IOException if a file cannot be read
    public static List<UsebTask> open(Path directory, Split split) throws IOException {
        List<UsebTask> tasks = new ArrayList<>();
        for (String name : TASKS) {
            Path folder = directory.resolve(name);
            if (Files.isDirectory(folder)) {
                tasks.add(
                        switch (name) {
                            case "askubuntu" -> AskUbuntuTask.read(folder, split);
                            case "cqadupstack" -> CqaDupStackTask.read(folder, split);
                            case "scidocs" -> SciDocsTask.read(folder, split);
                            default -> TwitterParaTask.read(folder);
                        });
            }
        }
        if (tasks.isEmpty()) {
            throw new FormatException("%s: expected a folder of a task of USEB (%s), found none"
                    .formatted(directory, String.join(", ", TASKS)));
        }
        return tasks;
    }

    /// Evaluates a task.
    public static Result evaluate(UsebTask task, TextEmbedder embedder, EvaluationListener listener) {
        return new Result(task.name(), task.evaluate(embedder, listener), task.mainMeasure());
    }

    /// The mean of the tasks' main measures: USEB's single score.
    ///
    /// @throws IllegalArgumentException if there are no results
    public static double average(List<Result> results) {
        return results.stream()
                .mapToDouble(Result::main)
                .average()
                .orElseThrow(() -> new IllegalArgumentException("expected results, got none"));
    }
}
