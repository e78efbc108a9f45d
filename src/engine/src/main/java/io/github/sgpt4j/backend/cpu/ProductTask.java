package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cpu.Scratch.Use;
import io.github.sgpt4j.backend.cpu.kernel.Activations;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.tensor.DType;
import java.util.Arrays;

/// Some rows of a [MatrixProduct] times some panels of its matrix.
///
/// Belongs to one thread, which uses it again and again: nothing is allocated.
final class ProductTask {
    /// Panels that a tile's rows pass in a row: that many of [MatrixProduct#DEPTH] are 384 KiB with the widest
    /// vectors, and a row of the output gets so many neighbouring cache lines at a time that the hardware fetches
    /// them ahead.
    private static final int GROUP = 4;

    /// At most so many rows are few: reading the weights decides, and each panel is read through to its end at a time.
    private static final int FEW_ROWS = 2 * Simd.TILE_ROWS;

    /// The same for weights that are widened first: 24 KiB of floats stay in the first-level cache.
    private static final int FEW_ROWS_DEPTH = 192;

    private static final float[] EMPTY = {};

    private final Scratch scratch;
    private MatrixProduct product = MatrixProduct.NONE;
    private PackedMatrix matrix = product.matrix();
    private int firstRow;
    private int count;
    private int depth;
    private int group;
    private float[] packed = EMPTY;
    private float[] tile = EMPTY;
    /// Widened panels, one after the other, where weights are not kept as floats.
    private float[] widened = EMPTY;

    /// @param scratch whose thread runs it
    ProductTask(Scratch scratch) {
        this.scratch = scratch;
    }

    /// Computes rows `[firstRow, firstRow + count)` of the outputs of panels `[firstPanel, endPanel)`.
    void run(MatrixProduct product, int firstRow, int count, int firstPanel, int endPanel) {
        this.firstRow = firstRow;
        this.count = count;
        try {
            begin(product);
            panels(firstPanel, endPanel);
        } finally {
            end();
        }
    }

    private void begin(MatrixProduct product) {
        this.product = product;
        matrix = product.matrix();
        boolean few = count <= FEW_ROWS;
        depth = few ? fewRowsDepth() : MatrixProduct.depth(matrix.in());
        group = few ? 1 : GROUP;
        packed = scratch.floats(Use.PACKED_ROWS, Tiles.paddedRows(count) * depth);
        tile = scratch.floats(Use.TILE, Simd.TILE_ROWS * Simd.TILE_COLUMNS);
        widened = scratch.floats(Use.PANEL, group * matrix.workingFloats(depth));
    }

    /// Lets go of what belongs to others or is too large to be kept.
    private void end() {
        product = MatrixProduct.NONE;
        matrix = product.matrix();
        packed = EMPTY;
        widened = EMPTY;
    }

    private int fewRowsDepth() {
        int whole = Tiles.paddedDepth(matrix.in());
        return matrix.dtype() == DType.F32 ? whole : Math.min(whole, FEW_ROWS_DEPTH);
    }

    private void panels(int firstPanel, int endPanel) {
        int in = matrix.in();
        float[] x = product.x();
        int xOffset = product.xOffset();
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
        float[] out = product.out();
        boolean add = product.add();
        int height = Tiles.height(count - row);
        int real = Math.min(height, count - row);
        int stride = matrix.out();
        int column = panel * Simd.TILE_COLUMNS;
        int columns = Math.min(Simd.TILE_COLUMNS, stride - column);
        int at = product.outOffset() + (firstRow + row) * stride + column;
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
        Activation activation = product.activation();
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
        float[] out = product.out();
        for (int r = 0; r < rows; r++) {
            int o = at + r * matrix.out();
            for (int c = 0; c < columns; c++) {
                out[o + c] += bias[column + c];
            }
        }
    }
}
