package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cpu.Scratch.Use;
import io.github.sgpt4j.backend.cpu.kernel.Activations;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import java.util.Arrays;

/// Some rows of a [MatrixProduct] times some panels of its matrix.
///
/// Belongs to one thread, which reuses it: nothing is allocated.
final class ProductTask {
    /// Panels that a tile of rows is multiplied with in turn: at [MatrixProduct#DEPTH] they take
    /// 384 KiB with the widest vectors, and each row of the output gets enough neighbouring cache
    /// lines at a time for the hardware to prefetch them.
    private static final int GROUP = 4;

    /// Up to this many rows, reading the weights dominates, and each panel is read to its end
    /// before the next one.
    private static final int FEW_ROWS = 2 * Simd.TILE_ROWS;

    /// The depth of their blocks if weights are copied to the heap first: 24 KiB of floats stay in
    /// the first-level cache.
    private static final int FEW_ROWS_DEPTH = 192;

    private final Scratch scratch;
    private MatrixProduct product = MatrixProduct.NONE;
    private PackedMatrix matrix = product.matrix();
    private int firstRow;
    private int count;
    private int depth;
    private int group;
    /// Rows that are multiplied together: those of a tile, or all.
    private int step;
    /// Rows packed for [Tiles], or as [io.github.sgpt4j.backend.cpu.vector.VectorCode] reads them.
    private Floats rows = Floats.EMPTY;
    private int rowsAt;
    private int rowStride;
    /// Buffer for blocks that extend beyond the output.
    private Floats edge = Floats.EMPTY;
    /// Prepared panels, one after another, if weights are not read in place.
    private Floats ready = Floats.EMPTY;

