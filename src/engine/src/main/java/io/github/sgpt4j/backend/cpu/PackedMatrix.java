package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.tensor.DType;
import java.lang.foreign.MemorySegment;

/// A weight matrix as matrix products read it: panels of `TILE_COLUMNS` output features, `[panels][in][TILE_COLUMNS]`,
/// the features that are missing in the last one zeros.
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

    /// Copies input features `[from, from + count)` of a panel, widened, to `destination`, from index `at` on.
    void load(int panel, int from, int count, float[] destination, int at) {
        long element = ((long) panel * in + from) * Simd.TILE_COLUMNS;
        Widening.widen(panels, dtype, element * dtype.bytes(), destination, at, count * Simd.TILE_COLUMNS);
    }
}
