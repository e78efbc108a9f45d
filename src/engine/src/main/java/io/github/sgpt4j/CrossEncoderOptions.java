package io.github.sgpt4j;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// How pairs are scored. Immutable: each `with` method returns a changed copy.
public final class CrossEncoderOptions {
    /// The model's own way to score pairs; if it states none, the likelihood after SGPT's prompt. The model's
    /// length.
    public static final CrossEncoderOptions DEFAULT =
            new CrossEncoderOptions(new Values(ScoringPrompt.named("G"), null, true, null, null, null, false));

    private record Values(
            ScoringPrompt prompt,
            @Nullable Integer maxLength,
            boolean truncate,
            @Nullable Integer batchTokens,
            @Nullable RerankTemplate template,
            @Nullable String instruction,
            boolean rawScores) {}

    private final Values values;

    private CrossEncoderOptions(Values values) {
        this.values = values;
    }

    /// Mutable values for a changed copy.
    private static final class Draft {
        private ScoringPrompt prompt;
        private @Nullable Integer maxLength;
        private boolean truncate;
        private @Nullable Integer batchTokens;
        private @Nullable RerankTemplate template;
        private @Nullable String instruction;
        private boolean rawScores;

        Draft(Values values) {
            prompt = values.prompt;
            maxLength = values.maxLength;
            truncate = values.truncate;
            batchTokens = values.batchTokens;
            template = values.template;
            instruction = values.instruction;
            rawScores = values.rawScores;
        }

        Values values() {
            return new Values(prompt, maxLength, truncate, batchTokens, template, instruction, rawScores);
        }
    }

    private CrossEncoderOptions changed(Consumer<Draft> change) {
        Draft draft = new Draft(values);
        change.accept(draft);
        return new CrossEncoderOptions(draft.values());
    }

    /// Text before the query, with `{}` once where the document goes; used by the likelihood only. If there are
    /// [ScoringPrompt#choices], the query has a place too.
    public String prompt() {
        return values.prompt.text();
    }

    /// With another prompt. A model that is not scored by likelihood is refused when the encoder is created.
    ///
    /// @throws IllegalArgumentException if it does not contain `{}` exactly once
    public CrossEncoderOptions withPrompt(String value) {
        return withPrompt(ScoringPrompt.of(value));
    }

    /// The prompt with what the softmax after it runs over; SGPT's prompt G over the model's vocabulary unless
    /// another is set.
    public ScoringPrompt scoringPrompt() {
        return values.prompt;
    }

    /// With another prompt, such as one of those of SGPT's paper. A model that is not scored by likelihood is
    /// refused when the encoder is created.
    public CrossEncoderOptions withPrompt(ScoringPrompt value) {
        return changed(draft -> draft.prompt = Objects.requireNonNull(value, "prompt"));
    }

    /// Maximum tokens of prompt and query; empty for the model's number of positions, or what the template or
    /// the model's files state. The templates bge-gemma and mxbai-v2 count the texts, not the whole prompt.
    public OptionalInt maxLength() {
        return values.maxLength == null ? OptionalInt.empty() : OptionalInt.of(values.maxLength);
    }

    /// With prompt and query of at most this many tokens.
    ///
    /// @throws IllegalArgumentException if not positive
    public CrossEncoderOptions withMaxLength(int value) {
        if (value < 1) {
            throw new IllegalArgumentException("maximal length: expected at least 1, got " + value);
        }
        return changed(draft -> draft.maxLength = value);
    }

    /// Whether longer pairs are cut; otherwise they are an error.
    public boolean truncate() {
        return values.truncate;
    }

    /// With `true`, pairs that are too long are cut; with `false`, the first of them causes a
    /// [io.github.sgpt4j.error.FormatException] before anything is computed.
    public CrossEncoderOptions withTruncate(boolean value) {
        return changed(draft -> draft.truncate = value);
    }

    /// Maximum tokens computed at the same time on a device, which bounds the memory for activations.
    /// On the CPU, several threads, each with its own batch, share them. Empty for what suits the device,
    /// [Model#batchTokens].
    public OptionalInt batchTokens() {
        return values.batchTokens == null ? OptionalInt.empty() : OptionalInt.of(values.batchTokens);
    }

    /// With at most this many tokens computed at the same time.
    ///
    /// @throws IllegalArgumentException if not positive
    public CrossEncoderOptions withBatchTokens(int value) {
        if (value < 1) {
            throw new IllegalArgumentException("batch tokens: expected at least 1, got " + value);
        }
        return changed(draft -> draft.batchTokens = value);
    }

    /// What is computed, and the prompts for it; empty for what the model's files or its name say, see
    /// [ModelInfo#scoring], and the likelihood for other models.
    public Optional<RerankTemplate> template() {
        return Optional.ofNullable(values.template);
    }

    /// With a template, whatever the model's files and its name say.
    public CrossEncoderOptions withTemplate(RerankTemplate value) {
        return changed(draft -> draft.template = Objects.requireNonNull(value, "template"));
    }

    /// The instruction in prompts, or empty for the template's or the files' own.
    public Optional<String> instruction() {
        return Optional.ofNullable(values.instruction);
    }

    /// With an instruction in prompts, such as "Given a web search query, retrieve relevant passages that
    /// answer the query". A model whose template has no place for one is refused when the encoder is created.
    public CrossEncoderOptions withInstruction(String value) {
        return changed(draft -> draft.instruction = Objects.requireNonNull(value, "instruction"));
    }

    /// Whether scores are logits, or their difference.
    public boolean rawScores() {
        return values.rawScores;
    }

    /// With `true`, scores are logits, or the difference of two, also if the model's files or its published
    /// usage make probabilities of them. With the likelihood, `true` is refused when the encoder is created.
    public CrossEncoderOptions withRawScores(boolean value) {
        return changed(draft -> draft.rawScores = value);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CrossEncoderOptions options && values.equals(options.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    @Override
    public String toString() {
        return values.toString().replaceFirst("Values", "CrossEncoderOptions");
    }
}
