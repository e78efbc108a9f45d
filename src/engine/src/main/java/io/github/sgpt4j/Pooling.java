package io.github.sgpt4j;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.scoring.PoolingNames;
import io.github.sgpt4j.weights.Quoted;

/// How the hidden states h_1 … h_n of a text become one vector; the names are sentence-transformers'.
public enum Pooling {
    /// h_1
    CLS(PoolMode.FIRST),
    /// component-wise maximum
    MAX(PoolMode.MAX),
    /// Σ h_i / n
    MEAN(PoolMode.MEAN),
    /// Σ h_i / √n
    MEAN_SQRT_LEN_TOKENS(PoolMode.MEAN_SQRT_LENGTH),
    /// Σ i·h_i / Σ i: SGPT's position-weighted mean
    WEIGHTEDMEAN(PoolMode.WEIGHTED_MEAN),
    /// h_n
    LASTTOKEN(PoolMode.LAST);

    private final PoolMode mode;

    Pooling(PoolMode mode) {
        this.mode = mode;
    }

    PoolMode mode() {
        return mode;
    }

    static Pooling of(PoolMode mode) {
        for (Pooling pooling : values()) {
            if (pooling.mode == mode) {
                return pooling;
            }
        }
        throw new IllegalArgumentException("unknown mode " + mode);
    }

    /// Reads a name such as `weightedmean`.
    ///
    /// @throws IllegalArgumentException if there is none of that name
    public static Pooling parse(String name) {
        return of(PoolingNames.parse(name)
                .orElseThrow(() -> new IllegalArgumentException(
                        "pooling: expected one of %s, got %s".formatted(PoolingNames.all(), Quoted.of(name)))));
    }

    /// As `weightedmean`.
    @Override
    public String toString() {
        return PoolingNames.name(mode);
    }
}
