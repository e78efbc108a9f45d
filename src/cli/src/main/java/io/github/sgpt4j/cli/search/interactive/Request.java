package io.github.sgpt4j.cli.search.interactive;

import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// What somebody who types at the prompt asks for: a query, or a command that begins with a colon.
sealed interface Request {
    /// The commands, as the prompt completes them.
    List<String> COMMANDS = List.of(":help", ":k", ":mode", ":open", ":quit", ":rerank", ":where", ":why");

    /// Documents for a text.
    record Query(String text) implements Request {}

    /// Other settings for the queries that follow, or those in use if the value is missing.
    record Mode(Optional<SearchMode> mode) implements Request {}

    record Count(int documents) implements Request {}

    record Where(Optional<Filter> filter) implements Request {}

    record Rerank(int documents) implements Request {}

    /// The whole document of a rank of the last results.
    record Open(int rank) implements Request {}

    /// Why the document of a rank was found.
    record Why(int rank) implements Request {}

    record Help() implements Request {}

    record Quit() implements Request {}

    /// A line that means nothing, and what would.
    record Wrong(String sentence) implements Request {}

    record Nothing() implements Request {}

    /// Reads a line.
    static Request of(String line) {
        String text = line.strip();
        if (text.isEmpty()) {
            return new Nothing();
        }
        if (!text.startsWith(":")) {
            return new Query(text);
        }
        int end = 0;
        while (end < text.length() && !Character.isWhitespace(text.charAt(end))) {
            end++;
        }
        return command(
                text.substring(0, end).toLowerCase(Locale.ROOT),
                text.substring(end).strip());
    }

    private static Request command(String name, String value) {
        return switch (name) {
            case ":mode" -> mode(value);
            case ":k" -> number(name, value, 1, Count::new);
            case ":rerank" -> value.equals("off") ? new Rerank(0) : number(name, value, 1, Rerank::new);
            case ":open" -> number(name, value, 1, Open::new);
            case ":why" -> number(name, value, 1, Why::new);
            case ":where" -> where(value);
            case ":help", ":h", ":?" -> new Help();
            case ":quit", ":q", ":exit" -> new Quit();
            default -> new Wrong("expected one of %s, or a query, got %s".formatted(String.join(", ", COMMANDS), name));
        };
    }

    private static Request mode(String value) {
        if (value.isEmpty()) {
            return new Mode(Optional.empty());
        }
        return Stream.of(SearchMode.values())
                .filter(mode -> mode.name().equalsIgnoreCase(value))
                .findFirst()
                .<Request>map(mode -> new Mode(Optional.of(mode)))
                .orElseGet(() -> new Wrong(":mode: expected dense, bm25 or hybrid, got \"%s\"".formatted(value)));
    }

    private static Request where(String value) {
        if (value.isEmpty() || value.equals("off")) {
            return new Where(Optional.empty());
        }
        try {
            return new Where(Optional.of(Filter.parse(value)));
        } catch (IllegalArgumentException e) {
            return new Wrong(":where: " + e.getMessage());
        }
    }

    /// Makes a request of a number.
    @FunctionalInterface
    interface OfNumber {
        Request of(int number);
    }

    private static Request number(String name, String value, int least, OfNumber request) {
        try {
            int number = Integer.parseInt(value);
            if (number >= least) {
                return request.of(number);
            }
        } catch (NumberFormatException e) {
            // Told below, together with numbers that are too small.
        }
        return new Wrong("%s: expected a whole number of at least %d, got \"%s\"".formatted(name, least, value));
    }
}
