package io.github.sgpt4j.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The known keys of one kind of file: a resource `keys/NAME.txt`, in the format that `keys/README.md`
/// describes. Rows are parsed on demand.
final class KeyTable {
    private final String name;
    private final Map<String, String> rows = new HashMap<>();
    private final List<String> patterns = new ArrayList<>();
    private final Set<String> parents = new HashSet<>();

    private KeyTable(String name) {
        this.name = name;
    }

    /// Reads a table: the rows outside of sections, and those of the sections for `kind`.
    ///
    /// @param name the file's name without its extension
    /// @param kind selects the sections
    /// @return empty if no table has that name
    static Optional<KeyTable> find(String name, String kind) {
        try (InputStream in = KeyTable.class.getResourceAsStream("keys/" + name + ".txt")) {
            return in == null
                    ? Optional.empty()
                    : Optional.of(parse(name, kind, new String(in.readAllBytes(), StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Reads a table that must exist.
    static KeyTable read(String name, String kind) {
        return find(name, kind).orElseThrow(() -> new IllegalStateException("expected a table " + name));
    }

    static KeyTable parse(String name, String kind, String text) {
        KeyTable table = new KeyTable(name);
        boolean selected = true;
        boolean section = false;
        for (int from = 0; from < text.length(); ) {
            int end = text.indexOf('\n', from);
            String line = text.substring(from, end < 0 ? text.length() : end);
            from += line.length() + 1;
            if (line.startsWith("[")) {
                section = true;
                selected = kinds(line).contains(kind);
            } else if (selected && !line.isEmpty() && line.charAt(0) != '#') {
                table.add(line, section);
            }
        }
        return table;
    }

    private static List<String> kinds(String line) {
        return Arrays.asList(line.substring(1, line.length() - 1).split(", "));
    }

    /// A row in a section overrides one outside of sections.
    private void add(String line, boolean section) {
        int end = line.indexOf(" | ");
        if (end < 0) {
            throw new IllegalStateException("table %s: expected \"key | rule\", got \"%s\"".formatted(name, line));
        }
        String key = line.substring(0, end).strip();
        if (rows.containsKey(key) && !section) {
            throw new IllegalStateException("table %s: key \"%s\" has two rows".formatted(name, key));
        }
        if (rows.put(key, line.substring(end + 3)) == null && key.indexOf('*') >= 0) {
            patterns.add(key);
        }
        int dot = key.lastIndexOf('.');
        if (dot > 0) {
            parents.add(key.substring(0, dot));
        }
    }

    /// The rule of a key; empty if the key is not in the table.
    Optional<KeyRule> rule(String key) {
        String row = row(key);
        if (row.isEmpty()) {
            return Optional.empty();
        }
        int end = row.indexOf(" | ");
        String rule = end < 0 ? row : row.substring(0, end);
        String why = end < 0 ? "" : row.substring(end + 3);
        try {
            return Optional.of(KeyRule.parse(rule.strip(), why.strip()));
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException("table %s: key \"%s\": %s".formatted(name, key, e.getMessage()), e);
        }
    }

    private String row(String key) {
        String exact = rows.getOrDefault(key, "");
        if (!exact.isEmpty()) {
            return exact;
        }
        for (String pattern : patterns) {
            if (matches(pattern, key)) {
                return rows.getOrDefault(pattern, "");
            }
        }
        return "";
    }

    /// Whether the table has rows for members of the object `key`.
    boolean hasMembersOf(String key) {
        return parents.contains(key);
    }

    /// All keys with a row, including patterns.
    Set<String> keys() {
        return Set.copyOf(rows.keySet());
    }

    /// Whether a name matches a pattern in which each `*` stands for any text, also none.
    private static boolean matches(String pattern, String name) {
        int from = 0;
        int last = pattern.lastIndexOf('*');
        for (int at = 0; at <= last; ) {
            int star = pattern.indexOf('*', at);
            String part = pattern.substring(at, star);
            int found = at == 0 ? (name.startsWith(part) ? 0 : -1) : name.indexOf(part, from);
            if (found < 0) {
                return false;
            }
            from = found + part.length();
            at = star + 1;
        }
        String rest = pattern.substring(last + 1);
        return name.length() - from >= rest.length() && name.endsWith(rest);
    }
}
