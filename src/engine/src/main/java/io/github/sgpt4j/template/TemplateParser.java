package io.github.sgpt4j.template;

import io.github.sgpt4j.template.Expression.Arguments;
import io.github.sgpt4j.template.TemplateToken.Kind;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Parses a template by Jinja's grammar.
final class TemplateParser {
    /// Statements and expressions may be nested this deep.
    private static final int MAX_DEPTH = 64;

    private static final Set<String> COMPARING = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> BLOCK_ENDS =
            Set.of("endif", "elif", "else", "endfor", "endset", "endmacro", "endgeneration");
    private static final Set<String> AFTER_TEST = Set.of("else", "or", "and", "is", "if", "in", "not");

    private final TemplateFailure failure;
    private final List<TemplateToken> tokens;
    private int at;
    private int depth;
    private int loops;

    private TemplateParser(List<TemplateToken> tokens, TemplateFailure failure) {
        this.tokens = tokens;
        this.failure = failure;
    }

    static List<Statement> parse(String text, TemplateFailure failure) {
        TemplateParser parser = new TemplateParser(TemplateLexer.tokens(text, failure), failure);
        List<Statement> statements = parser.statements();
        if (parser.peek().kind() != Kind.END) {
            throw failure.broken(
                    parser.peek().line(),
                    "unexpected " + parser.tokens.get(parser.at + 1).shown());
        }
        return statements;
    }

    private TemplateToken peek() {
        return tokens.get(at);
    }

