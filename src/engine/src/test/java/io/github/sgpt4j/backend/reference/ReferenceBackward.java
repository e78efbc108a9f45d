package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.OperandChecks;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Sums;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import java.util.Arrays;
import java.util.List;

/// Every operation of training by its definition, in `double`, one row at a time.
final class ReferenceBackward implements Backward {
    private final ReferenceBackend backend;

    ReferenceBackward(ReferenceBackend backend) {
        this.backend = backend;
    }

    /// No less than any test needs.
    @Override
    public long room(long held) {
        return Long.MAX_VALUE;
    }

    @Override
    public void linear(Tensor dOut, Linear linear, boolean add, Tensor dX) {
        requireShape(dOut, dOut.rows(), linear.out());
        requireShape(dX, dOut.rows(), linear.in());
        for (int r = 0; r < dOut.rows(); r++) {
            write(dX, r, add, ((ReferenceLinear) linear).gradient(row(dOut, r)));
        }
    }

    @Override
    public void activate(Tensor x, Activation activation, Tensor out) {
        requireShape(out, x.rows(), x.columns());
        for (int r = 0; r < x.rows(); r++) {
            double[] y = Arrays.stream(row(x, r))
                    .map(v -> Functions.apply(activation, v))
                    .toArray();
            write(out, r, false, y);
        }
    }

    @Override
    public void activation(Tensor x, Activation activation, Tensor d) {
        requireShape(d, x.rows(), x.columns());
        for (int r = 0; r < x.rows(); r++) {
            double[] y = row(d, r).clone();
            for (int c = 0; c < y.length; c++) {
                y[c] *= Functions.derivative(activation, row(x, r)[c]);
            }
            write(d, r, false, y);
        }
    }

    @Override
    public void gatedActivation(Tensor x, Activation activation, Tensor dOut, Tensor dX) {
        int f = dOut.columns();
        requireShape(x, dOut.rows(), Math.multiplyExact(2, f));
        requireShape(dX, dOut.rows(), Math.multiplyExact(2, f));
        for (int r = 0; r < x.rows(); r++) {
            double[] both = row(x, r);
            double[] d = row(dOut, r);
            double[] y = new double[2 * f];
            for (int c = 0; c < f; c++) {
                y[c] = d[c] * Functions.derivative(activation, both[c]) * both[f + c];
                y[f + c] = d[c] * Functions.apply(activation, both[c]);
            }
            write(dX, r, false, y);
        }
    }

    @Override
    public void norm(Tensor x, Norm norm, Tensor dOut, boolean add, Tensor dX) {
        requireShape(x, x.rows(), norm.columns());
        requireShape(dOut, x.rows(), norm.columns());
        requireShape(dX, x.rows(), norm.columns());
        for (int r = 0; r < x.rows(); r++) {
            write(dX, r, add, ((ReferenceNorm) norm).gradient(row(x, r), row(dOut, r)));
        }
    }

