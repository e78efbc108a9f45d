package io.github.sgpt4j.jmh;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.RerankTemplate;
import java.io.IOException;
import java.nio.file.Files;
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

/// Pairs per second by the method that scores them. All prompts have the same texts; those of `choice` and `head` begin
/// with the query, which is computed once.
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 10)
@Measurement(iterations = 5, time = 10)
@Fork(1)
@State(Scope.Benchmark)
public class RerankBenchmark {
    private static final String PIECES =
            "{\"pieces\": [\"query: {query}\\n\", \"document: {document}\", \"\\nanswer:\"]%s}";
    private static final String TOKENS = ", \"true_token\": \"a\", \"false_token\": \"b\"";

    @Param({"likelihood", "choice", "head"})
    public String method = "likelihood";

    @Param("GPT_NEO_125M")
    public ModelShape shape = ModelShape.GPT_NEO_125M;

    @Param("100")
    public int documents = 100;

    private CrossEncoder encoder;
    private String query;
    private List<String> texts;

    /// Pairs per second, in addition to calls per second.
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rates {
        public long pairs;
    }

    @Setup
    public void open() throws IOException {
        Path checkpoint =
                method.equals("head") ? RandomCheckpoint.classifier(shape) : RandomCheckpoint.directory(shape);
        texts = Texts.documents(documents);
        query = Texts.queries(1).getFirst();
        encoder = CrossEncoder.open(
                checkpoint,
                ModelOptions.DEFAULT
                        .withDevice("cpu")
                        .withThreads(Settings.threads())
                        .withDtype(Settings.dtype()),
                CrossEncoderOptions.DEFAULT.withTemplate(template()));
        if (!encoder.method().toString().equals(method)) {
            throw new IllegalStateException("expected %s, got %s".formatted(method, encoder.method()));
        }
        encoder.score(query, texts.subList(0, 1));
    }

    private RerankTemplate template() throws IOException {
        if (method.equals("likelihood")) {
            return RerankTemplate.LIKELIHOOD;
        }
        Path file = Files.createTempFile("template", ".json");
        try {
            Files.writeString(file, PIECES.formatted(method.equals("choice") ? TOKENS : ""));
            return RerankTemplate.read(file);
        } finally {
            Files.delete(file);
        }
    }

    @Benchmark
    public List<CrossEncoder.Score> pairs(Rates rates) {
        rates.pairs += texts.size();
        return encoder.score(query, texts);
    }

    @TearDown
    public void close() {
        encoder.close();
    }
}
