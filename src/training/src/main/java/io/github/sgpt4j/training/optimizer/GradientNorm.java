package io.github.sgpt4j.training.optimizer;

import java.util.List;

/// The length of all gradients taken as one vector.
///
/// @param value not finite if any gradient is not
public record GradientNorm(double value) {
    /// PyTorch adds this to the norm before it divides (`clip_grad_norm_`).
    private static final double EPSILON = 1e-6;

    /// The norm of all gradients.
    public static GradientNorm of(List<double[]> gradients) {
        double sum = 0;
        for (double[] gradient : gradients) {
            double squares = 0;
            for (double g : gradient) {
                squares += g * g;
            }
            sum += squares;
        }
        return new GradientNorm(Math.sqrt(sum));
    }

    /// What gradients are multiplied by so that their norm is at most `maximum`; 1 if it already is.
    public double factor(double maximum) {
        if (!(maximum > 0)) {
            throw new IllegalArgumentException("expected a maximum norm above 0, got " + maximum);
        }
        return Math.min(1, maximum / (value + EPSILON));
    }

    /// Whether all gradients are finite, and their squares are too.
    public boolean isFinite() {
        return Double.isFinite(value);
    }
}
