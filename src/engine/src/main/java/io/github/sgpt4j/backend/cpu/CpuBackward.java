package io.github.sgpt4j.backend.cpu;

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
import io.github.sgpt4j.backend.cpu.kernel.Accumulation;
import io.github.sgpt4j.backend.cpu.kernel.ActivationGradients;
import io.github.sgpt4j.backend.cpu.kernel.Activations;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import java.util.Arrays;
import java.util.List;

/// Training on the CPU. All gradients are 32-bit floats, whatever type the weights are held in.
///
/// [#linear] packs each weight matrix once more, transposed, at its first use: a matrix whose input
/// needs a gradient takes twice the memory. [#weightSums] takes 4 bytes outside the heap for each
/// weight of its [Sums], and some 50 MB to work in.
///
/// Sums over rows are divided among threads by columns, so that their order is always that of the
/// rows.
final class CpuBackward implements Backward {
    /// One part of the heap in so many is left for texts, their tokens and embeddings.
    private static final int RESERVE = 8;

    private final CpuBackend backend;
    private final Workers workers;
    private final CpuOptions options;
    private final ArrayPool pool;

    CpuBackward(CpuBackend backend, Workers workers, CpuOptions options, ArrayPool pool) {
        this.backend = backend;
        this.workers = workers;
        this.options = options;
        this.pool = pool;
    }

    /// Half of the heap, or what others leave of it but for a reserve.
    @Override
    public long room(long held) {
        return room(Runtime.getRuntime().maxMemory(), held);
    }

    /// Of a heap.
    static long room(long heap, long held) {
        return Math.max(1, Math.min(heap / 2, heap - heap / RESERVE - held));
    }

    @Override
    public void linear(Tensor dOut, Linear linear, boolean add, Tensor dX) {
        CpuLinear layer = (CpuLinear) linear;
        CpuTensor from = checked(dOut, dOut.rows(), linear.out(), "linear, gradient of its output");
        CpuTensor to = checked(dX, dOut.rows(), linear.in(), "linear, gradient of its input");
        layer.gradient(from, add, to);
    }

    @Override
    public void activate(Tensor x, Activation activation, Tensor out) {
        CpuTensor from = checked(x, out.rows(), out.columns(), "activate, input");
        CpuTensor to = checked(out, x.rows(), x.columns(), "activate, output");
        float[] source = from.data();
        float[] target = to.data();
        int columns = x.columns();
        workers.parallelRows(x.rows(), columns, (first, end, scratch) -> {
            for (int r = first; r < end; r++) {
                System.arraycopy(source, from.offset(r), target, to.offset(r), columns);
                Activations.apply(activation, target, to.offset(r), columns);
            }
        });
    }

    @Override
    public void activation(Tensor x, Activation activation, Tensor d) {
        CpuTensor from = checked(x, d.rows(), d.columns(), "activation, input");
        CpuTensor to = checked(d, x.rows(), x.columns(), "activation, gradient");
        float[] source = from.data();
        float[] target = to.data();
        int columns = x.columns();
        workers.parallelRows(x.rows(), columns, (first, end, scratch) -> {
            for (int r = first; r < end; r++) {
                ActivationGradients.multiply(activation, source, from.offset(r), target, to.offset(r), columns);
            }
        });
    }

    @Override
    public void gatedActivation(Tensor x, Activation activation, Tensor dOut, Tensor dX) {
        int columns = dOut.columns();
        int both = Math.multiplyExact(2, columns);
        CpuTensor from = checked(x, dOut.rows(), both, "gatedActivation, input");
        CpuTensor d = checked(dOut, x.rows(), columns, "gatedActivation, gradient of its output");
        CpuTensor to = checked(dX, dOut.rows(), both, "gatedActivation, gradient of its input");
        float[] source = from.data();
        float[] gradient = d.data();
        float[] target = to.data();
        workers.parallelRows(x.rows(), both, (first, end, scratch) -> {
            for (int r = first; r < end; r++) {
                int gate = from.offset(r);
                int o = to.offset(r);
                ActivationGradients.gated(
                        activation,
                        source,
                        gate,
                        gate + columns,
                        gradient,
                        d.offset(r),
                        target,
                        o,
                        o + columns,
                        columns);
            }
        });
    }

