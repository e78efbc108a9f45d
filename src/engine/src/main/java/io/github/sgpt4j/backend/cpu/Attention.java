package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Divides attention among threads.
///
/// A task is one key head of one tree of segments, so that keys and values are packed once for all
/// the queries that read them: those of the heads of a group, and those of all continuations of a
/// shared prefix. Where that gives too few tasks, each takes only part of the tree's queries.
final class Attention {
    /// An empty placeholder for idle tasks.
    static final Attention NONE = new Attention(
            Floats.EMPTY,
            0,
            new CpuBatch(PackedBatch.of(List.of(new int[1])), () -> {}),
            new AttentionParameters(1, 1, 1, 1f, 0, new float[0]),
            new float[0],
            0,
            null);

    private final Floats qkv;
    private final int qkvOffset;
    private final CpuBatch batch;
    private final AttentionParameters parameters;
    private final float[] out;
    private final int outOffset;
    private final @Nullable VectorCode code;

    private Attention(
            Floats qkv,
            int qkvOffset,
            CpuBatch batch,
            AttentionParameters parameters,
            float[] out,
            int outOffset,
            @Nullable VectorCode code) {
        this.qkv = qkv;
        this.qkvOffset = qkvOffset;
        this.batch = batch;
        this.parameters = parameters;
        this.out = out;
        this.outOffset = outOffset;
        this.code = code;
    }

    /// @param code the machine code that multiplies; null for the Vector API
    static void run(
            Workers workers,
            CpuTensor qkv,
            CpuBatch batch,
            AttentionParameters parameters,
            CpuTensor out,
            @Nullable VectorCode code) {
        new Attention(qkv.values(), qkv.offset(), batch, parameters, out.data(), out.offset(), code).run(workers);
    }

    private void run(Workers workers) {
        int heads = parameters.kvHeads();
        int threads = workers.available();
        int wanted = threads == 1 ? 1 : 4 * threads;
        int units = Math.multiplyExact(batch.trees(), heads);
        int[] cuts = batch.cuts(parameters, Math.max(1, (wanted + units - 1) / units));
        workers.parallelFor(Math.multiplyExact(cuts.length - 1, heads), (task, scratch) -> {
            int part = task / heads;
            scratch.attentionTask().run(this, task % heads, cuts[part], cuts[part + 1]);
        });
    }

    AttentionParameters parameters() {
        return parameters;
    }

    CpuBatch batch() {
        return batch;
    }

    Floats qkv() {
        return qkv;
    }

    /// Index in [#qkv] of a row's first query head.
    int qkvRow(int row) {
        return qkvOffset + row * parameters.qkvColumns();
    }

    /// Index in [#qkv] of the key at a position of the sequence that ends with `segment`; the
    /// position must lie in that segment.
    int keys(int segment, int position, int kvHead) {
        int row = batch.packed().start(segment) + position - batch.depth(segment);
        return qkvRow(row) + (parameters.heads() + kvHead) * parameters.headDim();
    }

    /// As [#keys], for the value.
    int values(int segment, int position, int kvHead) {
        return keys(segment, position, kvHead) + parameters.kvHeads() * parameters.headDim();
    }

    /// The machine code that multiplies; null for the Vector API.
    @Nullable
    VectorCode code() {
        return code;
    }

    float[] out() {
        return out;
    }

    /// Index in [#out] of a row; rows are counted with the cached ones.
    int outRow(int row) {
        return outOffset + (row - batch.packed().cachedTokens()) * parameters.heads() * parameters.headDim();
    }
}
