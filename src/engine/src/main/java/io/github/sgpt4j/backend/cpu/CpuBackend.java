package io.github.sgpt4j.backend.cpu;

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
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.RotaryParameters;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.code.Linux;
import io.github.sgpt4j.backend.cpu.kernel.Accumulation;
import io.github.sgpt4j.backend.cpu.kernel.Activations;
import io.github.sgpt4j.backend.cpu.kernel.Rotations;
import io.github.sgpt4j.backend.cpu.kernel.RowSoftmax;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/// The operations on the CPU, with the Vector API; matrix products on a matrix unit where there is one
/// ([Amx]), else by machine code on x86-64's wide vector units ([VectorCode]). Needs the module
/// `jdk.incubator.vector`.
///
/// Operations are complete when they return. Each is divided among the threads that are not busy
/// with another batch: all of them if one batch is in flight, only the calling one if every thread
/// has a batch of its own. Weight matrices are packed into memory outside the heap when they are
/// first used; embedding tables are read from their mapped files; activations are heap arrays that
/// are recycled.
public final class CpuBackend implements Backend {
    private static final String VECTOR_MODULE = "jdk.incubator.vector";

    /// Fewest tokens of a batch that is computed beside others.
    private static final int MIN_TOKENS = 256;

    /// Nanoseconds between attempts to close memory that is in use.
    private static final long CLOSING_PAUSE = 50_000;

    private final CpuOptions options;
    private final Workers workers;
    private final Arena arena = Arena.ofShared();
    private final ArrayPool pool;
    private final Optional<Backward> backward;
    private final RotaryTables rotaryTables = new RotaryTables();
    private volatile boolean closed;

    /// @throws BackendException if the Vector API is missing, or the requested vector width is
    ///     unavailable
    public CpuBackend(CpuOptions options) {
        if (!hasVectorModule()) {
            throw new BackendException("cpu: module %s is missing; start java with --add-modules %s"
                    .formatted(VECTOR_MODULE, VECTOR_MODULE));
        }
        Simd.problem().ifPresent(problem -> {
            throw new BackendException("cpu: " + problem);
        });
        this.options = options;
        int threads = options.threads();
        this.workers = new Workers(threads);
        prepareMachineCode(options);
        // A quarter of the heap, in floats.
        this.pool = new ArrayPool(Runtime.getRuntime().maxMemory() / 16);
        this.backward = options.weights() == Precision.FP16
                ? Optional.empty()
                : Optional.of(new CpuBackward(this, workers, options, pool));
    }

    /// Links the first native call in the background, which takes some 30 ms, while files are read.
    /// If it fails, it fails again where it is needed.
    private static void prepareMachineCode(CpuOptions options) {
        try {
            Thread.ofPlatform()
                    .daemon()
                    .name("sgpt4j-machine-code")
                    .uncaughtExceptionHandler((thread, e) -> {})
                    .start(options::vectorCode);
        } catch (OutOfMemoryError e) {
            // No thread is available: the call is linked when it is needed.
        }
    }

    /// Whether the virtual machine has been started with the Vector API.
    static boolean hasVectorModule() {
        return ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
    }

    /// Vector width, tile, machine code, threads and weight format, in one line for users.
    public String description() {
        return "%s%s, %d threads, weights %s"
                .formatted(Simd.description(), machineCode(), workers.threads(), weights());
    }

    private String weights() {
        if (options.usesMatrixUnit() && options.allowsTiles()) {
            return "of 3 bytes";
        }
        return options.weights() == Precision.AUTO
                ? "as stored"
                : options.weights().name().toLowerCase(Locale.ROOT);
    }

    private String machineCode() {
        if (options.usesMatrixUnit()) {
            return ", AMX";
        }
        // Other systems and architectures have no AMX to report on.
        Optional<String> problem = Linux.isHere() ? Amx.problem() : Optional.empty();
        return problem.map(reason -> ", no AMX (" + reason + ")").orElse("") + vectorCode();
    }

    private String vectorCode() {
        VectorCode code = VectorCode.of(Simd.BITS).orElse(null);
        if (code == null || !Simd.FMA) {
            return "";
        }
        if (options.vectorCode().isPresent()) {
            return ", %s code".formatted(code.title());
        }
        return code.problem()
                .map(reason -> ", no %s code (%s)".formatted(code.title(), reason))
                .orElse("");
    }

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public Linear linear(List<MatrixRows> weight, List<MatrixRows> bias) {
        checkOpen();
        return new CpuLinear(weight, bias, options, arena, workers);
    }

