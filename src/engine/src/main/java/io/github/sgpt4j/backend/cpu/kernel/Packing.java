package io.github.sgpt4j.backend.cpu.kernel;

/// Rearranges operands into the orders that [Tiles] reads.
public final class Packing {
    private Packing() {}

    /// Packs `rows` rows of `k` values into `[k][height]`, `height ≥ rows`; the rows that are missing are zeros.
    ///
    /// @param x row `r` starts at `at + r · stride`
    public static void tile(float[] x, int at, int stride, int rows, int height, int k, float[] out, int o) {
        int r = 0;
        for (; r + 4 <= rows; r += 4) {
            four(x, at + r * stride, stride, height, k, out, o + r);
        }
        for (; r < rows; r++) {
            int from = at + r * stride;
            for (int p = 0; p < k; p++) {
                out[o + p * height + r] = x[from + p];
            }
        }
        for (; r < height; r++) {
            for (int p = 0; p < k; p++) {
                out[o + p * height + r] = 0f;
            }
        }
    }

    private static void four(float[] x, int at, int stride, int height, int k, float[] out, int o) {
        int at1 = at + stride;
        int at2 = at1 + stride;
        int at3 = at2 + stride;
        for (int p = 0; p < k; p++) {
            int d = o + p * height;
            out[d] = x[at + p];
            out[d + 1] = x[at1 + p];
            out[d + 2] = x[at2 + p];
            out[d + 3] = x[at3 + p];
        }
    }

    /// As [#tile] for all rows of a block, tile after tile: `rows` rows become [Tiles#paddedRows] of `k` values each.
    public static void tiles(float[] x, int at, int stride, int rows, int k, float[] out, int o) {
        for (int r = 0; r < rows; ) {
            int height = Tiles.height(rows - r);
            tile(x, at + r * stride, stride, Math.min(height, rows - r), height, k, out, o + r * k);
            r += height;
        }
    }

    /// Packs columns `[0, columns)` of `rows` rows, one tile of columns after the other: each `[rows][height]`, the
    /// columns that are missing are zeros.
    public static void columnTiles(float[] x, int at, int stride, int rows, int columns, float[] out, int o) {
        for (int c = 0; c < columns; ) {
            int height = Tiles.height(columns - c);
            int count = Math.min(height, columns - c);
            for (int r = 0; r < rows; r++) {
                int from = at + r * stride + c;
                int to = o + c * rows + r * height;
                for (int i = 0; i < count; i++) {
                    out[to + i] = x[from + i];
                }
                for (int i = count; i < height; i++) {
                    out[to + i] = 0f;
                }
            }
            c += height;
        }
    }

    /// `out[o + p · stride + column] = x[at + p] · scale` for `k` values: one column of a panel.
    public static void column(float[] x, int at, int k, float scale, float[] out, int o, int stride) {
        for (int p = 0; p < k; p++) {
            out[o + p * stride] = x[at + p] * scale;
        }
    }

    /// `out[o + p] = x[at + p · stride] · scale`: the reverse of [#column].
    public static void row(float[] x, int at, int stride, int k, float scale, float[] out, int o) {
        for (int p = 0; p < k; p++) {
            out[o + p] = x[at + p * stride] * scale;
        }
    }
}
