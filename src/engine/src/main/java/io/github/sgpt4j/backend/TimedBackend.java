package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Wraps another backend. Between [#start] and [#stop] it times each operation, by marks before and after
/// it; otherwise it only delegates. The times show how a forward pass divides into its parts, not how long
/// it takes. Where operations are queued, nothing waits, and what the device waits for between two marks
/// counts. Closing it leaves the wrapped backend open. Only one thread may use it while it times.
public final class TimedBackend implements Backend {
    /// What has been measured.
    ///
    /// @param productSeconds in matrix products with their epilogues, output head included
    /// @param attentionSeconds in attention
    /// @param otherSeconds in everything else
    /// @param productFlops of the products, a multiplication and an addition each counted
    /// @param attentionFlops of the scores and weighted values that remain after causality and
    ///     windows
    /// @param otherBytes read and written by embedding, norms, rotations, gates and pooling
    public record Times(
            double productSeconds,
            double attentionSeconds,
            double otherSeconds,
            double productFlops,
            double attentionFlops,
            double otherBytes) {}

    private enum Part {
        PRODUCT,
        ATTENTION,
        OTHER
    }

    /// An operation, between two marks.
    private record Span(Part part, TimeMark from, TimeMark to) {
        double seconds() {
            return to.secondsSince(from);
        }

        void close() {
            from.close();
            to.close();
        }
    }

    private final Backend backend;
    private final List<Span> spans = new ArrayList<>();
    private double productFlops;
    private double attentionFlops;
    private double otherBytes;
    private volatile boolean timing;

    public TimedBackend(Backend backend) {
        this.backend = backend;
    }

    /// Discards earlier measurements and starts timing.
    public void start() {
        backend.synchronize();
        forget();
        productFlops = 0;
        attentionFlops = 0;
        otherBytes = 0;
        timing = true;
    }

    /// Stops timing.
    ///
    /// @return what was measured since [#start]
    public Times stop() {
        timing = false;
        double[] seconds = new double[Part.values().length];
        try {
            spans.forEach(span -> seconds[span.part.ordinal()] += span.seconds());
        } finally {
            forget();
        }
        return new Times(
                seconds[Part.PRODUCT.ordinal()],
                seconds[Part.ATTENTION.ordinal()],
                seconds[Part.OTHER.ordinal()],
                productFlops,
                attentionFlops,
                otherBytes);
    }

    private void forget() {
        spans.forEach(Span::close);
        spans.clear();
    }

    void product(double flops, Runnable operation) {
        if (timing) {
            productFlops += flops;
        }
        time(Part.PRODUCT, operation);
    }

    private void time(Part part, Runnable operation) {
        if (!timing) {
            operation.run();
            return;
        }
        TimeMark from = backend.mark();
        try {
            operation.run();
            spans.add(new Span(part, from, backend.mark()));
        } catch (RuntimeException | Error e) {
            from.close();
            throw e;
        }
    }

    void other(double values, Runnable operation) {
        if (timing) {
            otherBytes += values * Float.BYTES;
        }
        time(Part.OTHER, operation);
    }

    static double values(Tensor x) {
        return (double) x.rows() * x.columns();
    }

    static double flops(double rows, Linear linear) {
        return 2 * rows * linear.in() * linear.out();
    }

    @Override
    public String name() {
        return backend.name();
    }

    @Override
    public List<String> notices() {
        return backend.notices();
    }

    @Override
    public Linear linear(List<MatrixRows> weight, List<MatrixRows> bias) {
        return backend.linear(weight, bias);
    }

    @Override
    public Norm norm(NormParameters parameters) {
        return backend.norm(parameters);
    }

    @Override
    public Table table(WeightTensor weight) {
        return backend.table(weight);
    }

    @Override
    public Batch upload(PackedBatch batch) {
        return backend.upload(batch);
    }

    /// A pass that is timed is run, so that its operations are seen.
    @Override
    public Download run(PackedBatch packed, Optional<?> kind, Function<Batch, Download> pass) {
        return backend.run(packed, timing ? Optional.empty() : kind, pass);
    }

    @Override
    public Tensor upload(float[] values, int rows, int columns) {
        return backend.upload(values, rows, columns);
    }

    @Override
    public Tensor allocate(int rows, int columns) {
        return backend.allocate(rows, columns);
    }

    @Override
    public Tensor allocateInner(int rows, int columns) {
        return backend.allocateInner(rows, columns);
    }

    @Override
    public int innerBytes() {
        return backend.innerBytes();
    }

    @Override
    public void embed(Table table, Batch batch, float scale, Tensor out) {
        other(2 * values(out), () -> backend.embed(table, batch, scale, out));
    }

    @Override
    public void addPositions(Table table, int offset, Batch batch, Tensor out) {
        other(3 * values(out), () -> backend.addPositions(table, offset, batch, out));
    }

    @Override
    public void norm(Tensor x, Norm norm, Tensor out) {
        other(2 * values(x), () -> backend.norm(x, norm, out));
    }

    @Override
    public void normAdd(Tensor x, Norm norm, Tensor out) {
        other(3 * values(x), () -> backend.normAdd(x, norm, out));
    }

    @Override
    public void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm) {
        double values = 2.0 * qkv.rows() * heads * norm.columns();
        other(values, () -> backend.headNorm(qkv, firstColumn, heads, norm));
    }

    @Override
    public void linear(Tensor x, Linear linear, Activation activation, Tensor out) {
        product(flops(x.rows(), linear), () -> backend.linear(x, linear, activation, out));
    }

    @Override
    public void linearAdd(Tensor x, Linear linear, Tensor out) {
        product(flops(x.rows(), linear), () -> backend.linearAdd(x, linear, out));
    }

    @Override
    public void rotary(Tensor qkv, Batch batch, RotaryParameters parameters) {
        double heads = (double) parameters.heads() + parameters.kvHeads();
        other(2 * qkv.rows() * heads * parameters.rotaryDim(), () -> backend.rotary(qkv, batch, parameters));
    }

    @Override
    public void attention(Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out) {
        attention(2, batch, parameters, () -> backend.attention(qkv, batch, parameters, out));
    }

    /// @param products of queries or their gradients with keys or values
    void attention(int products, Batch batch, AttentionParameters parameters, Runnable operation) {
        if (timing) {
            double keys = keys(batch.packed(), parameters);
            attentionFlops += 2 * products * keys * parameters.heads() * parameters.headDim();
        }
        time(Part.ATTENTION, operation);
    }

    private static double keys(PackedBatch batch, AttentionParameters parameters) {
        double keys = 0;
        for (int s = batch.firstSegment(); s < batch.segments(); s++) {
            int depth = batch.depth(s);
            int end = depth + batch.length(s);
            for (int i = depth; i < end; i++) {
                keys += parameters.lastSeen(i, end) - parameters.firstSeen(i) + 1;
            }
        }
        return keys;
    }

    @Override
    public void softmax(Tensor x, int columns) {
        other(2 * values(x), () -> backend.softmax(x, columns));
    }

    @Override
    public void gatedActivation(Tensor x, Activation activation, Tensor out) {
        other(3 * values(out), () -> backend.gatedActivation(x, activation, out));
    }

    @Override
    public void copy(Tensor x, Tensor out) {
        other(2 * values(x), () -> backend.copy(x, out));
    }

    @Override
    public void pool(Tensor x, Norm norm, SequenceRows sequences, int[] skip, List<PoolMode> modes, Tensor out) {
        other(values(x) + values(out), () -> backend.pool(x, norm, sequences, skip, modes, out));
    }

    @Override
    public void normRows(Tensor x, int[] rows, Norm norm, Tensor out) {
        other(2 * values(out), () -> backend.normRows(x, rows, norm, out));
    }

    @Override
    public void logProbabilities(Tensor x, Linear head, int vocabulary, float softcap, int[] targets, Tensor out) {
        product(
                flops(targets.length, head),
                () -> backend.logProbabilities(x, head, vocabulary, softcap, targets, out));
    }

    @Override
    public float[] download(Tensor x) {
        return backend.download(x);
    }

    @Override
    public Download startDownload(Tensor x) {
        return backend.startDownload(x);
    }

    @Override
    public int usualBatchTokens(long weights, long values) {
        return backend.usualBatchTokens(weights, values);
    }

    @Override
    public TimeMark mark() {
        return backend.mark();
    }

    @Override
    public int batchesInFlight() {
        return backend.batchesInFlight();
    }

    @Override
    public int batchesSideBySide(int tokens) {
        return timing ? 1 : backend.batchesSideBySide(tokens);
    }

    @Override
    public int worthSharing() {
        return backend.worthSharing();
    }

    @Override
    public Optional<Backward> backward() {
        return backend.backward().map(backward -> new TimedBackward(this, backward));
    }

    @Override
    public void synchronize() {
        backend.synchronize();
    }

    @Override
    public void close() {}
}
