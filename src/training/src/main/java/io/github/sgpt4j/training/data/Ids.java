package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import java.util.function.Supplier;

/// MS MARCO's numbers of queries and passages.
final class Ids {
    private static final int MAX_DIGITS = 10;

    private Ids() {}

    /// @param where file and line
    /// @throws FormatException if the text is no number below 2³¹
    static int parse(Supplier<String> where, String text) {
        boolean digits =
                !text.isEmpty() && text.length() <= MAX_DIGITS && text.chars().allMatch(c -> c >= '0' && c <= '9');
        long value = digits ? Long.parseLong(text) : -1;
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw new FormatException(
                    "%s: expected a number below 2^31 as an id, got %s".formatted(where.get(), Quoted.of(text)));
        }
        return (int) value;
    }
}
