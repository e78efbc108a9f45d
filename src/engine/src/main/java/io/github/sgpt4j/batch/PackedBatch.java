package io.github.sgpt4j.batch;

import java.util.Arrays;

/// Token sequences laid end to end, without padding, for one forward pass.
///
/// A batch is a forest of *segments*. Most batches hold independent sequences: every segment is a root.
/// If several requests share their first tokens (a prompt's instruction, a document scored for many
/// queries), the shared tokens form a separate segment, which is the parent of the others. Tokens
/// attend to all ancestors of their segment, and causally within it; their positions continue those of
/// the ancestors.
///
/// The first `cachedTokens` rows may be *cached*: segment 0 was computed by an earlier pass. Its keys
/// and values are placed in front of the batch, and its hidden states are not computed again.
///
/// Arrays are owned by the batch and must not be changed.
public final class PackedBatch {
    /// The parent of a segment that starts a sequence.
    public static final int NO_PARENT = -1;

    private final int[] ids;
    private final int[] positions;
    private final int[] cuSeqlens;
    private final int[] parents;
    private final int cachedTokens;

    PackedBatch(int[] ids, int[] positions, int[] cuSeqlens, int[] parents, int cachedTokens) {
        this.ids = ids;
        this.positions = positions;
        this.cuSeqlens = cuSeqlens;
        this.parents = parents;
        this.cachedTokens = cachedTokens;
    }

    /// A batch of independent sequences, in order.
    ///
    /// @throws IllegalArgumentException if there is no sequence or one is empty
    public static PackedBatch of(Iterable<int[]> sequences) {
        PackedBatchBuilder builder = new PackedBatchBuilder();
        for (int[] sequence : sequences) {
            builder.add(sequence);
        }
        return builder.build();
    }

    /// Token ids of the rows to compute, `[tokens]`, without cached rows.
    public int[] ids() {
        return ids;
    }

    /// Position of each row to compute within its whole sequence, from 0, `[tokens]`.
    public int[] positions() {
        return positions;
    }

    /// Row at which each segment starts, `[segments + 1]`: first 0, last `cachedTokens + tokens`. Row
    /// numbers include cached rows.
    public int[] cuSeqlens() {
        return cuSeqlens;
    }

    /// Index of each segment's parent, always smaller than its own, or [#NO_PARENT], `[segments]`.
    public int[] parents() {
        return parents;
    }

    /// Number of leading rows whose keys and values come from an earlier pass; the length of segment 0, or 0.
    public int cachedTokens() {
        return cachedTokens;
    }

    /// Number of rows to compute.
    public int tokens() {
        return ids.length;
    }

    /// Rows of keys and values, both cached and computed.
    public int rows() {
        return cachedTokens + ids.length;
    }

    public int segments() {
        return parents.length;
    }

    /// Index of the first segment that is computed: 1 if there are cached tokens, else 0.
    public int firstSegment() {
        return cachedTokens > 0 ? 1 : 0;
    }

    /// First row of a segment.
    public int start(int segment) {
        return cuSeqlens[segment];
    }

    /// Tokens of a segment.
    public int length(int segment) {
        return cuSeqlens[segment + 1] - cuSeqlens[segment];
    }

    /// Tokens of all ancestors of a segment: the position of its first token.
    public int depth(int segment) {
        int depth = 0;
        for (int s = parents[segment]; s != NO_PARENT; s = parents[s]) {
            depth += length(s);
        }
        return depth;
    }

    @Override
    public String toString() {
        return "PackedBatch[tokens=%d, cached=%d, cuSeqlens=%s]"
                .formatted(tokens(), cachedTokens, Arrays.toString(cuSeqlens));
    }
}
