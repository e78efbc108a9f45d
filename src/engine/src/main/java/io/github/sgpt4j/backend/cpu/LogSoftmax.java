package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.kernel.OnlineSoftmax;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.SoftCap;
import java.util.Arrays;

/// Log-probabilities of one target per row, without holding the logits: each task computes a block
/// of rows for a chunk of the vocabulary and keeps the target's logit and, per row, the maximum and
/// the sum of exponentials relative to it. Chunks do not depend on the number of threads and are
/// combined in doubles.
final class LogSoftmax {
    /// Panels per chunk.
    private static final int CHUNK = 64;

    private static final int COLUMNS = Simd.TILE_COLUMNS;

    private final Logits head;
    private final int rows;
    private final int vocabulary;
    private final int panels;
    private final int firstTarget;
    private final int[] targets;
    private final float softcap;
    private final int chunks;
    private final float[] logits;
    private final float[] maxima;
    private final double[] sums;

    /// @param vocabulary first rows of the head that the softmax runs over
    /// @param targets targets of the head's rows, from index `firstTarget` on
    /// @param softcap bound of logits, or 0
    /// @param own scratch that no task uses
    private LogSoftmax(Logits head, int vocabulary, int[] targets, int firstTarget, float softcap, Scratch own) {
        this.head = head;
        this.rows = head.rows();
        this.vocabulary = vocabulary;
        this.panels = Math.ceilDiv(vocabulary, COLUMNS);
        this.targets = targets;
        this.firstTarget = firstTarget;
        this.softcap = softcap;
        this.chunks = (panels + CHUNK - 1) / CHUNK;
        this.logits = own.floats(Scratch.Use.LOGITS, rows);
        this.maxima = own.floats(Scratch.Use.MAXIMA, Math.multiplyExact(chunks, rows));
        this.sums = own.doubles(chunks * rows);
    }

    static void run(
            Workers workers, CpuTensor x, CpuLinear head, int vocabulary, float softcap, int[] targets, CpuTensor out) {
        // A loop of one task, for its scratch; the loops inside use others.
        workers.parallelFor(1, (one, own) -> {
            int most = head.maxLogitRows();
            for (int first = 0; first < x.rows(); first += most) {
                Logits logits = head.logits(x, first, Math.min(most, x.rows() - first), own);
                new LogSoftmax(logits, vocabulary, targets, first, softcap, own)
                        .run(workers, out.data(), out.offset() + first);
            }
        });
    }

    private void run(Workers workers, float[] out, int outOffset) {
        int rowBlock = head.rowBlock();
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
        float[] laneMaxima = scratch.floats(Scratch.Use.SCORES, count * COLUMNS);
        float[] laneSums = scratch.floats(Scratch.Use.WEIGHTED_VALUES, count * COLUMNS);
        float[] corrections = scratch.floats(Scratch.Use.CORRECTIONS, COLUMNS);
        Arrays.fill(laneMaxima, 0, count * COLUMNS, Float.NEGATIVE_INFINITY);
        Arrays.fill(laneSums, 0, count * COLUMNS, 0f);
        head.prepare(firstRow, count, scratch);
        int end = Math.min(panels, (chunk + 1) * CHUNK);
        for (int p = chunk * CHUNK; p < end; p++) {
            float[] tile = head.panel(firstRow, count, p, scratch);
            int columns = Math.min(COLUMNS, vocabulary - p * COLUMNS);
            if (softcap > 0) {
                // −∞ past the vocabulary would become −softcap.
                for (int r = 0; r < count; r++) {
                    SoftCap.apply(softcap, tile, r * COLUMNS, columns);
                }
            }
            if (columns < COLUMNS) {
                // Rows of the head that do not count.
                for (int r = 0; r < count; r++) {
                    Arrays.fill(tile, r * COLUMNS + columns, (r + 1) * COLUMNS, Float.NEGATIVE_INFINITY);
                }
            }
            pick(firstRow, count, p, tile);
            for (int r = 0; r < count; r++) {
                OnlineSoftmax.updateLanes(tile, r * COLUMNS, laneMaxima, laneSums, r * COLUMNS, corrections);
            }
        }
        for (int r = 0; r < count; r++) {
            reduce(laneMaxima, laneSums, r * COLUMNS, chunk * rows + firstRow + r);
        }
    }

    private void pick(int firstRow, int count, int p, float[] tile) {
        for (int r = 0; r < count; r++) {
            int column = targets[firstTarget + firstRow + r] - p * COLUMNS;
            if (column >= 0 && column < COLUMNS) {
                logits[firstRow + r] = tile[r * COLUMNS + column];
            }
        }
    }

    private void reduce(float[] laneMaxima, float[] laneSums, int at, int slot) {
        float maximum = Float.NEGATIVE_INFINITY;
        for (int c = 0; c < COLUMNS; c++) {
            maximum = Math.max(maximum, laneMaxima[at + c]);
        }
        double sum = 0;
        for (int c = 0; c < COLUMNS; c++) {
            // A lane with only −∞ adds nothing: −∞ − −∞ must not become NaN.
            if (laneMaxima[at + c] != Float.NEGATIVE_INFINITY || Float.isNaN(laneSums[at + c])) {
                sum += laneSums[at + c] * Math.exp((double) laneMaxima[at + c] - maximum);
            }
        }
        maxima[slot] = maximum;
        sums[slot] = sum;
    }
}
