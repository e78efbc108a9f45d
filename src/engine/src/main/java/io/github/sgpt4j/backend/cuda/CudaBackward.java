package io.github.sgpt4j.backend.cuda;

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
import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.memory.DevicePool;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.tensor.ElementType;
import java.util.List;

/// The operations of training on one GPU, queued as those of [CudaBackend]. Checks arguments, then hands over.
final class CudaBackward implements Backward {
    /// The rest is for what memory is lost to rounding, and for products in 32 bits that are narrowed.
    private static final double SHARE = 0.75;

    /// Room is rounded down to these parts of the device's memory, so that what other processes take changes it rarely.
    private static final int PARTS = 64;

    private final CudaBackend backend;
    private final CudaEngine engine;
    private final RowOperations rows;
    private final RowGradients gradients;
    private final ProductGradients products;
    private final AttentionGradients attention;
    private final GradientSums sums;
    /// Bytes of memory that nobody held when training began, with all weights there.
    private final long free;
    /// Bytes of the sums made so far. Under the engine's lock.
    private long sumsBytes;

    CudaBackward(CudaBackend backend, CudaEngine engine, RowOperations rows, AttentionOperations attention) {
        this.backend = backend;
        this.engine = engine;
        this.rows = rows;
        gradients = new RowGradients(engine);
        products = new ProductGradients(engine, rows);
        this.attention = new AttentionGradients(engine, attention);
        sums = new GradientSums(engine, gradients);
        free = Driver.memoryInfo().free() - engine.weights().missing();
    }

    /// Of a device's memory.
    ///
    /// @param free what nobody holds when all weights and sums are there
    static long room(long memory, long free) {
        long part = Math.max(1, memory / PARTS);
        return Math.max(part, (long) (SHARE * free) / part * part);
    }

    /// As of when training began, less the sums made since: it decides how batches are divided, which must not change.
    @Override
    public long room(long held) {
        return engine.call(() -> room(engine.device().memory(), free - sumsBytes));
    }

    @Override
    public void linear(Tensor dOut, Linear linear, boolean add, Tensor dX) {
        CudaLinear layer = (CudaLinear) linear;
        CudaTensor from = backend.checked(dOut, dOut.rows(), linear.out(), "gradient of linear, of its output");
        CudaTensor to = backend.target(dX, dOut.rows(), linear.in(), "gradient of linear, result");
        engine.run(() -> products.linear(from, layer, add, to));
    }

    @Override
    public void activate(Tensor x, Activation activation, Tensor out) {
        CudaTensor from = backend.checked(x, out.rows(), out.columns(), "activate, input");
        CudaTensor to = backend.target(out, x.rows(), x.columns(), "activate, output");
        engine.run(() -> rows.activate(from, 0, activation, to));
    }

    @Override
    public void activation(Tensor x, Activation activation, Tensor d) {
        CudaTensor from = backend.checked(x, d.rows(), d.columns(), "gradient of activation, input");
        CudaTensor to = backend.target(d, x.rows(), x.columns(), "gradient of activation");
        engine.run(() -> gradients.activation(from, activation, to));
    }

    @Override
    public void gatedActivation(Tensor x, Activation activation, Tensor dOut, Tensor dX) {
        int both = Math.multiplyExact(2, dOut.columns());
        CudaTensor in = backend.checked(x, dOut.rows(), both, "gradient of gatedActivation, input");
        CudaTensor from =
                backend.checked(dOut, dOut.rows(), dOut.columns(), "gradient of gatedActivation, of its output");
        CudaTensor to = backend.target(dX, dOut.rows(), both, "gradient of gatedActivation, result");
        engine.run(() -> gradients.gated(in, activation, from, to));
    }

    @Override
    public void norm(Tensor x, Norm norm, Tensor dOut, boolean add, Tensor dX) {
        CudaNorm how = (CudaNorm) norm;
        CudaTensor in = backend.checked(x, x.rows(), norm.columns(), "gradient of norm, input");
        CudaTensor from = backend.checked(dOut, x.rows(), norm.columns(), "gradient of norm, of its output");
        CudaTensor to = backend.target(dX, x.rows(), norm.columns(), "gradient of norm, result");
        engine.run(() -> gradients.norm(in, how, from, add, to));
    }

