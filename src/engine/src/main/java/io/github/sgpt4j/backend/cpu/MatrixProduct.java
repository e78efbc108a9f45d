package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cpu.kernel.Activations;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import java.util.Arrays;

/// One linear layer on one block of activations: `out = activation(x · Wᵀ + b)` or `out += x · Wᵀ + b`.
///
/// After Goto and van de Geijn (2008): for every block of [#DEPTH] input features, the rows of a task are packed once
/// and stay in the second-level cache while the weights' panels pass by; partial sums rest in `out`. Every output is
/// summed in the same order whatever the number of threads and rows.
final class MatrixProduct {
    /// Input features per block: a packed panel of that many is what the tiles read over and over.
    static final int DEPTH = 384;

    /// Most rows per task: 240 packed rows of [#DEPTH] floats are 360 KiB.
    private static final int MOST_ROWS = 240;

    /// Fewest panels per task: packing the rows costs about as much as one of them.
    private static final int FEWEST_PANELS = 4;

    private final float[] x;
    private final int xOffset;
    private final int rows;
    private final PackedMatrix matrix;
    private final Activation activation;
    private final boolean add;
    private final float[] out;
    private final int outOffset;

    private MatrixProduct(CpuTensor x, PackedMatrix matrix, Activation activation, boolean add, CpuTensor out) {
        this.x = x.data();
        this.xOffset = x.offset();
        this.rows = x.rows();
        this.matrix = matrix;
        this.activation = activation;
        this.add = add;
        this.out = out.data();
        this.outOffset = out.offset();
    }

    static void run(
            Workers workers, CpuTensor x, PackedMatrix matrix, Activation activation, boolean add, CpuTensor out) {
        new MatrixProduct(x, matrix, activation, add, out).run(workers);
    }

    private void run(Workers workers) {
        int rowBlock = rowBlock(rows);
        int rowBlocks = (rows + rowBlock - 1) / rowBlock;
        int panels = matrix.panelCount();
        int groups = 1;
        if (workers.threads() > 1) {
            int wanted = (4 * workers.threads() + rowBlocks - 1) / rowBlocks;
            groups = Math.max(1, Math.min(wanted, panels / FEWEST_PANELS));
        }
        int panelGroups = groups;
        workers.parallelFor(Math.multiplyExact(rowBlocks, panelGroups), (task, scratch) -> {
            int first = task / panelGroups * rowBlock;
            int group = task % panelGroups;
            int from = (int) ((long) panels * group / panelGroups);
            int to = (int) ((long) panels * (group + 1) / panelGroups);
            block(first, Math.min(rowBlock, rows - first), from, to, scratch);
        });
    }

    /// Rows per task: as few blocks as [#MOST_ROWS] allows, all about as high, in whole tiles.
    static int rowBlock(int rows) {
        int blocks = (rows + MOST_ROWS - 1) / MOST_ROWS;
        int even = (rows + blocks - 1) / blocks;
        return (even + Simd.TILE_ROWS - 1) / Simd.TILE_ROWS * Simd.TILE_ROWS;
    }

    private void block(int firstRow, int count, int firstPanel, int endPanel, Scratch scratch) {
        int in = matrix.in();
        int depth = Math.min(DEPTH, in);
        float[] packed = scratch.floats(Scratch.Use.PACKED_ROWS, Tiles.paddedRows(count) * depth);
        float[] panel = scratch.floats(Scratch.Use.PANEL, depth * Simd.TILE_COLUMNS);
        float[] tile = scratch.floats(Scratch.Use.TILE, Simd.TILE_ROWS * Simd.TILE_COLUMNS);
        for (int k = 0; k < in; k += DEPTH) {
            int length = Math.min(DEPTH, in - k);
            Packing.tiles(x, xOffset + firstRow * in + k, in, count, length, packed, 0);
            for (int p = firstPanel; p < endPanel; p++) {
                matrix.load(p, k, length, panel);
                int columns = Math.min(Simd.TILE_COLUMNS, matrix.out() - p * Simd.TILE_COLUMNS);
                for (int r = 0; r < count; ) {
                    int height = Tiles.height(count - r);
                    int real = Math.min(height, count - r);
                    int at = outOffset + (firstRow + r) * matrix.out() + p * Simd.TILE_COLUMNS;
                    if (k == 0) {
                        start(at, real, columns, p);
                    }
                    if (real == height && columns == Simd.TILE_COLUMNS) {
                        Tiles.multiply(height, packed, r * length, panel, 0, length, out, at, matrix.out());
                    } else {
                        partial(height, packed, r * length, panel, length, tile, at, real, columns);
                    }
                    if (k + length == in && activation != Activation.NONE) {
                        finish(at, real, columns);
                    }
                    r += height;
                }
            }
        }
    }

    /// Puts the bias into a tile of the output, or adds it to what is there.
    private void start(int at, int count, int columns, int panel) {
        int b = panel * Simd.TILE_COLUMNS;
        float[] bias = matrix.bias();
        for (int r = 0; r < count; r++) {
            int o = at + r * matrix.out();
            if (add) {
                for (int c = 0; c < columns; c++) {
                    out[o + c] += bias[b + c];
                }
            } else {
                System.arraycopy(bias, b, out, o, columns);
            }
        }
    }

    /// A tile that sticks out of the output goes through a buffer.
    private void partial(
            int height,
            float[] packed,
            int a,
            float[] panel,
            int length,
            float[] tile,
            int at,
            int count,
            int columns) {
        Arrays.fill(tile, 0f);
        for (int r = 0; r < count; r++) {
            System.arraycopy(out, at + r * matrix.out(), tile, r * Simd.TILE_COLUMNS, columns);
        }
        Tiles.multiply(height, packed, a, panel, 0, length, tile, 0, Simd.TILE_COLUMNS);
        for (int r = 0; r < count; r++) {
            System.arraycopy(tile, r * Simd.TILE_COLUMNS, out, at + r * matrix.out(), columns);
        }
    }

    private void finish(int at, int count, int columns) {
        for (int r = 0; r < count; r++) {
            Activations.apply(activation, out, at + r * matrix.out(), columns);
        }
    }
}
