package io.github.sgpt4j.backend;

/// How the hidden states h_1 … h_n of a text become one vector.
public enum PoolMode {
    /// h_1
    FIRST,
    /// component-wise maximum
    MAX,
    /// Σ h_i / n
    MEAN,
    /// Σ h_i / √n
    MEAN_SQRT_LENGTH,
    /// Σ i·h_i / Σ i, i from 1 (SGPT's position-weighted mean)
    WEIGHTED_MEAN,
    /// h_n
    LAST
}