    @Override
    public void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm, Tensor d) {
        requireHeads(qkv, firstColumn, heads, norm);
        requireShape(d, qkv.rows(), qkv.columns());
        for (int r = 0; r < qkv.rows(); r++) {
            double[] y = row(d, r).clone();
            for (int h = 0; h < heads; h++) {
                int from = firstColumn + h * norm.columns();
                int to = from + norm.columns();
                double[] head = Arrays.copyOfRange(row(qkv, r), from, to);
                double[] dHead = ((ReferenceNorm) norm).gradient(head, Arrays.copyOfRange(y, from, to));
                System.arraycopy(dHead, 0, y, from, dHead.length);
            }
            write(d, r, false, y);
        }
    }

    @Override
    public void attention(
            Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out, Tensor dOut, Tensor dQkv) {
        PackedBatch packed = sequences(batch, "attention");
        int columns = parameters.heads() * parameters.headDim();
        requireShape(qkv, packed.tokens(), parameters.qkvColumns());
        requireShape(out, packed.tokens(), columns);
        requireShape(dOut, packed.tokens(), columns);
        requireShape(dQkv, packed.tokens(), parameters.qkvColumns());
        double[][] result = new ReferenceAttentionGradient(rows(qkv), rows(dOut), packed, parameters).compute();
        for (int t = 0; t < result.length; t++) {
            write(dQkv, t, false, result[t]);
        }
    }

    @Override
    public void pool(
            Tensor x,
            Norm norm,
            SequenceRows sequences,
            int[] skip,
            List<PoolMode> modes,
            Tensor dOut,
            Tensor dNormed) {
        OperandChecks.pool(x, sequences, skip, modes);
        OperandChecks.distinct(sequences.rows(), x, "pool");
        int hidden = norm.columns();
        requireShape(x, x.rows(), hidden);
        requireShape(dOut, sequences.count(), Math.multiplyExact(modes.size(), hidden));
        requireShape(dNormed, x.rows(), hidden);
        for (int r = 0; r < x.rows(); r++) {
            write(dNormed, r, false, new double[hidden]);
        }
        for (int s = 0; s < sequences.count(); s++) {
            double[][] h = new double[sequences.length(s)][];
            for (int t = 0; t < h.length; t++) {
                h[t] = ((ReferenceNorm) norm)
                        .apply(row(x, sequences.rows()[sequences.starts()[s] + t]));
            }
            double[][] gradient = new double[h.length][hidden];
            for (int m = 0; m < modes.size(); m++) {
                double[] d = Arrays.copyOfRange(row(dOut, s), m * hidden, (m + 1) * hidden);
                ReferencePooling.addGradient(h, skip[s], modes.get(m), d, gradient);
            }
            for (int t = 0; t < h.length; t++) {
                write(dNormed, sequences.rows()[sequences.starts()[s] + t], false, gradient[t]);
            }
        }
    }

    @Override
    public Sums sums(int rows, int columns) {
        backend.checkOpen();
        require(rows >= 1 && columns >= 1, "sums [%d, %d]", rows, columns);
        return new ReferenceSums(rows, columns);
    }

    @Override
    public void columnSums(Tensor d, Sums out) {
        double[][] total = values(out, 1, d.columns());
        for (int r = 0; r < d.rows(); r++) {
            add(row(d, r), total[0]);
        }
    }

    @Override
    public void gainSums(Tensor x, Norm norm, Tensor dOut, Sums out) {
        OperandChecks.gain(norm, "gainSums");
        requireShape(x, x.rows(), norm.columns());
        requireShape(dOut, x.rows(), norm.columns());
        double[][] total = values(out, 1, norm.columns());
        for (int r = 0; r < x.rows(); r++) {
            add(((ReferenceNorm) norm).gainGradient(row(x, r), row(dOut, r)), total[0]);
        }
    }

    @Override
    public void headGainSums(Tensor qkv, int firstColumn, int heads, Norm norm, Tensor dOut, Sums out) {
        OperandChecks.gain(norm, "headGainSums");
        requireHeads(qkv, firstColumn, heads, norm);
        requireShape(dOut, qkv.rows(), qkv.columns());
        double[][] total = values(out, 1, norm.columns());
        for (int r = 0; r < qkv.rows(); r++) {
            for (int h = 0; h < heads; h++) {
                int from = firstColumn + h * norm.columns();
                int to = from + norm.columns();
                double[] head = Arrays.copyOfRange(row(qkv, r), from, to);
                double[] dHead = Arrays.copyOfRange(row(dOut, r), from, to);
                add(((ReferenceNorm) norm).gainGradient(head, dHead), total[0]);
            }
        }
    }

    @Override
    public void weightSums(Tensor x, Tensor dOut, Sums out) {
        requireShape(dOut, x.rows(), dOut.columns());
        double[][] total = values(out, dOut.columns(), x.columns());
        for (int r = 0; r < x.rows(); r++) {
            double[] in = row(x, r);
            double[] d = row(dOut, r);
            for (int o = 0; o < d.length; o++) {
                for (int i = 0; i < in.length; i++) {
                    total[o][i] += d[o] * in[i];
                }
            }
        }
    }

    @Override
    public void embeddingSums(Batch batch, Tensor d, Sums out) {
        scatter(sequences(batch, "embeddingSums").ids(), 0, d, out, "embeddingSums");
    }

    @Override
    public void positionSums(int offset, Batch batch, Tensor d, Sums out) {
        scatter(sequences(batch, "positionSums").positions(), offset, d, out, "positionSums");
    }

    private void scatter(int[] indices, int offset, Tensor d, Sums out, String operation) {
        requireShape(d, indices.length, d.columns());
        OperandChecks.tableRows(indices, offset, out.rows(), operation);
        double[][] total = values(out, out.rows(), d.columns());
        for (int t = 0; t < indices.length; t++) {
            add(row(d, t), total[indices[t] + offset]);
        }
    }

    @Override
    public void reloadBias(Linear linear) {
        backend.checkOpen();
        ((ReferenceLinear) linear).reloadBias();
    }

    @Override
    public void reload(Linear linear) {
        backend.checkOpen();
        ((ReferenceLinear) linear).reload();
    }

    @Override
    public void reload(Norm norm) {
        backend.checkOpen();
        ((ReferenceNorm) norm).reload();
    }

    @Override
    public void reload(Table table) {
        backend.checkOpen();
        ((ReferenceTable) table).reload();
    }

    private PackedBatch sequences(Batch batch, String operation) {
        PackedBatch packed = backend.packed(batch);
        OperandChecks.sequences(packed, operation);
        return packed;
    }

    private double[] row(Tensor x, int row) {
        return backend.row(x, row);
    }

    private double[][] rows(Tensor x) {
        double[][] rows = new double[x.rows()][];
        Arrays.setAll(rows, r -> row(x, r));
        return rows;
    }

    private void write(Tensor out, int row, boolean add, double[] values) {
        if (add) {
            add(row(out, row), values);
        }
        backend.write(out, row, values);
    }

    private double[][] values(Sums sums, int rows, int columns) {
        backend.checkOpen();
        require(
                sums.rows() == rows && sums.columns() == columns,
                "expected sums [%d, %d], got [%d, %d]",
                rows,
                columns,
                sums.rows(),
                sums.columns());
        return ((ReferenceSums) sums).values();
    }

    /// `total += values`
    private static void add(double[] values, double[] total) {
        for (int c = 0; c < values.length; c++) {
            total[c] += values[c];
        }
    }

    private static void requireHeads(Tensor qkv, int firstColumn, int heads, Norm norm) {
        require(
                firstColumn >= 0 && heads >= 0 && firstColumn + (long) heads * norm.columns() <= qkv.columns(),
                "%d heads of %d from column %d of %d",
                heads,
                norm.columns(),
                firstColumn,
                qkv.columns());
    }

    private static void requireShape(Tensor tensor, int rows, int columns) {
        ReferenceBackend.requireShape(tensor, rows, columns);
    }

    private static void require(boolean condition, String message, Object... arguments) {
        ReferenceBackend.require(condition, message, arguments);
    }
}
