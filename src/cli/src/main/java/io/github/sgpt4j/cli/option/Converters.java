package io.github.sgpt4j.cli.option;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.ScoringPrompt;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.TypeConversionException;

/// Converts the text of options to values; a value that the engine refuses is a usage error.
public final class Converters {
    private Converters() {}

    /// Applies the engine's own check and turns its exception into picocli's.
    public static <T> T checked(String value, Function<String, T> parser) {
        try {
            return parser.apply(value);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }

    /// The failure of a word that is none of those expected.
    ///
    /// @param words at least two
    public static TypeConversionException unknown(String value, List<String> words) {
        return new TypeConversionException("expected %s or %s, got \"%s\""
                .formatted(String.join(", ", words.subList(0, words.size() - 1)), words.getLast(), value));
    }

    /// A converter that accepts some words only.
    public interface OfWords<T> extends ITypeConverter<T> {
        /// The words, as messages show them.
        List<String> words();
    }

    /// The words that an option or parameter accepts, as messages show them; none if it accepts others too.
    public static List<String> words(ArgSpec argument) {
        if (argument.converters().length > 0 && argument.converters()[0] instanceof OfWords<?> converter) {
            return converter.words();
        }
        Object[] constants = argument.auxiliaryTypes()[0].getEnumConstants();
        return constants == null
                ? List.of()
                : Stream.of(constants).map(Enum.class::cast).map(Word::word).toList();
    }

    /// The name of a device.
    public static final class Device implements ITypeConverter<String> {
        @Override
        public String convert(String value) {
            return checked(value, ModelOptions.DEFAULT::withDevice).device();
        }
    }

    /// The name of a number type.
    public static final class DtypeName implements ITypeConverter<Dtype> {
        @Override
        public Dtype convert(String value) {
            return checked(value, Dtype::parse);
        }
    }

    /// The name of a pooling mode.
    public static final class PoolingName implements OfWords<Pooling> {
        @Override
        public List<String> words() {
            return Stream.of(Pooling.values())
                    .filter(pooling -> pooling != Pooling.LEARNTMEAN)
                    .map(Pooling::toString)
                    .toList();
        }

        @Override
        public Pooling convert(String value) {
            return checked(value, Pooling::parse);
        }
    }

    /// A cross-encoder's prompt: a template, the letter of one of the paper's prompts, or a JSON file.
    public static final class Prompt implements ITypeConverter<ScoringPrompt> {
        @Override
        public ScoringPrompt convert(String value) {
            if (ScoringPrompt.names().contains(value)) {
                return checked(value, ScoringPrompt::named);
            }
            if (value.contains("{}") || !value.toLowerCase(Locale.ROOT).endsWith(".json")) {
                return checked(value, Prompt::template);
            }
            try {
                return ScoringPrompt.read(TextInput.path(value));
            } catch (SgptException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }

        private static ScoringPrompt template(String value) {
            try {
                return ScoringPrompt.of(value);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        e.getMessage() + "; a letter from A to I names a prompt of the paper, a name in .json a file",
                        e);
            }
        }
    }

    /// A non-empty name; an unset shell variable yields an empty one.
    public static final class Name implements ITypeConverter<String> {
        @Override
        public String convert(String value) {
            if (value.isEmpty()) {
                throw new TypeConversionException("expected a name, got an empty one");
            }
            return value;
        }
    }

    /// A name in a list, without the spaces around it.
    public static final class ListedName implements ITypeConverter<String> {
        @Override
        public String convert(String value) {
            return new Name().convert(value.strip());
        }
    }

    /// The path of a file or directory, not empty.
    public static final class PathName implements ITypeConverter<Path> {
        @Override
        public Path convert(String value) {
            return TextInput.path(new Name().convert(value));
        }
    }

    /// A condition on metadata.
    public static final class Where implements ITypeConverter<Filter> {
        @Override
        public Filter convert(String value) {
            return checked(value, Filter::parse);
        }
    }

    /// One of the constants of an enum, in upper or lower case; messages show them in lower case.
    ///
    /// @param type the enum
    public record Word<E extends Enum<E>>(Class<E> type) implements ITypeConverter<E> {
        /// Registers the converter for all options of an enum type.
        public static <E extends Enum<E>> void register(CommandLine line, Class<E> type) {
            line.registerConverter(type, new Word<>(type));
        }

        @Override
        public E convert(String value) {
            List<E> all = List.of(type.getEnumConstants());
            for (E one : all) {
                if (word(one).equals(value.toLowerCase(Locale.ROOT))) {
                    return one;
                }
            }
            throw unknown(value, all.stream().map(Word::word).toList());
        }

        private static String word(Enum<?> one) {
            return one.name().toLowerCase(Locale.ROOT);
        }
    }

    /// A number of tokens of passages, or `off`.
    public static final class Passages implements ITypeConverter<PassageOptions> {
        @Override
        public PassageOptions convert(String value) {
            if (value.equalsIgnoreCase("off")) {
                return PassageOptions.OFF;
            }
            try {
                int tokens = Integer.parseInt(value);
                return checked(value, text -> PassageOptions.of(tokens));
            } catch (NumberFormatException e) {
                throw new TypeConversionException("expected a number of tokens or off, got \"%s\"".formatted(value));
            }
        }
    }

    /// A number of threads, at least 1.
    public static final class Threads implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            int threads = new Count().convert(value);
            checked(value, text -> ModelOptions.DEFAULT.withThreads(threads));
            return threads;
        }
    }

    /// A whole number of at least 1.
    public static final class Count implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            try {
                int number = Integer.parseInt(value);
                if (number > 0) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // Reported below, together with numbers out of range.
            }
            throw new TypeConversionException(
                    "expected a whole number from 1 to %d, got \"%s\"".formatted(Integer.MAX_VALUE, value));
        }
    }
}
