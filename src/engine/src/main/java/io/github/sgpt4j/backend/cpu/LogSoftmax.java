package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.kernel.OnlineSoftmax;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import java.util.Arrays;

/// Log-probabilities of one target per row, without holding the logits: each task takes a block of rows through a chunk
/// of the vocabulary and keeps the target's logit and, per row, the maximum and the sum of exponentials under it.
/// Chunks are the same whatever the number of threads, and are put together in doubles.
final class LogSoftmax {
    /// Panels per chunk.
    private static final int CHUNK = 64;

    /// Floats of packed rows that a task keeps: 1 MiB.
    private static final int MOST_PACKED = 1 << 18;

    private static final int MOST_ROWS = 240;

    private final float[] x;
    private final int xOffset;
    private final int rows;
    private final PackedMatrix matrix;
    private final int[] targets;
    private final int chunks;
    private final float[] logits;
    private final float[] maxima;
    private final double[] sums;

    /// @param own scratch that no task uses
    private LogSoftmax(CpuTensor x, PackedMatrix matrix, int[] targets, Scratch own) {
        this.x = x.data();
        this.xOffset = x.offset();
        this.rows = x.rows();
        this.matrix = matrix;
        this.targets = targets;
        this.chunks = (matrix.panelCount() + CHUNK - 1) / CHUNK;
        this.logits = own.floats(Scratch.Use.LOGITS, rows);
        this.maxima = own.floats(Scratch.Use.MAXIMA, Math.multiplyExact(chunks, rows));
        this.sums = own.doubles(chunks * rows);
    }

    static void run(Workers workers, CpuTensor x, PackedMatrix matrix, int[] targets, CpuTensor out) {
        // A loop of one, for the scratch that comes with it; those of the loop inside are others.
        workers.parallelFor(
                1, (one, own) -> new LogSoftmax(x, matrix, targets, own).run(workers, out.data(), out.offset()));
    }

    private void run(Workers workers, float[] out, int outOffset) {
        int rowBlock =
                Math.clamp(MOST_PACKED / matrix.in() / Simd.TILE_ROWS * Simd.TILE_ROWS, Simd.TILE_ROWS, MOST_ROWS);
        int rowBlocks = (rows + rowBlock - 1) / rowBlock;
        workers.parallelFor(Math.multiplyExact(rowBlocks, chunks), (task, scratch) -> {
            int first = task / chunks * rowBlock;
            chunk(first, Math.min(rowBlock, rows - first), task % chunks, scratch);
        });
        for (int r = 0; r < rows; r++) {
            out[outOffset + r] = (float) combine(r);
        }
    }

    private double combine(int row) {
        float maximum = Float.NEGATIVE_INFINITY;
        for (int c = 0; c < chunks; c++) {
            maximum = Math.max(maximum, maxima[c * rows + row]);
        }
        double sum = 0;
        for (int c = 0; c < chunks; c++) {
            sum += sums[c * rows + row] * Math.exp((double) maxima[c * rows + row] - maximum);
        }
        return (double) logits[row] - maximum - Math.log(sum);
    }

    private void chunk(int firstRow, int count, int chunk, Scratch scratch) {
        int in = matrix.in();
        int columns = Simd.TILE_COLUMNS;
        int padded = Tiles.paddedRows(count);
        float[] packed = scratch.floats(Scratch.Use.PACKED_ROWS, Math.multiplyExact(padded, Tiles.paddedDepth(in)));
        int depth = Math.min(in, MatrixProduct.DEPTH);
        float[] panel = scratch.floats(Scratch.Use.PANEL, matrix.workingFloats(depth));
        float[] tile = scratch.floats(Scratch.Use.TILE, padded * columns);
        float[] laneMaxima = scratch.floats(Scratch.Use.SCORES, count * columns);
        float[] laneSums = scratch.floats(Scratch.Use.WEIGHTED_VALUES, count * columns);
        float[] corrections = scratch.floats(Scratch.Use.CORRECTIONS, columns);
        Arrays.fill(laneMaxima, 0, count * columns, Float.NEGATIVE_INFINITY);
        Arrays.fill(laneSums, 0, count * columns, 0f);
        for (int k = 0; k < in; k += MatrixProduct.DEPTH) {
            int length = Math.min(MatrixProduct.DEPTH, in - k);
            Packing.tiles(x, xOffset + firstRow * in + k, in, count, length, packed, padded * k);
        }
        int end = Math.min(matrix.panelCount(), (chunk + 1) * CHUNK);
        for (int p = chunk * CHUNK; p < end; p++) {
            logits(packed, padded, p, panel, tile);
            pick(firstRow, count, p, tile);
            for (int r = 0; r < count; r++) {
                OnlineSoftmax.updateLanes(tile, r * columns, laneMaxima, laneSums, r * columns, corrections);
            }
        }
        for (int r = 0; r < count; r++) {
            reduce(laneMaxima, laneSums, r * columns, chunk * rows + firstRow + r);
        }
    }

    /// `tile = x · Wᵀ + b` for one panel, −∞ past the vocabulary.
    private void logits(float[] packed, int padded, int p, float[] panel, float[] tile) {
        int columns = Simd.TILE_COLUMNS;
        int real = Math.min(columns, matrix.out() - p * columns);
        for (int r = 0; r < padded; r++) {
            System.arraycopy(matrix.bias(), p * columns, tile, r * columns, real);
            Arrays.fill(tile, r * columns + real, (r + 1) * columns, Float.NEGATIVE_INFINITY);
        }
        for (int k = 0; k < matrix.in(); k += MatrixProduct.DEPTH) {
            int length = Math.min(MatrixProduct.DEPTH, matrix.in() - k);
            matrix.prepare(p, k, length, panel, 0);
            for (int r = 0; r < padded; ) {
                int height = Tiles.height(padded - r);
                int a = padded * k + r * Tiles.paddedDepth(length);
                int at = r * columns;
                matrix.multiply(height, packed, a, p, k, length, panel, 0, tile, at, columns, tile, at, columns);
                r += height;
            }
        }
    }

    private void pick(int firstRow, int count, int p, float[] tile) {
        for (int r = 0; r < count; r++) {
            int column = targets[firstRow + r] - p * Simd.TILE_COLUMNS;
            if (column >= 0 && column < Simd.TILE_COLUMNS) {
                logits[firstRow + r] = tile[r * Simd.TILE_COLUMNS + column];
            }
        }
    }

    private void reduce(float[] laneMaxima, float[] laneSums, int at, int slot) {
        float maximum = Float.NEGATIVE_INFINITY;
        for (int c = 0; c < Simd.TILE_COLUMNS; c++) {
            maximum = Math.max(maximum, laneMaxima[at + c]);
        }
        double sum = 0;
        for (int c = 0; c < Simd.TILE_COLUMNS; c++) {
            // A lane that met nothing but −∞ adds nothing, and must not turn −∞ − −∞ into NaN.
            if (laneMaxima[at + c] != Float.NEGATIVE_INFINITY || Float.isNaN(laneSums[at + c])) {
                sum += laneSums[at + c] * Math.exp((double) laneMaxima[at + c] - maximum);
            }
        }
        maxima[slot] = maximum;
        sums[slot] = sum;
    }
}
