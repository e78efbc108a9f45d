package io.github.sgpt4j.cli.option;

import java.util.Map;
import java.util.Stack;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

/// Distinguishes `--rerank 50 QUERY` from `--rerank QUERY`: a number after the option belongs to it, anything else
/// does not.
public final class RerankCount implements IParameterPreprocessor {
    public static final String DEFAULT = "20";

    @Override
    public boolean preprocess(Stack<String> arguments, CommandSpec command, ArgSpec option, Map<String, Object> info) {
        boolean attached = info.get("separator") instanceof String separator && !separator.isBlank();
        if (!attached && (arguments.isEmpty() || !arguments.peek().matches("-?[0-9]+"))) {
            arguments.push(DEFAULT);
        }
        return false;
    }
}
