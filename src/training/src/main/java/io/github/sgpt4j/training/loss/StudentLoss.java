package io.github.sgpt4j.training.loss;

/// What a batch amounts to that a teacher is followed in.
///
/// @param loss not finite if an embedding is not
/// @param students gradient with respect to the student's embeddings
public record StudentLoss(double loss, Matrix students) {}
