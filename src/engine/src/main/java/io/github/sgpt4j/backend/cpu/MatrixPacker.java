package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// Copies stored weights into the panels of a [PackedMatrix] or the tiles of a [TiledMatrix], one panel
/// at a time, through a small buffer.
final class MatrixPacker {
    /// Input features per step.
    private static final int DEPTH = 256;

    private final List<MatrixRows> parts;
    private final int in;
    private final int out;
    private final int width;

    /// @param width contiguous columns of a panel
    MatrixPacker(List<MatrixRows> parts, int in, int out, int width) {
        this.parts = parts;
        this.in = in;
        this.out = out;
        this.width = width;
    }

    /// Fills one panel of a [PackedMatrix].
    void pack(int panel, ElementType dtype, MemorySegment panels, Scratch scratch) {
        for (int k = 0; k < in; k += DEPTH) {
            int depth = Math.min(DEPTH, in - k);
            float[] buffer = gather(panel, k, depth, scratch);
            for (int part = 0; part < Simd.TILE_COLUMNS / width; part++) {
                long element = PackedMatrix.element(in, width, panel, part, k);
                int count = depth * width;
                Widening.narrow(buffer, part * count, count, panels, dtype, element * dtype.bytes());
            }
        }
    }

    /// Fills the tiles of one panel, one for each part.
    void pack(int panel, TiledMatrix matrix, Scratch scratch) {
        int blocks = Amx.blocks(in);
        long halfBytes = (long) blocks * Amx.BLOCK * Amx.TILE * Float.BYTES;
        MemorySegment columns = scratch.memory(Scratch.Memory.COLUMNS, 2 * halfBytes);
        columns.asSlice(0, 2 * halfBytes).fill((byte) 0);
        for (int k = 0; k < in; k += DEPTH) {
            int depth = Math.min(DEPTH, in - k);
            float[] buffer = gather(panel, k, depth, scratch);
            for (int half = 0; half < 2; half++) {
                int from = half * depth * width;
                long to = half * halfBytes + (long) k * Amx.TILE * Float.BYTES;
                MemorySegment.copy(buffer, from, columns, LittleEndian.F32, to, depth * width);
            }
        }
        for (int half = 0; half < 2 && 2 * panel + half < matrix.columnTiles(); half++) {
            buildTile(columns, half * halfBytes, matrix, 2 * panel + half, scratch);
        }
    }

    /// Builds a column tile from floats `[64 · blocks][16]` from byte `from` on.
    private void buildTile(MemorySegment columns, long from, TiledMatrix matrix, int tile, Scratch scratch) {
        int blocks = Amx.blocks(in);
        MemorySegment measures = scratch.memory(Scratch.Memory.MEASURES, Amx.FACT_BYTES);
        MemorySegment shifts = scratch.memory(Scratch.Memory.SHIFTS, Amx.SHIFT_BYTES);
        Amx.measureColumns(columns, from, blocks, measures);
        float spread = 0;
        for (long at = 0; at < Amx.SHIFT_BYTES; at += Float.BYTES) {
            int largest = measures.get(LittleEndian.I32, at);
            float squares = measures.get(LittleEndian.F32, Amx.SECOND_FACTS + at);
            spread = Math.max(spread, Amx.spread(largest, squares, in));
            shifts.set(LittleEndian.F32, at, Amx.columnShift(largest));
            matrix.memory().set(LittleEndian.F32, matrix.facts(tile) + at, Amx.columnExponent(largest));
        }
        float limit = Amx.limit(spread, in);
        for (long at = 0; at < Amx.SHIFT_BYTES; at += Float.BYTES) {
            matrix.memory().set(LittleEndian.F32, matrix.facts(tile) + Amx.SECOND_FACTS + at, limit);
        }
        Amx.splitColumns(columns, from, blocks, shifts, matrix.memory(), matrix.tile(tile));
    }

    /// Input features `[k, k + depth)` of a panel as `[TILE_COLUMNS / width][depth][width]`.
    private float[] gather(int panel, int k, int depth, Scratch scratch) {
        int columns = Simd.TILE_COLUMNS;
        float[] buffer = scratch.floats(Scratch.Use.PANEL, DEPTH * columns);
        float[] row = scratch.floats(Scratch.Use.ROW, DEPTH);
        int first = panel * columns;
        int last = (int) Math.min(out, (long) first + columns);
        Arrays.fill(buffer, 0, depth * columns, 0f);
        fill(first, last, k, depth, buffer, row);
        WeightTensor.settle();
        return buffer;
    }

    /// Gathers output features `[first, last)` and input features `[k, k + depth)` as
    /// `[TILE_COLUMNS / width][depth][width]`.
    private void fill(int first, int last, int k, int depth, float[] buffer, float[] row) {
        int start = 0;
        for (MatrixRows part : parts) {
            int from = Math.max(first, start) - start;
            int to = Math.min((long) last, (long) start + part.count()) > start
                    ? Math.min(last - start, part.count())
                    : 0;
            int r = from;
            while (r < to) {
                // Features that are adjacent in the tensor.
                int length = Math.min(to - r, part.run() - r % part.run());
                int column = start + r - first;
                if (part.transposed()) {
                    copyColumns(part, part.source(r), length, k, depth, buffer, column);
                } else {
                    copyRows(part, part.source(r), length, k, depth, buffer, column, row);
                }
                r += length;
            }
            start += part.count();
            if (start >= last) {
                return;
            }
        }
    }

    private void copyColumns(MatrixRows part, int source, int length, int k, int depth, float[] buffer, int column) {
        WeightTensor tensor = part.tensor();
        int bytes = tensor.dtype().bytes();
        long stride = tensor.shape().dimension(1) * bytes;
        long at = k * stride + (long) source * bytes;
        int left = Math.clamp(width - column, 0, length);
        if (left > 0) {
            copyColumns(tensor, at, stride, depth, buffer, index(column, depth), left);
        }
        if (left < length) {
            at += (long) left * bytes;
            copyColumns(tensor, at, stride, depth, buffer, index(column + left, depth), length - left);
        }
    }

    private void copyColumns(
            WeightTensor tensor, long at, long stride, int depth, float[] buffer, int to, int columns) {
        Widening.widenMappedRows(tensor.data(), tensor.dtype(), at, stride, buffer, to, width, depth, columns);
    }

    private void copyRows(
            MatrixRows part, int source, int length, int k, int depth, float[] buffer, int column, float[] row) {
        WeightTensor tensor = part.tensor();
        for (int r = 0; r < length; r++) {
            long at = ((long) (source + r) * part.in() + k) * tensor.dtype().bytes();
            Widening.widenMapped(tensor.data(), tensor.dtype(), at, row, 0, depth);
            Packing.column(row, 0, depth, 1f, buffer, index(column + r, depth), width);
        }
    }

    /// Where a column of the panel starts in the buffer.
    private int index(int column, int depth) {
        return column / width * depth * width + column % width;
    }
}
