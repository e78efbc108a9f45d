package io.github.sgpt4j.cli.option;

import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.TextKind;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What is put in front of texts. An index remembers it, so `index` and `search` take the same.
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

    /// Whether an option is given that says nothing about texts of a kind.
    public boolean isWithout(TextKind kind) {
        return query != null && kind != TextKind.QUERY || document != null && kind != TextKind.DOCUMENT;
    }

    public BiEncoderOptions apply(BiEncoderOptions options) {
        BiEncoderOptions prompted = query == null ? options : options.withPrompt(TextKind.QUERY, query);
        return document == null ? prompted : prompted.withPrompt(TextKind.DOCUMENT, document);
    }
}
