package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.backend.cpu.kernel.WeightTiles;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.tensor.ElementType;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A weight matrix as matrix products read it: panels of `TILE_COLUMNS` output features, padded
/// with zeros in the last one. A panel is `[in][TILE_COLUMNS]`, or `[2][in][LANES]` for the Vector
/// API where [Simd#PANEL_VECTORS] is 1.
///
/// @param panels off-heap, of type `dtype`
/// @param bias `[panels · TILE_COLUMNS]`, zeros if there is no bias
/// @param code the machine code that computes products; null for the Vector API
record PackedMatrix(
        int in,
        int out,
        ElementType dtype,
        MemorySegment panels,
        Floats bias,
        @Nullable VectorCode code) {
    /// Contiguous columns of a panel. Machine code prefetches explicitly and takes whole rows.
    ///
    /// @param byCode whether machine code computes products
    static int width(boolean byCode) {
        return byCode ? Simd.TILE_COLUMNS : Simd.PANEL_VECTORS * Simd.LANES;
    }

    /// Whether products are computed by machine code, with [#multiplyRows].
    boolean byCode() {
        return code != null;
    }

    /// The stride of rows of `depth` input features for [#multiplyRows]; it differs from [#in] if
    /// copying the rows to that stride makes it faster.
    int rowStride(int depth) {
        return code == null ? in : code.strideOf(depth, in);
    }

    int panelCount() {
        return panelCount(out);
    }

    static int panelCount(int out) {
        return (int) ((out + Simd.TILE_COLUMNS - 1L) / Simd.TILE_COLUMNS);
    }

    static long bytes(int in, int out, ElementType dtype) {
        return Math.multiplyExact((long) panelCount(out) * Simd.TILE_COLUMNS * dtype.bytes(), (long) in);
    }

    /// Whether weights are multiplied in place. Otherwise they are first copied to the heap and
    /// widened: 16-bit weights always, and with 16 vector registers all weights that the Vector API
    /// multiplies, because reading off-heap memory needs more general registers than there are.
    private boolean readInPlace() {
        return dtype == ElementType.F32 && (byCode() || Simd.PANEL_VECTORS == 1);
    }

    /// Floats of working memory that [#prepare] needs for `count` input features.
    int workingFloats(int count) {
        return readInPlace() ? 0 : Math.multiplyExact(count, Simd.TILE_COLUMNS);
    }

    /// Prepares input features `[from, from + count)` of a panel for [#multiply].
    ///
    /// @param ready [#workingFloats] from index `at` on
    void prepare(int panel, int from, int count, float[] ready, int at) {
        if (!readInPlace()) {
            load(panel, from, count, ready, at);
        }
    }

    /// One tile, as [Tiles#multiply]: rows `a` times input features `[from, from + count)` of a panel, which
    /// [#prepare] left in `ready` from index `at` on.
    void multiply(
            int height,
            float[] a,
            int ao,
            int panel,
            int from,
            int count,
            float[] ready,
            int at,
            float[] s,
            int so,
            int sourceStride,
            float[] c,
            int co,
            int stride) {
        if (readInPlace()) {
            long b = element(in, width(byCode()), panel, 0, from) * Float.BYTES;
            long right = (long) in * Simd.LANES * Float.BYTES;
            WeightTiles.multiply(height, a, ao, panels, b, right, count, s, so, sourceStride, c, co, stride);
        } else {
            Tiles.multiply(height, a, ao, ready, at, count, s, so, sourceStride, c, co, stride);
        }
    }

    /// Any number of rows, `aStride` floats apart, times input features `[from, from + count)` of a panel, by
    /// [VectorCode#multiply].
    void multiplyRows(
            int rows,
            Floats a,
            int ao,
            int aStride,
            int panel,
            int from,
            int count,
            Floats ready,
            int at,
            Floats s,
            int so,
            int sourceStride,
            Floats c,
            int co,
            int stride) {
        boolean inPlace = readInPlace();
        long b = inPlace ? element(in, width(byCode()), panel, 0, from) : at;
        long next = inPlace ? b + (long) in * Simd.TILE_COLUMNS : b;
        Objects.requireNonNull(code)
                .multiply(
                        rows,
                        count,
                        a.memory(),
                        (long) ao * Float.BYTES,
                        (long) aStride * Float.BYTES,
                        inPlace ? panels : ready.memory(),
                        b * Float.BYTES,
                        next * Float.BYTES,
                        s.memory(),
                        (long) so * Float.BYTES,
                        (long) sourceStride * Float.BYTES,
                        c.memory(),
                        (long) co * Float.BYTES,
                        (long) stride * Float.BYTES);
    }

    /// Copies input features `[from, from + count)` of a panel, widened, to `destination`,
    /// `[count][TILE_COLUMNS]` from index `at` on.
    void load(int panel, int from, int count, float[] destination, int at) {
        int width = width(byCode());
        if (width == Simd.TILE_COLUMNS) {
            Widening.widen(
                    panels,
                    dtype,
                    element(in, width, panel, 0, from) * dtype.bytes(),
                    destination,
                    at,
                    count * Simd.TILE_COLUMNS);
            return;
        }
        for (int part = 0; part < Simd.TILE_COLUMNS / width; part++) {
            for (int k = 0; k < count; k += Widening.MAX_ROWS) {
                int to = at + k * Simd.TILE_COLUMNS + part * width;
                long element = element(in, width, panel, part, from + k);
                int rows = Math.min(Widening.MAX_ROWS, count - k);
                Widening.widenRows(panels, dtype, element * dtype.bytes(), destination, to, rows);
            }
        }
    }

    /// Index of the first weight of an input feature in one part of a panel.
    ///
    /// @param width contiguous columns
    static long element(int in, int width, int panel, int part, int feature) {
        return (((long) Simd.TILE_COLUMNS / width * panel + part) * in + feature) * width;
    }
}
