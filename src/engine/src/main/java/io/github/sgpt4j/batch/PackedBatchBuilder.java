package io.github.sgpt4j.batch;

import java.util.Arrays;

/// Collects segments into a [PackedBatch]. Not thread-safe.
public final class PackedBatchBuilder {
    private int[] ids;
    private int[] positions;
    private int[] cuSeqlens = new int[9];
    private int[] parents = new int[8];
    private int tokens;
    private int segments;
    private int cachedTokens;

    public PackedBatchBuilder() {
        this(64);
    }

    /// @param tokens expected number of tokens to compute
    public PackedBatchBuilder(int tokens) {
        ids = new int[tokens];
        positions = new int[tokens];
    }

    /// Puts `length` rows computed by an earlier pass in front: segment 0, positions 0 to `length - 1`.
    ///
    /// @throws IllegalStateException unless this is the first segment
    public int addCached(int length) {
        if (segments > 0) {
            throw new IllegalStateException("cached tokens must come first");
        }
        if (length < 1) {
            throw new IllegalArgumentException("cached segment is empty");
        }
        cachedTokens = length;
        return addSegment(PackedBatch.NO_PARENT, length);
    }

    /// Adds an independent sequence; returns its segment index.
    public int add(int[] sequence) {
        return add(sequence, 0, sequence.length, PackedBatch.NO_PARENT);
    }

    /// Adds `sequence[from, to)` as a continuation of segment `parent` (or [PackedBatch#NO_PARENT]).
    ///
    /// @return the new segment's index
    /// @throws IllegalArgumentException if the range is empty or the parent is not an earlier segment
    public int add(int[] sequence, int from, int to, int parent) {
        if (from < 0 || to > sequence.length || from >= to) {
            throw new IllegalArgumentException(
                    "empty segment: [%d, %d) of %d tokens".formatted(from, to, sequence.length));
        }
        if (parent < PackedBatch.NO_PARENT || parent >= segments) {
            throw new IllegalArgumentException("parent %d of segment %d".formatted(parent, segments));
        }
        int depth = 0;
        for (int s = parent; s != PackedBatch.NO_PARENT; s = parents[s]) {
            depth += cuSeqlens[s + 1] - cuSeqlens[s];
        }
        int length = to - from;
        ensureTokens(Math.addExact(tokens, length));
        System.arraycopy(sequence, from, ids, tokens, length);
        for (int i = 0; i < length; i++) {
            positions[tokens + i] = depth + i;
        }
        tokens += length;
        return addSegment(parent, length);
    }

    private int addSegment(int parent, int length) {
        if (segments == parents.length) {
            parents = Arrays.copyOf(parents, segments * 2);
            cuSeqlens = Arrays.copyOf(cuSeqlens, segments * 2 + 1);
        }
        parents[segments] = parent;
        cuSeqlens[segments + 1] = Math.addExact(cuSeqlens[segments], length);
        return segments++;
    }

    private void ensureTokens(int needed) {
        if (needed > ids.length) {
            int capacity = Math.max(needed, (int) Math.min(Integer.MAX_VALUE - 8L, ids.length * 2L));
            ids = Arrays.copyOf(ids, capacity);
            positions = Arrays.copyOf(positions, capacity);
        }
    }

    /// Tokens to compute so far.
    public int tokens() {
        return tokens;
    }

    /// @throws IllegalArgumentException if there is nothing to compute
    public PackedBatch build() {
        if (tokens == 0) {
            throw new IllegalArgumentException("empty batch");
        }
        return new PackedBatch(
                Arrays.copyOf(ids, tokens),
                Arrays.copyOf(positions, tokens),
                Arrays.copyOf(cuSeqlens, segments + 1),
                Arrays.copyOf(parents, segments),
                cachedTokens);
    }
}
