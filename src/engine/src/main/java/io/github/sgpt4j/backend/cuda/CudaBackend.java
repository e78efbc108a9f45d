package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.OperandChecks;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.RotaryParameters;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.TimeMark;
import io.github.sgpt4j.backend.cuda.device.Arithmetic;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.backend.cuda.device.DeviceInfo;
import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The operations on one NVIDIA GPU.
///
/// Operations are queued and return; weights go to the device when they are first used. What [#allocate] gives is kept
/// in 32-bit floats, what [#allocateInner] gives in the type of the weights. Checks arguments, then hands over.
public final class CudaBackend implements Backend {
    /// One batch is computed while the next is made ready.
    private static final int IN_FLIGHT = 2;

    private static final int WORTH_SHARING = 64;

    private final CudaEngine engine;
    private final RowOperations rows;
    private final Products products;
    private final AttentionOperations attention;
    /// Under the engine's lock.
    private @Nullable CudaBackward backward;

    /// @throws BackendException if there is no such device, or what computing needs is missing
    public CudaBackend(CudaOptions options) {
        engine = new CudaEngine(options);
        rows = new RowOperations(engine);
        products = new Products(engine, rows);
        attention = new AttentionOperations(engine, rows);
    }

    /// The device, in one line for people.
    public String description() {
        DeviceInfo device = engine.device();
        return "%s, compute capability %s, weights %s"
                .formatted(device.name(), device.capability(), engine.arithmetic());
    }

    /// How it computes, as its options asked for or as suits the device.
    public Arithmetic arithmetic() {
        return engine.arithmetic();
    }

    /// Whether values between products end at 65504.
    public boolean isHalf() {
        return engine.arithmetic() == Arithmetic.FP16;
    }

    /// Bytes that a weight takes on the device, if it is none of those that are kept wider.
    public int weightBytes() {
        return engine.arithmetic().weightBytes();
    }

    /// Bytes of the device's memory that nobody holds.
    public long freeBytes() {
        return engine.call(Driver::memoryInfo).free();
    }

    /// Allocations of device memory so far: constant once batches repeat.
    long allocations() {
        return engine.memory().allocations();
    }

    /// Passes over single texts as graphs.
    Recordings recordings() {
        return engine.recordings();
    }

    @Override
    public String name() {
        return engine.name();
    }

    @Override
    public List<String> notices() {
        return engine.notices();
    }

    @Override
    public Linear linear(List<MatrixRows> weight, List<MatrixRows> bias) {
        return engine.call(() -> new CudaLinear(engine, weight, bias));
    }

    @Override
    public Norm norm(NormParameters parameters) {
        return engine.call(() -> new CudaNorm(engine, parameters));
    }

    @Override
    public Table table(WeightTensor weight) {
        return engine.call(() -> new CudaTable(engine, weight));
    }

    @Override
    public Batch upload(PackedBatch batch) {
        BatchIndex index = BatchIndex.of(batch, engine.device().multiprocessors());
        return engine.call(() -> new CudaBatch(batch, index, engine.pass().upload(index.data())));
    }

    @Override
    public Download run(PackedBatch packed, Optional<?> kind, Function<Batch, Download> pass) {
        if (kind.isPresent() && Recordings.takes(packed)) {
            Optional<Download> started = engine.call(() -> engine.recordings().run(packed, kind.get(), pass));
            if (started.isPresent()) {
                return started.get();
            }
        }
        return Backend.super.run(packed, kind, pass);
    }

    @Override
    public Tensor upload(float[] values, int rows, int columns) {
        if ((long) rows * columns != values.length) {
            throw new IllegalArgumentException("%d values for [%d, %d]".formatted(values.length, rows, columns));
        }
        checkSize(rows, columns);
        return engine.call(() -> new CudaTensor(this.rows.floats(values), rows, columns, ElementType.F32));
    }

    @Override
    public Tensor allocate(int rows, int columns) {
        return allocate(rows, columns, ElementType.F32);
    }

    @Override
    public Tensor allocateInner(int rows, int columns) {
        return allocate(rows, columns, engine.arithmetic().type());
    }

    @Override
    public int innerBytes() {
        return engine.arithmetic().type().bytes();
    }

    private Tensor allocate(int rows, int columns, ElementType type) {
        checkSize(rows, columns);
        return engine.call(() -> new CudaTensor(engine.pass().take(type.bytes(rows, columns)), rows, columns, type));
    }

