package io.github.sgpt4j.backend.cpu.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Rearranges operands into the orders that [Tiles] reads.
public final class Packing {
    private static final int CHUNK = Tiles.CHUNK;
    private static final int LANES = Simd.LANES;

    private Packing() {}

    /// Packs rows of `k` values for [Tiles], tile after tile: `rows` rows become [Tiles#paddedRows] of
    /// [Tiles#paddedDepth] values each. The rows that are missing are zeros; values past `k` are left as they were.
    ///
    /// @param x row `r` starts at `at + r · stride`
    public static void tiles(float[] x, int at, int stride, int rows, int k, float[] out, int o) {
        int depth = Tiles.paddedDepth(k);
        for (int r = 0; r < rows; ) {
            int height = Tiles.height(rows - r);
            int real = Math.min(height, rows - r);
            int to = o + r * depth;
            for (int i = 0; i < real; i++) {
                row(x, at + (r + i) * stride, k, height, out, to + i * CHUNK);
            }
            for (int i = real; i < height; i++) {
                for (int p = 0; p < k; p += CHUNK) {
                    Arrays.fill(out, to + i * CHUNK + p * height, to + (i + 1) * CHUNK + p * height, 0f);
                }
            }
            r += height;
        }
    }

    /// One row into its place among `height`.
    private static void row(float[] x, int at, int k, int height, float[] out, int o) {
        int p = 0;
        for (; p + CHUNK <= k; p += CHUNK) {
            for (int i = 0; i < CHUNK; i += LANES) {
                FloatVector.fromArray(Simd.F, x, at + p + i).intoArray(out, o + p * height + i);
            }
        }
        for (int i = p; i < k; i++) {
            out[o + p * height + i - p] = x[at + i];
        }
    }

    /// Packs the transpose: columns `[0, columns)` of `rows` rows are the rows of tiles of depth `rows`, one tile after
    /// the other, [Tiles#paddedDepth] of `rows` values each; the columns that are missing are zeros.
    public static void columnTiles(float[] x, int at, int stride, int rows, int columns, float[] out, int o) {
        int depth = Tiles.paddedDepth(rows);
        for (int c = 0; c < columns; ) {
            int height = Tiles.height(columns - c);
            int count = Math.min(height, columns - c);
            for (int r = 0; r < rows; r++) {
                int from = at + r * stride + c;
                int to = o + c * depth + (r & -CHUNK) * height + (r & CHUNK - 1);
                for (int i = 0; i < count; i++) {
                    out[to + i * CHUNK] = x[from + i];
                }
                for (int i = count; i < height; i++) {
                    out[to + i * CHUNK] = 0f;
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