    @Override
    public void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm, Tensor d) {
        CudaNorm how = (CudaNorm) norm;
        CudaTensor in = backend.checked(qkv, qkv.rows(), qkv.columns(), "gradient of headNorm, input");
        CudaTensor to = backend.target(d, qkv.rows(), qkv.columns(), "gradient of headNorm");
        checkHeads(in, firstColumn, heads, norm, "gradient of headNorm");
        engine.run(() -> gradients.headNorm(in, firstColumn, heads, how, to));
    }

    private static void checkHeads(CudaTensor x, int firstColumn, int heads, Norm norm, String what) {
        if (firstColumn < 0 || heads < 0 || firstColumn + (long) heads * norm.columns() > x.columns()) {
            throw new IllegalArgumentException("%s: %d heads of %d from column %d in tensor %s"
                    .formatted(what, heads, norm.columns(), firstColumn, x));
        }
    }

    @Override
    public void attention(
            Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out, Tensor dOut, Tensor dQkv) {
        CudaBatch index = (CudaBatch) batch;
        OperandChecks.attentionGradient(parameters);
        int tokens = sequences(index, "gradient of attention").tokens();
        int columns = Math.multiplyExact(parameters.heads(), parameters.headDim());
        int all = parameters.qkvColumns();
        CudaTensor in = backend.checked(qkv, tokens, all, "gradient of attention, input");
        CudaTensor result = backend.checked(out, tokens, columns, "gradient of attention, output");
        CudaTensor from = backend.checked(dOut, tokens, columns, "gradient of attention, of its output");
        CudaTensor to = backend.target(dQkv, tokens, all, "gradient of attention, result");
        engine.run(() -> this.attention.attention(in, index, parameters, result, from, to));
    }

    private static PackedBatch sequences(CudaBatch batch, String what) {
        PackedBatch packed = batch.packed();
        OperandChecks.sequences(packed, what);
        return packed;
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
        OperandChecks.distinct(sequences.rows(), x, "gradient of pool");
        CudaNorm how = (CudaNorm) norm;
        int hidden = norm.columns();
        CudaTensor in = backend.checked(x, x.rows(), hidden, "gradient of pool, input");
        int pooled = Math.multiplyExact(modes.size(), hidden);
        CudaTensor from = backend.checked(dOut, sequences.count(), pooled, "gradient of pool, of its output");
        CudaTensor to = backend.target(dNormed, x.rows(), hidden, "gradient of pool, result");
        engine.run(() -> gradients.pool(in, how, sequences, skip, List.copyOf(modes), from, to));
    }

    @Override
    public Sums sums(int rows, int columns) {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException("sums [%d, %d]".formatted(rows, columns));
        }
        return engine.call(() -> {
            CudaSums made = new CudaSums(engine, rows, columns);
            sumsBytes += DevicePool.rounded(ElementType.F32.bytes(rows, columns));
            return made;
        });
    }

    @Override
    public void columnSums(Tensor d, Sums out) {
        CudaTensor from = backend.checked(d, d.rows(), d.columns(), "columnSums");
        CudaTensor to = changing(out, 1, d.columns(), "columnSums");
        engine.run(() -> sums.columns(from, to));
    }

    @Override
    public void gainSums(Tensor x, Norm norm, Tensor dOut, Sums out) {
        OperandChecks.gain(norm, "gainSums");
        CudaTensor in = backend.checked(x, x.rows(), norm.columns(), "gainSums, input of the norm");
        CudaTensor from = backend.checked(dOut, x.rows(), norm.columns(), "gainSums, gradient of its output");
        CudaTensor to = changing(out, 1, norm.columns(), "gainSums");
        engine.run(() -> sums.gain(in, 0, 1, (CudaNorm) norm, from, to));
    }

    @Override
    public void headGainSums(Tensor qkv, int firstColumn, int heads, Norm norm, Tensor dOut, Sums out) {
        OperandChecks.gain(norm, "headGainSums");
        CudaTensor in = backend.checked(qkv, qkv.rows(), qkv.columns(), "headGainSums, input of the norm");
        CudaTensor from = backend.checked(dOut, qkv.rows(), qkv.columns(), "headGainSums, gradient of its output");
        checkHeads(in, firstColumn, heads, norm, "headGainSums");
        CudaTensor to = changing(out, 1, norm.columns(), "headGainSums");
        engine.run(() -> sums.gain(in, firstColumn, heads, (CudaNorm) norm, from, to));
    }

    @Override
    public void weightSums(Tensor x, Tensor dOut, Sums out) {
        CudaTensor in = backend.checked(x, x.rows(), x.columns(), "weightSums, input");
        CudaTensor from = backend.checked(dOut, x.rows(), dOut.columns(), "weightSums, gradient of the output");
        CudaTensor to = changing(out, dOut.columns(), x.columns(), "weightSums");
        engine.run(() -> products.weightSums(in, from, to));
    }

    @Override
    public void embeddingSums(Batch batch, Tensor d, Sums out) {
        addRows(sequences((CudaBatch) batch, "embeddingSums").ids(), 0, d, out, "embeddingSums");
    }

    @Override
    public void positionSums(int offset, Batch batch, Tensor d, Sums out) {
        addRows(sequences((CudaBatch) batch, "positionSums").positions(), offset, d, out, "positionSums");
    }

    private void addRows(int[] indices, int offset, Tensor d, Sums out, String what) {
        CudaTensor from = backend.checked(d, indices.length, d.columns(), what);
        OperandChecks.tableRows(indices, offset, out.rows(), what);
        CudaTensor to = changing(out, out.rows(), d.columns(), what);
        engine.run(() -> sums.rows(indices, offset, from, to));
    }

    private static CudaTensor changing(Sums sums, int rows, int columns, String what) {
        CudaSums own = (CudaSums) sums;
        OperandChecks.sums(own, rows, columns, what);
        return own.changing();
    }

    @Override
    public void reloadBias(Linear linear) {
        engine.run(((CudaLinear) linear)::reloadBias);
    }

    @Override
    public void reload(Linear linear) {
        engine.run(((CudaLinear) linear)::reload);
    }

    @Override
    public void reload(Norm norm) {
        engine.run(((CudaNorm) norm)::reload);
    }

    @Override
    public void reload(Table table) {
        engine.run(((CudaTable) table)::reload);
    }
}
