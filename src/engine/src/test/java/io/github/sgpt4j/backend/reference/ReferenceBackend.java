package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.OperandChecks;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.RotaryParameters;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleUnaryOperator;

/// Every operation by its definition, in `double`, one row at a time. Other backends are compared
/// with it, and it counts open tensors, embedded rows and scored rows.
///
/// New memory is filled with NaN, so that reads of unwritten memory show up.
public final class ReferenceBackend implements Backend {
    private final DoubleUnaryOperator store;
    private final AtomicInteger openTensors = new AtomicInteger();
    private final AtomicInteger openBatches = new AtomicInteger();
    private final AtomicLong embeddedRows = new AtomicLong();
    private final AtomicLong scoredRows = new AtomicLong();
    private volatile boolean closed;

    public ReferenceBackend() {
        this(v -> v);
    }

    /// @param store applied to every value that an operation writes, to imitate a narrower type: `v -> (float) v`
    public ReferenceBackend(DoubleUnaryOperator store) {
        this.store = store;
    }

    /// Tensors that were allocated or uploaded and are not closed yet; views do not count.
    public int openTensors() {
        return openTensors.get();
    }

    /// Batches that were uploaded and are not closed yet.
    public int openBatches() {
        return openBatches.get();
    }

    /// Rows that went through [#embed] so far: tokens computed by all passes.
    public long embeddedRows() {
        return embeddedRows.get();
    }

    /// Rows that went through [#logProbabilities] so far: tokens that reached the output head.
    public long scoredRows() {
        return scoredRows.get();
    }

    /// A tensor's values, row-major, in full precision.
    public double[] values(Tensor x) {
        double[] values = new double[Math.multiplyExact(x.rows(), x.columns())];
        for (int r = 0; r < x.rows(); r++) {
            System.arraycopy(row(x, r), 0, values, r * x.columns(), x.columns());
        }
        return values;
    }

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public Linear linear(List<MatrixRows> weight, List<MatrixRows> bias) {
        checkOpen();
        return ReferenceLinear.of(weight, bias);
    }

    @Override
    public Norm norm(NormParameters parameters) {
        checkOpen();
        return ReferenceNorm.of(parameters);
    }

    @Override
    public Table table(WeightTensor weight) {
        checkOpen();
        return ReferenceTable.of(weight);
    }

    @Override
    public Batch upload(PackedBatch packed) {
        checkOpen();
        openBatches.incrementAndGet();
        return new ReferenceBatch(packed, openBatches);
    }

