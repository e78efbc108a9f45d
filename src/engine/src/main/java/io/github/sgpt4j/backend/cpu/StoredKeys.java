package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.kernel.Simd;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// Keys and values read in place, multiplied by [io.github.sgpt4j.backend.cpu.vector.VectorCode].
final class StoredKeys implements KeyBlocks {
    private static final int BLOCK = AttentionTask.BLOCK;
    private static final int COLUMNS = Simd.TILE_COLUMNS;
    private static final long ROW_BYTES = (long) COLUMNS * Float.BYTES;
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new float[COLUMNS]);

    private Attention attention = Attention.NONE;
    private MemorySegment qkv = ZEROS;
    private int kvHead;
    private int dim;
    private long stride;

    @Override
    public void begin(Attention attention, int kvHead, int blocks) {
        this.attention = attention;
        this.kvHead = kvHead;
        qkv = attention.qkv().memory();
        dim = attention.parameters().headDim();
        stride = (long) attention.parameters().qkvColumns() * Float.BYTES;
    }

    @Override
    public void end() {
        attention = Attention.NONE;
        qkv = ZEROS;
    }

    @Override
    public int scores(int owner, int block, int size, int from, int to, Floats queries, Floats scores) {
        scores(owner, block, from, to, queries.memory(), scores.memory(), 0);
        return from;
    }

    /// Computes the scores of the ancestors' keys first, then those of the segment's own keys.
    ///
    /// @param at where the score of key `from` goes
    private void scores(
            int segment, int block, int from, int to, MemorySegment queries, MemorySegment scores, long at) {
        int first = Math.min(to, first(segment, block, from));
        if (first > from) {
            scores(parent(segment), block, from, first, queries, scores, at);
        }
        if (first == to) {
            return;
        }
        Objects.requireNonNull(attention.code())
                .multiply(
                        to - first,
                        dim,
                        qkv,
                        (long) attention.keys(segment, block * BLOCK + first, kvHead) * Float.BYTES,
                        stride,
                        queries,
                        0,
                        0,
                        ZEROS,
                        0,
                        0,
                        scores,
                        at + (first - from) * ROW_BYTES,
                        ROW_BYTES);
    }

    @Override
    public void addValues(int owner, int block, int size, int from, int to, Floats weights, int at, Floats weighted) {
        addValues(owner, block, from, to, weights.memory(), (long) at * Float.BYTES, weighted.memory());
    }

    /// As [#scores], so that values are added in the order of positions.
    private void addValues(
            int segment, int block, int from, int to, MemorySegment weights, long at, MemorySegment weighted) {
        int first = Math.min(to, first(segment, block, from));
        if (first > from) {
            addValues(parent(segment), block, from, first, weights, at, weighted);
        }
        if (first == to) {
            return;
        }
        Objects.requireNonNull(attention.code())
                .multiplyTransposed(
                        dim,
                        to - first,
                        qkv,
                        (long) attention.values(segment, block * BLOCK + first, kvHead) * Float.BYTES,
                        stride,
                        weights,
                        at + (first - from) * ROW_BYTES,
                        weighted,
                        0);
    }

    /// The first key of a block, from `from` on, that belongs to a segment.
    private int first(int segment, int block, int from) {
        return Math.max(from, attention.batch().depth(segment) - block * BLOCK);
    }

    private int parent(int segment) {
        return attention.batch().packed().parents()[segment];
    }
}
