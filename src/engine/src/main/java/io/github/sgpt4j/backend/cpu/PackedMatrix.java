package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.backend.cpu.kernel.WeightTiles;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.tensor.DType;
import java.lang.foreign.MemorySegment;

/// A weight matrix as matrix products read it: panels of `TILE_COLUMNS` output features, `[panels][2][in][LANES]`, the
/// features that are missing in the last one zeros.
///
/// A panel's left and right vectors lie apart, so that a tile reads it at two places at a time. A processor fetches a
/// limited number of cache lines ahead at each place that it sees being read: where few rows meet many weights, and
/// reading these from memory decides, one place is slower than two by a third.
///
/// @param panels off-heap, of type `dtype`
/// @param bias `[panels · TILE_COLUMNS]`, zeros where there is none
record PackedMatrix(int in, int out, DType dtype, MemorySegment panels, float[] bias) {
    int panelCount() {
        return panelCount(out);
    }

    static int panelCount(int out) {
        return (int) ((out + Simd.TILE_COLUMNS - 1L) / Simd.TILE_COLUMNS);
    }

    static long bytes(int in, int out, DType dtype) {
        return Math.multiplyExact((long) panelCount(out) * Simd.TILE_COLUMNS * dtype.bytes(), (long) in);
    }

    /// Floats of working memory that [#prepare] needs for `count` input features.
    int workingFloats(int count) {
        return dtype == DType.F32 ? 0 : Math.multiplyExact(count, Simd.TILE_COLUMNS);
    }

    /// Makes input features `[from, from + count)` of a panel ready for [#multiply]: widens them where weights are not
    /// kept as floats, else does nothing.
    ///
    /// @param widened [#workingFloats] from index `at` on
    void prepare(int panel, int from, int count, float[] widened, int at) {
        if (dtype != DType.F32) {
            load(panel, from, count, widened, at);
        }
    }

    /// One tile, as [Tiles#multiply]: rows `a` times input features `[from, from + count)` of a panel, which
    /// [#prepare] left in `widened` from index `at` on.
    void multiply(
            int height,
            float[] a,
            int ao,
            int panel,
            int from,
            int count,
            float[] widened,
            int at,
            float[] s,
            int so,
            int sourceStride,
            float[] c,
            int co,
            int stride) {
        if (dtype == DType.F32) {
            long b = element(in, panel, 0, from) * Float.BYTES;
            long right = (long) in * Simd.LANES * Float.BYTES;
            WeightTiles.multiply(height, a, ao, panels, b, right, count, s, so, sourceStride, c, co, stride);
        } else {
            Tiles.multiply(height, a, ao, widened, at, count, s, so, sourceStride, c, co, stride);
        }
    }

    /// Copies input features `[from, from + count)` of a panel, widened, to `destination`, `[count][TILE_COLUMNS]` from
    /// index `at` on.
    void load(int panel, int from, int count, float[] destination, int at) {
        for (int half = 0; half < 2; half++) {
            for (int k = 0; k < count; k += Widening.MOST_ROWS) {
                int to = at + k * Simd.TILE_COLUMNS + half * Simd.LANES;
                long element = element(in, panel, half, from + k);
                int rows = Math.min(Widening.MOST_ROWS, count - k);
                Widening.widenRows(panels, dtype, element * dtype.bytes(), destination, to, rows);
            }
        }
    }

    /// Index of the first weight of an input feature in one half of a panel.
    static long element(int in, int panel, int half, int feature) {
        return ((2L * panel + half) * in + feature) * Simd.LANES;
    }
}
