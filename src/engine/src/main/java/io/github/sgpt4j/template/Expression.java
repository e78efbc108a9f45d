package io.github.sgpt4j.template;

import java.util.List;
import java.util.Map;

/// An expression of a template.
sealed interface Expression {
    /// Where it begins.
    int line();

    record Constant(int line, Object value) implements Expression {}

    record Name(int line, String name) implements Expression {}

    record ListOf(int line, List<Expression> items) implements Expression {}

    record MapOf(int line, List<Map.Entry<Expression, Expression>> entries) implements Expression {}

    /// `operand.name`
    record Attribute(int line, Expression operand, String name) implements Expression {}

    /// `operand[index]`
    record Index(int line, Expression operand, Expression index) implements Expression {}

    /// `operand[from:to:step]`; a missing bound is none
    record Slice(int line, Expression operand, Expression from, Expression to, Expression step) implements Expression {}

    /// `operand | name(arguments)`
    record Filter(int line, Expression operand, String name, Arguments arguments) implements Expression {}

    /// `operand is name(arguments)`
    record Test(int line, Expression operand, String name, Arguments arguments) implements Expression {}

    record Call(int line, Expression operand, Arguments arguments) implements Expression {}

    record Not(int line, Expression operand) implements Expression {}

    record Negative(int line, Expression operand) implements Expression {}

    /// `left and right`, `left or right`: one of the operands
    record Logic(int line, boolean and, Expression left, Expression right) implements Expression {}

    /// `first operator second operator third …`
    record Comparison(int line, Expression first, List<String> operators, List<Expression> others)
            implements Expression {}

    record Arithmetic(int line, String operator, Expression left, Expression right) implements Expression {}

    /// `first ~ second ~ …`
    record Concatenation(int line, List<Expression> parts) implements Expression {}

    /// `value if condition else other`
    record Choice(int line, Expression condition, Expression value, Expression other) implements Expression {}

    /// Arguments of a call.
    record Arguments(List<Expression> positional, Map<String, Expression> named) {
        static final Arguments NONE = new Arguments(List.of(), Map.of());
    }
}
