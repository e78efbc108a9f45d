package io.github.sgpt4j.jmh;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
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

/// How fast are texts embedded, tokenization included: many documents or queries at once, and one at a time?
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 10)
@Measurement(iterations = 5, time = 10)
@Fork(1)
@State(Scope.Benchmark)
public class EmbedBenchmark {
    /// `ours`, or with the profile `peers` also `djl`, `onnx`, `jlama`.
    @Param(Ours.NAME)
    public String library = Ours.NAME;

    @Param("GPT_NEO_125M")
    public ModelShape shape = ModelShape.GPT_NEO_125M;

    @Param("64")
    public int documents = 64;

    @Param("256")
    public int queries = 256;

    private Peer.Embedder embedder;
    private List<String> documentTexts;
    private List<String> queryTexts;
    private long documentTokens;
    private long queryTokens;

    /// Texts and tokens per second, in addition to calls per second.
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rates {
        public long texts;
        public long tokens;
    }

    @Setup
    public void open() {
        Path checkpoint = RandomCheckpoint.directory(shape);
        documentTexts = Texts.documents(documents);
        queryTexts = Texts.queries(queries);
        documentTokens = Arrays.stream(Checked.tokens(checkpoint, documentTexts))
                .asLongStream()
                .sum();
        queryTokens = Arrays.stream(Checked.tokens(checkpoint, queryTexts))
                .asLongStream()
                .sum();
        embedder = Checked.embedder(Peer.named(library), shape, checkpoint, documentTexts, queryTexts);
    }

    @Benchmark
    public float[][] documents(Rates rates) {
        rates.texts += documentTexts.size();
        rates.tokens += documentTokens;
        return embedder.embed(documentTexts);
    }

    @Benchmark
    public float[][] queries(Rates rates) {
        rates.texts += queryTexts.size();
        rates.tokens += queryTokens;
        return embedder.embed(queryTexts);
    }

    @Benchmark
    @BenchmarkMode(Mode.SampleTime)
    @OutputTimeUnit(TimeUnit.MILLISECONDS)
    public float[] oneDocument() {
        return embedder.embed(documentTexts.subList(0, 1))[0];
    }

    @Benchmark
    @BenchmarkMode(Mode.SampleTime)
    @OutputTimeUnit(TimeUnit.MILLISECONDS)
    public float[] oneQuery() {
        return embedder.embed(queryTexts.subList(0, 1))[0];
    }

    @TearDown
    public void close() {
        embedder.close();
    }
}
