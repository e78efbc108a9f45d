package io.github.sgpt4j.template;

import java.util.List;
import java.util.Map;
import java.util.Set;

/// The tests after `is`.
final class Tests {
    static final Set<String> NAMES = Set.of(
            "defined",
            "undefined",
            "none",
            "string",
            "number",
            "integer",
            "float",
            "boolean",
            "true",
            "false",
            "mapping",
            "sequence",
            "iterable",
            "callable",
            "equalto",
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "in",
            "odd",
            "even",
            "divisibleby");

    private static final Set<String> WITH_ARGUMENT =
            Set.of("equalto", "eq", "ne", "lt", "le", "gt", "ge", "in", "divisibleby");

    private Tests() {}

    static boolean passes(Evaluation evaluation, String name, Object value, List<Object> arguments) {
        int expected = WITH_ARGUMENT.contains(name) ? 1 : 0;
        if (arguments.size() != expected) {
            throw evaluation.broken(
                    "the test \"%s\": expected %d arguments, got %d".formatted(name, expected, arguments.size()));
        }
        return switch (name) {
            case "defined" -> value != Values.Special.UNDEFINED;
            case "undefined" -> value == Values.Special.UNDEFINED;
            case "none" -> value == Values.Special.NONE;
            case "string" -> value instanceof String;
            case "number" -> Values.isNumber(value);
            case "integer" -> value instanceof Long;
            case "float" -> value instanceof Double;
            case "boolean" -> value instanceof Boolean;
            case "true" -> value.equals(true);
            case "false" -> value.equals(false);
            case "mapping" -> value instanceof Map;
            case "sequence" -> value instanceof List || value instanceof String || value instanceof Map;
            case "iterable" ->
                value instanceof List
                        || value instanceof String
                        || value instanceof Map
                        || value == Values.Special.UNDEFINED;
            case "callable" -> value instanceof Evaluation.Function;
            case "odd" -> Math.floorMod(evaluation.integer(value, "the test \"odd\""), 2) == 1;
            case "even" -> Math.floorMod(evaluation.integer(value, "the test \"even\""), 2) == 0;
            case "divisibleby" -> {
                long divisor = evaluation.integer(arguments.getFirst(), "the test \"divisibleby\"");
                if (divisor == 0) {
                    throw evaluation.broken("the test \"divisibleby\": division by zero");
                }
                yield Math.floorMod(evaluation.integer(value, "the test \"divisibleby\""), divisor) == 0;
            }
            case "equalto", "eq" -> evaluation.compare("==", value, arguments.getFirst());
            case "ne" -> evaluation.compare("!=", value, arguments.getFirst());
            case "lt" -> evaluation.compare("<", value, arguments.getFirst());
            case "le" -> evaluation.compare("<=", value, arguments.getFirst());
            case "gt" -> evaluation.compare(">", value, arguments.getFirst());
            case "ge" -> evaluation.compare(">=", value, arguments.getFirst());
            case "in" -> evaluation.compare("in", value, arguments.getFirst());
            default -> throw new IllegalStateException("test " + name);
        };
    }
}
