package io.github.sgpt4j.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// The methods of strings and mappings that can be called.
final class Methods {
    private static final Set<String> OF_TEXT = Set.of(
            "capitalize",
            "casefold",
            "center",
            "count",
            "encode",
            "endswith",
            "expandtabs",
            "find",
            "format",
            "format_map",
            "index",
            "isalnum",
            "isalpha",
            "isascii",
            "isdecimal",
            "isdigit",
            "isidentifier",
            "islower",
            "isnumeric",
            "isprintable",
            "isspace",
            "istitle",
            "isupper",
            "join",
            "ljust",
            "lower",
            "lstrip",
            "maketrans",
            "partition",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rindex",
            "rjust",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "translate",
            "upper",
            "zfill");

    private Methods() {}

    /// Calls a method.
    static Object call(Evaluation evaluation, Object owner, String name, List<Object> arguments) {
        String where = "the method \"%s\"".formatted(name);
        if (owner instanceof String text) {
            return ofText(evaluation, text, name, arguments, where);
        }
        if (owner instanceof Map<?, ?> map) {
            switch (name) {
                case "items" -> {
                    return entries(evaluation, map, where);
                }
                case "keys" -> {
                    return evaluation.items(map, where);
                }
                case "values" -> {
                    return evaluation.copied(map.values());
                }
                case "get" -> {
                    expect(evaluation, where, arguments, 1, 2);
                    Object found = evaluation.index(map, arguments.getFirst());
                    Object fallback = arguments.size() > 1 ? arguments.get(1) : Values.Special.NONE;
                    return found == Values.Special.UNDEFINED ? fallback : found;
                }
                default -> throw evaluation.unsupported(where + " of a mapping");
            }
        }
        throw evaluation.unsupported("%s of %s".formatted(where, Values.kind(owner)));
    }

    /// Whether a mapping has a method with this name.
    static boolean isOfMapping(String name) {
        return switch (name) {
            case "items", "keys", "values", "get" -> true;
            default -> false;
        };
    }

    /// Whether a text has a method with this name, in Python: supported or not.
    static boolean isOfText(String name) {
        return OF_TEXT.contains(name);
    }

    private static void expect(Evaluation evaluation, String where, List<Object> arguments, int least, int most) {
        if (arguments.size() < least || arguments.size() > most) {
            throw evaluation.broken(
                    "%s: expected %d to %d arguments, got %d".formatted(where, least, most, arguments.size()));
        }
    }

    private static Object ofText(
            Evaluation evaluation, String text, String name, List<Object> arguments, String where) {
        switch (name) {
            case "strip", "lstrip", "rstrip" -> {
                expect(evaluation, where, arguments, 0, 1);
                String characters = arguments.isEmpty() ? "" : evaluation.text(arguments.getFirst(), where);
                return strip(evaluation, text, characters, !name.equals("rstrip"), !name.equals("lstrip"));
            }
            case "upper" -> {
                expect(evaluation, where, arguments, 0, 0);
                return upper(evaluation, text);
            }
            case "lower" -> {
                expect(evaluation, where, arguments, 0, 0);
                return lower(evaluation, text);
            }
            case "capitalize" -> {
                expect(evaluation, where, arguments, 0, 0);
                return capitalize(evaluation, text);
            }
            case "startswith", "endswith" -> {
                expect(evaluation, where, arguments, 1, 1);
                String part = evaluation.text(arguments.getFirst(), where);
                return name.equals("startswith") ? text.startsWith(part) : text.endsWith(part);
            }
            case "find" -> {
                expect(evaluation, where, arguments, 1, 1);
                evaluation.grown(text.length());
                int at = text.indexOf(evaluation.text(arguments.getFirst(), where));
                return (long) (at < 0 ? -1 : text.codePointCount(0, at));
            }
            case "replace" -> {
                expect(evaluation, where, arguments, 2, 2);
                return replace(
                        evaluation,
                        text,
                        evaluation.text(arguments.get(0), where),
                        evaluation.text(arguments.get(1), where));
            }
            case "split" -> {
                expect(evaluation, where, arguments, 0, 2);
                long limit = arguments.size() > 1 ? evaluation.integer(arguments.get(1), where) : -1;
                return arguments.isEmpty() || arguments.getFirst() == Values.Special.NONE
                        ? splitAtSpace(evaluation, text, limit)
                        : split(evaluation, text, evaluation.text(arguments.getFirst(), where), limit, where);
            }
            case "join" -> {
                expect(evaluation, where, arguments, 1, 1);
                List<String> parts = new ArrayList<>();
                for (Object item : evaluation.items(arguments.getFirst(), where)) {
                    parts.add(evaluation.text(item, where));
                }
                return evaluation.joined(text, parts);
            }
            default -> throw evaluation.unsupported(where + " of a string");
        }
    }

