package io.github.sgpt4j.template;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A statement of a template.
sealed interface Statement {
    record Text(String text) implements Statement {}

    record Output(Expression value) implements Statement {}

    record If(List<Map.Entry<Expression, List<Statement>>> branches, List<Statement> otherwise) implements Statement {}

    /// @param names loop variables: one, or several that each item is divided into
    /// @param filter which items count, if not all
    record For(
            int line,
            List<String> names,
            Expression items,
            Optional<Expression> filter,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    /// @param names variables: one, or several that the value is divided into
    record Set(int line, List<String> names, Expression value) implements Statement {}

    /// `set namespace.name = value`
    record SetAttribute(int line, String namespace, String name, Expression value) implements Statement {}

    /// `set name` with the text of a block
    record SetBlock(String name, List<Statement> body) implements Statement {}

    record Macro(int line, String name, List<String> parameters, Map<String, Expression> defaults, List<Statement> body)
            implements Statement {}

    record Leave(int line, boolean next) implements Statement {}
}
