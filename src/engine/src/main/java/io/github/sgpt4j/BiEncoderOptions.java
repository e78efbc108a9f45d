package io.github.sgpt4j;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// How texts are embedded. Immutable: each `with` method returns a changed copy. What is not set
/// follows the checkpoint.
public final class BiEncoderOptions {
    /// Everything as the checkpoint says.
    public static final BiEncoderOptions DEFAULT = new BiEncoderOptions(
            new Values(List.of(), null, Map.of(), Map.of(), false, null, false, null, null, true, null));

    private record Values(
            List<Pooling> pooling,
            @Nullable Boolean specb,
            Map<TextKind, String> prompts,
            Map<TextKind, String> promptNames,
            boolean normalize,
            @Nullable Integer truncateDim,
            boolean exactDim,
            @Nullable Similarity similarity,
            @Nullable Integer maxLength,
            boolean truncate,
            @Nullable Integer batchTokens) {}

    private final Values values;

    private BiEncoderOptions(Values values) {
        this.values = values;
    }

    /// Mutable values for a changed copy.
    private static final class Draft {
        private List<Pooling> pooling;
        private @Nullable Boolean specb;
        private Map<TextKind, String> prompts;
        private Map<TextKind, String> promptNames;
        private boolean normalize;
        private @Nullable Integer truncateDim;
        private boolean exactDim;
        private @Nullable Similarity similarity;
        private @Nullable Integer maxLength;
        private boolean truncate;
        private @Nullable Integer batchTokens;

        Draft(Values values) {
            pooling = values.pooling;
            specb = values.specb;
            prompts = values.prompts;
            promptNames = values.promptNames;
            normalize = values.normalize;
            truncateDim = values.truncateDim;
            exactDim = values.exactDim;
            similarity = values.similarity;
            maxLength = values.maxLength;
            truncate = values.truncate;
            batchTokens = values.batchTokens;
        }

        Values values() {
            return new Values(
                    pooling,
                    specb,
                    prompts,
                    promptNames,
                    normalize,
                    truncateDim,
                    exactDim,
                    similarity,
                    maxLength,
                    truncate,
                    batchTokens);
        }
    }

    private BiEncoderOptions changed(Consumer<Draft> change) {
        Draft draft = new Draft(values);
        change.accept(draft);
        return new BiEncoderOptions(draft.values());
    }

    private static int positive(String what, int value) {
        if (value < 1) {
            throw new IllegalArgumentException("%s: expected at least 1, got %d".formatted(what, value));
        }
        return value;
    }

    /// Modes whose results are concatenated; empty for the checkpoint's modes.
    public List<Pooling> pooling() {
        return values.pooling;
    }

    /// With these modes, whose results are concatenated in this order; none for the checkpoint's modes.
    ///
    /// @throws IllegalArgumentException if one is a mode that only a checkpoint can ask for
    public BiEncoderOptions withPooling(Pooling... modes) {
        List<Pooling> pooling = List.of(modes);
        pooling.forEach(Pooling::mode);
        return changed(draft -> draft.pooling = pooling);
    }

    /// Whether queries and documents are put in brackets; empty to decide by the model's name.
    public Optional<Boolean> specb() {
        return Optional.ofNullable(values.specb);
    }

    /// With or without brackets around queries and documents, whatever the model's name.
    public BiEncoderOptions withSpecb(boolean value) {
        return changed(draft -> draft.specb = value);
    }

    /// The prompt in front of texts of a kind; empty for the checkpoint's prompt.
    public Optional<String> prompt(TextKind kind) {
        return Optional.ofNullable(values.prompts.get(kind));
    }

    /// With a prompt in front of texts of a kind, tokenized together with them, in place of the checkpoint's prompt or
    /// brackets.
    ///
    /// @param prompt empty for none
    public BiEncoderOptions withPrompt(TextKind kind, String prompt) {
        return changed(draft -> {
            draft.prompts = with(values.prompts, kind, Objects.requireNonNull(prompt, "prompt"));
            draft.promptNames = with(values.promptNames, kind, null);
        });
    }

    /// The name of the checkpoint's prompt in front of texts of a kind, if it was set.
    public Optional<String> promptName(TextKind kind) {
        return Optional.ofNullable(values.promptNames.get(kind));
    }

