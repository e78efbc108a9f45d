package io.github.sgpt4j.jmh;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.annotations.Warmup;

/// How long does it take from a checkpoint on disk (in the page cache) to the first embedding?
///
/// Each fork measures once, so the start-up of the libraries is included; [#again] runs on a warm virtual machine.
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@State(Scope.Benchmark)
public class LoadBenchmark {
    /// `ours`, or with the profile `peers` also `djl`, `onnx`, `jlama`.
    @Param(Ours.NAME)
    public String library = Ours.NAME;

    @Param("GPT_NEO_125M")
    public ModelShape shape = ModelShape.GPT_NEO_125M;

    private Path checkpoint;
    private List<String> text;

    @Setup
    public void write() {
        checkpoint = RandomCheckpoint.directory(shape);
        text = Texts.queries(1);
    }

    /// Opens the model and embeds one query.
    static float[] openAndEmbed(Peer library, ModelShape shape, Path checkpoint, List<String> text) {
        try (Peer.Embedder embedder = library.embedder(shape, checkpoint, Settings.threads(), Settings.DOCUMENT_TOKENS)
                .orElseThrow(
                        () -> new UnsupportedOperationException(library.name() + " does not embed with " + shape))) {
            return embedder.embed(text)[0];
        }
    }

    @Benchmark
    @Fork(5)
    @Warmup(iterations = 0)
    @Measurement(iterations = 1)
    public float[] first() {
        return openAndEmbed(Peer.named(library), shape, checkpoint, text);
    }

    @Benchmark
    @Fork(1)
    @Warmup(iterations = 2)
    @Measurement(iterations = 5)
    public float[] again() {
        return openAndEmbed(Peer.named(library), shape, checkpoint, text);
    }
}
