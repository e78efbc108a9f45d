package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A packed batch with an index for attention, computed once for all layers and heads: which
/// segments form a tree, and how queries are divided among tasks. Thread-safe.
///
/// Queries go through attention in *panels*, as many consecutive tokens of a segment as a tile has
/// columns. Panels are numbered across all trees, in the order of their members.
final class CpuBatch implements Batch {
    private static final int COLUMNS = Simd.TILE_COLUMNS;

    /// Where tasks begin and end, for one kind of attention: part `i` is panels `[cuts[i], cuts[i +
    /// 1])`,
    /// all of one tree.
    private record Plan(Reach reach, int pieces, int[] cuts) {}

    /// Which keys queries see.
    private record Reach(int window, boolean bidirectional) {}

    private final PackedBatch packed;
    private final int[] depths;
    private final Runnable onClose;
    /// Segments ordered by tree, parents before children, `[segments]`.
    private final int[] members;
    /// Index in [#members] of each tree's first one, `[trees + 1]`.
    private final int[] firstMember;
    /// Panels before each of [#members], `[segments + 1]`.
    private final int[] firstPanel;
    /// Tree of each segment, `[segments]`.
    private final int[] treeOf;
    /// Blocks of keys of each tree's longest sequence, `[trees]`.
    private final int[] blocks;

    private final List<Plan> plans = new ArrayList<>(2);
    private boolean closed;

    /// @param onClose called once, on the first close
    CpuBatch(PackedBatch packed, Runnable onClose) {
        this.packed = packed;
        this.onClose = onClose;
        int segments = packed.segments();
        depths = new int[segments];
        treeOf = new int[segments];
        int trees = 0;
        for (int s = 0; s < segments; s++) {
            int parent = packed.parents()[s];
            if (parent == PackedBatch.NO_PARENT) {
                treeOf[s] = trees++;
            } else {
                treeOf[s] = treeOf[parent];
                depths[s] = Math.addExact(depths[parent], packed.length(parent));
            }
        }
        firstMember = firstMembers(treeOf, trees);
        members = new int[segments];
        blocks = new int[trees];
        int[] placed = firstMember.clone();
        for (int s = 0; s < segments; s++) {
            int tree = treeOf[s];
            members[placed[tree]++] = s;
            blocks[tree] = Math.max(blocks[tree], (end(s) + AttentionTask.BLOCK - 1) / AttentionTask.BLOCK);
        }
        firstPanel = new int[segments + 1];
        for (int m = 0; m < segments; m++) {
            int queries = members[m] < packed.firstSegment() ? 0 : packed.length(members[m]);
            firstPanel[m + 1] = firstPanel[m] + (queries + COLUMNS - 1) / COLUMNS;
        }
    }

    private static int[] firstMembers(int[] treeOf, int trees) {
        int[] first = new int[trees + 1];
        for (int tree : treeOf) {
            first[tree + 1]++;
        }
        for (int t = 0; t < trees; t++) {
            first[t + 1] += first[t];
        }
        return first;
    }

    @Override
    public PackedBatch packed() {
        if (closed) {
            throw new IllegalStateException("batch is closed");
        }
        return packed;
    }

    int trees() {
        return blocks.length;
    }

    /// Tokens of all ancestors of a segment.
    int depth(int segment) {
        return depths[segment];
    }

    /// Tokens of a segment and all its ancestors.
    int end(int segment) {
        return depths[segment] + packed.length(segment);
    }

    /// Blocks of keys of the longest sequence of the tree that a segment belongs to.
    int treeBlocks(int segment) {
        return blocks[treeOf[segment]];
    }

    /// The segment that holds the last key of a block in the sequence that ends with `segment`: the
    /// segment itself, or an ancestor that fills the block.
    int blockOwner(int segment, int block) {
        int owner = segment;
        while (depths[owner] / AttentionTask.BLOCK > block) {
            owner = packed.parents()[owner];
        }
        return owner;
    }

    /// The member that a panel belongs to: an index for [#segment].
    int member(int panel) {
        int low = 0;
        int high = members.length - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (firstPanel[middle] <= panel) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    /// The segment of a member.
    int segment(int member) {
        return members[member];
    }

    /// The first panel of a member.
    int firstPanel(int member) {
        return firstPanel[member];
    }

    /// The panels at which tasks begin, and the end of the last: each tree is cut into at most
    /// `pieces` parts that read about the same number of keys. The caller must not change it.
    ///
    int[] cuts(AttentionParameters parameters, int pieces) {
        return cuts(new Reach(parameters.window(), parameters.bidirectional()), pieces);
    }

    private int[] cuts(Reach reach, int pieces) {
        synchronized (plans) {
            for (Plan plan : plans) {
                if (plan.reach.equals(reach) && plan.pieces == pieces) {
                    return plan.cuts;
                }
            }
            Plan plan = new Plan(reach, pieces, cut(reach, pieces));
            plans.add(plan);
            return plan.cuts;
        }
    }

    private int[] cut(Reach reach, int pieces) {
        int[] cuts = new int[Math.toIntExact(Math.min((long) trees() * pieces, firstPanel[members.length]) + 1)];
        int count = 0;
        for (int tree = 0; tree < trees(); tree++) {
            double total = cost(tree, reach);
            double done = 0;
            int runs = 0;
            int last = firstPanel[firstMember[tree + 1]] - 1;
            for (int m = firstMember[tree]; m < firstMember[tree + 1]; m++) {
                for (int panel = firstPanel[m]; panel < firstPanel[m + 1]; panel++) {
                    done += cost(m, panel, reach);
                    if (panel == last || done >= total * (runs + 1) / pieces) {
                        runs++;
                        cuts[++count] = panel + 1;
                    }
                }
            }
        }
        return Arrays.copyOf(cuts, count + 1);
    }

    private double cost(int tree, Reach reach) {
        double cost = 0;
        for (int m = firstMember[tree]; m < firstMember[tree + 1]; m++) {
            for (int panel = firstPanel[m]; panel < firstPanel[m + 1]; panel++) {
                cost += cost(m, panel, reach);
            }
        }
        return cost;
    }

    private double cost(int member, int panel, Reach reach) {
        int segment = members[member];
        int length = packed.length(segment);
        int to = reach.bidirectional ? length : Math.min(length, (panel - firstPanel[member] + 1) * COLUMNS);
        double keys = (double) depths[segment] + to;
        double seen = reach.bidirectional ? 2.0 * reach.window : reach.window;
        return reach.window > 0 ? Math.min(keys, seen + COLUMNS) : keys;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            onClose.run();
        }
    }
}
