package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.ArrayList;
import java.util.List;

/// Shares causal attention out among threads.
///
/// A task is one key head of one tree of segments, so that keys and values are packed once for all the queries that
/// read them: those of the heads of a group and those of all the continuations of a shared beginning. Where that makes
/// too few tasks, each takes only a part of the tree's queries.
final class Attention {
    /// One piece of a tree's queries: tokens `[from, to)` of a segment.
    record Queries(int segment, int from, int to) {}

    private record Part(int[] tree, List<Queries> queries) {}

    private final float[] qkv;
    private final int qkvOffset;
    private final CpuBatch batch;
    private final AttentionParameters parameters;
    private final float[] out;
    private final int outOffset;

    private Attention(CpuTensor qkv, CpuBatch batch, AttentionParameters parameters, CpuTensor out) {
        this.qkv = qkv.data();
        this.qkvOffset = qkv.offset();
        this.batch = batch;
        this.parameters = parameters;
        this.out = out.data();
        this.outOffset = out.offset();
    }

    static void run(Workers workers, CpuTensor qkv, CpuBatch batch, AttentionParameters parameters, CpuTensor out) {
        new Attention(qkv, batch, parameters, out).run(workers);
    }

    private void run(Workers workers) {
        int threads = workers.available();
        int wanted = threads == 1 ? 1 : 4 * threads;
        int units = Math.multiplyExact(batch.trees().size(), parameters.kvHeads());
        int pieces = Math.max(1, (wanted + units - 1) / units);
        List<Part> parts = new ArrayList<>();
        for (int[] tree : batch.trees()) {
            for (List<Queries> queries : split(queries(tree), pieces)) {
                parts.add(new Part(tree, queries));
            }
        }
        int heads = parameters.kvHeads();
        workers.parallelFor(Math.multiplyExact(parts.size(), heads), (task, scratch) -> {
            Part part = parts.get(task / heads);
            new AttentionTask(this, part.tree(), task % heads, scratch).run(part.queries());
        });
    }

    private List<Queries> queries(int[] tree) {
        PackedBatch packed = batch.packed();
        List<Queries> queries = new ArrayList<>();
        for (int segment : tree) {
            int length = segment < packed.firstSegment() ? 0 : packed.length(segment);
            for (int i = 0; i < length; i += Simd.TILE_COLUMNS) {
                queries.add(new Queries(segment, i, Math.min(length, i + Simd.TILE_COLUMNS)));
            }
        }
        return queries;
    }

    /// Cuts a list into at most `pieces` runs that read about as many keys each.
    private List<List<Queries>> split(List<Queries> queries, int pieces) {
        if (pieces == 1) {
            return List.of(queries);
        }
        double total = 0;
        for (Queries q : queries) {
            total += cost(q);
        }
        List<List<Queries>> runs = new ArrayList<>();
        double done = 0;
        int from = 0;
        for (int i = 0; i < queries.size(); i++) {
            done += cost(queries.get(i));
            if (done >= total * (runs.size() + 1) / pieces || i == queries.size() - 1) {
                runs.add(queries.subList(from, i + 1));
                from = i + 1;
            }
        }
        return runs;
    }

    private double cost(Queries q) {
        double keys = batch.depth(q.segment) + q.to;
        return parameters.window() > 0 ? Math.min(keys, parameters.window() + (double) Simd.TILE_COLUMNS) : keys;
    }

    AttentionParameters parameters() {
        return parameters;
    }

    CpuBatch batch() {
        return batch;
    }

    float[] qkv() {
        return qkv;
    }

    /// Index in [#qkv] of a row's first query head.
    int qkvRow(int row) {
        return qkvOffset + row * parameters.qkvColumns();
    }

    float[] out() {
        return out;
    }

    /// Index in [#out] of a row, counted with the cached ones.
    int outRow(int row) {
        return outOffset + (row - batch.packed().cachedTokens()) * parameters.heads() * parameters.headDim();
    }
}
