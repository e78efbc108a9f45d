package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.Norm;

/// What happens to the final state of every token before pooling. Created by a [Decoder], for that
/// decoder only.
public sealed interface TokenLayer permits TokenLayer.Dense, LatentAttention {
    /// Values per token that leave the layer.
    int out();

    /// A norm that leaves rows of the outputs unchanged.
    Norm identity();

    /// A dense layer.
    ///
    /// @param linear `[out, in]`
    /// @param activation its activation function
    /// @param identity norm that leaves rows of the outputs unchanged
    record Dense(Linear linear, Activation activation, Norm identity) implements TokenLayer {
        @Override
        public int out() {
            return linear.out();
        }
    }
}
