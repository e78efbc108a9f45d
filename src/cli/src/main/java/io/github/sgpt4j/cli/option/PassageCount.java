package io.github.sgpt4j.cli.option;

import io.github.sgpt4j.retrieval.passage.PassageOptions;
import java.util.Map;
import java.util.Stack;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.TypeConversionException;

/// The number of tokens of passages after `--passages`, which may be left out: a number after the option belongs to it,
/// anything else does not.
public final class PassageCount implements IParameterPreprocessor, ITypeConverter<Integer> {
    /// Stands for what suits the model.
    public static final String USUAL = "usual";

    @Override
    public boolean preprocess(Stack<String> arguments, CommandSpec command, ArgSpec option, Map<String, Object> info) {
        boolean attached = info.get("separator") instanceof String separator && !separator.isBlank();
        if (!attached && (arguments.isEmpty() || !arguments.peek().matches("-?[0-9]+"))) {
            arguments.push(USUAL);
        }
        return false;
    }

    /// @return 0 for what suits the model
    @Override
    public Integer convert(String value) {
        if (value.equals(USUAL)) {
            return 0;
        }
        try {
            int tokens = Integer.parseInt(value);
            return Converters.checked(value, text -> PassageOptions.of(tokens)).tokens();
        } catch (NumberFormatException e) {
            throw new TypeConversionException("expected a number of tokens, got \"%s\"".formatted(value));
        }
    }
}
