package io.github.sgpt4j.template;

import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.template.Expression.Arguments;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// One rendering of a template. Its work, its depth, and the length of every text are bounded. Not thread-safe.
final class Evaluation {
    /// Nested expressions, blocks and macros together.
    private static final int MAX_DEPTH = 400;

    /// Steps of a template, in addition to [#STEPS_PER_CHARACTER].
    private static final long MAX_STEPS = 1_000_000;

    /// Steps that each character of the messages adds.
    private static final long STEPS_PER_CHARACTER = 4;

    /// A step handles this many characters.
    private static final int CHARACTERS_PER_STEP = 16;

    private static final int MAX_RANGE = 100_000;

    /// Something that can be called.
    interface Function {
        Object call(Evaluation evaluation, List<Object> positional, Map<String, Object> named);
    }

    /// Variables, and those around them.
    private static final class Scope {
        private final Optional<Scope> around;
        private final Map<String, Object> values = new HashMap<>();

        Scope(Optional<Scope> around) {
            this.around = around;
        }

        Object get(String name) {
            Optional<Scope> scope = Optional.of(this);
            while (scope.isPresent()) {
                Object value = scope.get().values.get(name);
                if (value != null) {
                    return value;
                }
                scope = scope.get().around;
            }
            return Values.Special.UNDEFINED;
        }
    }

    /// How a list of statements ended.
    private enum Ending {
        NORMAL,
        CONTINUE,
        BREAK
    }

    private final TemplateFailure failure;
    private final int maxLength;
    private final long maxSteps;
    private long steps;
    private int depth;
    private int line = 1;
    private StringBuilder output = new StringBuilder();

    /// @param maxLength maximum length of a text
    /// @param given characters of the variables
    Evaluation(TemplateFailure failure, int maxLength, long given) {
        this.failure = failure;
        this.maxLength = maxLength;
        maxSteps = MAX_STEPS + STEPS_PER_CHARACTER * given;
    }

    String render(List<Statement> statements, Map<String, Object> variables) {
        Scope globals = new Scope(Optional.empty());
        globals.values.put("raise_exception", (Function) (evaluation, arguments, named) -> {
            throw broken("the template refuses its messages: "
                    + (arguments.isEmpty() ? "no reason is stated" : written(arguments.getFirst())));
        });
        globals.values.put("strftime_now", (Function) (evaluation, arguments, named) -> {
            throw unsupported("the current date");
        });
        globals.values.put("namespace", (Function) (evaluation, arguments, named) -> {
            if (!arguments.isEmpty()) {
                throw unsupported("an argument of namespace without a name");
            }
            return new Values.Namespace(new LinkedHashMap<>(named));
        });
        globals.values.put("dict", (Function) (evaluation, arguments, named) -> {
            if (!arguments.isEmpty()) {
                throw unsupported("an argument of dict without a name");
            }
            return new LinkedHashMap<>(named);
        });
        globals.values.put("range", (Function) (evaluation, arguments, named) -> range(arguments));
        // transformers always passes these.
        globals.values.put("tools", Values.Special.NONE);
        globals.values.put("documents", Values.Special.NONE);
        Scope scope = new Scope(Optional.of(globals));
        scope.values.putAll(variables);
        run(statements, scope);
        return output.toString();
    }

    SgptException broken(String what) {
        return failure.broken(line, what);
    }

    SgptException unsupported(String what) {
        return failure.unsupported(line, what);
    }

    /// Counts one step.
    void step() {
        steps(1);
    }

    private void steps(long count) {
        steps += count;
        if (steps > maxSteps) {
            throw broken("expected a template that ends within %,d steps".formatted(maxSteps));
        }
    }

    /// Checks and counts a text of this length.
    void grown(long length) {
        if (length > maxLength) {
            throw broken("expected texts of at most %,d characters, got more".formatted(maxLength));
        }
        steps(length / CHARACTERS_PER_STEP);
    }

    String produced(String text) {
        grown(text.length());
        return text;
    }

    /// Computes one level deeper.
    <T> T nested(Supplier<T> computation) {
        if (++depth > MAX_DEPTH) {
            throw broken("expected at most %d levels of nesting".formatted(MAX_DEPTH));
        }
        try {
            return computation.get();
        } finally {
            depth--;
        }
    }

