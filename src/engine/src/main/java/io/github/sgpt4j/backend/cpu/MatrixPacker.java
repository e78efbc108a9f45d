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

/// Copies stored weights W `[outputs, inputs]`, or their transpose, into the panels of a [PackedMatrix] or the tiles of
/// a [TiledMatrix], one panel at a time, through a small buffer.
///
/// The columns of a panel are outputs and its depth is inputs; for the transpose, the other way round.
final class MatrixPacker {
    /// Input features per step.
    private static final int DEPTH = 256;

    private final List<MatrixRows> parts;
    private final boolean transposed;
    private final int in;
    private final int out;
    private final int width;

    /// @param parts stacked parts of W
    /// @param transposed whether to pack the transpose
    /// @param in depth of all panels together
    /// @param out columns of all panels together
    /// @param width contiguous columns of a panel
    MatrixPacker(List<MatrixRows> parts, boolean transposed, int in, int out, int width) {
        this.parts = parts;
        this.transposed = transposed;
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
    static void buildTile(MemorySegment columns, long from, TiledMatrix matrix, int tile, Scratch scratch) {
        int in = matrix.in();
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

    /// Depth `[k, k + depth)` of a panel as `[TILE_COLUMNS / width][depth][width]`.
    private float[] gather(int panel, int k, int depth, Scratch scratch) {
        int columns = Simd.TILE_COLUMNS;
        float[] buffer = scratch.floats(Scratch.Use.PANEL, DEPTH * columns);
        float[] line = scratch.floats(Scratch.Use.ROW, DEPTH);
        int first = panel * columns;
        int last = (int) Math.min(out, (long) first + columns);
        Arrays.fill(buffer, 0, depth * columns, 0f);
        if (transposed) {
            fill(k, k + depth, first, last - first, depth, buffer, line);
        } else {
            fill(first, last, k, depth, depth, buffer, line);
        }
        WeightTensor.settle();
        return buffer;
    }

    /// Gathers outputs `[first, last)` and inputs `[input, input + inputs)`.
    private void fill(int first, int last, int input, int inputs, int depth, float[] buffer, float[] line) {
        int start = 0;
        for (MatrixRows part : parts) {
            int end = Math.min(last - start, part.count());
            int r = Math.max(first - start, 0);
            while (r < end) {
                // Outputs that are adjacent in the tensor.
                int length = Math.min(end - r, part.run() - r % part.run());
                copy(part, part.source(r), length, input, inputs, start + r - first, depth, buffer, line);
                r += length;
            }
            start += part.count();
            if (start >= last) {
                return;
            }
        }
    }

    /// Copies outputs `[source, source + length)` and inputs `[input, input + inputs)` of a part.
    ///
    /// @param done outputs that are in the buffer already
    private void copy(
            MatrixRows part,
            int source,
            int length,
            int input,
            int inputs,
            int done,
            int depth,
            float[] buffer,
            float[] line) {
        WeightTensor tensor = part.tensor();
        boolean outputsApart = !part.transposed();
        long stored = outputsApart ? part.in() : tensor.shape().dimension(1);
        long element = outputsApart ? source * stored + input : input * stored + source;
        long at = element * tensor.dtype().bytes();
        long stride = stored * tensor.dtype().bytes();
        int lines = outputsApart ? length : inputs;
        int adjacent = outputsApart ? inputs : length;
        int column = transposed ? 0 : done;
        int to = transposed ? done * width : 0;
        if (outputsApart == transposed) {
            copyRows(tensor, at, stride, lines, adjacent, column, depth, buffer, to);
        } else {
            for (int i = 0; i < lines; i++) {
                Widening.widenMapped(tensor.data(), tensor.dtype(), at + i * stride, line, 0, adjacent);
                Packing.column(line, 0, adjacent, 1f, buffer, to + index(column + i, depth), width);
            }
        }
    }

    /// Copies lines of the tensor to rows of the panel, from a column on.
    private void copyRows(
            WeightTensor tensor,
            long at,
            long stride,
            int rows,
            int columns,
            int column,
            int depth,
            float[] buffer,
            int to) {
        int left = Math.clamp(width - column, 0, columns);
        if (left > 0) {
            copyRows(tensor, at, stride, rows, left, buffer, to + index(column, depth));
        }
        if (left < columns) {
            long rest = at + (long) left * tensor.dtype().bytes();
            copyRows(tensor, rest, stride, rows, columns - left, buffer, to + index(column + left, depth));
        }
    }

    private void copyRows(WeightTensor tensor, long at, long stride, int rows, int columns, float[] buffer, int to) {
        Widening.widenMappedRows(tensor.data(), tensor.dtype(), at, stride, buffer, to, width, rows, columns);
    }

    /// Where a column of the panel starts in the buffer.
    private int index(int column, int depth) {
        return column / width * depth * width + column % width;
    }
}