    private void checkSize(int rows, int columns) {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException("tensor [%d, %d]".formatted(rows, columns));
        }
    }

    @Override
    public void embed(Table table, Batch batch, float scale, Tensor out) {
        CudaTable from = (CudaTable) table;
        CudaBatch index = (CudaBatch) batch;
        int[] ids = index.packed().ids();
        CudaTensor to = target(out, ids.length, table.columns(), "embed, output");
        OperandChecks.tableRows(ids, 0, table.rows(), "embed");
        engine.run(() -> rows.embed(from, index.address(index.index().ids()), 0, scale, false, to));
    }

    @Override
    public void addPositions(Table table, int offset, Batch batch, Tensor out) {
        CudaTable from = (CudaTable) table;
        CudaBatch index = (CudaBatch) batch;
        int[] positions = index.packed().positions();
        CudaTensor to = target(out, positions.length, table.columns(), "addPositions, output");
        OperandChecks.tableRows(positions, offset, table.rows(), "addPositions");
        engine.run(() -> rows.embed(from, index.address(index.index().positions()), offset, 1f, true, to));
    }

    @Override
    public void norm(Tensor x, Norm norm, Tensor out) {
        CudaNorm how = (CudaNorm) norm;
        CudaTensor from = checked(x, x.rows(), norm.columns(), "norm, input");
        CudaTensor to = target(out, x.rows(), norm.columns(), "norm, output");
        engine.run(() -> rows.norm(from, how, to));
    }

    @Override
    public void normAdd(Tensor x, Norm norm, Tensor out) {
        CudaNorm how = (CudaNorm) norm;
        CudaTensor from = checked(x, x.rows(), norm.columns(), "normAdd, input");
        CudaTensor to = target(out, x.rows(), norm.columns(), "normAdd, output");
        engine.run(() -> rows.normAdd(from, how, to));
    }

    @Override
    public void softmax(Tensor x, int columns) {
        OperandChecks.softmax(x, columns);
        CudaTensor own = target(x, x.rows(), x.columns(), "softmax");
        engine.run(() -> rows.softmax(own, columns));
    }

    @Override
    public void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm) {
        CudaNorm how = (CudaNorm) norm;
        CudaTensor x = target(qkv, qkv.rows(), qkv.columns(), "headNorm");
        if (firstColumn < 0 || heads < 0 || firstColumn + (long) heads * norm.columns() > x.columns()) {
            throw new IllegalArgumentException("headNorm: %d heads of %d from column %d in tensor %s"
                    .formatted(heads, norm.columns(), firstColumn, x));
        }
        engine.run(() -> rows.headNorm(x, firstColumn, heads, how));
    }

    @Override
    public void linear(Tensor x, Linear linear, Activation activation, Tensor out) {
        CudaLinear layer = (CudaLinear) linear;
        CudaTensor from = checked(x, x.rows(), linear.in(), "linear, input");
        CudaTensor to = target(out, x.rows(), linear.out(), "linear, output");
        engine.run(() -> products.linear(from, layer, activation, to));
    }

    @Override
    public void linearAdd(Tensor x, Linear linear, Tensor out) {
        CudaLinear layer = (CudaLinear) linear;
        CudaTensor from = checked(x, x.rows(), linear.in(), "linearAdd, input");
        CudaTensor to = target(out, x.rows(), linear.out(), "linearAdd, output");
        engine.run(() -> products.linearAdd(from, layer, to));
    }

    @Override
    public void rotary(Tensor qkv, Batch batch, RotaryParameters parameters) {
        CudaBatch index = (CudaBatch) batch;
        int heads = Math.addExact(parameters.heads(), parameters.kvHeads());
        int columns = Math.multiplyExact(Math.addExact(heads, parameters.kvHeads()), parameters.headDim());
        CudaTensor x = target(qkv, index.packed().tokens(), columns, "rotary");
        engine.run(() -> attention.rotary(x, index, parameters));
    }

    @Override
    public void attention(Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out) {
        CudaBatch index = (CudaBatch) batch;
        OperandChecks.attention(index.packed(), parameters);
        int columns = Math.multiplyExact(parameters.heads(), parameters.headDim());
        CudaTensor from = checked(qkv, index.packed().rows(), parameters.qkvColumns(), "attention, input");
        CudaTensor to = target(out, index.packed().tokens(), columns, "attention, output");
        engine.run(() -> {
            if (from.type() == to.type()) {
                attention.attention(from, index, parameters, to);
                return;
            }
            try (CudaTensor same = Conversions.as(engine, from, to.type())) {
                attention.attention(same, index, parameters, to);
            }
        });
    }

    @Override
    public void gatedActivation(Tensor x, Activation activation, Tensor out) {
        CudaTensor from = checked(x, x.rows(), Math.multiplyExact(2, out.columns()), "gatedActivation, input");
        CudaTensor to = target(out, x.rows(), out.columns(), "gatedActivation, output");
        engine.run(() -> rows.gated(from, activation, to));
    }

    @Override
    public void copy(Tensor x, Tensor out) {
        CudaTensor from = checked(x, out.rows(), out.columns(), "copy, input");
        CudaTensor to = target(out, x.rows(), x.columns(), "copy, output");
        long count = (long) from.rows() * from.columns();
        engine.run(() -> Conversions.plain(engine, from.address(), from.type(), count, to.address(), to.type()));
    }

    @Override
    public void pool(Tensor x, Norm norm, SequenceRows sequences, int[] skip, List<PoolMode> modes, Tensor out) {
        OperandChecks.pool(x, sequences, skip, modes);
        int hidden = norm.columns();
        CudaTensor from = checked(x, x.rows(), hidden, "pool, input");
        CudaTensor to = target(out, sequences.count(), Math.multiplyExact(modes.size(), hidden), "pool, output");
        CudaNorm how = (CudaNorm) norm;
        engine.run(() -> Conversions.intoFull(
                engine, to, false, full -> rows.pool(from, how, sequences, skip, List.copyOf(modes), full)));
    }

    @Override
    public void normRows(Tensor x, int[] rows, Norm norm, Tensor out) {
        CudaTensor from = checked(x, x.rows(), norm.columns(), "normRows, input");
        CudaTensor to = target(out, rows.length, norm.columns(), "normRows, output");
        OperandChecks.rows(rows, x, "normRows");
        engine.run(() -> this.rows.normRows(from, rows, (CudaNorm) norm, to));
    }

    @Override
    public void logProbabilities(Tensor x, Linear head, int vocabulary, float softcap, int[] targets, Tensor out) {
        CudaLinear layer = (CudaLinear) head;
        OperandChecks.softcap(softcap, "logProbabilities");
        CudaTensor from = checked(x, targets.length, head.in(), "logProbabilities, input");
        CudaTensor to = target(out, targets.length, 1, "logProbabilities, output");
        OperandChecks.vocabulary(vocabulary, head, targets, "logProbabilities");
        engine.run(() -> Conversions.intoFull(
                engine, to, false, full -> products.logProbabilities(from, layer, vocabulary, softcap, targets, full)));
    }

    @Override
    public float[] download(Tensor x) {
        try (Download download = startDownload(x)) {
            return download.get();
        }
    }

    @Override
    public Download startDownload(Tensor x) {
        CudaTensor from = checked(x, x.rows(), x.columns(), "download");
        if ((long) from.rows() * from.columns() > Integer.MAX_VALUE - 8) {
            throw new BackendException(
                    "%s: a tensor %s is too large for an array; use smaller batches".formatted(name(), from));
        }
        return engine.call(() -> {
            try (CudaTensor floats = Conversions.as(engine, from, ElementType.F32)) {
                return engine.pass().startDownload(floats);
            }
        });
    }

    /// A segment of its own costs every tile that sees it a pass over at least one tile of keys, and a GPU has
    /// little use for batches that become small.
    @Override
    public int worthSharing() {
        return WORTH_SHARING;
    }

    @Override
    public int usualBatchTokens(long weights, long values) {
        long room = freeBytes() - Math.multiplyExact(weights, (long) weightBytes());
        return BatchSize.tokens(engine.device().multiprocessors(), room, values * Float.BYTES);
    }

    @Override
    public TimeMark mark() {
        return engine.call(() -> new CudaMark(engine));
    }

    @Override
    public int batchesInFlight() {
        return IN_FLIGHT;
    }

    /// From the first call on, biases are added in 32 bits to results of fewer, too: a step of training is below
    /// half the distance between neighbours in bfloat16.
    @Override
    public Optional<Backward> backward() {
        return switch (engine.arithmetic()) {
            case FP32, TF32, BF16 -> Optional.of(engine.call(this::training));
            case FP16, FP8 -> Optional.empty();
        };
    }

    private Backward training() {
        CudaBackward known = backward;
        if (known == null) {
            products.addBiasesInFull();
            known = new CudaBackward(this, engine, rows, attention);
            backward = known;
        }
        return known;
    }

    @Override
    public void synchronize() {
        engine.awaitCompute();
    }

    /// Waits for what is queued and frees everything on the device. Closing twice does nothing.
    @Override
    public void close() {
        engine.close();
    }

    /// As [#checked], of a tensor that is written: what it was in 8 bits is over.
    CudaTensor target(Tensor tensor, int rows, int columns, String what) {
        CudaTensor own = checked(tensor, rows, columns, what);
        own.forgetQuantised();
        return own;
    }

    /// A tensor of this backend with a shape.
    ///
    /// @throws IllegalArgumentException if it has another one
    /// @throws IllegalStateException if it or the backend is closed
    CudaTensor checked(Tensor tensor, int rows, int columns, String what) {
        if (engine.isClosed()) {
            throw new IllegalStateException(name() + " backend is closed");
        }
        CudaTensor own = (CudaTensor) tensor;
        if (own.rows() != rows || own.columns() != columns) {
            throw new IllegalArgumentException(
                    "%s: expected a tensor [%d, %d], got %s".formatted(what, rows, columns, own));
        }
        own.address();
        return own;
    }
}
