package io.github.sgpt4j.cli.option;

import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.TextKind;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Prompts in front of texts. An index stores them, so `index` and `search` must be given the same.
public final class PromptOptions {
    public static final String QUERY = "--prompt-query";
    public static final String DOCUMENT = "--prompt-document";
    public static final String NAME = "--prompt-name";

    /// The names of these options.
    public static final List<String> NAMES = List.of(QUERY, DOCUMENT, NAME);

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

    @Option(
            names = NAME,
            paramLabel = "NAME",
            converter = Converters.Name.class,
            description = "Put the checkpoint's prompt NAME in front of queries (of the texts of embed), such as"
                    + " s2p_query; sgpt inspect lists the names.")
    private @Nullable String name;

    public boolean areGiven() {
        return query != null || document != null || name != null;
    }

    /// What is wrong with these options for texts of a kind, if anything.
    ///
    /// @param named the kind of texts that [#NAME] applies to
    public Optional<String> complaint(TextKind named) {
        Optional<String> other = switch (named) {
            case QUERY -> Optional.ofNullable(query).map(text -> QUERY);
            case DOCUMENT -> Optional.ofNullable(document).map(text -> DOCUMENT);
            case TEXT -> Optional.empty();
        };
        return other.filter(option -> name != null)
                .map(option -> "expected either %s or %s, got both".formatted(NAME, option));
    }

    /// Whether a prompt is given that does not apply to texts of this kind.
    public boolean isWithout(TextKind kind) {
        return query != null && kind != TextKind.QUERY || document != null && kind != TextKind.DOCUMENT;
    }

    public BiEncoderOptions apply(BiEncoderOptions options) {
        return apply(options, TextKind.QUERY);
    }

    /// @param named the kind of texts that [#NAME] applies to
    public BiEncoderOptions apply(BiEncoderOptions options, TextKind named) {
        BiEncoderOptions prompted = name == null ? options : options.withPromptName(named, name);
        prompted = query == null ? prompted : prompted.withPrompt(TextKind.QUERY, query);
        return document == null ? prompted : prompted.withPrompt(TextKind.DOCUMENT, document);
    }
}
