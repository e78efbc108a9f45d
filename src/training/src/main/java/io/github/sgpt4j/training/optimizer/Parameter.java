package io.github.sgpt4j.training.optimizer;

import java.util.Objects;

/// A tensor that is trained: its values in 64 bits, which the optimizer changes in place, and its decay.
/// A step may be far smaller than the distance between two neighbouring numbers of the type that the
/// device computes with; in 64 bits it is not lost.
public final class Parameter {
    private final String name;
    private final double[] values;
    private final double weightDecay;

    /// @param name of the tensor in its checkpoint
    /// @param start copied
    /// @param weightDecay share of a value that a step of learning rate 1 takes away; at least 0
    public Parameter(String name, double[] start, double weightDecay) {
        this.name = Objects.requireNonNull(name, "name");
        this.values = start.clone();
        if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
            throw new IllegalArgumentException(
                    "%s: expected a weight decay of at least 0, got %s".formatted(name, weightDecay));
        }
        this.weightDecay = weightDecay;
    }

    /// The tensor's name in its checkpoint.
    public String name() {
        return name;
    }

    /// The current values, row-major: the array itself, which each step changes.
    public double[] values() {
        return values;
    }

    /// Share of a value that a step of learning rate 1 takes away.
    public double weightDecay() {
        return weightDecay;
    }
}
