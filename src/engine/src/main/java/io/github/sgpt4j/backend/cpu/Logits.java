package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.ProductCopies;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import java.util.Arrays;

/// The logits of some rows of hidden states, one panel of the vocabulary at a time: any thread may
/// compute a block of rows for any number of panels.
sealed interface Logits {
    /// Values of hidden states that a thread prepares at a time: 1 MiB.
    int MAX_VALUES = 1 << 18;

    int MAX_ROWS = 240;

    /// The number of rows.
    int rows();

    /// The number of entries of the vocabulary.
    int vocabulary();

    /// The number of panels of `TILE_COLUMNS` entries of the vocabulary each; the last may have
    /// fewer.
    int panels();

    /// The most rows to compute together.
    int rowBlock();

    /// Prepares some rows for [#panel], in the thread's scratch.
    void prepare(int firstRow, int count, Scratch scratch);

    /// `x · Wᵀ + b` of rows that [#prepare] has prepared.
    ///
    /// @return `[count][TILE_COLUMNS]`, −∞ past the vocabulary, valid until the scratch is reused;
    ///     the caller may overwrite it
    float[] panel(int firstRow, int count, int panel, Scratch scratch);

    /// As many rows as hold about [#MAX_VALUES] values, in whole steps.
    private static int rowBlock(int in, int step) {
        return Math.clamp(MAX_VALUES / in / step * step, step, MAX_ROWS);
    }

    /// Sets the columns from `real` on to −∞.
    private static void padColumns(float[] tile, int count, int real) {
        for (int r = 0; r < count && real < Simd.TILE_COLUMNS; r++) {
            Arrays.fill(tile, r * Simd.TILE_COLUMNS + real, (r + 1) * Simd.TILE_COLUMNS, Float.NEGATIVE_INFINITY);
        }
    }

    /// On the vector units.
    ///
    /// @param x row 0 starts at index `offset`
    record OfPanels(Floats x, int offset, int rows, PackedMatrix matrix) implements Logits {
        @Override
        public int vocabulary() {
            return matrix.out();
        }

        @Override
        public int panels() {
            return matrix.panelCount();
        }

        @Override
        public int rowBlock() {
            return Logits.rowBlock(matrix.in(), Simd.TILE_ROWS);
        }

        private int depth() {
            return Math.min(matrix.in(), MatrixProduct.DEPTH);
        }

        private float[] packed(int padded, Scratch scratch) {
            return scratch.floats(Scratch.Use.PACKED_ROWS, Math.multiplyExact(padded, Tiles.paddedDepth(matrix.in())));
        }

        /// Rows copied to another stride, because machine code does not read them in place.
        private Floats copied(int count, Scratch scratch) {
            return scratch.values(Scratch.Use.PACKED_ROWS, Math.multiplyExact(count, matrix.rowStride(matrix.in())));
        }

        @Override
        public void prepare(int firstRow, int count, Scratch scratch) {
            int in = matrix.in();
            if (matrix.byCode()) {
                int stride = matrix.rowStride(in);
                if (stride != in) {
                    float[] rows = copied(count, scratch).array();
                    Packing.rows(x.array(), offset + firstRow * in, in, count, in, rows, stride);
                }
                return;
            }
            int padded = Tiles.paddedRows(count);
            float[] packed = packed(padded, scratch);
            for (int k = 0; k < in; k += depth()) {
                int length = Math.min(depth(), in - k);
                Packing.tiles(x.array(), offset + firstRow * in + k, in, count, length, packed, padded * k);
            }
        }

        @Override
        public float[] panel(int firstRow, int count, int p, Scratch scratch) {
            int columns = Simd.TILE_COLUMNS;
            int padded = matrix.byCode() ? count : Tiles.paddedRows(count);
            Floats ready = scratch.values(Scratch.Use.PANEL, matrix.workingFloats(depth()));
            Floats sums = scratch.values(Scratch.Use.TILE, padded * columns);
            float[] tile = sums.array();
            for (int r = 0; r < padded; r++) {
                System.arraycopy(matrix.bias().array(), p * columns, tile, r * columns, columns);
            }
            for (int k = 0; k < matrix.in(); k += depth()) {
                int length = Math.min(depth(), matrix.in() - k);
                matrix.prepare(p, k, length, ready.array(), 0);
                if (matrix.byCode()) {
                    rows(firstRow, count, p, k, length, ready, sums, scratch);
                } else {
                    tiles(padded, p, k, length, ready.array(), tile, scratch);
                }
            }
            padColumns(tile, count, matrix.out() - p * columns);
            return tile;
        }

        private void tiles(int padded, int p, int k, int length, float[] ready, float[] tile, Scratch scratch) {
            int columns = Simd.TILE_COLUMNS;
            float[] packed = packed(padded, scratch);
            for (int r = 0; r < padded; ) {
                int height = Tiles.height(padded - r);
                int a = padded * k + r * Tiles.paddedDepth(length);
                int at = r * columns;
                matrix.multiply(height, packed, a, p, k, length, ready, 0, tile, at, columns, tile, at, columns);
                r += height;
            }
        }

        private void rows(
                int firstRow, int count, int p, int k, int length, Floats ready, Floats sums, Scratch scratch) {
            int columns = Simd.TILE_COLUMNS;
            int stride = matrix.rowStride(matrix.in());
            boolean inPlace = stride == matrix.in();
            Floats a = inPlace ? x : copied(count, scratch);
            int at = (inPlace ? offset + firstRow * stride : 0) + k;
            matrix.multiplyRows(count, a, at, stride, p, k, length, ready, 0, sums, 0, columns, sums, 0, columns);
        }
    }

    /// On the matrix unit.
    record OfTiles(RowTiles tiles, TiledMatrix matrix) implements Logits {
        /// Column tiles of a panel.
        private static final int TOGETHER = Simd.TILE_COLUMNS / Amx.TILE;

        @Override
        public int rows() {
            return tiles.rows();
        }

        @Override
        public int vocabulary() {
            return matrix.out();
        }

        @Override
        public int panels() {
            return PackedMatrix.panelCount(matrix.out());
        }

        @Override
        public int rowBlock() {
            return Logits.rowBlock(matrix.in(), Amx.TILE);
        }

        @Override
        public void prepare(int firstRow, int count, Scratch scratch) {
            // All rows are prepared already.
        }

        @Override
        public float[] panel(int firstRow, int count, int p, Scratch scratch) {
            int columns = Simd.TILE_COLUMNS;
            int first = p * TOGETHER;
            int together = Math.min(TOGETHER, matrix.columnTiles() - first);
            var products = tiles.multiply(firstRow / Amx.TILE, Amx.tiles(count), matrix, first, together, scratch);
            float[] tile = scratch.floats(Scratch.Use.TILE, count * columns);
            int real = Math.min(columns, matrix.out() - p * columns);
            ProductCopies.put(
                    products, together * Amx.TILE, count, real, matrix.bias(), p * columns, false, tile, 0, columns);
            padColumns(tile, count, real);
            return tile;
        }
    }
}
