package io.github.sgpt4j.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The filters after `|`.
final class Filters {
    static final Set<String> NAMES = Set.of(
            "trim",
            "upper",
            "lower",
            "capitalize",
            "length",
            "count",
            "default",
            "d",
            "join",
            "first",
            "last",
            "list",
            "map",
            "select",
            "reject",
            "selectattr",
            "rejectattr",
            "string",
            "int",
            "replace",
            "tojson",
            "items",
            "reverse",
            "safe");

    private Filters() {}

    /// Arguments of a filter, by position or name.
    record Given(Evaluation evaluation, String filter, List<Object> positional, Map<String, Object> named) {
        /// The argument at a position, or with a name.
        Object get(int position, String name, Object fallback) {
            if (position < positional.size()) {
                return positional.get(position);
            }
            return named.getOrDefault(name, fallback);
        }

        String text(int position, String name, String fallback) {
            return evaluation.text(get(position, name, fallback), "the filter \"%s\"".formatted(filter));
        }

        /// Refuses others than these.
        void allow(int most, String... names) {
            Set<String> allowed = Set.of(names);
            if (positional.size() > most || !allowed.containsAll(named.keySet())) {
                throw evaluation.unsupported("a use of the filter \"%s\" with these arguments".formatted(filter));
            }
        }
    }

    static Object apply(Evaluation evaluation, Given given, Object value) {
        String where = "the filter \"%s\"".formatted(given.filter);
        switch (given.filter) {
            case "trim" -> {
                given.allow(1, "chars");
                Object characters = given.get(0, "chars", Values.Special.NONE);
                return Methods.strip(
                        evaluation,
                        evaluation.written(value),
                        characters == Values.Special.NONE ? "" : evaluation.text(characters, where),
                        true,
                        true);
            }
            case "upper" -> {
                given.allow(0);
                return Methods.upper(evaluation, evaluation.written(value));
            }
            case "lower" -> {
                given.allow(0);
                return Methods.lower(evaluation, evaluation.written(value));
            }
            case "capitalize" -> {
                given.allow(0);
                return Methods.capitalize(evaluation, evaluation.written(value));
            }
            case "string", "safe" -> {
                given.allow(0);
                return evaluation.written(value);
            }
            case "length", "count" -> {
                given.allow(0);
                return (long) evaluation.length(value, where);
            }
            case "default", "d" -> {
                given.allow(2, "default_value", "boolean");
                boolean falseToo = Values.isTrue(given.get(1, "boolean", false));
                boolean missing = value == Values.Special.UNDEFINED || falseToo && !Values.isTrue(value);
                return missing ? given.get(0, "default_value", "") : value;
            }
            case "first", "last" -> {
                given.allow(0);
                List<Object> items = evaluation.items(value, where);
                return items.isEmpty()
                        ? Values.Special.UNDEFINED
                        : given.filter.equals("first") ? items.getFirst() : items.getLast();
            }
            case "list" -> {
                given.allow(0);
                return evaluation.items(value, where);
            }
            case "reverse" -> {
                given.allow(0);
                if (value instanceof String text) {
                    return evaluation.produced(new StringBuilder(text).reverse().toString());
                }
                List<Object> items = new ArrayList<>(evaluation.items(value, where));
                Collections.reverse(items);
                return items;
            }
            case "join" -> {
                given.allow(1, "d");
                List<String> parts = new ArrayList<>();
                for (Object item : evaluation.items(value, where)) {
                    parts.add(evaluation.written(item));
                }
                return evaluation.joined(given.text(0, "d", ""), parts);
            }
            case "items" -> {
                given.allow(0);
                return Methods.entries(evaluation, value, where);
            }
            case "replace" -> {
                given.allow(2, "old", "new");
                return Methods.replace(
                        evaluation, evaluation.written(value), given.text(0, "old", ""), given.text(1, "new", ""));
            }
            case "int" -> {
                given.allow(0);
                return Methods.integer(evaluation, value);
            }
            case "tojson" -> {
                given.allow(0, "ensure_ascii");
                if (Values.isTrue(given.get(0, "ensure_ascii", false))) {
                    throw evaluation.unsupported("ensure_ascii=true of the filter \"tojson\"");
                }
                StringBuilder json = new StringBuilder();
                Json.write(evaluation, value, json);
                return evaluation.produced(json.toString());
            }
            case "map" -> {
                return map(evaluation, given, value, where);
            }
            case "select", "reject" -> {
                return select(evaluation, given, value, where, false);
            }
            case "selectattr", "rejectattr" -> {
                return select(evaluation, given, value, where, true);
            }
            default -> throw new IllegalStateException("filter " + given.filter);
        }
    }

    private static Object map(Evaluation evaluation, Given given, Object value, String where) {
        List<Object> results = new ArrayList<>();
        if (given.positional.isEmpty()) {
            given.allow(0, "attribute", "default");
            String attribute = given.text(0, "attribute", "");
            Object fallback = given.get(1, "default", Values.Special.UNDEFINED);
            for (Object item : evaluation.items(value, where)) {
                Object found = attribute(evaluation, item, attribute);
                results.add(found == Values.Special.UNDEFINED ? fallback : found);
            }
            return results;
        }
        String filter = given.text(0, "filter", "");
        if (!NAMES.contains(filter)) {
            throw evaluation.unsupported("the filter \"%s\"".formatted(filter));
        }
        Given inner = new Given(evaluation, filter, given.positional.subList(1, given.positional.size()), given.named);
        for (Object item : evaluation.items(value, where)) {
            evaluation.step();
            results.add(evaluation.nested(() -> apply(evaluation, inner, item)));
        }
        return results;
    }

    private static Object select(Evaluation evaluation, Given given, Object value, String where, boolean byAttribute) {
        boolean keep = given.filter.startsWith("select");
        int used = byAttribute ? 1 : 0;
        given.allow(Integer.MAX_VALUE);
        if (given.positional.size() < used) {
            throw evaluation.broken(where + ": expected the name of an attribute, got none");
        }
        String attribute = byAttribute ? given.text(0, "attribute", "") : "";
        boolean named = given.positional.size() > used;
        String test = named ? evaluation.text(given.positional.get(used), where) : "";
        Map<String, String> operators =
                new LinkedHashMap<>(Map.of("==", "eq", "!=", "ne", "<", "lt", "<=", "le", ">", "gt", ">=", "ge"));
        String known = operators.getOrDefault(test, test);
        if (named && !Tests.NAMES.contains(known)) {
            throw evaluation.unsupported("the test \"%s\"".formatted(test));
        }
        List<Object> arguments = named ? given.positional.subList(used + 1, given.positional.size()) : List.of();
        List<Object> results = new ArrayList<>();
        for (Object item : evaluation.items(value, where)) {
            evaluation.step();
            Object tested = byAttribute ? attribute(evaluation, item, attribute) : item;
            boolean passes = named ? Tests.passes(evaluation, known, tested, arguments) : Values.isTrue(tested);
            if (passes == keep) {
                results.add(item);
            }
        }
        return results;
    }

    /// Attributes with dots between them.
    private static Object attribute(Evaluation evaluation, Object item, String path) {
        Object value = item;
        for (String name : path.split("\\.", -1)) {
            boolean number =
                    !name.isEmpty() && name.length() < 10 && name.chars().allMatch(c -> c >= '0' && c <= '9');
            value = evaluation.index(value, number ? (Object) Long.parseLong(name) : name);
        }
        return value;
    }
}
