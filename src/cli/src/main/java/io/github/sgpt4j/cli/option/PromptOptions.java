package io.github.sgpt4j.cli.option;

import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.TextKind;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Prompts in front of texts. An index stores them, so `index` and `search` must be given the same.
public final class PromptOptions {
    public static final String QUERY = "--prompt-query";
    public static final String DOCUMENT = "--prompt-document";

    @Option(
            names = QUERY,
            paramLabel = "TEXT",
            description = "Put TEXT in front of queries, in place of the checkpoint's prompt or brackets.")
    private @Nullable String query;

    @Option(
            names = DOCUMENT,
            paramLabel = "TEXT",
            description = "Put TEXT in front of documents, in place of the checkpoint's prompt or brackets.")
    private @Nullable String document;

    public boolean areGiven() {
        return query != null || document != null;
    }

    /// Whether a prompt is given that does not apply to texts of this kind.
    public boolean isWithout(TextKind kind) {
        return query != null && kind != TextKind.QUERY || document != null && kind != TextKind.DOCUMENT;
    }

    public BiEncoderOptions apply(BiEncoderOptions options) {
        BiEncoderOptions prompted = query == null ? options : options.withPrompt(TextKind.QUERY, query);
        return document == null ? prompted : prompted.withPrompt(TextKind.DOCUMENT, document);
    }
}