    private TemplateToken next() {
        TemplateToken token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    private boolean isOperator(String text) {
        return peek().is(Kind.OPERATOR, text);
    }

    private boolean isName(String text) {
        return peek().is(Kind.NAME, text);
    }

    private boolean skipOperator(String text) {
        if (isOperator(text)) {
            next();
            return true;
        }
        return false;
    }

    private boolean skipName(String text) {
        if (isName(text)) {
            next();
            return true;
        }
        return false;
    }

    private void expectOperator(String text) {
        if (!skipOperator(text)) {
            throw failure.broken(peek().line(), "expected \"%s\", got %s".formatted(text, peek().shown()));
        }
    }

    private void expectName(String text) {
        if (!skipName(text)) {
            throw failure.broken(peek().line(), "expected \"%s\", got %s".formatted(text, peek().shown()));
        }
    }

    private void expect(Kind kind, String what) {
        if (peek().kind() != kind) {
            throw failure.broken(peek().line(), "expected %s, got %s".formatted(what, peek().shown()));
        }
        next();
    }

    private String name() {
        if (peek().kind() != Kind.NAME) {
            throw failure.broken(peek().line(), "expected a name, got " + peek().shown());
        }
        return next().text();
    }

    private void enter() {
        if (++depth > MAX_DEPTH) {
            throw failure.broken(peek().line(), "expected at most %d levels of nesting".formatted(MAX_DEPTH));
        }
    }

    /// Statements up to the end, or to a tag that ends or continues the block around them.
    private List<Statement> statements() {
        enter();
        List<Statement> statements = new ArrayList<>();
        while (true) {
            TemplateToken token = peek();
            switch (token.kind()) {
                case DATA -> statements.add(new Statement.Text(next().text()));
                case VARIABLE_BEGIN -> {
                    next();
                    statements.add(new Statement.Output(tuple()));
                    expect(Kind.VARIABLE_END, "}}");
                }
                case BLOCK_BEGIN -> {
                    TemplateToken keyword = tokens.get(at + 1);
                    if (keyword.kind() == Kind.NAME && BLOCK_ENDS.contains(keyword.text())) {
                        depth--;
                        return statements;
                    }
                    next();
                    block(statements);
                }
                default -> {
                    depth--;
                    return statements;
                }
            }
        }
    }

    private void block(List<Statement> statements) {
        int line = peek().line();
        String keyword = name();
        switch (keyword) {
            case "if" -> statements.add(ifs());
            case "for" -> statements.add(loop(line));
            case "set" -> statements.add(set(line));
            case "macro" -> statements.add(macro(line));
            case "generation" -> {
                end();
                statements.addAll(statements());
                closing("endgeneration");
            }
            case "break", "continue" -> {
                if (loops == 0) {
                    throw failure.broken(line, "%s outside of a loop".formatted(keyword));
                }
                end();
                statements.add(new Statement.Leave(line, keyword.equals("continue")));
            }
            default -> throw failure.unsupported(line, "{%% %s %%}".formatted(keyword));
        }
    }

    private void end() {
        expect(Kind.BLOCK_END, "%}");
    }

    /// The tag that ends a block.
    private void closing(String keyword) {
        expect(Kind.BLOCK_BEGIN, "{%% %s %%}".formatted(keyword));
        expectName(keyword);
        end();
    }

    private Statement ifs() {
        List<Map.Entry<Expression, List<Statement>>> branches = new ArrayList<>();
        List<Statement> otherwise = List.of();
        Expression condition = tuple();
        end();
        branches.add(Map.entry(condition, statements()));
        while (true) {
            expect(Kind.BLOCK_BEGIN, "{% endif %}");
            if (skipName("elif")) {
                Expression other = tuple();
                end();
                branches.add(Map.entry(other, statements()));
            } else if (skipName("else")) {
                end();
                otherwise = statements();
                closing("endif");
                return new Statement.If(branches, otherwise);
            } else {
                expectName("endif");
                end();
                return new Statement.If(branches, otherwise);
            }
        }
    }

    private Statement loop(int line) {
        List<String> names = targets();
        expectName("in");
        Expression items = or();
        Optional<Expression> filter = skipName("if") ? Optional.of(expression()) : Optional.empty();
        if (isName("recursive")) {
            throw failure.unsupported(peek().line(), "a recursive loop");
        }
        end();
        loops++;
        List<Statement> body = statements();
        loops--;
        expect(Kind.BLOCK_BEGIN, "{% endfor %}");
        List<Statement> otherwise = List.of();
        if (skipName("else")) {
            end();
            otherwise = statements();
            expect(Kind.BLOCK_BEGIN, "{% endfor %}");
        }
        expectName("endfor");
        end();
        return new Statement.For(line, names, items, filter, body, otherwise);
    }

    private List<String> targets() {
        List<String> names = new ArrayList<>();
        boolean brackets = skipOperator("(");
        do {
            names.add(name());
        } while (skipOperator(","));
        if (brackets) {
            expectOperator(")");
        }
        return List.copyOf(names);
    }

    private Statement set(int line) {
        List<String> names = targets();
        if (names.size() == 1 && skipOperator(".")) {
            String attribute = name();
            expectOperator("=");
            Expression value = tuple();
            end();
            return new Statement.SetAttribute(line, names.getFirst(), attribute, value);
        }
        if (skipOperator("=")) {
            Expression value = tuple();
            end();
            return new Statement.Set(line, names, value);
        }
        if (isOperator("|")) {
            throw failure.unsupported(line, "a filter of {% set %} with a block");
        }
        end();
        List<Statement> body = statements();
        closing("endset");
        if (names.size() > 1) {
            throw failure.broken(line, "expected one name for a block, got %d".formatted(names.size()));
        }
        return new Statement.SetBlock(names.getFirst(), body);
    }

    private Statement macro(int line) {
        String name = name();
        List<String> parameters = new ArrayList<>();
        Map<String, Expression> defaults = new LinkedHashMap<>();
        expectOperator("(");
        while (!isOperator(")")) {
            String parameter = name();
            if (parameters.contains(parameter)) {
                throw failure.broken(line, "two parameters %s".formatted(Quoted.of(parameter)));
            }
            parameters.add(parameter);
            if (skipOperator("=")) {
                defaults.put(parameter, expression());
            }
            if (!skipOperator(",")) {
                break;
            }
        }
        expectOperator(")");
        end();
        int around = loops;
        loops = 0;
        List<Statement> body = statements();
        loops = around;
        closing("endmacro");
        return new Statement.Macro(line, name, List.copyOf(parameters), defaults, body);
    }

    /// One expression, or several with commas between them, which are a list.
    private Expression tuple() {
        int line = peek().line();
        Expression first = expression();
        if (!isOperator(",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        while (skipOperator(",")) {
            if (peek().kind() == Kind.BLOCK_END
                    || peek().kind() == Kind.VARIABLE_END
                    || isOperator(")")
                    || isOperator("=")) {
                break;
            }
            items.add(expression());
        }
        return new Expression.ListOf(line, items);
    }

    private Expression expression() {
        enter();
        int line = peek().line();
        Expression value = or();
        while (skipName("if")) {
            Expression condition = or();
            Expression other =
                    skipName("else") ? expression() : new Expression.Constant(line, Values.Special.UNDEFINED);
            value = new Expression.Choice(line, condition, value, other);
        }
        depth--;
        return value;
    }

    private Expression or() {
        Expression left = and();
        while (isName("or")) {
            int line = next().line();
            left = new Expression.Logic(line, false, left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (isName("and")) {
            int line = next().line();
            left = new Expression.Logic(line, true, left, not());
        }
        return left;
    }

    private Expression not() {
        if (isName("not")) {
            enter();
            int line = next().line();
            Expression negated = new Expression.Not(line, not());
            depth--;
            return negated;
        }
        return comparison();
    }

    private Expression comparison() {
        int line = peek().line();
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> others = new ArrayList<>();
        while (true) {
            if (peek().kind() == Kind.OPERATOR && COMPARING.contains(peek().text())) {
                operators.add(next().text());
            } else if (skipName("in")) {
                operators.add("in");
            } else if (isName("not") && tokens.get(at + 1).is(Kind.NAME, "in")) {
                next();
                next();
                operators.add("not in");
            } else {
                return operators.isEmpty() ? first : new Expression.Comparison(line, first, operators, others);
            }
            others.add(sum());
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (isOperator("+") || isOperator("-")) {
            TemplateToken operator = next();
            left = new Expression.Arithmetic(operator.line(), operator.text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        int line = peek().line();
        Expression first = product();
        if (!isOperator("~")) {
            return first;
        }
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (skipOperator("~")) {
            parts.add(product());
        }
        return new Expression.Concatenation(line, parts);
    }

    private Expression product() {
        Expression left = power();
        while (isOperator("*") || isOperator("/") || isOperator("//") || isOperator("%")) {
            TemplateToken operator = next();
            left = new Expression.Arithmetic(operator.line(), operator.text(), left, power());
        }
        return left;
    }

    private Expression power() {
        Expression value = unary(true);
        if (isOperator("**")) {
            throw failure.unsupported(peek().line(), "the operator **");
        }
        return value;
    }

    private Expression unary(boolean filters) {
        TemplateToken token = peek();
        Expression value;
        if (isOperator("-") || isOperator("+")) {
            enter();
            next();
            Expression operand = unary(false);
            value = token.text().equals("-") ? new Expression.Negative(token.line(), operand) : operand;
            depth--;
        } else {
            value = postfix(primary());
        }
        return filters ? filtered(value) : value;
    }

    private Expression primary() {
        TemplateToken token = next();
        int line = token.line();
        return switch (token.kind()) {
            case NAME ->
                switch (token.text()) {
                    case "true", "True" -> new Expression.Constant(line, true);
                    case "false", "False" -> new Expression.Constant(line, false);
                    case "none", "None" -> new Expression.Constant(line, Values.Special.NONE);
                    default -> new Expression.Name(line, token.text());
                };
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (peek().kind() == Kind.STRING) {
                    text.append(next().text());
                }
                yield new Expression.Constant(line, text.toString());
            }
            case INTEGER -> new Expression.Constant(line, Long.parseLong(token.text()));
            case FLOAT -> new Expression.Constant(line, Double.parseDouble(token.text()));
            case OPERATOR ->
                switch (token.text()) {
                    case "(" -> {
                        Expression inner = isOperator(")") ? new Expression.ListOf(line, List.of()) : tuple();
                        expectOperator(")");
                        yield inner;
                    }
                    case "[" -> new Expression.ListOf(line, items());
                    case "{" -> new Expression.MapOf(line, entries());
                    default -> throw failure.broken(line, "expected a value, got " + token.shown());
                };
            default -> throw failure.broken(line, "expected a value, got " + token.shown());
        };
    }

    private List<Expression> items() {
        List<Expression> items = new ArrayList<>();
        while (!isOperator("]")) {
            items.add(expression());
            if (!skipOperator(",")) {
                break;
            }
        }
        expectOperator("]");
        return items;
    }

    private List<Map.Entry<Expression, Expression>> entries() {
        List<Map.Entry<Expression, Expression>> entries = new ArrayList<>();
        while (!isOperator("}")) {
            Expression key = expression();
            expectOperator(":");
            entries.add(Map.entry(key, expression()));
            if (!skipOperator(",")) {
                break;
            }
        }
        expectOperator("}");
        return entries;
    }

    private Expression postfix(Expression operand) {
        Expression value = operand;
        while (true) {
            int line = peek().line();
            if (skipOperator(".")) {
                value = peek().kind() == Kind.INTEGER
                        ? new Expression.Index(
                                line, value, new Expression.Constant(line, Long.parseLong(next().text())))
                        : new Expression.Attribute(line, value, name());
            } else if (skipOperator("[")) {
                value = subscript(line, value);
            } else if (isOperator("(")) {
                value = new Expression.Call(line, value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(int line, Expression operand) {
        Expression none = new Expression.Constant(line, Values.Special.NONE);
        Expression from = isOperator(":") ? none : expression();
        if (skipOperator("]")) {
            return new Expression.Index(line, operand, from);
        }
        expectOperator(":");
        Expression to = isOperator(":") || isOperator("]") ? none : expression();
        Expression step = none;
        if (skipOperator(":") && !isOperator("]")) {
            step = expression();
        }
        expectOperator("]");
        return new Expression.Slice(line, operand, from, to, step);
    }

    private Arguments arguments() {
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        expectOperator("(");
        while (!isOperator(")")) {
            if (isOperator("*") || isOperator("**")) {
                throw failure.unsupported(peek().line(), "an argument with " + peek().text());
            }
            if (peek().kind() == Kind.NAME && tokens.get(at + 1).is(Kind.OPERATOR, "=")) {
                String name = name();
                next();
                if (named.put(name, expression()) != null) {
                    throw failure.broken(peek().line(), "two arguments " + Quoted.of(name));
                }
            } else if (!named.isEmpty()) {
                throw failure.broken(peek().line(), "expected a named argument after another one");
            } else {
                positional.add(expression());
            }
            if (!skipOperator(",")) {
                break;
            }
        }
        expectOperator(")");
        return new Arguments(positional, named);
    }

    private Expression filtered(Expression operand) {
        Expression value = operand;
        while (true) {
            int line = peek().line();
            if (skipOperator("|")) {
                String name = name();
                if (!Filters.NAMES.contains(name)) {
                    throw failure.unsupported(line, "the filter " + Quoted.of(name));
                }
                value = new Expression.Filter(line, value, name, isOperator("(") ? arguments() : Arguments.NONE);
            } else if (isName("is")) {
                next();
                boolean negated = skipName("not");
                value = test(line, value);
                if (negated) {
                    value = new Expression.Not(line, value);
                }
            } else if (isOperator("(")) {
                value = new Expression.Call(line, value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression test(int line, Expression operand) {
        String name = name();
        if (!Tests.NAMES.contains(name)) {
            throw failure.unsupported(line, "the test " + Quoted.of(name));
        }
        Arguments arguments = Arguments.NONE;
        if (isOperator("(")) {
            arguments = arguments();
        } else if (startsArgument()) {
            enter();
            arguments = new Arguments(List.of(postfix(primary())), Map.of());
            depth--;
        }
        return new Expression.Test(line, operand, name, arguments);
    }

    private boolean startsArgument() {
        return switch (peek().kind()) {
            case NAME -> !AFTER_TEST.contains(peek().text());
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> isOperator("[") || isOperator("{");
            default -> false;
        };
    }
}
