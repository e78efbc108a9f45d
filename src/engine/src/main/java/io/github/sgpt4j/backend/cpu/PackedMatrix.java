package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.kernel.Panels;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.backend.cpu.kernel.WeightTiles;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.tensor.DType;
import java.lang.foreign.MemorySegment;

/// A weight matrix as matrix products read it: [Panels] of `TILE_COLUMNS` output features, the features that are
/// missing in the last one zeros.
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
        return Math.multiplyExact(Panels.size(in) * dtype.bytes(), (long) panelCount(out));
    }

    /// Floats of working memory that [#prepare] needs for `count` input features.
    int workingFloats(int count) {
        return dtype == DType.F32 ? 0 : Math.multiplyExact(count, Simd.TILE_COLUMNS);
    }

    /// Makes input features `[from, from + count)` of a panel ready for [#multiply]: widens them where weights are not
    /// kept as floats, else does nothing.
    ///
    /// @param from a multiple of [Tiles#CHUNK]
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
            long b = panel * Panels.size(in) * Float.BYTES;
            long stream = Panels.stream(in) * Float.BYTES;
            WeightTiles.multiply(height, a, ao, panels, b, stream, from, count, s, so, sourceStride, c, co, stride);
        } else {
            Tiles.multiply(height, a, ao, widened, at, count, s, so, sourceStride, c, co, stride);
        }
    }

    /// Copies input features `[from, from + count)` of a panel, widened, to `destination`, `[count][TILE_COLUMNS]` from
    /// index `at` on.
    ///
    /// @param from a multiple of [Tiles#CHUNK]
    void load(int panel, int from, int count, float[] destination, int at) {
        for (int half = 0; half < 2; half++) {
            for (int k = 0; k < count; k += Tiles.CHUNK) {
                long element = panel * Panels.size(in) + Panels.chunk(in, half, (from + k) / Tiles.CHUNK);
                int rows = Math.min(Tiles.CHUNK, count - k);
                int to = at + k * Simd.TILE_COLUMNS + half * Simd.LANES;
                Widening.widenRows(panels, dtype, element * dtype.bytes(), destination, to, rows);
            }
        }
    }
}
