package io.github.sgpt4j;

import java.util.List;
import java.util.Optional;

/// How texts are embedded. Immutable: each `with` method returns a changed copy.
///
/// @param pooling modes whose results are concatenated; empty for what the checkpoint says
/// @param specb whether queries and documents are put in brackets; empty to decide by the model's name
/// @param normalize scale embeddings to length 1 even if the checkpoint does not
/// @param maxLength most tokens of a text; 0 for what the checkpoint says
/// @param batchTokens most tokens computed at the same time on a device, which bounds the memory for activations; on
///     the CPU, threads with a batch each share them
public record BiEncoderOptions(
        List<Pooling> pooling, Optional<Boolean> specb, boolean normalize, int maxLength, int batchTokens) {
    /// Tokens computed together unless another number is asked for.
    public static final int DEFAULT_BATCH_TOKENS = 4096;

    /// What the checkpoint says.
    public static final BiEncoderOptions DEFAULT =
            new BiEncoderOptions(List.of(), Optional.empty(), false, 0, DEFAULT_BATCH_TOKENS);

    public BiEncoderOptions {
        pooling = List.copyOf(pooling);
        if (maxLength < 0) {
            throw new IllegalArgumentException("maximal length: expected at least 0, got " + maxLength);
        }
        if (batchTokens < 1) {
            throw new IllegalArgumentException("batch tokens: expected at least 1, got " + batchTokens);
        }
    }

    public BiEncoderOptions withPooling(Pooling... modes) {
        return new BiEncoderOptions(List.of(modes), specb, normalize, maxLength, batchTokens);
    }

    public BiEncoderOptions withSpecb(boolean value) {
        return new BiEncoderOptions(pooling, Optional.of(value), normalize, maxLength, batchTokens);
    }

    public BiEncoderOptions withNormalize(boolean value) {
        return new BiEncoderOptions(pooling, specb, value, maxLength, batchTokens);
    }

    public BiEncoderOptions withMaxLength(int value) {
        return new BiEncoderOptions(pooling, specb, normalize, value, batchTokens);
    }

    public BiEncoderOptions withBatchTokens(int value) {
        return new BiEncoderOptions(pooling, specb, normalize, maxLength, value);
    }
}
