package io.github.sgpt4j.jmh;

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

/// How fast is a linear layer's matrix product, for the shapes of a forward pass?
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
@State(Scope.Benchmark)
public class MatmulBenchmark {
    /// `ours`, or with the profile `peers` also `openblas`.
    @Param(Ours.NAME)
    public String library = Ours.NAME;

    /// Rows × input × output features: a batch, a document and a query in each linear layer of GPT-Neo-125M,
    /// and a batch in the widest one of GPT-Neo-1.3B.
    @Param({
        "4096x768x2304",
        "4096x768x768",
        "4096x768x3072",
        "4096x3072x768",
        "300x768x2304",
        "300x768x3072",
        "300x3072x768",
        "16x768x3072",
        "16x3072x768",
        "4096x2048x8192"
    })
    public String shape = "4096x768x3072";

    /// Number of threads, 0 for all processors.
    @Param({"1", "0"})
    public int threads = 1;

    private MatmulShape dimensions;
    private Peer.Product product;

    /// Floating-point operations per second; a multiply-add counts as two.
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rates {
        public double gigaflops;
    }

    @Setup
    public void open() {
        dimensions = MatmulShape.parse(shape);
        product = dimensions.open(Peer.named(library), threads == 0 ? Settings.threads() : threads);
    }

    @Benchmark
    public void multiply(Rates rates) {
        rates.gigaflops += dimensions.flops() / 1e9;
        product.run();
    }

    @TearDown
    public void close() {
        product.close();
    }
}