    private List<Object> range(List<Object> arguments) {
        if (arguments.isEmpty() || arguments.size() > 3) {
            throw broken("range: expected 1 to 3 arguments, got %d".formatted(arguments.size()));
        }
        long from = arguments.size() > 1 ? integer(arguments.get(0), "range") : 0;
        long to = integer(arguments.get(arguments.size() > 1 ? 1 : 0), "range");
        long by = arguments.size() > 2 ? integer(arguments.get(2), "range") : 1;
        if (by == 0) {
            throw broken("range: expected a step other than 0");
        }
        List<Object> numbers = new ArrayList<>();
        for (long i = from; by > 0 ? i < to : i > to; i += by) {
            step();
            if (numbers.size() == MAX_RANGE || Math.abs(i) > Long.MAX_VALUE / 2 - Math.abs(by)) {
                throw broken("range: expected at most %,d numbers".formatted(MAX_RANGE));
            }
            numbers.add(i);
        }
        return numbers;
    }

    private Ending run(List<Statement> statements, Scope scope) {
        for (Statement statement : statements) {
            step();
            Ending ending = nested(() -> run(statement, scope));
            if (ending != Ending.NORMAL) {
                return ending;
            }
        }
        return Ending.NORMAL;
    }

    private Ending run(Statement statement, Scope scope) {
        switch (statement) {
            case Statement.Text(String text) -> write(text);
            case Statement.Output(Expression value) -> write(written(value(value, scope)));
            case Statement.If(var branches, var otherwise) -> {
                for (Map.Entry<Expression, List<Statement>> branch : branches) {
                    if (Values.isTrue(value(branch.getKey(), scope))) {
                        return run(branch.getValue(), scope);
                    }
                }
                return run(otherwise, scope);
            }
            case Statement.For loop -> {
                return loop(loop, scope);
            }
            case Statement.Set(int at, var names, Expression expression) -> {
                Object value = value(expression, scope);
                line = at;
                assign(names, value, scope);
            }
            case Statement.SetAttribute(int at, String namespace, String name, Expression expression) -> {
                Object value = value(expression, scope);
                line = at;
                if (!(scope.get(namespace) instanceof Values.Namespace owner)) {
                    throw broken("expected a namespace %s, got %s"
                            .formatted(Quoted.of(namespace), Values.kind(scope.get(namespace))));
                }
                owner.values().put(name, value);
            }
            case Statement.SetBlock(String name, var body) -> scope.values.put(name, captured(body, scope));
            case Statement.Macro macro -> scope.values.put(macro.name(), function(macro, scope));
            case Statement.Leave(int at, boolean next) -> {
                return next ? Ending.CONTINUE : Ending.BREAK;
            }
        }
        return Ending.NORMAL;
    }

    private void write(String text) {
        if (output.length() + (long) text.length() > maxLength) {
            grown(output.length() + (long) text.length());
        }
        grown(text.length());
        output.append(text);
    }

    private String captured(List<Statement> body, Scope scope) {
        StringBuilder before = output;
        output = new StringBuilder();
        try {
            run(body, new Scope(Optional.of(scope)));
            return output.toString();
        } finally {
            output = before;
        }
    }

    private void assign(List<String> names, Object value, Scope scope) {
        if (names.size() == 1) {
            scope.values.put(names.getFirst(), value);
            return;
        }
        List<Object> parts = items(value, "several variables");
        if (parts.size() != names.size()) {
            throw broken("expected %d values for as many variables, got %d".formatted(names.size(), parts.size()));
        }
        for (int i = 0; i < parts.size(); i++) {
            scope.values.put(names.get(i), parts.get(i));
        }
    }

    private Ending loop(Statement.For loop, Scope scope) {
        Object sequence = value(loop.items(), scope);
        line = loop.line();
        List<Object> items = items(sequence, "a loop");
        if (loop.filter().isPresent()) {
            List<Object> kept = new ArrayList<>();
            for (Object item : items) {
                step();
                Scope own = new Scope(Optional.of(scope));
                assign(loop.names(), item, own);
                if (Values.isTrue(value(loop.filter().get(), own))) {
                    kept.add(item);
                }
            }
            items = kept;
        }
        if (items.isEmpty()) {
            return run(loop.otherwise(), scope);
        }
        for (int i = 0; i < items.size(); i++) {
            step();
            Scope own = new Scope(Optional.of(scope));
            own.values.put("loop", loopFacts(items, i));
            assign(loop.names(), items.get(i), own);
            if (run(loop.body(), own) == Ending.BREAK) {
                break;
            }
        }
        return Ending.NORMAL;
    }

