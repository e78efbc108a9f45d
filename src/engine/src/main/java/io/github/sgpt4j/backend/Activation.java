package io.github.sgpt4j.backend;

/// Element-wise functions between projections.
public enum Activation {
    /// x
    NONE,
    /// max(x, 0)
    RELU,
    /// x · Φ(x), with the error function
    GELU,
    /// The tanh approximation: 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), `gelu_new` and BLOOM's `gelu`
    GELU_TANH,
    /// x · sigmoid(1.702 x), `quick_gelu`
    GELU_QUICK,
    /// x · sigmoid(x), also called swish
    SILU,
    /// tanh(x)
    TANH,
    /// sigmoid(x)
    SIGMOID
}
