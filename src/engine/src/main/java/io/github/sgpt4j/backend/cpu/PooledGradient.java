package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.cpu.kernel.Accumulation;
import io.github.sgpt4j.batch.SequenceRows;
import java.util.Arrays;
import java.util.List;

/// The gradient of the normalised rows in [PooledSequence].
final class PooledGradient {
    private final CpuNorm norm;
    private final List<PoolMode> modes;
    private final int hidden;

    PooledGradient(CpuNorm norm, List<PoolMode> modes) {
        this.norm = norm;
        this.modes = modes;
        this.hidden = norm.columns();
    }

    /// Adds the gradient of one sequence.
    ///
    /// @param x rows before the norm
    /// @param dOut gradients of all results, `[sequences, modes · hidden]`
    /// @param dNormed as `x`; the sequence's rows hold zeros
    void sequence(
            CpuTensor x,
            SequenceRows sequences,
            int index,
            int skip,
            CpuTensor dOut,
            CpuTensor dNormed,
            Scratch scratch) {
        int length = sequences.length(index);
        int first = sequences.starts()[index];
        for (int m = 0; m < modes.size() && skip < length; m++) {
            int d = dOut.offset(index) + m * hidden;
            if (modes.get(m) == PoolMode.MAX) {
                maxima(x, sequences.rows(), first + skip, first + length, dOut.data(), d, dNormed, scratch);
                continue;
            }
            double divisor = PooledSequence.divisor(modes.get(m), skip, length);
            for (int i = skip; i < length; i++) {
                double weight = weight(modes.get(m), i, skip, length) / divisor;
                if (weight != 0) {
                    int o = dNormed.offset(sequences.rows()[first + i]);
                    Accumulation.addWeighted(dOut.data(), d, (float) weight, hidden, dNormed.data(), o);
                }
            }
        }
    }

    private static double weight(PoolMode mode, int i, int skip, int length) {
        return switch (mode) {
            case FIRST -> i == skip ? 1 : 0;
            case LAST -> i == length - 1 ? 1 : 0;
            case MEAN, MEAN_SQRT_LENGTH -> 1;
            case WEIGHTED_MEAN -> i + 1.0;
            case MAX -> throw new IllegalArgumentException("a maximum has no weights");
        };
    }

    /// Adds each gradient to the row with the largest value, the first of equal ones.
    ///
    /// @param rows the sequence's rows are `rows[from, to)`
    private void maxima(
            CpuTensor x, int[] rows, int from, int to, float[] dOut, int d, CpuTensor dNormed, Scratch scratch) {
        float[] row = scratch.floats(Scratch.Use.ROW, hidden);
        float[] largest = scratch.floats(Scratch.Use.MAXIMA, hidden);
        int[] where = scratch.integers(hidden);
        Arrays.fill(largest, 0, hidden, Float.NEGATIVE_INFINITY);
        Arrays.fill(where, 0, hidden, rows[from]);
        for (int i = from; i < to; i++) {
            norm.apply(x.data(), x.offset(rows[i]), row, 0);
            for (int c = 0; c < hidden; c++) {
                if (row[c] > largest[c]) {
                    largest[c] = row[c];
                    where[c] = rows[i];
                }
            }
        }
        for (int c = 0; c < hidden; c++) {
            dNormed.data()[dNormed.offset(where[c]) + c] += dOut[d + c];
        }
    }
}
