package io.github.sgpt4j.training.data;

import java.util.List;
import java.util.Optional;

/// Rows in which a positive equals a negative.
final class Contradictions {
    private long count;
    private Optional<String> first = Optional.empty();

    /// @param where file and line
    void add(String where) {
        count++;
        if (first.isEmpty()) {
            first = Optional.of(where);
        }
    }

    /// A sentence, if there are any.
    List<String> notices() {
        return first
                .map(where ->
                        "rows with a positive that equals a negative: %,d, the first is %s".formatted(count, where))
                .stream()
                .toList();
    }
}