    static String upper(Evaluation evaluation, String text) {
        return evaluation.produced(text.toUpperCase(Locale.ROOT));
    }

    static String lower(Evaluation evaluation, String text) {
        return evaluation.produced(text.toLowerCase(Locale.ROOT));
    }

    static String capitalize(Evaluation evaluation, String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return evaluation.produced(text.substring(0, first).toUpperCase(Locale.ROOT)
                + text.substring(first).toLowerCase(Locale.ROOT));
    }

    /// @param characters what is removed; empty for white space
    static String strip(Evaluation evaluation, String text, String characters, boolean start, boolean end) {
        int from = 0;
        int to = text.length();
        while (start && from < to && isStripped(text.codePointAt(from), characters)) {
            from += Character.charCount(text.codePointAt(from));
        }
        while (end && to > from && isStripped(text.codePointBefore(to), characters)) {
            to -= Character.charCount(text.codePointBefore(to));
        }
        return evaluation.produced(text.substring(from, to));
    }

    private static boolean isStripped(int codePoint, String characters) {
        return characters.isEmpty() ? TemplateLexer.isSpace(codePoint) : characters.indexOf(codePoint) >= 0;
    }

    static String replace(Evaluation evaluation, String text, String old, String other) {
        // Checked before, since the result may be much longer.
        long times = old.isEmpty() ? text.length() + 1L : text.length() / (long) old.length();
        evaluation.grown(text.length() + times * Math.max(0L, other.length() - (long) old.length()));
        return text.replace(old, other);
    }

    private static List<Object> split(Evaluation evaluation, String text, String separator, long limit, String where) {
        if (separator.isEmpty()) {
            throw evaluation.broken(where + ": expected a separator, got an empty string");
        }
        evaluation.grown(text.length());
        List<Object> parts = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(separator);
                at >= 0 && (limit < 0 || parts.size() < limit);
                at = text.indexOf(separator, from)) {
            evaluation.step();
            parts.add(text.substring(from, at));
            from = at + separator.length();
        }
        parts.add(text.substring(from));
        return parts;
    }

    private static List<Object> splitAtSpace(Evaluation evaluation, String text, long limit) {
        if (limit >= 0) {
            throw evaluation.unsupported("a limit without a separator");
        }
        evaluation.grown(text.length());
        List<Object> parts = new ArrayList<>();
        int from = 0;
        while (from < text.length()) {
            int to = from;
            while (to < text.length() && !TemplateLexer.isSpace(text.charAt(to))) {
                to++;
            }
            if (to > from) {
                evaluation.step();
                parts.add(text.substring(from, to));
            }
            from = to + 1;
        }
        return parts;
    }

    /// Keys and values of a mapping, each pair a list.
    static List<Object> entries(Evaluation evaluation, Object value, String where) {
        if (value == Values.Special.UNDEFINED) {
            return List.of();
        }
        if (!(value instanceof Map<?, ?> map)) {
            throw evaluation.broken("%s: expected a mapping, got %s".formatted(where, Values.kind(value)));
        }
        List<Object> entries = new ArrayList<>();
        map.forEach((key, item) -> {
            evaluation.step();
            entries.add(List.<Object>of(key, item));
        });
        return entries;
    }

    /// `int`: 0 for what is no number.
    static Object integer(Evaluation evaluation, Object value) {
        return switch (value) {
            case Long n -> n;
            case Boolean b -> b ? 1L : 0L;
            case Double n -> {
                if (Math.abs(n) < 1e15) {
                    yield (long) (double) n;
                }
                throw evaluation.broken("the filter \"int\": expected a number below 1e15, got " + n);
            }
            case String text -> {
                String digits = strip(evaluation, text, "", true, true);
                yield digits.matches("[+-]?[0-9]{1,18}") ? Long.parseLong(digits) : (Object) 0L;
            }
            default -> 0L;
        };
    }
}
