package io.github.sgpt4j.training.optimizer;

import java.util.List;

/// All that an optimizer remembers between steps. An optimizer that restores it continues to the same
/// bits.
///
/// @param steps number of steps taken
/// @param tensors one per parameter; a saved one may have another order
public record AdamState(long steps, List<Tensor> tensors) {
    /// The state of one parameter; the arrays have equal lengths.
    ///
    /// @param name of the parameter
    /// @param values its values
    /// @param first running mean of gradients
    /// @param second running mean of squared gradients
    public record Tensor(String name, double[] values, double[] first, double[] second) {
        /// @throws IllegalArgumentException if the arrays have different lengths
        public Tensor {
            if (first.length != values.length || second.length != values.length) {
                throw new IllegalArgumentException("%s: expected arrays of one length, got %d, %d and %d"
                        .formatted(name, values.length, first.length, second.length));
            }
        }
    }

    /// Copies the list.
    public AdamState {
        if (steps < 0) {
            throw new IllegalArgumentException("expected at least 0 steps, got " + steps);
        }
        tensors = List.copyOf(tensors);
    }
}