    private static Map<String, Object> loopFacts(List<Object> items, int i) {
        int count = items.size();
        Map<String, Object> facts = new HashMap<>();
        facts.put("index", i + 1L);
        facts.put("index0", (long) i);
        facts.put("revindex", (long) count - i);
        facts.put("revindex0", count - i - 1L);
        facts.put("first", i == 0);
        facts.put("last", i == count - 1);
        facts.put("length", (long) count);
        facts.put("previtem", i > 0 ? items.get(i - 1) : Values.Special.UNDEFINED);
        facts.put("nextitem", i + 1 < count ? items.get(i + 1) : Values.Special.UNDEFINED);
        return facts;
    }

    private Function function(Statement.Macro macro, Scope scope) {
        return (evaluation, positional, named) -> {
            List<String> parameters = macro.parameters();
            Scope own = new Scope(Optional.of(scope));
            if (positional.size() > parameters.size() || !parameters.containsAll(named.keySet())) {
                throw broken("the macro %s: expected the arguments %s, got %d and the names %s"
                        .formatted(Quoted.of(macro.name()), parameters, positional.size(), named.keySet()));
            }
            for (int i = 0; i < parameters.size(); i++) {
                String name = parameters.get(i);
                Expression usual = macro.defaults().get(name);
                Object value = i < positional.size()
                        ? positional.get(i)
                        : named.containsKey(name)
                                ? named.getOrDefault(name, Values.Special.UNDEFINED)
                                : usual == null ? Values.Special.UNDEFINED : value(usual, own);
                own.values.put(name, value);
            }
            return captured(macro.body(), own);
        };
    }

    private Object value(Expression expression, Scope scope) {
        step();
        return nested(() -> compute(expression, scope));
    }

    private Object compute(Expression expression, Scope scope) {
        line = expression.line();
        switch (expression) {
            case Expression.Constant(int at, Object value) -> {
                return value;
            }
            case Expression.Name(int at, String name) -> {
                return scope.get(name);
            }
            case Expression.ListOf(int at, var items) -> {
                return values(items, scope);
            }
            case Expression.MapOf(int at, var entries) -> {
                Map<String, Object> map = new LinkedHashMap<>();
                for (Map.Entry<Expression, Expression> entry : entries) {
                    map.put(text(value(entry.getKey(), scope), "a key"), value(entry.getValue(), scope));
                }
                return map;
            }
            case Expression.Attribute(int at, Expression operand, String name) -> {
                Object owner = value(operand, scope);
                line = at;
                return attribute(owner, name);
            }
            case Expression.Index(int at, Expression operand, Expression index) -> {
                Object owner = value(operand, scope);
                Object key = value(index, scope);
                line = at;
                return index(owner, key);
            }
            case Expression.Slice(int at, Expression operand, Expression from, Expression to, Expression by) -> {
                Object owner = value(operand, scope);
                Object first = value(from, scope);
                Object end = value(to, scope);
                Object step = value(by, scope);
                line = at;
                return slice(owner, first, end, step);
            }
            case Expression.Filter(int at, Expression operand, String name, Arguments arguments) -> {
                Object value = value(operand, scope);
                List<Object> positional = values(arguments.positional(), scope);
                Map<String, Object> named = named(arguments, scope);
                line = at;
                return Filters.apply(this, new Filters.Given(this, name, positional, named), value);
            }
            case Expression.Test(int at, Expression operand, String name, Arguments arguments) -> {
                Object value = value(operand, scope);
                List<Object> positional = values(arguments.positional(), scope);
                line = at;
                if (!arguments.named().isEmpty()) {
                    throw broken("the test \"%s\": unexpected named arguments".formatted(name));
                }
                return Tests.passes(this, name, value, positional);
            }
            case Expression.Call(int at, Expression operand, Arguments arguments) -> {
                return call(at, operand, arguments, scope);
            }
            case Expression.Not(int at, Expression operand) -> {
                return !Values.isTrue(value(operand, scope));
            }
            case Expression.Negative(int at, Expression operand) -> {
                Object value = value(operand, scope);
                line = at;
                return arithmetic("-", 0L, value);
            }
            case Expression.Logic(int at, boolean and, Expression left, Expression right) -> {
                Object value = value(left, scope);
                return Values.isTrue(value) == and ? value(right, scope) : value;
            }
            case Expression.Comparison(int at, Expression first, var operators, var others) -> {
                Object left = value(first, scope);
                for (int i = 0; i < operators.size(); i++) {
                    Object right = value(others.get(i), scope);
                    line = at;
                    if (!compare(operators.get(i), left, right)) {
                        return false;
                    }
                    left = right;
                }
                return true;
            }
            case Expression.Arithmetic(int at, String operator, Expression left, Expression right) -> {
                Object a = value(left, scope);
                Object b = value(right, scope);
                line = at;
                return arithmetic(operator, a, b);
            }
            case Expression.Concatenation(int at, var parts) -> {
                List<String> texts = new ArrayList<>();
                for (Expression part : parts) {
                    Object value = value(part, scope);
                    line = at;
                    texts.add(written(value));
                }
                return joined("", texts);
            }
            case Expression.Choice(int at, Expression condition, Expression value, Expression other) -> {
                return value(Values.isTrue(value(condition, scope)) ? value : other, scope);
            }
        }
    }

