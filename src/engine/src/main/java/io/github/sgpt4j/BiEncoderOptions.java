package io.github.sgpt4j;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// How texts are embedded. Immutable: each `with` method returns a changed copy. What is not set is as the checkpoint
/// says.
public final class BiEncoderOptions {
    /// What the checkpoint says.
    public static final BiEncoderOptions DEFAULT =
            new BiEncoderOptions(new Values(List.of(), null, Map.of(), false, null, null, null, true, null));

    private record Values(
            List<Pooling> pooling,
            @Nullable Boolean specb,
            Map<TextKind, String> prompts,
            boolean normalize,
            @Nullable Integer truncateDim,
            @Nullable Similarity similarity,
            @Nullable Integer maxLength,
            boolean truncate,
            @Nullable Integer batchTokens) {}

    private final Values values;

    private BiEncoderOptions(Values values) {
        this.values = values;
    }

    /// Values on their way to a changed copy.
    private static final class Draft {
        private List<Pooling> pooling;
        private @Nullable Boolean specb;
        private Map<TextKind, String> prompts;
        private boolean normalize;
        private @Nullable Integer truncateDim;
        private @Nullable Similarity similarity;
        private @Nullable Integer maxLength;
        private boolean truncate;
        private @Nullable Integer batchTokens;

        Draft(Values values) {
            pooling = values.pooling;
            specb = values.specb;
            prompts = values.prompts;
            normalize = values.normalize;
            truncateDim = values.truncateDim;
            similarity = values.similarity;
            maxLength = values.maxLength;
            truncate = values.truncate;
            batchTokens = values.batchTokens;
        }

        Values values() {
            return new Values(
                    pooling, specb, prompts, normalize, truncateDim, similarity, maxLength, truncate, batchTokens);
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

    /// Modes whose results are concatenated; none for what the checkpoint says.
    public List<Pooling> pooling() {
        return values.pooling;
    }

    /// With these modes, whose results are concatenated in this order; none for what the checkpoint says.
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

    /// With brackets around queries and documents, or without, whatever the name of the model.
    public BiEncoderOptions withSpecb(boolean value) {
        return changed(draft -> draft.specb = value);
    }

    /// What is put in front of texts of a kind; empty for what the checkpoint says.
    public Optional<String> prompt(TextKind kind) {
        return Optional.ofNullable(values.prompts.get(kind));
    }

    /// With a prompt in front of texts of a kind, tokenized together with them, in place of the checkpoint's prompt or
    /// brackets.
    ///
    /// @param prompt empty for none
    public BiEncoderOptions withPrompt(TextKind kind, String prompt) {
        Map<TextKind, String> prompts = new EnumMap<>(TextKind.class);
        prompts.putAll(values.prompts);
        prompts.put(kind, prompt);
        return changed(draft -> draft.prompts = Map.copyOf(prompts));
    }

    /// Whether embeddings are scaled to length 1 even if the checkpoint does not.
    public boolean normalize() {
        return values.normalize;
    }

    /// With embeddings of length 1, or as the checkpoint says.
    public BiEncoderOptions withNormalize(boolean value) {
        return changed(draft -> draft.normalize = value);
    }

    /// Components that are kept of an embedding, the first ones, before it is scaled; all if it has no more.
    public OptionalInt truncateDim() {
        return optional(values.truncateDim);
    }

    /// With this many components of an embedding, the first ones (Kusupati et al. 2022, arXiv 2205.13147, on models
    /// trained for it). What is left is not scaled again: see [#withDimensions].
    ///
    /// @throws IllegalArgumentException if not positive
    public BiEncoderOptions withTruncateDim(int value) {
        return changed(draft -> draft.truncateDim = positive("truncated dimension", value));
    }

    /// With this many components of an embedding, the first ones, scaled to length 1.
    ///
    /// @throws IllegalArgumentException if not positive
    public BiEncoderOptions withDimensions(int value) {
        return withTruncateDim(value).withNormalize(true);
    }

    /// What embeddings are compared by; empty for what the checkpoint says.
    public Optional<Similarity> similarity() {
        return Optional.ofNullable(values.similarity);
    }

    /// With embeddings compared in this way, whatever the checkpoint says.
    public BiEncoderOptions withSimilarity(Similarity value) {
        return changed(draft -> draft.similarity = value);
    }

    /// Most tokens of a text; empty for what the checkpoint says.
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

    /// With texts cut that are too long, or with a [io.github.sgpt4j.error.FormatException] for the first of them,
    /// before it and the texts near it are computed.
    public BiEncoderOptions withTruncate(boolean value) {
        return changed(draft -> draft.truncate = value);
    }

    /// Most tokens computed at the same time on a device, which bounds the memory for activations; on the CPU, threads
    /// with a batch each share them. Empty for what suits the device, [Model#batchTokens].
    public OptionalInt batchTokens() {
        return optional(values.batchTokens);
    }

    /// With this many tokens computed at the same time at most.
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