    /// @param scratch of the thread that runs it
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
        group = few && !matrix.byCode() ? 1 : GROUP;
        step = matrix.byCode() ? count : Simd.TILE_ROWS;
        ready = scratch.values(Use.PANEL, group * matrix.workingFloats(depth));
        edge = scratch.values(Use.TILE, Tiles.paddedRows(step) * Simd.TILE_COLUMNS);
    }

    /// Drops references to memory of others and to arrays that are too large to keep.
    private void end() {
        product = MatrixProduct.NONE;
        matrix = product.matrix();
        rows = Floats.EMPTY;
        ready = Floats.EMPTY;
    }

    private int fewRowsDepth() {
        int whole = Tiles.paddedDepth(matrix.in());
        return matrix.workingFloats(1) == 0 ? whole : Math.min(whole, FEW_ROWS_DEPTH);
    }

    private void panels(int firstPanel, int endPanel) {
        int in = matrix.in();
        for (int k = 0; k < in; k += depth) {
            int length = Math.min(depth, in - k);
            rows(k, length);
            for (int p = firstPanel; p < endPanel; p += group) {
                group(p, Math.min(endPanel, p + group), k, length);
            }
        }
    }

    /// Prepares input features `[k, k + length)` of the rows.
    private void rows(int k, int length) {
        int in = matrix.in();
        rows = product.x();
        rowsAt = row(0) + k;
        rowStride = matrix.rowStride(depth);
        if (!matrix.byCode()) {
            rows = scratch.values(Use.PACKED_ROWS, Tiles.paddedRows(count) * depth);
            Packing.tiles(product.x().array(), rowsAt, in, count, length, rows.array(), 0);
        } else if (rowStride != in) {
            rows = scratch.values(Use.PACKED_ROWS, count * rowStride);
            Packing.rows(product.x().array(), rowsAt, in, count, length, rows.array(), rowStride);
            rowsAt = 0;
        }
    }

    /// Where a row of the task starts in the product's `x`.
    private int row(int row) {
        return product.xOffset() + (firstRow + row) * matrix.in();
    }

    /// Where a panel's columns of a row of the task start in the output.
    private int output(int row, int panel) {
        return product.outOffset() + (firstRow + row) * matrix.out() + panel * Simd.TILE_COLUMNS;
    }

    private void group(int firstPanel, int endPanel, int k, int length) {
        for (int p = firstPanel; p < endPanel; p++) {
            matrix.prepare(p, k, length, ready.array(), slot(p - firstPanel));
        }
        int columns = Math.min(endPanel * Simd.TILE_COLUMNS, matrix.out()) - firstPanel * Simd.TILE_COLUMNS;
        if (k == 0 && product.add()) {
            addBias(firstPanel, columns);
        }
        for (int row = 0; row < count; row += step) {
            for (int p = firstPanel; p < endPanel; p++) {
                block(row, Math.min(step, count - row), p, slot(p - firstPanel), k, length);
            }
        }
        if (k + length == matrix.in() && product.activation() != Activation.NONE) {
            for (int row = 0; row < count; row++) {
                Activations.apply(product.activation(), product.out().array(), output(row, firstPanel), columns);
            }
        }
    }

    /// Where a panel of the group starts in [#ready].
    private int slot(int index) {
        return index * depth * Simd.TILE_COLUMNS;
    }

    /// One block of the output: some rows and the columns of a panel.
    private void block(int row, int real, int panel, int slot, int k, int length) {
        int stride = matrix.out();
        int columns = Math.min(Simd.TILE_COLUMNS, stride - panel * Simd.TILE_COLUMNS);
        int at = output(row, panel);
        boolean fresh = k == 0 && !product.add();
        if (columns < Simd.TILE_COLUMNS || !matrix.byCode() && real < Tiles.height(real)) {
            edge(row, real, panel, slot, k, length, columns, fresh);
            return;
        }
        Floats out = product.out();
        Floats source = fresh ? matrix.bias() : out;
        int from = fresh ? panel * Simd.TILE_COLUMNS : at;
        int between = fresh ? 0 : stride;
        multiply(real, row, panel, slot, k, length, source, from, between, out, at, stride);
    }

    /// Computes a block that extends beyond the output, in a buffer.
    private void edge(int row, int real, int panel, int slot, int k, int length, int columns, boolean fresh) {
        int wide = Simd.TILE_COLUMNS;
        float[] source = fresh ? matrix.bias().array() : product.out().array();
        int from = fresh ? panel * wide : output(row, panel);
        int between = fresh ? 0 : matrix.out();
        int height = matrix.byCode() ? real : Tiles.height(real);
        Arrays.fill(edge.array(), 0, height * wide, 0f);
        for (int r = 0; r < real; r++) {
            System.arraycopy(source, from + r * between, edge.array(), r * wide, columns);
        }
        multiply(height, row, panel, slot, k, length, edge, 0, wide, edge, 0, wide);
        for (int r = 0; r < real; r++) {
            System.arraycopy(edge.array(), r * wide, product.out().array(), output(row + r, panel), columns);
        }
    }

    private void multiply(
            int height,
            int row,
            int panel,
            int slot,
            int k,
            int length,
            Floats s,
            int so,
            int sourceStride,
            Floats c,
            int co,
            int stride) {
        if (matrix.byCode()) {
            matrix.multiplyRows(
                    height,
                    rows,
                    rowsAt + row * rowStride,
                    rowStride,
                    panel,
                    k,
                    length,
                    ready,
                    slot,
                    s,
                    so,
                    sourceStride,
                    c,
                    co,
                    stride);
            return;
        }
        int a = row * Tiles.paddedDepth(length);
        matrix.multiply(
                height,
                rows.array(),
                a,
                panel,
                k,
                length,
                ready.array(),
                slot,
                s.array(),
                so,
                sourceStride,
                c.array(),
                co,
                stride);
    }

    private void addBias(int firstPanel, int columns) {
        float[] values = matrix.bias().array();
        float[] out = product.out().array();
        int column = firstPanel * Simd.TILE_COLUMNS;
        for (int row = 0; row < count; row++) {
            int o = output(row, firstPanel);
            for (int c = 0; c < columns; c++) {
                out[o + c] += values[column + c];
            }
        }
    }
}
