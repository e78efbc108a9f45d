package io.github.sgpt4j.scoring;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.TokenBudget;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;

/// The bi-encoder: texts to vectors (SGPT-BE, Muennighoff 2022, section 4). Borrows all its parts.
///
/// @param decoder the model
/// @param tokenizer its tokenizer
/// @param modes pooling modes, results concatenated
/// @param includePrompt whether a prompt's tokens take part in pooling
/// @param steps what is done after pooling
/// @param maxLength most tokens of a text
public record TextEncoder(
        Decoder decoder,
        Tokenizer tokenizer,
        List<PoolMode> modes,
        boolean includePrompt,
        EmbeddingSteps steps,
        int maxLength) {
    public TextEncoder {
        modes = List.copyOf(modes);
        if (maxLength < 1 || maxLength > decoder.config().maxPositions()) {
            throw new IllegalArgumentException("maximal length %d: expected 1 to %d, the model's positions"
                    .formatted(maxLength, decoder.config().maxPositions()));
        }
    }

    /// Embeds texts in batches of at most `batchTokens` tokens. A text without any token gives the pooled vector zero.
    ///
    /// @return `[texts][steps.width()]`, in the order of `texts`
    public float[][] embed(List<String> texts, TextFraming framing, int batchTokens, Progress progress) {
        int[][] ids = new int[texts.size()][];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = framing.encode(tokenizer, texts.get(i), maxLength);
        }
        int promptLength = includePrompt ? 0 : framing.promptLength(tokenizer);
        int[] filled = nonEmpty(ids);
        float[][] pooled = new float[ids.length][];
        int done = ids.length - filled.length;
        int[] lengths = Arrays.stream(filled).map(i -> ids[i].length).toArray();
        for (int[] group : TokenBudget.plan(lengths, batchTokens)) {
            List<int[]> sequences =
                    Arrays.stream(group).mapToObj(g -> ids[filled[g]]).toList();
            int[] skip = sequences.stream()
                    .mapToInt(s -> Math.min(promptLength, s.length))
                    .toArray();
            float[][] vectors = decoder.pool(PackedBatch.of(sequences), skip, modes);
            for (int g = 0; g < group.length; g++) {
                pooled[filled[group[g]]] = vectors[g];
            }
            done += group.length;
            progress.update(done, ids.length);
        }
        if (filled.length == 0) {
            progress.update(done, ids.length);
        }
        for (int i = 0; i < pooled.length; i++) {
            if (pooled[i] == null) {
                pooled[i] = new float[modes.size() * decoder.width()];
            }
        }
        return steps.apply(pooled);
    }

    private static int[] nonEmpty(int[][] ids) {
        int[] indices = new int[ids.length];
        int n = 0;
        for (int i = 0; i < ids.length; i++) {
            if (ids[i].length > 0) {
                indices[n++] = i;
            }
        }
        return Arrays.copyOf(indices, n);
    }
}
