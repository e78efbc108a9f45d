package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.retrieval.passage.TextRange;
import java.util.List;

/// Words of a text in bold type, for a terminal.
final class BoldWords {
    private static final String BOLD = "\u001b[1m";
    private static final String PLAIN = "\u001b[22m";

    private BoldWords() {}

    /// @param words their places in the text, in its order
    static String of(String text, List<TextRange> words) {
        StringBuilder shown = new StringBuilder();
        int from = 0;
        for (TextRange word : words) {
            shown.append(text, from, word.start())
                    .append(BOLD)
                    .append(word.of(text))
                    .append(PLAIN);
            from = word.end();
        }
        return shown.append(text, from, text.length()).toString();
    }
}
