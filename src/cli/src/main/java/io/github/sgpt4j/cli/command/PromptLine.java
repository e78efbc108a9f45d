package io.github.sgpt4j.cli.command;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.github.sgpt4j.ScoringPrompt;

/// A line of reports that tells how pairs were scored.
public final class PromptLine {
    private PromptLine() {}

    /// The prompt by its name, and what the softmax runs over.
    public static String of(ScoringPrompt prompt) {
        return "prompt %s, softmax over %s".formatted(name(prompt.name()), vocabulary(prompt));
    }

    /// Its letter or file, or the template in quotes.
    ///
    /// @param prompt as [ScoringPrompt#name]
    public static String name(String prompt) {
        return prompt.contains("{}") ? quoted(prompt) : prompt;
    }

    /// As in JSON: blanks count, and line breaks stay on the line.
    private static String quoted(String text) {
        return "\"%s\"".formatted(new String(JsonStringEncoder.getInstance().quoteAsString(text)));
    }

    private static String vocabulary(ScoringPrompt prompt) {
        if (!prompt.choices().isEmpty()) {
            return "the tokens "
                    + String.join(
                            ", ",
                            prompt.choices().stream().map(PromptLine::quoted).toList());
        }
        return switch (prompt.vocabulary()) {
            case MODEL -> "all rows of the model's output head";
            case TOKENIZER -> "the tokenizer's vocabulary";
        };
    }
}