    /// With the checkpoint's prompt of this name ([ModelInfo#prompts]) in front of texts of a kind, in place
    /// of its usual prompt or brackets, and of [#prompt]. Creating an encoder fails with a
    /// [io.github.sgpt4j.error.FormatException] that lists the names if the checkpoint has no such prompt.
    ///
    /// @param name such as `s2p_query`
    public BiEncoderOptions withPromptName(TextKind kind, String name) {
        return changed(draft -> {
            draft.promptNames = with(values.promptNames, kind, Objects.requireNonNull(name, "name"));
            draft.prompts = with(values.prompts, kind, null);
        });
    }

    /// @param text null for none
    private static Map<TextKind, String> with(Map<TextKind, String> map, TextKind kind, @Nullable String text) {
        Map<TextKind, String> changed = new EnumMap<>(TextKind.class);
        changed.putAll(map);
        if (text == null) {
            changed.remove(kind);
        } else {
            changed.put(kind, text);
        }
        return Map.copyOf(changed);
    }

    /// Whether embeddings are scaled to length 1 even if the checkpoint does not.
    public boolean normalize() {
        return values.normalize;
    }

    /// With embeddings of length 1, or as the checkpoint says.
    public BiEncoderOptions withNormalize(boolean value) {
        return changed(draft -> draft.normalize = value);
    }

    /// How many leading components of an embedding are kept, before it is scaled; all if it has no
    /// more.
    public OptionalInt truncateDim() {
        return optional(values.truncateDim);
    }

    /// With only this many leading components of an embedding (Kusupati et al. 2022, arXiv 2205.13147,
    /// on models trained for it). The result is not rescaled: see [#withDimensions].
    ///
    /// @throws IllegalArgumentException if not positive
    public BiEncoderOptions withTruncateDim(int value) {
        return changed(draft -> {
            draft.truncateDim = positive("truncated dimension", value);
            draft.exactDim = false;
        });
    }

    /// With only this many leading components of an embedding, scaled to length 1. Creating an
    /// encoder fails with an [IllegalArgumentException] that names the model's number if it has fewer.
    ///
    /// @throws IllegalArgumentException if not positive
    public BiEncoderOptions withDimensions(int value) {
        return changed(draft -> {
            draft.truncateDim = positive("dimensions", value);
            draft.exactDim = true;
            draft.normalize = true;
        });
    }

    /// Whether a model with fewer components is refused.
    boolean exactDim() {
        return values.exactDim;
    }

    /// The similarity that embeddings are compared with; empty for the checkpoint's.
    public Optional<Similarity> similarity() {
        return Optional.ofNullable(values.similarity);
    }

    /// With this similarity, whatever the checkpoint says.
    public BiEncoderOptions withSimilarity(Similarity value) {
        return changed(draft -> draft.similarity = value);
    }

    /// Maximum tokens of a text; empty for the checkpoint's maximum.
    public OptionalInt maxLength() {
        return optional(values.maxLength);
    }

    /// With texts of at most this many tokens.
    ///
    /// @throws IllegalArgumentException if not positive
    public BiEncoderOptions withMaxLength(int value) {
        return changed(draft -> draft.maxLength = positive("maximal length", value));
    }

    /// Whether longer texts are cut; otherwise they are an error.
    public boolean truncate() {
        return values.truncate;
    }

    /// With `true`, texts that are too long are cut; with `false`, the first of them causes a
    /// [io.github.sgpt4j.error.FormatException] before it and the texts near it are computed.
    public BiEncoderOptions withTruncate(boolean value) {
        return changed(draft -> draft.truncate = value);
    }

    /// Maximum tokens computed at the same time on a device, which bounds the memory for activations.
    /// On the CPU, several threads, each with its own batch, share them. Empty for what suits the device,
    /// [Model#batchTokens].
    public OptionalInt batchTokens() {
        return optional(values.batchTokens);
    }

    /// With at most this many tokens computed at the same time.
    ///
    /// @throws IllegalArgumentException if not positive
    public BiEncoderOptions withBatchTokens(int value) {
        return changed(draft -> draft.batchTokens = positive("batch tokens", value));
    }

    private static OptionalInt optional(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BiEncoderOptions options && values.equals(options.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    @Override
    public String toString() {
        return values.toString().replaceFirst("Values", "BiEncoderOptions");
    }
}
