package io.github.sgpt4j.training.run;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// What a training ended with.
///
/// @param model the complete checkpoint
/// @param steps number of steps taken
/// @param chosen the step whose state it has
/// @param before scores before the first step, by name
/// @param after scores of the chosen step, by name
/// @param notices what users should know about the checkpoint, one sentence each
public record RunResult(
        Path model,
        long steps,
        long chosen,
        Map<String, Double> before,
        Map<String, Double> after,
        List<String> notices) {}
