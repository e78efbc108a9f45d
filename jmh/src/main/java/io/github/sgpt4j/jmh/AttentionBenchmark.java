package io.github.sgpt4j.jmh;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.Collections;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// How fast is one layer's attention, causal and in both directions, and does its cost grow with n · w when a window is
/// set? And its gradient?
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
@State(Scope.Benchmark)
public class AttentionBenchmark {
    private static final int HEADS = 12;
    private static final int HEAD_DIM = 64;

    /// Tokens of each sequence.
    @Param({"16", "300", "2048"})
    public int length = 300;

    /// Window size in keys, 0 for none.
    @Param({"0", "256"})
    public int window;

    /// Tokens per batch; the batch has at least one sequence.
    @Param("4096")
    public int tokens = 4096;

    private CpuBackend backend;
    private AttentionParameters parameters;
    private AttentionParameters bothWays;
    private Batch batch;
    private Tensor qkv;
    private Tensor out;
    private Tensor gradient;
    private double flops;
    private double flopsBothWays;

    /// Floating-point operations per second, counting only the products of queries with keys that they see.
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rates {
        public double gigaflops;
        public long tokens;
    }

    @Setup
    public void open() {
        int sequences = Math.max(1, tokens / length);
        parameters = new AttentionParameters(HEADS, HEADS, HEAD_DIM, 0.125f, window, new float[0]);
        bothWays = new AttentionParameters(HEADS, HEADS, HEAD_DIM, 0.125f, window, new float[0], true, 0f);
        backend = new CpuBackend(new CpuOptions(Settings.threads(), Precision.FP32));
        batch = backend.upload(PackedBatch.of(Collections.nCopies(sequences, new int[length])));
        SplittableRandom random = new SplittableRandom(1);
        float[] values = new float[sequences * length * parameters.qkvColumns()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat(-1, 1);
        }
        qkv = backend.upload(values, sequences * length, parameters.qkvColumns());
        out = backend.allocate(sequences * length, HEADS * HEAD_DIM);
        gradient = backend.allocate(sequences * length, parameters.qkvColumns());
        flops = flops(parameters, sequences);
        flopsBothWays = flops(bothWays, sequences);
        for (AttentionParameters each : new AttentionParameters[] {parameters, bothWays}) {
            backend.attention(qkv, batch, each, out);
            // In the middle of the last sequence.
            int first = (sequences - 1) * length;
            int row = first + length / 2;
            Agreement.require("attention", expected(each, values, first, row, HEADS - 1), got(row, HEADS - 1));
        }
    }

    private double flops(AttentionParameters p, int sequences) {
        double pairs = 0;
        for (int i = 0; i < length; i++) {
            pairs += p.lastSeen(i, length) - p.firstSeen(i) + 1;
        }
        return 4 * pairs * HEADS * HEAD_DIM * sequences;
    }

    private float[] got(int row, int head) {
        float[] all = backend.download(out);
        float[] part = new float[HEAD_DIM];
        System.arraycopy(all, (row * HEADS + head) * HEAD_DIM, part, 0, HEAD_DIM);
        return part;
    }

    /// The expected output of one head for a row of the sequence that begins in row `first`, computed in double.
    private float[] expected(AttentionParameters p, float[] values, int first, int row, int head) {
        int columns = p.qkvColumns();
        double[] sums = new double[HEAD_DIM];
        double total = 0;
        for (int j = first + p.firstSeen(row - first); j <= first + p.lastSeen(row - first, length); j++) {
            double score = 0;
            for (int d = 0; d < HEAD_DIM; d++) {
                double q = values[row * columns + head * HEAD_DIM + d];
                score += q * values[j * columns + (HEADS + head) * HEAD_DIM + d];
            }
            double weight = Math.exp(score * p.scale());
            total += weight;
            for (int d = 0; d < HEAD_DIM; d++) {
                sums[d] += weight * values[j * columns + (2 * HEADS + head) * HEAD_DIM + d];
            }
        }
        float[] result = new float[HEAD_DIM];
        for (int d = 0; d < HEAD_DIM; d++) {
            result[d] = (float) (sums[d] / total);
        }
        return result;
    }

    @Benchmark
    public void attend(Rates rates) {
        rates.gigaflops += flops / 1e9;
        rates.tokens += qkv.rows();
        backend.attention(qkv, batch, parameters, out);
    }

    @Benchmark
    public void attendBothWays(Rates rates) {
        rates.gigaflops += flopsBothWays / 1e9;
        rates.tokens += qkv.rows();
        backend.attention(qkv, batch, bothWays, out);
    }

    /// Five products instead of two: scores again, and the gradients of weights, queries, keys and values. The
    /// result of attention stands for its gradient.
    @Benchmark
    public void derive(Rates rates) {
        rates.gigaflops += 2.5 * flops / 1e9;
        rates.tokens += qkv.rows();
        backend.backward().orElseThrow().attention(qkv, batch, parameters, out, out, gradient);
    }

    @TearDown
    public void close() {
        gradient.close();
        qkv.close();
        out.close();
        batch.close();
        backend.close();
    }
}