    @Override
    public Tensor upload(float[] values, int rows, int columns) {
        require(
                values.length == Math.multiplyExact(rows, columns),
                "upload of %d values as [%d, %d]",
                values.length,
                rows,
                columns);
        Tensor tensor = allocate(rows, columns);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                row(tensor, r)[c] = values[r * columns + c];
            }
        }
        return tensor;
    }

    @Override
    public Tensor allocate(int rows, int columns) {
        checkOpen();
        require(rows >= 0 && columns >= 1, "tensor of [%d, %d]", rows, columns);
        double[][] data = new double[rows][columns];
        for (double[] row : data) {
            Arrays.fill(row, Double.NaN);
        }
        openTensors.incrementAndGet();
        return ReferenceTensor.of(this, data, columns);
    }

    @Override
    public void embed(Table table, Batch batch, float scale, Tensor out) {
        double[][] rows = ((ReferenceTable) table).rowValues();
        int[] ids = packed(batch).ids();
        requireShape(out, ids.length, table.columns());
        for (int t = 0; t < ids.length; t++) {
            write(out, t, Arrays.stream(rows[ids[t]]).map(v -> scale * v).toArray());
        }
        embeddedRows.addAndGet(ids.length);
    }

    @Override
    public void addPositions(Table table, int offset, Batch batch, Tensor out) {
        double[][] rows = ((ReferenceTable) table).rowValues();
        int[] positions = packed(batch).positions();
        requireShape(out, positions.length, table.columns());
        for (int t = 0; t < positions.length; t++) {
            write(out, t, sum(row(out, t), rows[positions[t] + offset]));
        }
    }

    @Override
    public void norm(Tensor x, Norm norm, Tensor out) {
        require(x.columns() == norm.columns(), "norm over %d columns of %d", norm.columns(), x.columns());
        requireShape(out, x.rows(), x.columns());
        for (int r = 0; r < x.rows(); r++) {
            write(out, r, ((ReferenceNorm) norm).apply(row(x, r)));
        }
    }

    @Override
    public void normAdd(Tensor x, Norm norm, Tensor out) {
        require(x.columns() == norm.columns(), "norm over %d columns of %d", norm.columns(), x.columns());
        requireShape(out, x.rows(), x.columns());
        for (int r = 0; r < x.rows(); r++) {
            write(out, r, sum(row(out, r), ((ReferenceNorm) norm).apply(row(x, r))));
        }
    }

    @Override
    public void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm) {
        int d = norm.columns();
        require(
                firstColumn >= 0 && heads >= 1 && firstColumn + (long) heads * d <= qkv.columns(),
                "%d heads of %d from column %d of %d",
                heads,
                d,
                firstColumn,
                qkv.columns());
        for (int r = 0; r < qkv.rows(); r++) {
            double[] row = row(qkv, r).clone();
            for (int h = 0; h < heads; h++) {
                int from = firstColumn + h * d;
                double[] head = ((ReferenceNorm) norm).apply(Arrays.copyOfRange(row, from, from + d));
                System.arraycopy(head, 0, row, from, d);
            }
            write(qkv, r, row);
        }
    }

    @Override
    public void linear(Tensor x, Linear linear, Activation activation, Tensor out) {
        requireLinear(x, linear, out);
        for (int r = 0; r < x.rows(); r++) {
            double[] y = ((ReferenceLinear) linear).apply(row(x, r));
            write(
                    out,
                    r,
                    Arrays.stream(y).map(v -> Functions.apply(activation, v)).toArray());
        }
    }

    @Override
    public void linearAdd(Tensor x, Linear linear, Tensor out) {
        requireLinear(x, linear, out);
        for (int r = 0; r < x.rows(); r++) {
            write(out, r, sum(row(out, r), ((ReferenceLinear) linear).apply(row(x, r))));
        }
    }

    @Override
    public void rotary(Tensor qkv, Batch batch, RotaryParameters p) {
        int[] positions = packed(batch).positions();
        requireShape(qkv, positions.length, (p.heads() + 2 * p.kvHeads()) * p.headDim());
        for (int t = 0; t < positions.length; t++) {
            double[] row = row(qkv, t).clone();
            for (int head = 0; head < p.heads() + p.kvHeads(); head++) {
                rotateHead(row, head * p.headDim(), positions[t], p);
            }
            write(qkv, t, row);
        }
    }

    private static void rotateHead(double[] row, int from, int position, RotaryParameters p) {
        for (int pair = 0; pair < p.rotaryDim() / 2; pair++) {
            int first = from + (p.interleaved() ? 2 * pair : pair);
            int second = from + (p.interleaved() ? 2 * pair + 1 : pair + p.rotaryDim() / 2);
            double angle = position * p.inverseFrequencies()[pair];
            double cos = Math.cos(angle) * p.scale();
            double sin = Math.sin(angle) * p.scale();
            double x = row[first];
            double y = row[second];
            row[first] = x * cos - y * sin;
            row[second] = x * sin + y * cos;
        }
    }

    @Override
    public void attention(Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out) {
        PackedBatch packed = packed(batch);
        OperandChecks.attention(packed, parameters);
        requireShape(qkv, packed.rows(), parameters.qkvColumns());
        requireShape(out, packed.tokens(), parameters.heads() * parameters.headDim());
        double[][] rows = new double[packed.rows()][];
        for (int r = 0; r < rows.length; r++) {
            rows[r] = row(qkv, r);
        }
        double[][] result = new ReferenceAttention(rows, packed, parameters).compute();
        for (int t = 0; t < result.length; t++) {
            write(out, t, result[t]);
        }
    }

    @Override
    public void softmax(Tensor x, int columns) {
        OperandChecks.softmax(x, columns);
        for (int r = 0; r < x.rows(); r++) {
            double[] row = row(x, r).clone();
            for (int at = 0; at < row.length; at += columns) {
                double[] group = ReferenceAttention.softmax(Arrays.copyOfRange(row, at, at + columns));
                System.arraycopy(group, 0, row, at, columns);
            }
            write(x, r, row);
        }
    }

    @Override
    public void gatedActivation(Tensor x, Activation activation, Tensor out) {
        int f = out.columns();
        requireShape(x, out.rows(), Math.multiplyExact(2, f));
        for (int r = 0; r < x.rows(); r++) {
            double[] row = row(x, r);
            double[] y = new double[f];
            for (int c = 0; c < f; c++) {
                y[c] = Functions.apply(activation, row[c]) * row[f + c];
            }
            write(out, r, y);
        }
    }

    @Override
    public void copy(Tensor x, Tensor out) {
        requireShape(out, x.rows(), x.columns());
        for (int r = 0; r < x.rows(); r++) {
            write(out, r, row(x, r));
        }
    }

    @Override
    public void pool(Tensor x, Norm norm, SequenceRows sequences, int[] skip, List<PoolMode> modes, Tensor out) {
        OperandChecks.pool(x, sequences, skip, modes);
        int hidden = norm.columns();
        requireShape(x, x.rows(), hidden);
        requireShape(out, sequences.count(), Math.multiplyExact(modes.size(), hidden));
        for (int s = 0; s < sequences.count(); s++) {
            double[][] h = new double[sequences.length(s)][];
            for (int t = 0; t < h.length; t++) {
                h[t] = ((ReferenceNorm) norm)
                        .apply(row(x, sequences.rows()[sequences.starts()[s] + t]));
            }
            double[] pooled = new double[modes.size() * hidden];
            for (int m = 0; m < modes.size(); m++) {
                double[] one = ReferencePooling.pool(h, skip[s], hidden, modes.get(m));
                System.arraycopy(one, 0, pooled, m * hidden, hidden);
            }
            write(out, s, pooled);
        }
    }

    @Override
    public void normRows(Tensor x, int[] rows, Norm norm, Tensor out) {
        require(x.columns() == norm.columns(), "norm over %d columns of %d", norm.columns(), x.columns());
        requireShape(out, rows.length, norm.columns());
        for (int i = 0; i < rows.length; i++) {
            write(out, i, ((ReferenceNorm) norm).apply(row(x, rows[i])));
        }
    }

    @Override
    public void logProbabilities(Tensor x, Linear head, int vocabulary, float softcap, int[] targets, Tensor out) {
        OperandChecks.softcap(softcap, "logProbabilities");
        require(x.columns() == head.in(), "head of %d inputs, rows of %d", head.in(), x.columns());
        require(targets.length == x.rows(), "%d targets for %d rows", targets.length, x.rows());
        requireShape(out, x.rows(), 1);
        for (int i = 0; i < targets.length; i++) {
            require(targets[i] >= 0 && targets[i] < vocabulary, "target %d of %d", targets[i], vocabulary);
            double[] logits = Arrays.stream(((ReferenceLinear) head).apply(row(x, i)))
                    .limit(vocabulary)
                    .map(v -> Functions.cap(v, softcap))
                    .toArray();
            double max = Arrays.stream(logits).max().orElseThrow();
            double logSumExp = max
                    + Math.log(Arrays.stream(logits).map(v -> Math.exp(v - max)).sum());
            write(out, i, new double[] {logits[targets[i]] - logSumExp});
        }
        scoredRows.addAndGet(targets.length);
    }

    @Override
    public float[] download(Tensor x) {
        double[] values = values(x);
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    @Override
    public void synchronize() {
        checkOpen();
    }

    @Override
    public void close() {
        closed = true;
    }

    @Override
    public Optional<Backward> backward() {
        return Optional.of(new ReferenceBackward(this));
    }

    void tensorClosed() {
        openTensors.decrementAndGet();
    }

    void checkOpen() {
        if (closed) {
            throw new IllegalStateException("backend is closed");
        }
    }

    PackedBatch packed(Batch batch) {
        checkOpen();
        return ((ReferenceBatch) batch).open();
    }

    double[] row(Tensor x, int row) {
        checkOpen();
        return ((ReferenceTensor) x).row(row);
    }

    void write(Tensor out, int row, double[] values) {
        double[] target = row(out, row);
        for (int c = 0; c < values.length; c++) {
            target[c] = store.applyAsDouble(values[c]);
        }
    }

    private static double[] sum(double[] a, double[] b) {
        double[] sum = new double[a.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = a[i] + b[i];
        }
        return sum;
    }

    private static void requireLinear(Tensor x, Linear linear, Tensor out) {
        require(x.columns() == linear.in(), "linear of %d inputs, rows of %d", linear.in(), x.columns());
        requireShape(out, x.rows(), linear.out());
    }

    static void requireShape(Tensor tensor, int rows, int columns) {
        require(
                tensor.rows() == rows && tensor.columns() == columns,
                "expected [%d, %d], got [%d, %d]",
                rows,
                columns,
                tensor.rows(),
                tensor.columns());
    }

    static void require(boolean condition, String message, Object... arguments) {
        if (!condition) {
            throw new IllegalArgumentException(message.formatted(arguments));
        }
    }
}
