package io.github.sgpt4j;

import java.util.List;
import java.util.Optional;

/// How texts are embedded. Immutable: each `with` method returns a changed copy.
///
/// @param pooling modes whose results are concatenated; empty for what the checkpoint says
/// @param specb whether queries and documents are put in brackets; empty to decide by the model's name
/// @param normalize scale embeddings to length 1 even if the checkpoint does not
/// @param truncateDim components that are kept of an embedding, the first ones, before it is scaled;
///     all if it has no more; 0 for what the checkpoint says
/// @param similarity what embeddings are compared by; empty for what the checkpoint says
/// @param maxLength most tokens of a text; 0 for what the checkpoint says
/// @param truncate cut longer texts; otherwise they are an error
/// @param batchTokens most tokens computed at the same time on a device, which bounds the memory for activations; on
///     the CPU, threads with a batch each share them
public record BiEncoderOptions(
        List<Pooling> pooling,
        Optional<Boolean> specb,
        boolean normalize,
        int truncateDim,
        Optional<Similarity> similarity,
        int maxLength,
        boolean truncate,
        int batchTokens) {
    /// Tokens computed together unless another number is asked for.
    public static final int DEFAULT_BATCH_TOKENS = 4096;

    /// What the checkpoint says.
    public static final BiEncoderOptions DEFAULT = new BiEncoderOptions(
            List.of(), Optional.empty(), false, 0, Optional.empty(), 0, true, DEFAULT_BATCH_TOKENS);

    /// @throws IllegalArgumentException if `truncateDim` or `maxLength` is negative, `batchTokens` not
    ///     positive, or a pooling mode is one that only a checkpoint can ask for
    public BiEncoderOptions {
        pooling = List.copyOf(pooling);
        pooling.forEach(Pooling::mode);
        if (truncateDim < 0) {
            throw new IllegalArgumentException("truncated dimension: expected at least 0, got " + truncateDim);
        }
        if (maxLength < 0) {
            throw new IllegalArgumentException("maximal length: expected at least 0, got " + maxLength);
        }
        if (batchTokens < 1) {
            throw new IllegalArgumentException("batch tokens: expected at least 1, got " + batchTokens);
        }
    }

    /// With these modes, whose results are concatenated in this order; none for what the checkpoint says.
    public BiEncoderOptions withPooling(Pooling... modes) {
        return new BiEncoderOptions(
                List.of(modes), specb, normalize, truncateDim, similarity, maxLength, truncate, batchTokens);
    }

    /// With brackets around queries and documents, or without, whatever the name of the model.
    public BiEncoderOptions withSpecb(boolean value) {
        return new BiEncoderOptions(
                pooling, Optional.of(value), normalize, truncateDim, similarity, maxLength, truncate, batchTokens);
    }

    /// With embeddings of length 1, or as the checkpoint says.
    public BiEncoderOptions withNormalize(boolean value) {
        return new BiEncoderOptions(pooling, specb, value, truncateDim, similarity, maxLength, truncate, batchTokens);
    }

    /// With this many components of an embedding, the first ones (Kusupati et al. 2022, arXiv
    /// 2205.13147, on models trained for it); 0 for what the checkpoint says.
    ///
    /// @throws IllegalArgumentException if negative
    public BiEncoderOptions withTruncateDim(int value) {
        return new BiEncoderOptions(pooling, specb, normalize, value, similarity, maxLength, truncate, batchTokens);
    }

    /// With embeddings compared in this way, whatever the checkpoint says.
    public BiEncoderOptions withSimilarity(Similarity value) {
        return new BiEncoderOptions(
                pooling, specb, normalize, truncateDim, Optional.of(value), maxLength, truncate, batchTokens);
    }

    /// With texts cut to this many tokens; 0 for what the checkpoint says.
    ///
    /// @throws IllegalArgumentException if negative
    public BiEncoderOptions withMaxLength(int value) {
        return new BiEncoderOptions(pooling, specb, normalize, truncateDim, similarity, value, truncate, batchTokens);
    }

    /// With texts cut that are too long, or with a [io.github.sgpt4j.error.FormatException] for the
    /// first of them, before it and the texts near it are computed.
    public BiEncoderOptions withTruncate(boolean value) {
        return new BiEncoderOptions(pooling, specb, normalize, truncateDim, similarity, maxLength, value, batchTokens);
    }

    /// With this many tokens computed at the same time at most.
    ///
    /// @throws IllegalArgumentException if not positive
    public BiEncoderOptions withBatchTokens(int value) {
        return new BiEncoderOptions(pooling, specb, normalize, truncateDim, similarity, maxLength, truncate, value);
    }
}
