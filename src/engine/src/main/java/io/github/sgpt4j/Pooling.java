package io.github.sgpt4j;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.checkpoint.PoolingNames;
import io.github.sgpt4j.text.Quoted;
import java.util.List;
import java.util.Optional;

/// How the hidden states h_1 … h_n of a text become one vector; the names are those of
/// sentence-transformers.
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
    LASTTOKEN(PoolMode.LAST),
    /// Σ w_i·h_i / Σ w_i with learned weights from the checkpoint (SGPT's `WeightedMeanPooling`).
    /// Reported for such a checkpoint; it cannot be chosen.
    LEARNTMEAN();

    private final Optional<PoolMode> mode;

    Pooling() {
        mode = Optional.empty();
    }

    Pooling(PoolMode mode) {
        this.mode = Optional.of(mode);
    }

    /// @throws IllegalArgumentException if it cannot be chosen
    PoolMode mode() {
        return mode.orElseThrow(() ->
                new IllegalArgumentException("pooling: expected one of %s, got %s, which only a checkpoint can ask for"
                        .formatted(PoolingNames.all(), this)));
    }

    /// @param modes empty for learned weights
    static List<Pooling> of(List<PoolMode> modes) {
        return modes.isEmpty()
                ? List.of(LEARNTMEAN)
                : modes.stream().map(Pooling::of).toList();
    }

    private static Pooling of(PoolMode mode) {
        for (Pooling pooling : values()) {
            if (pooling.mode.filter(m -> m == mode).isPresent()) {
                return pooling;
            }
        }
        throw new IllegalArgumentException("unknown mode " + mode);
    }

    /// Reads a name such as `weightedmean`.
    ///
    /// @throws IllegalArgumentException if no mode has that name
    public static Pooling parse(String name) {
        return of(PoolingNames.parse(name)
                .orElseThrow(() -> new IllegalArgumentException(
                        "pooling: expected one of %s, got %s".formatted(PoolingNames.all(), Quoted.of(name)))));
    }

    /// The lower-case name, such as `weightedmean`.
    @Override
    public String toString() {
        return mode.map(PoolingNames::name).orElse("learntmean");
    }
}
