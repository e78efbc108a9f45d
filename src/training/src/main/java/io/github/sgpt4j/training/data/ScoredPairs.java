package io.github.sgpt4j.training.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonReader;
import io.github.sgpt4j.json.JsonText;
import io.github.sgpt4j.json.Unreadable;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/// Pairs of sentences with a score of how much they mean the same (STS).
///
/// A file whose name ends in `.jsonl` has an object per line, with the keys `sentence1`, `sentence2` and `score`, a
/// number; others are ignored. One ending in `.tsv` has fields separated by tabs, without quoting: sentence, sentence
/// and score, or those that a first line with these names tells, of which only the lines whose `split` is `dev` count
/// if there is such a column. Either may end in `.gz`. All pairs are kept in memory.
///
/// @param pairs at least two scores among them are different
/// @param file its content
public record ScoredPairs(List<Pair> pairs, DataFile file) {
    private static final String FIRST = "sentence1";
    private static final String SECOND = "sentence2";
    private static final String SCORE = "score";
    private static final String SPLIT = "split";
    private static final String DEV = "dev";

    /// Two sentences, stripped and not empty.
    ///
    /// @param score finite; higher is more similar
    public record Pair(String first, String second, double score) {}

    /// Copies the list.
    public ScoredPairs {
        pairs = List.copyOf(pairs);
    }

    /// Reads a file.
    ///
    /// @throws FormatException at the first problem; it names file and line
    public static ScoredPairs read(Path file) {
        String name = LineFile.plainName(file).toLowerCase(Locale.ROOT);
        if (!name.endsWith(".jsonl") && !name.endsWith(".tsv")) {
            throw new FormatException(
                    "%s: expected a name ending in .jsonl, .tsv, .jsonl.gz or .tsv.gz".formatted(file));
        }
        List<Pair> pairs = new ArrayList<>();
        LineFile.Visitor visitor = name.endsWith(".jsonl")
                ? (where, line) -> line.isBlank() || pairs.add(ofJson(where.get(), line))
                : new Tabs(pairs);
        DataFile content = LineFile.read(file, visitor);
        if (pairs.stream().mapToDouble(Pair::score).distinct().count() < 2) {
            throw new FormatException("%s: expected pairs with different scores, found %s"
                    .formatted(file, pairs.isEmpty() ? "no pair" : "one score only"));
        }
        return new ScoredPairs(pairs, content);
    }

    private static Pair ofJson(String where, String line) {
        JsonNode node = JsonReader.STRICT.parseLine(where, line);
        if (!node.isObject()) {
            throw new FormatException("%s: expected an object, got %s".formatted(where, Unreadable.kind(node)));
        }
        JsonNode score = field(where, node, SCORE);
        if (!score.isNumber()) {
            throw new FormatException(
                    "%s: \"%s\": expected a number, got %s".formatted(where, SCORE, Unreadable.kind(score)));
        }
        return new Pair(
                text(where, node, FIRST), text(where, node, SECOND), finite(where, score.asText(), score.asDouble()));
    }

    private static JsonNode field(String where, JsonNode node, String key) {
        JsonNode value = node.get(key);
        if (value == null) {
            throw new FormatException("%s: expected \"%s\", found none".formatted(where, key));
        }
        return value;
    }

    private static String text(String where, JsonNode node, String key) {
        JsonNode value = field(where, node, key);
        String place = "%s: \"%s\"".formatted(where, key);
        return Texts.stripped(() -> place, JsonText.of(() -> place, value));
    }

    private static double finite(String where, String shown, double score) {
        if (!Double.isFinite(score)) {
            throw new FormatException("%s: expected a finite score, got %s".formatted(where, Quoted.of(shown)));
        }
        return score;
    }

    /// Reads lines with tabs.
    private static final class Tabs implements LineFile.Visitor {
        private final List<Pair> pairs;
        private Optional<Columns> columns = Optional.empty();

        Tabs(List<Pair> pairs) {
            this.pairs = pairs;
        }

        @Override
        public boolean visit(Supplier<String> where, String line) {
            if (line.isBlank()) {
                return false;
            }
            List<String> fields = List.of(line.split("\t", -1));
            if (columns.isEmpty()) {
                columns = Optional.of(Columns.of(where.get(), fields));
                if (columns.get().named()) {
                    return true;
                }
            }
            columns.get().pair(where.get(), fields).ifPresent(pairs::add);
            return true;
        }
    }

    /// Where the fields are.
    ///
    /// @param split negative if there is none
    /// @param named whether the first line names them
    private record Columns(int first, int second, int score, int split, int count, boolean named) {
        static Columns of(String where, List<String> header) {
            if (header.containsAll(List.of(FIRST, SECOND, SCORE))) {
                return new Columns(
                        header.indexOf(FIRST),
                        header.indexOf(SECOND),
                        header.indexOf(SCORE),
                        header.indexOf(SPLIT),
                        header.size(),
                        true);
            }
            if (header.size() != 3) {
                throw new FormatException(
                        "%s: expected two sentences and a score between tabs, or names of columns with %s, %s and %s, got %d fields"
                                .formatted(where, FIRST, SECOND, SCORE, header.size()));
            }
            return new Columns(0, 1, 2, -1, 3, false);
        }

        /// Empty if the line is of another split.
        Optional<Pair> pair(String where, List<String> fields) {
            if (fields.size() != count) {
                throw new FormatException(
                        "%s: expected %d fields separated by tabs, got %d".formatted(where, count, fields.size()));
            }
            if (split >= 0 && !fields.get(split).equals(DEV)) {
                return Optional.empty();
            }
            double value;
            try {
                value = Double.parseDouble(fields.get(score));
            } catch (NumberFormatException e) {
                throw new FormatException(
                        "%s: expected a score, got %s".formatted(where, Quoted.of(fields.get(score))), e);
            }
            return Optional.of(new Pair(
                    Texts.stripped(() -> where + ": first sentence", fields.get(first)),
                    Texts.stripped(() -> where + ": second sentence", fields.get(second)),
                    finite(where, fields.get(score), value)));
        }
    }
}
