package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.batch.SequenceRows;
import java.util.Arrays;
import java.util.List;

/// Final norm and pooling of one sequence: one row at a time, with sums in doubles.
final class PooledSequence {
    private final CpuNorm norm;
    private final List<PoolMode> modes;
    private final int hidden;

    PooledSequence(CpuNorm norm, List<PoolMode> modes) {
        this.norm = norm;
        this.modes = modes;
        this.hidden = norm.columns();
    }

    /// @param skip leading tokens to leave out
    void sequence(CpuTensor x, SequenceRows sequences, int index, int skip, float[] out, int o, Scratch scratch) {
        int length = sequences.length(index);
        Arrays.fill(out, o, o + modes.size() * hidden, 0f);
        if (skip >= length) {
            return;
        }
        float[] row = scratch.floats(Scratch.Use.ROW, hidden);
        double[] totals = scratch.doubles(modes.size() * hidden);
        for (int m = 0; m < modes.size(); m++) {
            double start = modes.get(m) == PoolMode.MAX ? Double.NEGATIVE_INFINITY : 0;
            Arrays.fill(totals, m * hidden, (m + 1) * hidden, start);
        }
        for (int i = skip; i < length; i++) {
            norm.apply(x.data(), x.offset(sequences.rows()[sequences.starts()[index] + i]), row, 0);
            for (int m = 0; m < modes.size(); m++) {
                add(modes.get(m), row, totals, m * hidden, i, skip, length);
            }
        }
        for (int m = 0; m < modes.size(); m++) {
            double divisor = divisor(modes.get(m), skip, length);
            for (int c = 0; c < hidden; c++) {
                out[o + m * hidden + c] = (float) (totals[m * hidden + c] / divisor);
            }
        }
    }

    private void add(PoolMode mode, float[] row, double[] totals, int at, int i, int skip, int length) {
        switch (mode) {
            case FIRST -> addIf(i == skip, row, totals, at);
            case LAST -> addIf(i == length - 1, row, totals, at);
            case MEAN, MEAN_SQRT_LENGTH -> addWeighted(row, 1, totals, at);
            case WEIGHTED_MEAN -> addWeighted(row, i + 1.0, totals, at);
            case MAX -> {
                for (int c = 0; c < hidden; c++) {
                    totals[at + c] = Math.max(totals[at + c], row[c]);
                }
            }
        }
    }

    private void addIf(boolean chosen, float[] row, double[] totals, int at) {
        if (chosen) {
            addWeighted(row, 1, totals, at);
        }
    }

    private void addWeighted(float[] row, double weight, double[] totals, int at) {
        for (int c = 0; c < hidden; c++) {
            totals[at + c] += weight * row[c];
        }
    }

    static double divisor(PoolMode mode, int skip, int length) {
        double kept = length - skip;
        return switch (mode) {
            case FIRST, LAST, MAX -> 1;
            case MEAN -> kept;
            case MEAN_SQRT_LENGTH -> Math.sqrt(kept);
            case WEIGHTED_MEAN -> kept * (skip + 1.0 + length) / 2;
        };
    }
}