    @Override
    public void norm(Tensor x, Norm norm, Tensor dOut, boolean add, Tensor dX) {
        CpuNorm cpuNorm = (CpuNorm) norm;
        CpuTensor from = checked(x, x.rows(), norm.columns(), "norm, input");
        CpuTensor d = checked(dOut, x.rows(), norm.columns(), "norm, gradient of its output");
        CpuTensor to = checked(dX, x.rows(), norm.columns(), "norm, gradient of its input");
        float[] source = from.data();
        float[] gradient = d.data();
        float[] target = to.data();
        workers.parallelRows(x.rows(), x.columns(), (first, end, scratch) -> {
            for (int r = first; r < end; r++) {
                cpuNorm.gradient(source, from.offset(r), gradient, d.offset(r), add, target, to.offset(r));
            }
        });
    }

    @Override
    public void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm, Tensor d) {
        CpuNorm cpuNorm = (CpuNorm) norm;
        CpuTensor x = backend.checkedHeads(qkv, firstColumn, heads, norm, "headNorm");
        CpuTensor gradient = checked(d, qkv.rows(), qkv.columns(), "headNorm, gradient");
        float[] source = x.data();
        float[] target = gradient.data();
        workers.parallelRows(x.rows(), heads * norm.columns() + 1, (first, end, scratch) -> {
            for (int r = first; r < end; r++) {
                for (int h = 0; h < heads; h++) {
                    int column = firstColumn + h * cpuNorm.columns();
                    int o = gradient.offset(r) + column;
                    cpuNorm.gradient(source, x.offset(r) + column, target, o, false, target, o);
                }
            }
        });
    }

    @Override
    public void attention(
            Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out, Tensor dOut, Tensor dQkv) {
        CpuBatch index = sequences(batch, "attention");
        OperandChecks.attentionGradient(parameters);
        int tokens = index.packed().tokens();
        int columns = Math.multiplyExact(parameters.heads(), parameters.headDim());
        CpuTensor from = checked(qkv, tokens, parameters.qkvColumns(), "attention, input");
        CpuTensor result = checked(out, tokens, columns, "attention, output");
        CpuTensor d = checked(dOut, tokens, columns, "attention, gradient of its output");
        CpuTensor to = checked(dQkv, tokens, parameters.qkvColumns(), "attention, gradient of its input");
        AttentionGradient.run(
                workers,
                from,
                index,
                parameters,
                result,
                d,
                to,
                options.vectorCode().orElse(null));
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
        int columns = Math.multiplyExact(modes.size(), hidden);
        CpuTensor from = checked(x, x.rows(), hidden, "pool, input");
        CpuTensor d = checked(dOut, sequences.count(), columns, "pool, gradient of its output");
        CpuTensor to = checked(dNormed, x.rows(), hidden, "pool, gradient of the normalised rows");
        Arrays.fill(to.data(), to.offset(), to.offset() + x.rows() * hidden, 0f);
        PooledGradient gradient = new PooledGradient((CpuNorm) norm, List.copyOf(modes));
        workers.parallelFor(
                sequences.count(), (s, scratch) -> gradient.sequence(from, sequences, s, skip[s], d, to, scratch));
    }

    @Override
    public Sums sums(int rows, int columns) {
        backend.checkOpen();
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException(
                    "sums: expected at least 1 row and 1 column, got [%d, %d]".formatted(rows, columns));
        }
        return new CpuSums(rows, columns);
    }

    @Override
    public void columnSums(Tensor d, Sums out) {
        CpuTensor from = checked(d, d.rows(), d.columns(), "columnSums, gradient");
        double[] sums = checked(out, 1, d.columns(), "columnSums").row();
        float[] source = from.data();
        workers.parallelRows(d.columns(), d.rows(), (first, end, scratch) -> {
            for (int r = 0; r < from.rows(); r++) {
                Accumulation.add(source, from.offset(r) + first, end - first, sums, first);
            }
        });
    }

    @Override
    public void gainSums(Tensor x, Norm norm, Tensor dOut, Sums out) {
        OperandChecks.gain(norm, "gainSums");
        CpuTensor from = checked(x, x.rows(), norm.columns(), "gainSums, input");
        CpuTensor d = checked(dOut, x.rows(), norm.columns(), "gainSums, gradient");
        gainSums(from, 0, 1, (CpuNorm) norm, d, checked(out, 1, norm.columns(), "gainSums"));
    }

    @Override
    public void headGainSums(Tensor qkv, int firstColumn, int heads, Norm norm, Tensor dOut, Sums out) {
        OperandChecks.gain(norm, "headGainSums");
        CpuTensor from = backend.checkedHeads(qkv, firstColumn, heads, norm, "headGainSums");
        CpuTensor d = checked(dOut, qkv.rows(), qkv.columns(), "headGainSums, gradient");
        gainSums(from, firstColumn, heads, (CpuNorm) norm, d, checked(out, 1, norm.columns(), "headGainSums"));
    }

    /// First means and scales of all rows and heads, divided by rows; then their sums, divided by columns.
    private void gainSums(CpuTensor x, int firstColumn, int heads, CpuNorm norm, CpuTensor d, CpuSums out) {
        if (heads == 0) {
            return;
        }
        float[] source = x.data();
        float[] gradient = d.data();
        double[] sums = out.row();
        int columns = norm.columns();
        try (CpuTensor measures = new CpuTensor(pool, x.rows(), Math.multiplyExact(2, heads))) {
            float[] measured = measures.data();
            workers.parallelRows(x.rows(), heads * columns, (first, end, scratch) -> {
                for (int r = first; r < end; r++) {
                    for (int h = 0; h < heads; h++) {
                        int at = x.offset(r) + firstColumn + h * columns;
                        int m = measures.offset(r) + 2 * h;
                        measured[m] = norm.mean(source, at);
                        measured[m + 1] = norm.scale(source, at, measured[m]);
                    }
                }
            });
            workers.parallelRows(columns, Math.multiplyExact(x.rows(), heads), (first, end, scratch) -> {
                for (int r = 0; r < x.rows(); r++) {
                    for (int h = 0; h < heads; h++) {
                        int column = firstColumn + h * columns + first;
                        int m = measures.offset(r) + 2 * h;
                        Accumulation.addProducts(
                                gradient,
                                d.offset(r) + column,
                                source,
                                x.offset(r) + column,
                                measured[m],
                                measured[m + 1],
                                end - first,
                                sums,
                                first);
                    }
                }
            });
        }
    }

    @Override
    public void weightSums(Tensor x, Tensor dOut, Sums out) {
        CpuTensor from = checked(x, dOut.rows(), x.columns(), "weightSums, input");
        CpuTensor d = checked(dOut, x.rows(), dOut.columns(), "weightSums, gradient");
        CpuSums sums = checked(out, dOut.columns(), x.columns(), "weightSums");
        WeightGradient.run(workers, options, pool, from, d, sums);
    }

    @Override
    public void embeddingSums(Batch batch, Tensor d, Sums out) {
        scatter(sequences(batch, "embeddingSums").packed().ids(), 0, d, out, "embeddingSums");
    }

    @Override
    public void positionSums(int offset, Batch batch, Tensor d, Sums out) {
        scatter(sequences(batch, "positionSums").packed().positions(), offset, d, out, "positionSums");
    }

    /// `out[rows[t] + offset] += d[t]`
    private void scatter(int[] rows, int offset, Tensor d, Sums out, String operation) {
        CpuTensor from = checked(d, rows.length, d.columns(), operation + ", gradient");
        CpuSums sums = checked(out, out.rows(), d.columns(), operation);
        OperandChecks.tableRows(rows, offset, out.rows(), operation);
        float[] source = from.data();
        workers.parallelRows(d.columns(), rows.length, (first, end, scratch) -> {
            for (int t = 0; t < rows.length; t++) {
                sums.add(rows[t] + offset, first, source, from.offset(t) + first, end - first);
            }
        });
    }

    @Override
    public void reloadBias(Linear linear) {
        backend.checkOpen();
        ((CpuLinear) linear).reloadBias();
    }

    @Override
    public void reload(Linear linear) {
        backend.checkOpen();
        ((CpuLinear) linear).reload();
    }

    @Override
    public void reload(Norm norm) {
        backend.checkOpen();
        ((CpuNorm) norm).reload();
    }

    /// Only checks the handle: tables are read where they are stored.
    @Override
    public void reload(Table table) {
        backend.checkOpen();
        CpuTable unused = (CpuTable) table;
    }

    private CpuBatch sequences(Batch batch, String operation) {
        CpuBatch index = backend.checked(batch);
        PackedBatch packed = index.packed();
        OperandChecks.sequences(packed, operation);
        return index;
    }

    private CpuTensor checked(Tensor tensor, int rows, int columns, String what) {
        return backend.checked(tensor, rows, columns, what);
    }

    private CpuSums checked(Sums sums, int rows, int columns, String what) {
        CpuSums own = (CpuSums) sums;
        own.checkOpen();
        OperandChecks.sums(own, rows, columns, what);
        return own;
    }
}
