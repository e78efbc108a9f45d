package io.github.sgpt4j.backend;

import io.github.sgpt4j.weights.WeightTensor;
import java.util.Optional;

/// The parameters of a normalisation of rows.
///
/// @param kind the formula
/// @param columns features of a row
/// @param gain `[columns]`, or empty for ones
/// @param bias `[columns]`, or empty for zeros; RMS has none
/// @param epsilon added to the variance or mean square
/// @param gainFromOne whether the factor is `1 + gain` (Gemma) instead of `gain`
public record NormParameters(
        Kind kind,
        int columns,
        Optional<WeightTensor> gain,
        Optional<WeightTensor> bias,
        float epsilon,
        boolean gainFromOne) {
    /// The normalisations in use.
    public enum Kind {
        /// (x − mean) / √(variance + ε) · gain + bias
        LAYER,
        /// x / √(mean(x²) + ε) · gain
        RMS,
        /// x: models without a final norm
        IDENTITY
    }

    public NormParameters {
        if (columns < 1) {
            throw new IllegalArgumentException("norm: expected at least 1 column, got " + columns);
        }
        if (kind == Kind.RMS && bias.isPresent()) {
            throw new IllegalArgumentException(
                    "RMS norm: expected no bias, got tensor " + bias.get().name());
        }
        checkLength(gain, columns);
        checkLength(bias, columns);
    }

    /// A norm whose gain is the factor.
    public NormParameters(
            Kind kind, int columns, Optional<WeightTensor> gain, Optional<WeightTensor> bias, float epsilon) {
        this(kind, columns, gain, bias, epsilon, false);
    }

    public static NormParameters identity(int columns) {
        return new NormParameters(Kind.IDENTITY, columns, Optional.empty(), Optional.empty(), 0f);
    }

    private static void checkLength(Optional<WeightTensor> weight, int columns) {
        if (weight.isPresent() && weight.get().shape().elements() != columns) {
            throw new IllegalArgumentException("tensor %s: expected %d elements, got shape %s"
                    .formatted(weight.get().name(), columns, weight.get().shape()));
        }
    }
}
