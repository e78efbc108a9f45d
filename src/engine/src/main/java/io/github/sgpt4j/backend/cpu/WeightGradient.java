package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// The gradient of a weight matrix: `sums += dOutᵀ · x`, by the products of linear layers, in which
/// x takes the place of the weights.
///
/// Some hundreds of rows at a time are packed; then some outputs at a time are transposed,
/// multiplied and added. Sums inside a product are in floats, in an order that depends only on the
/// shapes.
final class WeightGradient {
    /// Most rows per product.
    private static final int MAX_ROWS = 1024;

    /// Most bytes of packed rows.
    private static final long MAX_PACKED_BYTES = 1L << 25;

    /// Most values of a product, and of the transposed gradients that it multiplies.
    private static final int MAX_VALUES = 1 << 21;

    /// Fewest rows or outputs per product, if the limits above ask for less.
    private static final int MIN_PART = 96;

    private final Workers workers;
    private final CpuOptions options;
    private final ArrayPool pool;
    private final CpuTensor x;
    private final CpuTensor dOut;
    private final CpuSums sums;
    private final int in;
    private final int out;

    private WeightGradient(
            Workers workers, CpuOptions options, ArrayPool pool, CpuTensor x, CpuTensor dOut, CpuSums sums) {
        this.workers = workers;
        this.options = options;
        this.pool = pool;
        this.x = x;
        this.dOut = dOut;
        this.sums = sums;
        this.in = x.columns();
        this.out = dOut.columns();
    }

    /// @param x `[rows, in]`
    /// @param dOut `[rows, out]`
    /// @param sums `[out, in]`
    static void run(Workers workers, CpuOptions options, ArrayPool pool, CpuTensor x, CpuTensor dOut, CpuSums sums) {
        WeightGradient gradient = new WeightGradient(workers, options, pool, x, dOut, sums);
        // A loop of one task, for its scratch; the loops inside use others.
        workers.parallelFor(1, (one, own) -> gradient.run(own));
    }

    private void run(Scratch own) {
        int padded = PackedMatrix.panelCount(in) * Simd.TILE_COLUMNS;
        int most = Math.clamp(MAX_PACKED_BYTES / ((long) padded * Float.BYTES), MIN_PART, MAX_ROWS);
        try (CpuTensor zeros = new CpuTensor(pool, 1, padded)) {
            Arrays.fill(zeros.data(), 0, padded, 0f);
            for (int first = 0; first < x.rows(); first += most) {
                rows(first, Math.min(most, x.rows() - first), zeros.values(), own);
            }
        }
    }

    /// Adds the gradient from rows `[first, first + count)`.
    private void rows(int first, int count, Floats zeros, Scratch own) {
        if (options.holdsTiles(count)) {
            TiledMatrix tiles = tiles(first, count, zeros, own);
            outputs(first, count, (a, c) -> TiledProduct.run(workers, a, tiles, Activation.NONE, false, c));
        } else {
            PackedMatrix panels = panels(first, count, zeros, own);
            outputs(first, count, (a, c) -> MatrixProduct.run(workers, a, panels, Activation.NONE, false, c));
        }
    }

    /// Some rows of dOutᵀ times the packed rows of x.
    private interface Product {
        void run(CpuTensor a, CpuTensor c);
    }

    private void outputs(int first, int count, Product product) {
        int most =
                Math.clamp(MAX_VALUES / Math.max(in, count) / MIN_PART * MIN_PART, MIN_PART, Math.max(MIN_PART, out));
        for (int output = 0; output < out; output += most) {
            int outputs = Math.min(most, out - output);
            int from = output;
            try (CpuTensor a = new CpuTensor(pool, outputs, count);
                    CpuTensor c = new CpuTensor(pool, outputs, in)) {
                int at = dOut.offset(first) + from;
                workers.parallelRows(outputs, count, (begin, end, scratch) -> {
                    for (int o = begin; o < end; o++) {
                        Packing.row(dOut.data(), at + o, out, count, 1f, a.data(), a.offset(o));
                    }
                });
                product.run(a, c);
                workers.parallelRows(outputs, in, (begin, end, scratch) -> {
                    for (int o = begin; o < end; o++) {
                        sums.add(from + o, 0, c.data(), c.offset(o), in);
                    }
                });
            }
        }
    }

    private PackedMatrix panels(int first, int count, Floats zeros, Scratch own) {
        VectorCode code = options.vectorCode().orElse(null);
        int width = PackedMatrix.width(code != null);
        long bytes = PackedMatrix.bytes(count, in, ElementType.F32);
        MemorySegment memory = own.memory(Scratch.Memory.INPUTS, bytes);
        workers.parallelFor(PackedMatrix.panelCount(in), (panel, scratch) -> {
            for (int part = 0; part < Simd.TILE_COLUMNS / width; part++) {
                long to = PackedMatrix.element(count, width, panel, part, 0) * Float.BYTES;
                columns(first, count, panel * Simd.TILE_COLUMNS + part * width, width, memory, to);
            }
        });
        return new PackedMatrix(count, in, ElementType.F32, memory, zeros, code);
    }

    private TiledMatrix tiles(int first, int count, Floats zeros, Scratch own) {
        TiledMatrix matrix = new TiledMatrix(
                count, in, own.memory(Scratch.Memory.INPUTS, TiledMatrix.bytes(count, in)), zeros.array());
        long bytes = (long) Amx.blocks(count) * Amx.BLOCK * Amx.SHIFT_BYTES;
        workers.parallelFor(matrix.columnTiles(), (tile, scratch) -> {
            MemorySegment columns = scratch.memory(Scratch.Memory.COLUMNS, bytes);
            columns.asSlice(0, bytes).fill((byte) 0);
            columns(first, count, tile * Amx.TILE, Amx.TILE, columns, 0);
            MatrixPacker.buildTile(columns, 0, matrix, tile, scratch);
        });
        return matrix;
    }

    /// Copies columns `[column, column + width)` of rows `[first, first + count)` of x to
    /// `[count][width]` from byte `to` on, zeros beyond the last column.
    private void columns(int first, int count, int column, int width, MemorySegment memory, long to) {
        int real = Math.clamp(in - column, 0, width);
        long stride = (long) width * Float.BYTES;
        for (int r = 0; r < count; r++) {
            long at = to + r * stride;
            if (real > 0) {
                MemorySegment.copy(x.data(), x.offset(first + r) + column, memory, LittleEndian.F32, at, real);
            }
            for (int c = real; c < width; c++) {
                memory.set(LittleEndian.F32, at + (long) c * Float.BYTES, 0f);
            }
        }
    }
}
