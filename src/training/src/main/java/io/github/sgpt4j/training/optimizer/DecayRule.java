package io.github.sgpt4j.training.optimizer;

import java.util.Locale;

/// Which tensors lose weight.
public enum DecayRule {
    /// All but vectors: neither biases nor the weights of norms.
    MATRICES {
        @Override
        boolean decays(String name, int rank) {
            return rank > 1 && !isBias(name);
        }
    },

    /// All but tensors with "bias" in their name, as sentence-transformers 2.2 groups the tensors of GPT
    /// models: there the weights of norms decay as well.
    ALL_BUT_BIASES {
        @Override
        boolean decays(String name, int rank) {
            return !isBias(name);
        }
    };

    /// The weight decay of a tensor.
    ///
    /// @param name of the tensor in its checkpoint
    /// @param rank its number of dimensions
    /// @param weightDecay that of tensors that decay
    public final double of(String name, int rank, double weightDecay) {
        return decays(name, rank) ? weightDecay : 0;
    }

    abstract boolean decays(String name, int rank);

    private static boolean isBias(String name) {
        return name.toLowerCase(Locale.ROOT).contains("bias");
    }
}
