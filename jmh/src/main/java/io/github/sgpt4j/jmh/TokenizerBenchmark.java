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
import org.openjdk.jmh.infra.Blackhole;

/// How fast is text tokenized on one thread?
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
@State(Scope.Benchmark)
public class TokenizerBenchmark {
    /// `ours`, or with the profile `peers` also `djl` (the Rust tokenizers, ids only).
    @Param(Ours.NAME)
    public String library = Ours.NAME;

    @Param("1000")
    public int documents = 1000;

    private Peer.Encoder encoder;
    private List<String> texts;
    private long characters;

    /// Texts, characters and tokens per second.
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rates {
        public long texts;
        public long characters;
        public long tokens;
    }

    @Setup
    public void open() {
        // Only its tokenizer is used.
        Path checkpoint = RandomCheckpoint.directory(ModelShape.TINY);
        texts = Texts.documents(documents);
        characters = texts.stream().mapToLong(String::length).sum();
        encoder = Checked.encoder(Peer.named(library), checkpoint, texts);
    }

    @Benchmark
    public void encode(Rates rates, Blackhole blackhole) {
        rates.texts += texts.size();
        rates.characters += characters;
        for (String text : texts) {
            int[] ids = encoder.encode(text);
            rates.tokens += ids.length;
            blackhole.consume(ids);
        }
    }

    @TearDown
    public void close() {
        encoder.close();
    }
}
