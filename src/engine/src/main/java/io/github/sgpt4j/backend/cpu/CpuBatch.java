package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.ArrayList;
import java.util.List;

/// A packed batch with what attention wants to know about it: which segments hang together.
final class CpuBatch implements Batch {
    private final PackedBatch packed;
    private final List<int[]> trees;
    private final int[] depths;
    private final Runnable onClose;
    private boolean closed;

    /// @param onClose called once, when this is closed first
    CpuBatch(PackedBatch packed, Runnable onClose) {
        this.packed = packed;
        this.onClose = onClose;
        int segments = packed.segments();
        this.depths = new int[segments];
        int[] tree = new int[segments];
        List<List<Integer>> members = new ArrayList<>();
        for (int s = 0; s < segments; s++) {
            int parent = packed.parents()[s];
            if (parent == PackedBatch.NO_PARENT) {
                tree[s] = members.size();
                members.add(new ArrayList<>());
            } else {
                tree[s] = tree[parent];
                depths[s] = Math.addExact(depths[parent], packed.length(parent));
            }
            members.get(tree[s]).add(s);
        }
        this.trees = members.stream()
                .map(list -> list.stream().mapToInt(Integer::intValue).toArray())
                .toList();
    }

    @Override
    public PackedBatch packed() {
        if (closed) {
            throw new IllegalStateException("batch is closed");
        }
        return packed;
    }

    /// Segments by tree, parents before children.
    List<int[]> trees() {
        return trees;
    }

    /// Tokens of all ancestors of a segment.
    int depth(int segment) {
        return depths[segment];
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            onClose.run();
        }
    }
}
