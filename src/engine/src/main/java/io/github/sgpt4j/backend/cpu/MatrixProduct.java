package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.tensor.ElementType;
import java.lang.foreign.MemorySegment;

/// One linear layer on one block of activations: `out = activation(x · Wᵀ + b)` or `out += x · Wᵀ + b`.
///
/// In the manner of Goto and van de Geijn (2008): for every block of [#DEPTH] input features, the
/// rows of a task stay in the second-level cache, packed unless
/// [io.github.sgpt4j.backend.cpu.vector.VectorCode] computes; so do a few panels of weights, which
/// are multiplied with all rows before the next ones. Partial sums are kept in `out`. Every output
/// is summed in the same order, whatever the number of threads and rows.
///
/// @param x `[rows, in]` from index `xOffset` on
/// @param out `[rows, out]` from index `outOffset` on
record MatrixProduct(
        Floats x,
        int xOffset,
        int rows,
        PackedMatrix matrix,
        Activation activation,
        boolean add,
        Floats out,
        int outOffset) {
    /// An empty product, which references no memory.
    static final MatrixProduct NONE = new MatrixProduct(
            Floats.EMPTY,
            0,
            0,
            new PackedMatrix(0, 0, ElementType.F32, MemorySegment.NULL, Floats.EMPTY, null),
            Activation.NONE,
            false,
            Floats.EMPTY,
            0);

    /// Most input features per block, a multiple of [Tiles#CHUNK].
    static final int DEPTH = 768;

    /// Most rows per task: 96 rows of [#DEPTH] floats are 288 KiB.
    private static final int MAX_ROWS = 96;

    /// Fewest panels per task: packing the rows costs less than one of them.
    private static final int MIN_PANELS = 4;

    /// Most blocks of rows for which panels are the outer loop.
    private static final int FEW_BLOCKS = 4;

    static void run(
            Workers workers, CpuTensor x, PackedMatrix matrix, Activation activation, boolean add, CpuTensor out) {
        new MatrixProduct(x.values(), x.offset(), x.rows(), matrix, activation, add, out.values(), out.offset())
                .run(workers);
    }

    private void run(Workers workers) {
        int rowBlock = rowBlock(rows);
        int rowBlocks = (rows + rowBlock - 1) / rowBlock;
        int panels = matrix.panelCount();
        if (matrix.byCode()) {
            runInOrder(workers, rowBlock, rowBlocks, panels);
            return;
        }
        int panelGroups = workers.piecesOfEach(rowBlocks, panels / MIN_PANELS);
        workers.parallelFor(Math.multiplyExact(rowBlocks, panelGroups), (task, scratch) -> {
            int first = task / panelGroups * rowBlock;
            int group = task % panelGroups;
            int from = (int) ((long) panels * group / panelGroups);
            int to = (int) ((long) panels * (group + 1) / panelGroups);
            scratch.productTask().run(this, first, Math.min(rowBlock, rows - first), from, to);
        });
    }

    /// Divides the work into small pieces, which add no work, so that threads finish at about the
    /// same time. With few blocks of rows, each panel is multiplied with all of them before the
    /// next one, so that weights are read from memory once.
    private void runInOrder(Workers workers, int rowBlock, int rowBlocks, int panels) {
        int groups = (panels + MIN_PANELS - 1) / MIN_PANELS;
        boolean panelsFirst = rowBlocks <= FEW_BLOCKS;
        workers.parallelRanges(Math.multiplyExact(rowBlocks, groups), (task, scratch) -> {
            int first = (panelsFirst ? task % rowBlocks : task / groups) * rowBlock;
            int from = (panelsFirst ? task / rowBlocks : task % groups) * MIN_PANELS;
            int to = Math.min(panels, from + MIN_PANELS);
            scratch.productTask().run(this, first, Math.min(rowBlock, rows - first), from, to);
        });
    }

    /// Rows per task: as few blocks as [#MAX_ROWS] allows, of about equal height, in whole tiles.
    static int rowBlock(int rows) {
        int blocks = (rows + MAX_ROWS - 1) / MAX_ROWS;
        int even = (rows + blocks - 1) / blocks;
        return (even + Simd.TILE_ROWS - 1) / Simd.TILE_ROWS * Simd.TILE_ROWS;
    }

    /// Input features per block: as few blocks as [#DEPTH] allows, of about equal depth, in whole
    /// chunks.
    static int depth(int in) {
        int blocks = (in + DEPTH - 1) / DEPTH;
        return Tiles.paddedDepth((in + blocks - 1) / blocks);
    }
}
