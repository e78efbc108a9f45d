package io.github.sgpt4j.training;

import java.util.OptionalDouble;

/// What one step of a training did.
///
/// @param step its number, from 1
/// @param totalSteps of the training
/// @param epoch how often all rows were used when it ended, such as 1.5
/// @param rows of its batch
/// @param loss of its batch, before the step
/// @param accuracy share of rows whose positive had the highest score of all texts of the batch, if rows have positives
/// @param gradientNorm norm of all gradients together, before clipping
/// @param clipFactor what gradients were multiplied by
/// @param learningRate of the step
/// @param tokens of its batch
/// @param cached whether the batch was computed twice to save memory
/// @param seconds that the step took
public record TrainingStep(
        long step,
        long totalSteps,
        double epoch,
        int rows,
        double loss,
        OptionalDouble accuracy,
        double gradientNorm,
        double clipFactor,
        double learningRate,
        long tokens,
        boolean cached,
        double seconds) {}
