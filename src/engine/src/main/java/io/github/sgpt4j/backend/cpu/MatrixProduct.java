package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cpu.kernel.Activations;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.tensor.DType;
import java.util.Arrays;

/// One linear layer on one block of activations: `out = activation(x · Wᵀ + b)` or `out += x · Wᵀ + b`.
///
/// In the manner of Goto and van de Geijn (2008): for every block of [#DEPTH] input features, the rows of a task are
/// packed once and stay in the second-level cache; so do [#GROUP] panels of weights, which all rows pass before the
/// next ones come, tile after tile along the output's rows. Partial sums rest in `out`. Every output is summed in the
/// same order whatever the number of threads and rows.
final class MatrixProduct {
    /// Most input features per block, a multiple of [Tiles#CHUNK].
    static final int DEPTH = 768;

    /// Most rows per task: 96 packed rows of [#DEPTH] floats are 288 KiB.
    private static final int MOST_ROWS = 96;

    /// Panels that a tile's rows pass in a row: that many of [#DEPTH] are 384 KiB with the widest vectors, and a row of
    /// the output gets so many neighbouring cache lines at a time that the hardware fetches them ahead.
    private static final int GROUP = 4;

    /// At most so many rows are few: reading the weights decides, and each panel is read through to its end at a time.
    private static final int FEW_ROWS = 2 * Simd.TILE_ROWS;

    /// The same for weights that are widened first: 24 KiB of floats stay in the first-level cache.
    private static final int FEW_ROWS_DEPTH = 192;

    /// Fewest panels per task: packing the rows costs less than one of them.
    private static final int FEWEST_PANELS = 4;

    /// Tasks for each thread, at least: at the end the others wait for about one.
    private static final int TASKS_PER_THREAD = 4;

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
        int threads = workers.available();
        if (threads > 1) {
            int wanted = (TASKS_PER_THREAD * threads + rowBlocks - 1) / rowBlocks;
            groups = Math.max(1, Math.min(wanted, panels / FEWEST_PANELS));
        }
        int panelGroups = groups;
        workers.parallelFor(Math.multiplyExact(rowBlocks, panelGroups), (task, scratch) -> {
            int first = task / panelGroups * rowBlock;
            int group = task % panelGroups;
            int from = (int) ((long) panels * group / panelGroups);
            int to = (int) ((long) panels * (group + 1) / panelGroups);
            new Block(first, Math.min(rowBlock, rows - first), scratch).run(from, to);
        });
    }

    /// Rows per task: as few blocks as [#MOST_ROWS] allows, all about as high, in whole tiles.
    static int rowBlock(int rows) {
        int blocks = (rows + MOST_ROWS - 1) / MOST_ROWS;
        int even = (rows + blocks - 1) / blocks;
        return (even + Simd.TILE_ROWS - 1) / Simd.TILE_ROWS * Simd.TILE_ROWS;
    }

    /// Input features per block: as few blocks as [#DEPTH] allows, all about as deep, in whole chunks.
    static int depth(int in) {
        int blocks = (in + DEPTH - 1) / DEPTH;
        return Tiles.paddedDepth((in + blocks - 1) / blocks);
    }

    /// Some rows of the product.
    private final class Block {
        private final int firstRow;
        private final int count;
        private final int depth;
        private final int group;
        private final float[] packed;
        private final float[] tile;
        /// Widened panels, one after the other, where weights are not kept as floats.
        private final float[] widened;

        Block(int firstRow, int count, Scratch scratch) {
            this.firstRow = firstRow;
            this.count = count;
            boolean few = count <= FEW_ROWS;
            depth = few ? fewRowsDepth() : depth(matrix.in());
            group = few ? 1 : GROUP;
            packed = scratch.floats(Scratch.Use.PACKED_ROWS, Tiles.paddedRows(count) * depth);
            tile = scratch.floats(Scratch.Use.TILE, Simd.TILE_ROWS * Simd.TILE_COLUMNS);
            widened = scratch.floats(Scratch.Use.PANEL, group * matrix.workingFloats(depth));
        }

        private int fewRowsDepth() {
            int whole = Tiles.paddedDepth(matrix.in());
            return matrix.dtype() == DType.F32 ? whole : Math.min(whole, FEW_ROWS_DEPTH);
        }

        void run(int firstPanel, int endPanel) {
            int in = matrix.in();
            for (int k = 0; k < in; k += depth) {
                int length = Math.min(depth, in - k);
                Packing.tiles(x, xOffset + firstRow * in + k, in, count, length, packed, 0);
                for (int p = firstPanel; p < endPanel; p += group) {
                    group(p, Math.min(endPanel, p + group), k, length);
                }
            }
        }

        private void group(int firstPanel, int endPanel, int k, int length) {
            for (int p = firstPanel; p < endPanel; p++) {
                matrix.prepare(p, k, length, widened, (p - firstPanel) * depth * Simd.TILE_COLUMNS);
            }
            for (int row = 0; row < count; row += Simd.TILE_ROWS) {
                for (int p = firstPanel; p < endPanel; p++) {
                    tile(row, p, p - firstPanel, k, length);
                }
            }
        }

        private void tile(int row, int panel, int slot, int k, int length) {
            int height = Tiles.height(count - row);
            int real = Math.min(height, count - row);
            int stride = matrix.out();
            int column = panel * Simd.TILE_COLUMNS;
            int columns = Math.min(Simd.TILE_COLUMNS, stride - column);
            int at = outOffset + (firstRow + row) * stride + column;
            if (k == 0 && add) {
                addBias(at, real, columns, column);
            }
            boolean fresh = k == 0 && !add;
            float[] source = fresh ? matrix.bias() : out;
            int from = fresh ? column : at;
            int step = fresh ? 0 : stride;
            int a = row * Tiles.paddedDepth(length);
            if (real == height && columns == Simd.TILE_COLUMNS) {
                multiply(height, a, panel, slot, k, length, source, from, step, out, at, stride);
            } else {
                // A tile that sticks out of the output goes through a buffer.
                Arrays.fill(tile, 0f);
                for (int r = 0; r < real; r++) {
                    System.arraycopy(source, from + r * step, tile, r * Simd.TILE_COLUMNS, columns);
                }
                int wide = Simd.TILE_COLUMNS;
                multiply(height, a, panel, slot, k, length, tile, 0, wide, tile, 0, wide);
                for (int r = 0; r < real; r++) {
                    System.arraycopy(tile, r * Simd.TILE_COLUMNS, out, at + r * stride, columns);
                }
            }
            if (k + length == matrix.in() && activation != Activation.NONE) {
                for (int r = 0; r < real; r++) {
                    Activations.apply(activation, out, at + r * stride, columns);
                }
            }
        }

        private void multiply(
                int height,
                int a,
                int panel,
                int slot,
                int k,
                int length,
                float[] source,
                int from,
                int step,
                float[] target,
                int to,
                int stride) {
            int w = slot * depth * Simd.TILE_COLUMNS;
            matrix.multiply(height, packed, a, panel, k, length, widened, w, source, from, step, target, to, stride);
        }

        private void addBias(int at, int rows, int columns, int column) {
            float[] bias = matrix.bias();
            for (int r = 0; r < rows; r++) {
                int o = at + r * matrix.out();
                for (int c = 0; c < columns; c++) {
                    out[o + c] += bias[column + c];
                }
            }
        }
    }
}