    @Override
    public Norm norm(NormParameters parameters) {
        checkOpen();
        return new CpuNorm(parameters);
    }

    @Override
    public Table table(WeightTensor weight) {
        checkOpen();
        return new CpuTable(weight);
    }

    @Override
    public Batch upload(PackedBatch batch) {
        checkOpen();
        CpuBatch uploaded = new CpuBatch(batch, workers::leave);
        workers.enter();
        return uploaded;
    }

    @Override
    public Tensor upload(float[] values, int rows, int columns) {
        if ((long) rows * columns != values.length) {
            throw new IllegalArgumentException(
                    "upload: expected values for [%d, %d], got %d".formatted(rows, columns, values.length));
        }
        CpuTensor tensor = newTensor(rows, columns);
        System.arraycopy(values, 0, tensor.data(), 0, values.length);
        return tensor;
    }

    @Override
    public Tensor allocate(int rows, int columns) {
        return newTensor(rows, columns);
    }

    private CpuTensor newTensor(int rows, int columns) {
        checkOpen();
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException(
                    "tensor: expected at least 1 row and 1 column, got [%d, %d]".formatted(rows, columns));
        }
        if ((long) rows * columns > Integer.MAX_VALUE - 8) {
            throw new BackendException(
                    "cpu: tensor [%d, %d] exceeds 2^31 values; use smaller batches".formatted(rows, columns));
        }
        return new CpuTensor(pool, rows, columns);
    }

    @Override
    public void embed(Table table, Batch batch, float scale, Tensor out) {
        CpuTable rows = (CpuTable) table;
        int[] ids = checked(batch).packed().ids();
        CpuTensor to = checked(out, ids.length, table.columns(), "embed, output");
        float[] data = to.data();
        int columns = rows.columns();
        workers.parallelRows(ids.length, columns, (from, end, scratch) -> {
            for (int t = from; t < end; t++) {
                int at = to.offset(t);
                rows.read(ids[t], data, at);
                for (int c = at; c < at + columns && scale != 1f; c++) {
                    data[c] *= scale;
                }
            }
            WeightTensor.settle();
        });
    }

    @Override
    public void addPositions(Table table, int offset, Batch batch, Tensor out) {
        CpuTable rows = (CpuTable) table;
        int[] positions = checked(batch).packed().positions();
        CpuTensor to = checked(out, positions.length, table.columns(), "addPositions, output");
        float[] data = to.data();
        int columns = rows.columns();
        workers.parallelRows(positions.length, columns, (from, end, scratch) -> {
            float[] row = scratch.floats(Scratch.Use.ROW, columns);
            for (int t = from; t < end; t++) {
                rows.read(Math.addExact(positions[t], offset), row, 0);
                int at = to.offset(t);
                for (int c = 0; c < columns; c++) {
                    data[at + c] += row[c];
                }
            }
            WeightTensor.settle();
        });
    }

    @Override
    public void norm(Tensor x, Norm norm, Tensor out) {
        CpuNorm cpuNorm = (CpuNorm) norm;
        CpuTensor from = checked(x, x.rows(), norm.columns(), "norm, input");
        CpuTensor to = checked(out, x.rows(), norm.columns(), "norm, output");
        float[] source = from.data();
        float[] target = to.data();
        workers.parallelRows(x.rows(), x.columns(), (first, end, scratch) -> {
            for (int r = first; r < end; r++) {
                cpuNorm.apply(source, from.offset(r), target, to.offset(r));
            }
        });
    }

    @Override
    public void normAdd(Tensor x, Norm norm, Tensor out) {
        CpuNorm cpuNorm = (CpuNorm) norm;
        int columns = norm.columns();
        CpuTensor from = checked(x, x.rows(), columns, "normAdd, input");
        CpuTensor to = checked(out, x.rows(), columns, "normAdd, output");
        workers.parallelRows(x.rows(), columns, (first, end, scratch) -> {
            float[] row = scratch.floats(Scratch.Use.ROW, columns);
            for (int r = first; r < end; r++) {
                cpuNorm.apply(from.data(), from.offset(r), row, 0);
                Accumulation.addWeighted(row, 0, 1f, columns, to.data(), to.offset(r));
            }
        });
    }

    @Override
    public void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm) {
        CpuNorm cpuNorm = (CpuNorm) norm;
        CpuTensor x = checkedHeads(qkv, firstColumn, heads, norm, "headNorm");
        float[] data = x.data();
        workers.parallelRows(x.rows(), heads * norm.columns() + 1, (first, end, scratch) -> {
            for (int r = first; r < end; r++) {
                for (int h = 0; h < heads; h++) {
                    int at = x.offset(r) + firstColumn + h * cpuNorm.columns();
                    cpuNorm.apply(data, at, data, at);
                }
            }
        });
    }

    @Override
    public void linear(Tensor x, Linear linear, Activation activation, Tensor out) {
        CpuLinear layer = (CpuLinear) linear;
        CpuTensor from = checked(x, x.rows(), linear.in(), "linear, input");
        CpuTensor to = checked(out, x.rows(), linear.out(), "linear, output");
        layer.apply(from, activation, false, to);
    }

    @Override
    public void linearAdd(Tensor x, Linear linear, Tensor out) {
        CpuLinear layer = (CpuLinear) linear;
        CpuTensor from = checked(x, x.rows(), linear.in(), "linearAdd, input");
        CpuTensor to = checked(out, x.rows(), linear.out(), "linearAdd, output");
        layer.apply(from, Activation.NONE, true, to);
    }

    @Override
    public void rotary(Tensor qkv, Batch batch, RotaryParameters parameters) {
        int[] positions = checked(batch).packed().positions();
        int heads = Math.addExact(parameters.heads(), parameters.kvHeads());
        int columns = Math.multiplyExact(Math.addExact(heads, parameters.kvHeads()), parameters.headDim());
        CpuTensor x = checked(qkv, positions.length, columns, "rotary");
        int needed = Arrays.stream(positions).max().orElse(0) + 1;
        RotaryParameters.Angles angles = rotaryTables.get(parameters, needed);
        float[] data = x.data();
        int pairs = parameters.rotaryDim() / 2;
        workers.parallelRows(positions.length, columns, (first, end, scratch) -> {
            for (int r = first; r < end; r++) {
                int t = positions[r] * pairs;
                for (int h = 0; h < heads; h++) {
                    int at = x.offset(r) + h * parameters.headDim();
                    if (parameters.interleaved()) {
                        Rotations.interleaved(data, at, pairs, angles.cos(), angles.sin(), t);
                    } else {
                        Rotations.split(data, at, pairs, angles.cos(), angles.sin(), t);
                    }
                }
            }
        });
    }

    @Override
    public void attention(Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out) {
        CpuBatch index = checked(batch);
        OperandChecks.attention(index.packed(), parameters);
        int columns = Math.multiplyExact(parameters.heads(), parameters.headDim());
        CpuTensor from = checked(qkv, index.packed().rows(), parameters.qkvColumns(), "attention, input");
        CpuTensor to = checked(out, index.packed().tokens(), columns, "attention, output");
        Attention.run(workers, from, index, parameters, to, options.vectorCode().orElse(null));
    }

    @Override
    public void softmax(Tensor x, int columns) {
        CpuTensor values = checked(x, x.rows(), x.columns(), "softmax");
        OperandChecks.softmax(x, columns);
        workers.parallelRows(x.rows(), x.columns(), (first, end, scratch) -> {
            for (int r = first; r < end; r++) {
                int row = values.offset(r);
                for (int at = row; at < row + x.columns(); at += columns) {
                    RowSoftmax.apply(values.data(), at, columns);
                }
            }
        });
    }

    @Override
    public void gatedActivation(Tensor x, Activation activation, Tensor out) {
        CpuTensor from = checked(x, x.rows(), Math.multiplyExact(2, out.columns()), "gatedActivation, input");
        CpuTensor to = checked(out, x.rows(), out.columns(), "gatedActivation, output");
        float[] source = from.data();
        float[] target = to.data();
        int columns = out.columns();
        workers.parallelRows(x.rows(), x.columns(), (first, end, scratch) -> {
            for (int r = first; r < end; r++) {
                int gate = from.offset(r);
                Activations.gated(activation, source, gate, gate + columns, target, to.offset(r), columns);
            }
        });
    }

    @Override
    public void copy(Tensor x, Tensor out) {
        CpuTensor from = checked(x, out.rows(), out.columns(), "copy, input");
        CpuTensor to = checked(out, x.rows(), x.columns(), "copy, output");
        System.arraycopy(from.data(), from.offset(), to.data(), to.offset(), x.rows() * x.columns());
    }

    @Override
    public void pool(Tensor x, Norm norm, SequenceRows sequences, int[] skip, List<PoolMode> modes, Tensor out) {
        OperandChecks.pool(x, sequences, skip, modes);
        int count = sequences.count();
        int hidden = norm.columns();
        CpuTensor from = checked(x, x.rows(), hidden, "pool, input");
        CpuTensor to = checked(out, count, Math.multiplyExact(modes.size(), hidden), "pool, output");
        PooledSequence pooling = new PooledSequence((CpuNorm) norm, List.copyOf(modes));
        workers.parallelFor(
                count, (s, scratch) -> pooling.sequence(from, sequences, s, skip[s], to.data(), to.offset(s), scratch));
    }

    @Override
    public void normRows(Tensor x, int[] rows, Norm norm, Tensor out) {
        CpuNorm cpuNorm = (CpuNorm) norm;
        CpuTensor from = checked(x, x.rows(), norm.columns(), "normRows, input");
        CpuTensor to = checked(out, rows.length, norm.columns(), "normRows, output");
        OperandChecks.rows(rows, x, "normRows");
        float[] source = from.data();
        float[] target = to.data();
        workers.parallelRows(rows.length, x.columns(), (first, end, scratch) -> {
            for (int i = first; i < end; i++) {
                cpuNorm.apply(source, from.offset(rows[i]), target, to.offset(i));
            }
        });
    }

    @Override
    public void logProbabilities(Tensor x, Linear head, int vocabulary, float softcap, int[] targets, Tensor out) {
        CpuLinear layer = (CpuLinear) head;
        OperandChecks.softcap(softcap, "logProbabilities");
        CpuTensor from = checked(x, targets.length, head.in(), "logProbabilities, input");
        CpuTensor to = checked(out, targets.length, 1, "logProbabilities, output");
        OperandChecks.vocabulary(vocabulary, head, targets, "logProbabilities");
        LogSoftmax.run(workers, from, layer, vocabulary, softcap, targets, to);
    }

    @Override
    public float[] download(Tensor x) {
        CpuTensor from = checked(x, x.rows(), x.columns(), "download");
        return Arrays.copyOfRange(from.data(), from.offset(), from.offset() + x.rows() * x.columns());
    }

    /// One for each thread without a batch: threads that do not wait for one another after every
    /// operation get more done. A batch must be large enough to be worth reading the weights for.
    @Override
    public int batchesSideBySide(int tokens) {
        return Math.clamp(tokens / MIN_TOKENS, 1, Math.max(1, workers.threads() - workers.entered()));
    }

    /// Does nothing: operations are complete when they return.
    @Override
    public void synchronize() {
        checkOpen();
    }

    /// Frees the packed weights and stops the threads. Closing twice does nothing.
    @Override
    public void close() {
        synchronized (arena) {
            if (closed) {
                return;
            }
            closed = true;
        }
        workers.close();
        closeArena();
    }

    /// Waits until nothing uses the weights: products on the matrix unit keep them open for some
    /// microseconds at a time, and running operations end soon.
    private void closeArena() {
        while (arena.scope().isAlive()) {
            try {
                arena.close();
            } catch (IllegalStateException e) {
                LockSupport.parkNanos(CLOSING_PAUSE);
            }
        }
    }

    /// Fp16 is left out, as on other devices: weights that are rounded to it may overflow.
    @Override
    public Optional<Backward> backward() {
        return backward;
    }

    void checkOpen() {
        if (closed) {
            throw new IllegalStateException("cpu backend is closed");
        }
    }

    CpuBatch checked(Batch batch) {
        checkOpen();
        return (CpuBatch) batch;
    }

    CpuTensor checkedHeads(Tensor qkv, int firstColumn, int heads, Norm norm, String operation) {
        CpuTensor x = checked(qkv, qkv.rows(), qkv.columns(), operation);
        if (firstColumn < 0 || heads < 0 || firstColumn + (long) heads * norm.columns() > x.columns()) {
            throw new IllegalArgumentException(
                    "%s: expected columns within tensor %s, got %d heads of %d from column %d"
                            .formatted(operation, x, heads, norm.columns(), firstColumn));
        }
        return x;
    }

    CpuTensor checked(Tensor tensor, int rows, int columns, String what) {
        checkOpen();
        CpuTensor own = (CpuTensor) tensor;
        if (own.rows() != rows || own.columns() != columns) {
            throw new IllegalArgumentException(
                    "%s: expected a tensor [%d, %d], got %s".formatted(what, rows, columns, own));
        }
        return own;
    }
}
