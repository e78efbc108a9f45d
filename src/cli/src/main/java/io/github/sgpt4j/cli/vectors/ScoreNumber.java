package io.github.sgpt4j.cli.vectors;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A finite number.
public final class ScoreNumber implements ITypeConverter<Float> {
    /// Used by picocli.
    public ScoreNumber() {}

    @Override
    public Float convert(String value) {
        try {
            float number = Float.parseFloat(value);
            if (Float.isFinite(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Reported below, together with what is not finite.
        }
        throw new TypeConversionException("expected a number such as 0.8, got \"%s\"".formatted(value));
    }
}
