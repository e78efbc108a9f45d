package io.github.sgpt4j.cli;

import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.Pooling;
import java.util.function.Function;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// From an option's text to its value; what the engine refuses is a usage error.
final class Converters {
    private Converters() {}

    /// The engine's own check, its complaint turned into picocli's.
    private static <T> T checked(String value, Function<String, T> parser) {
        try {
            return parser.apply(value);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }

    /// A name of a device.
    static final class Device implements ITypeConverter<String> {
        @Override
        public String convert(String value) {
            return checked(value, ModelOptions.DEFAULT::withDevice).device();
        }
    }

    /// A name of a number type.
    static final class DtypeName implements ITypeConverter<Dtype> {
        @Override
        public Dtype convert(String value) {
            return checked(value, Dtype::parse);
        }
    }

    /// A name of a pooling mode.
    static final class PoolingName implements ITypeConverter<Pooling> {
        @Override
        public Pooling convert(String value) {
            return checked(value, Pooling::parse);
        }
    }

    /// A cross-encoder's prompt.
    static final class Prompt implements ITypeConverter<String> {
        @Override
        public String convert(String value) {
            return checked(value, CrossEncoderOptions.DEFAULT::withPrompt).prompt();
        }
    }

    /// A number of threads, at least 1.
    static final class Threads implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            int threads = new Count().convert(value);
            return checked(value, text -> ModelOptions.DEFAULT.withThreads(threads))
                    .threads();
        }
    }

    /// A whole number of at least 1.
    static final class Count implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            try {
                int number = Integer.parseInt(value);
                if (number > 0) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // Told below, together with numbers out of range.
            }
            throw new TypeConversionException(
                    "expected a whole number from 1 to %d, got \"%s\"".formatted(Integer.MAX_VALUE, value));
        }
    }
}
