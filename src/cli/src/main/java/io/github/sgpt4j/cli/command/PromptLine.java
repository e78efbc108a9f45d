package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.ScoringPrompt;
import io.github.sgpt4j.text.Quoted;

/// A line of reports that tells how pairs were scored.
public final class PromptLine {
    private PromptLine() {}

    /// The prompt by its name, and what the softmax runs over.
    public static String of(ScoringPrompt prompt) {
        return "prompt %s, softmax over %s".formatted(name(prompt), vocabulary(prompt));
    }

    /// Its letter or file, or the template in quotes.
    public static String name(ScoringPrompt prompt) {
        return prompt.name().contains("{}") ? Quoted.of(prompt.name()) : prompt.name();
    }

    private static String vocabulary(ScoringPrompt prompt) {
        if (!prompt.choices().isEmpty()) {
            return "the tokens "
                    + String.join(
                            ", ", prompt.choices().stream().map(Quoted::of).toList());
        }
        return switch (prompt.vocabulary()) {
            case MODEL -> "all rows of the model's output head";
            case TOKENIZER -> "the tokenizer's vocabulary";
        };
    }
}
