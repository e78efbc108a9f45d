package io.github.sgpt4j.jmh;

import io.github.sgpt4j.BatchingEncoder;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.TextKind;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.ThreadParams;

/// How fast are 16 threads that embed one short text each through a [BatchingEncoder], beside one call with the same 16
/// texts? Both results are texts per second; the threads should reach at least 0.8 of the one call.
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
@Fork(1)
@State(Scope.Benchmark)
public class BatchingBenchmark {
    private static final int TEXTS = 16;

    @Param("GPT_NEO_125M")
    public ModelShape shape = ModelShape.GPT_NEO_125M;

    private BiEncoder encoder;
    private BatchingEncoder batching;
    private List<String> texts;

    @Setup
    public void open() {
        Path checkpoint = RandomCheckpoint.directory(shape);
        texts = Texts.generated(TEXTS);
        encoder = Ours.open(checkpoint, Settings.threads(), Settings.DOCUMENT_TOKENS, Settings.dtype());
        batching = new BatchingEncoder(encoder);
        float[][] alone = new float[TEXTS][];
        Arrays.setAll(alone, i -> batching.embed(texts.get(i), TextKind.TEXT));
        Agreement.require("batching encoder", encoder.embed(texts), alone);
    }

    @Benchmark
    @OperationsPerInvocation(TEXTS)
    public float[][] oneCall() {
        return encoder.embed(texts);
    }

    @Benchmark
    @Threads(TEXTS)
    public float[] sixteenThreads(ThreadParams thread) {
        return batching.embed(texts.get(thread.getThreadIndex()), TextKind.TEXT);
    }

    @TearDown
    public void close() {
        batching.close();
        encoder.close();
    }
}
