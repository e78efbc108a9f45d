package io.github.sgpt4j.jmh;

import java.nio.file.Path;
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

/// How many pairs of a query and a document does the cross-encoder score per second?
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 10)
@Measurement(iterations = 5, time = 10)
@Fork(1)
@State(Scope.Benchmark)
public class ScoreBenchmark {
    /// `ours`, or with the profile `peers` also `djl`.
    @Param(Ours.NAME)
    public String library = Ours.NAME;

    @Param("GPT_NEO_125M")
    public ModelShape shape = ModelShape.GPT_NEO_125M;

    @Param("32")
    public int documents = 32;

    private Peer.Scorer scorer;
    private String query;
    private List<String> texts;

    /// Pairs per second, in addition to calls per second.
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rates {
        public long pairs;
    }

    @Setup
    public void open() {
        Path checkpoint = RandomCheckpoint.directory(shape);
        texts = Texts.documents(documents);
        query = Texts.queries(1).getFirst();
        scorer = Checked.scorer(Peer.named(library), shape, checkpoint, query, texts);
    }

    @Benchmark
    public float[] pairs(Rates rates) {
        rates.pairs += texts.size();
        return scorer.score(query, texts);
    }

    @TearDown
    public void close() {
        scorer.close();
    }
}
