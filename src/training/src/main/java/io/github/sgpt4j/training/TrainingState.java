package io.github.sgpt4j.training;

import io.github.sgpt4j.training.data.BatchPosition;
import io.github.sgpt4j.training.optimizer.AdamState;

/// Where a training stands: what [Trainer#restore] needs to continue to the same bits.
///
/// @param step number of steps taken
/// @param position before which batch
/// @param optimizer values and running means; arrays may be those of the trainer, which change with its next step
public record TrainingState(long step, BatchPosition position, AdamState optimizer) {}
