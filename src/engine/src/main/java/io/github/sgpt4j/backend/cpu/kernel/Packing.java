package io.github.sgpt4j.backend.cpu.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Rearranges operands into the orders that [Tiles] reads.
public final class Packing {
    private static final int CHUNK = Tiles.CHUNK;
    private static final int LANES = Simd.LANES;

    private Packing() {}

    /// Packs rows of `k` values for [Tiles], tile after tile: `rows` rows become [Tiles#paddedRows]
    /// of [Tiles#paddedDepth] values each. Missing rows become zeros; values past `k` are
    /// unchanged.
    ///
    /// @param x row `r` starts at `at + r · stride`
    public static void tiles(float[] x, int at, int stride, int rows, int k, float[] out, int o) {
        tiles(x, at, stride, 0, rows, rows, k, out, o);
    }

    /// As above, but only rows `[first, end)` of `rows`: a tile may be assembled from several
    /// sources.
    ///
    /// @param x row `first` starts at `at`, the next at `at + stride`
    public static void tiles(float[] x, int at, int stride, int first, int end, int rows, int k, float[] out, int o) {
        int depth = Tiles.paddedDepth(k);
        for (int r = 0; r < rows; ) {
            int height = Tiles.height(rows - r);
            int to = o + r * depth;
            int last = Math.min(end - r, height);
            for (int i = Math.max(0, first - r); i < last; i++) {
                row(x, at + (r + i - first) * stride, k, height, out, to + i * CHUNK);
            }
            if (end == rows) {
                clear(Math.max(0, rows - r), height, k, out, to);
            }
            r += height;
        }
    }

    /// Copies rows of `k` values to another stride, which is at least `k`.
    ///
    /// @param x row `r` starts at `at + r · stride`
    /// @param out row `r` goes to `r · outStride`
    public static void rows(float[] x, int at, int stride, int rows, int k, float[] out, int outStride) {
        for (int r = 0; r < rows; r++) {
            System.arraycopy(x, at + r * stride, out, r * outStride, k);
        }
    }

    /// Sets rows `[from, height)` of a tile to zero.
    private static void clear(int from, int height, int k, float[] out, int o) {
        for (int i = from; i < height; i++) {
            for (int p = 0; p < k; p += CHUNK) {
                Arrays.fill(out, o + i * CHUNK + p * height, o + (i + 1) * CHUNK + p * height, 0f);
            }
        }
    }

    /// Copies one row to its place in a tile of `height` rows.
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

    /// Packs the transpose: columns `[0, columns)` of `rows` rows are the rows of tiles of depth
    /// `rows`, one tile after the other, [Tiles#paddedDepth] of `rows` values each; missing columns
    /// become zeros. Only rows `[first, end)` are packed: a tile may be assembled from several
    /// sources.
    ///
    /// @param x row `first` starts at `at`, the next at `at + stride`
    public static void columnTiles(
            float[] x, int at, int stride, int first, int end, int rows, int columns, float[] out, int o) {
        int depth = Tiles.paddedDepth(rows);
        for (int c = 0; c < columns; ) {
            int height = Tiles.height(columns - c);
            int count = Math.min(height, columns - c);
            for (int r = first; r < end; r++) {
                int from = at + (r - first) * stride + c;
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

    /// `out[o + p] = x[at + p] · scale` for `k` values.
    public static void scaled(float[] x, int at, int k, float scale, float[] out, int o) {
        for (int p = 0; p < k; p++) {
            out[o + p] = x[at + p] * scale;
        }
    }
}
