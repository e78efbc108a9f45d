package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.util.function.Supplier;

/// Checks texts.
final class Texts {
    private Texts() {}

    /// A stripped text.
    ///
    /// @param where file, line and field
    /// @throws FormatException if nothing is left
    static String stripped(Supplier<String> where, String text) {
        String stripped = TextRecord.strip(text);
        if (stripped.isEmpty()) {
            throw new FormatException(where.get() + ": expected a text, got an empty one");
        }
        return stripped;
    }
}