    private List<Object> values(List<Expression> expressions, Scope scope) {
        List<Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(value(expression, scope));
        }
        return values;
    }

    private Map<String, Object> named(Arguments arguments, Scope scope) {
        Map<String, Object> named = new LinkedHashMap<>();
        arguments.named().forEach((name, expression) -> named.put(name, value(expression, scope)));
        return named;
    }

    private Object call(int at, Expression operand, Arguments arguments, Scope scope) {
        if (operand instanceof Expression.Attribute(int l, Expression owner, String method)) {
            Object of = value(owner, scope);
            boolean own = of instanceof Map<?, ?> map && !Methods.isOfMapping(method) && map.containsKey(method);
            if (!own && !(of instanceof Values.Namespace)) {
                List<Object> positional = values(arguments.positional(), scope);
                line = at;
                if (!arguments.named().isEmpty()) {
                    throw unsupported("a named argument of a method");
                }
                if (of instanceof Values.Special) {
                    throw broken("expected a value with the method %s, got %s"
                            .formatted(Quoted.of(method), Values.kind(of)));
                }
                return Methods.call(this, of, method, positional);
            }
        }
        Object function = value(operand, scope);
        List<Object> positional = values(arguments.positional(), scope);
        Map<String, Object> named = named(arguments, scope);
        line = at;
        if (!(function instanceof Function callable)) {
            String name = operand instanceof Expression.Name(int l, String n) ? Quoted.of(n) + " " : "";
            throw broken("expected a function %sto call, got %s".formatted(name, Values.kind(function)));
        }
        return callable.call(this, positional, named);
    }

    private Object attribute(Object owner, String name) {
        return switch (owner) {
            case Values.Namespace(var values) -> values.getOrDefault(name, Values.Special.UNDEFINED);
            case Map<?, ?> map
            when Methods.isOfMapping(name) ->
                throw unsupported("the method \"%s\" of a mapping without a call".formatted(name));
            case Map<?, ?> map -> index(owner, name);
            case String text
            when Methods.isOfText(name) ->
                throw unsupported("the method \"%s\" of a text without a call".formatted(name));
            case Values.Special special ->
                throw broken("expected a value with the attribute %s, got %s"
                        .formatted(Quoted.of(name), Values.kind(owner)));
            default -> Values.Special.UNDEFINED;
        };
    }

    /// An item, or undefined.
    Object index(Object owner, Object key) {
        switch (owner) {
            case Map<?, ?> map -> {
                // All keys are strings; other values may be nested too deep to be looked up.
                Object found = key instanceof String name ? map.get(name) : null;
                return found == null ? Values.Special.UNDEFINED : found;
            }
            case Values.Namespace(var values) -> {
                return values.getOrDefault(written(key), Values.Special.UNDEFINED);
            }
            case List<?> list -> {
                return key instanceof Long i ? at(list, i) : Values.Special.UNDEFINED;
            }
            case String text -> {
                if (!(key instanceof Long i)) {
                    return Values.Special.UNDEFINED;
                }
                List<Object> characters = items(text, "an index");
                return at(characters, i);
            }
            default -> {
                if (owner instanceof Values.Special) {
                    throw broken("expected a value with an item %s, got %s"
                            .formatted(
                                    key instanceof String name ? Quoted.of(name) : written(key), Values.kind(owner)));
                }
                return Values.Special.UNDEFINED;
            }
        }
    }

    private static Object at(List<?> list, long index) {
        long place = index < 0 ? index + list.size() : index;
        return place < 0 || place >= list.size() ? Values.Special.UNDEFINED : list.get((int) place);
    }

    private Object slice(Object owner, Object first, Object end, Object by) {
        boolean text = owner instanceof String;
        if (!text && !(owner instanceof List)) {
            throw broken("expected a string or a list to take a part of, got " + Values.kind(owner));
        }
        List<Object> items = items(owner, "a part");
        long step = by == Values.Special.NONE ? 1 : integer(by, "a part");
        if (step == 0) {
            throw broken("expected a step other than 0");
        }
        int size = items.size();
        long from = bound(first, step > 0 ? 0 : size - 1, size, step);
        long to = bound(end, step > 0 ? size : -1, size, step);
        List<Object> part = new ArrayList<>();
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            step();
            part.add(items.get((int) i));
            if (Math.abs(step) > size) {
                break;
            }
        }
        if (!text) {
            return part;
        }
        List<String> characters = new ArrayList<>();
        part.forEach(character -> characters.add((String) character));
        return joined("", characters);
    }

    private long bound(Object stated, long usual, int size, long step) {
        if (stated == Values.Special.NONE) {
            return usual;
        }
        long place = integer(stated, "a part");
        long from = place < 0 ? Math.max(place, -size - 1L) + size : place;
        return step > 0 ? Math.clamp(from, 0, size) : Math.clamp(from, -1, size - 1);
    }

    /// The items of a value that a loop goes over.
    List<Object> items(Object value, String where) {
        switch (value) {
            case List<?> list -> {
                return copied(list);
            }
            case Map<?, ?> map -> {
                return copied(map.keySet());
            }
            case String text -> {
                List<Object> characters = new ArrayList<>();
                text.codePoints().forEach(c -> characters.add(Character.toString(c)));
                steps(characters.size());
                return characters;
            }
            default -> {
                if (value == Values.Special.UNDEFINED) {
                    return List.of();
                }
                throw broken("%s: expected a list, got %s".formatted(where, Values.kind(value)));
            }
        }
    }

    List<Object> copied(Collection<?> items) {
        steps(items.size());
        return new ArrayList<>(items);
    }

    int length(Object value, String where) {
        return switch (value) {
            case String text -> text.codePointCount(0, text.length());
            case List<?> list -> list.size();
            case Map<?, ?> map -> map.size();
            default -> {
                if (value == Values.Special.UNDEFINED) {
                    yield 0;
                }
                throw broken("%s: expected a string, a list or a mapping, got %s".formatted(where, Values.kind(value)));
            }
        };
    }

    String text(Object value, String where) {
        if (value instanceof String text) {
            return text;
        }
        throw broken("%s: expected a string, got %s".formatted(where, Values.kind(value)));
    }

    long integer(Object value, String where) {
        if (Values.isInteger(value)) {
            return Values.integer(value);
        }
        throw broken("%s: expected an integer, got %s".formatted(where, Values.kind(value)));
    }

    /// A value as it is put into a text.
    String written(Object value) {
        return switch (value) {
            case String text -> text;
            case Long n -> Long.toString(n);
            case Double n -> Values.written(n);
            case Boolean b -> b ? "True" : "False";
            case Values.Special special -> special == Values.Special.NONE ? "None" : "";
            default -> throw broken("expected a value to write, got " + Values.kind(value));
        };
    }

    String joined(String separator, List<String> parts) {
        long length = 0;
        for (String part : parts) {
            length += part.length() + separator.length();
        }
        grown(length);
        steps(parts.size());
        return String.join(separator, parts);
    }

    boolean compare(String operator, Object left, Object right) {
        return switch (operator) {
            case "==" -> isEqual(left, right);
            case "!=" -> !isEqual(left, right);
            case "in" -> contains(right, left);
            case "not in" -> !contains(right, left);
            default -> {
                int order = order(left, right);
                yield switch (operator) {
                    case "<" -> order < 0;
                    case "<=" -> order <= 0;
                    case ">" -> order > 0;
                    default -> order >= 0;
                };
            }
        };
    }

    /// Equality of Python: numbers by value, lists and mappings by their contents.
    private boolean isEqual(Object a, Object b) {
        step();
        if (Values.isInteger(a) && Values.isInteger(b)) {
            return Values.integer(a) == Values.integer(b);
        }
        if (Values.isNumber(a) && Values.isNumber(b)) {
            return Values.number(a) == Values.number(b);
        }
        if (a instanceof List<?> first && b instanceof List<?> second) {
            return first.size() == second.size()
                    && nested(() -> {
                        for (int i = 0; i < first.size(); i++) {
                            if (!isEqual(first.get(i), second.get(i))) {
                                return false;
                            }
                        }
                        return true;
                    });
        }
        if (a instanceof Map<?, ?> first && b instanceof Map<?, ?> second) {
            return first.size() == second.size()
                    && nested(() -> {
                        for (Map.Entry<?, ?> entry : first.entrySet()) {
                            Object other = second.get(entry.getKey());
                            if (other == null || !isEqual(entry.getValue(), other)) {
                                return false;
                            }
                        }
                        return true;
                    });
        }
        if (a instanceof String text && b instanceof String other) {
            grown(Math.min(text.length(), other.length()));
            return text.equals(other);
        }
        return a instanceof Values.Special && a.equals(b);
    }

    private int order(Object left, Object right) {
        if (Values.isInteger(left) && Values.isInteger(right)) {
            return Long.compare(Values.integer(left), Values.integer(right));
        }
        if (Values.isNumber(left) && Values.isNumber(right)) {
            return Double.compare(Values.number(left), Values.number(right));
        }
        if (left instanceof String a && right instanceof String b) {
            grown(Math.min(a.length(), b.length()));
            int[] first = a.codePoints().toArray();
            int[] second = b.codePoints().toArray();
            return Arrays.compare(first, second);
        }
        throw broken("expected two numbers or two strings to compare, got %s and %s"
                .formatted(Values.kind(left), Values.kind(right)));
    }

    private boolean contains(Object owner, Object item) {
        return switch (owner) {
            case String text -> {
                grown(text.length());
                yield text.contains(text(item, "in"));
            }
            case List<?> list -> {
                steps(list.size());
                yield list.stream().anyMatch(each -> isEqual(each, item));
            }
            case Map<?, ?> map -> item instanceof String name && map.containsKey(name);
            case Values.Namespace namespace -> throw broken("expected a list to look in, got a namespace");
            default -> {
                if (owner == Values.Special.UNDEFINED) {
                    yield false;
                }
                throw broken("expected a string, a list or a mapping to look in, got " + Values.kind(owner));
            }
        };
    }

    private Object arithmetic(String operator, Object left, Object right) {
        if (operator.equals("+") && left instanceof String a && right instanceof String b) {
            grown((long) a.length() + b.length());
            return a + b;
        }
        if (operator.equals("+") && left instanceof List<?> a && right instanceof List<?> b) {
            List<Object> both = copied(a);
            both.addAll(copied(b));
            return both;
        }
        if (operator.equals("*") && left instanceof String text && Values.isInteger(right)) {
            long times = Math.max(0, Values.integer(right));
            grown(
                    text.isEmpty()
                            ? 0
                            : Math.multiplyHigh(times, text.length()) > 0 ? Long.MAX_VALUE : times * text.length());
            return text.isEmpty() ? "" : text.repeat((int) times);
        }
        if (operator.equals("%") && left instanceof String) {
            throw unsupported("the operator % of a string");
        }
        if (!Values.isNumber(left) || !Values.isNumber(right)) {
            throw broken("the operator %s: expected two numbers%s, got %s and %s"
                    .formatted(
                            operator,
                            operator.equals("+") ? ", two strings or two lists" : "",
                            Values.kind(left),
                            Values.kind(right)));
        }
        if (Values.isInteger(left) && Values.isInteger(right) && !operator.equals("/")) {
            return integers(operator, Values.integer(left), Values.integer(right));
        }
        double a = Values.number(left);
        double b = Values.number(right);
        if (b == 0 && !operator.equals("+") && !operator.equals("-") && !operator.equals("*")) {
            throw broken("the operator %s: division by zero".formatted(operator));
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            default -> a - b * Math.floor(a / b);
        };
    }

    private Object integers(String operator, long a, long b) {
        if (b == 0 && (operator.equals("//") || operator.equals("%"))) {
            throw broken("the operator %s: division by zero".formatted(operator));
        }
        try {
            return switch (operator) {
                case "+" -> Math.addExact(a, b);
                case "-" -> Math.subtractExact(a, b);
                case "*" -> Math.multiplyExact(a, b);
                case "//" -> Math.floorDiv(a, b);
                default -> Math.floorMod(a, b);
            };
        } catch (ArithmeticException e) {
            throw unsupported("an integer of more than 64 bits");
        }
    }
}
