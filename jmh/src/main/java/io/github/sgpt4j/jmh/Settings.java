package io.github.sgpt4j.jmh;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// What system properties choose; all benchmarks and all libraries read the same.
public final class Settings {
    /// Documents are cut to this many tokens.
    public static final int DOCUMENT_TOKENS = 300;

    private Settings() {}

    /// Where checkpoints are kept: `-Dsgpt4j.jmh.data`, otherwise a folder for temporary files.
    public static Path dataDirectory() {
        return path("sgpt4j.jmh.data").orElse(Path.of(System.getProperty("java.io.tmpdir"), "sgpt4j-jmh"));
    }

    /// A collection to take documents from instead of the built-in text, one JSON object with `title` and `text` a
    /// line: `-Dcorpus`.
    public static Optional<Path> corpus() {
        return path("corpus");
    }

    /// Queries to go with [#corpus]: `-Dqueries`.
    public static Optional<Path> queries() {
        return path("queries");
    }

    /// A directory with GPT-2's vocab.json and merges.txt: `-Dgpt2.dir`.
    public static Optional<Path> gpt2Directory() {
        return path("gpt2.dir");
    }

    /// Threads of every library: `-Dthreads`, otherwise the processors there are.
    public static int threads() {
        return Integer.getInteger("threads", Runtime.getRuntime().availableProcessors());
    }

    /// Activation of GPT-Neo and GPT-2 checkpoints: `-Dactivation`, `gelu_new` (as trained) or `gelu` (for which
    /// PyTorch has one fused operation that DJL offers).
    public static String activation() {
        return System.getProperty("activation", "gelu_new");
    }

    /// How our engine keeps its weights: `-Ddtype`, `fp32` (as the others do), `bf16` or `fp16`.
    public static Dtype dtype() {
        return Dtype.valueOf(System.getProperty("dtype", "fp32").toUpperCase(Locale.ROOT));
    }

    /// Ends the program unless there are vectors as wide as they were asked for.
    static void requireVectors() {
        Simd.problem().ifPresent(Settings::refuse);
    }

    /// Ends the program because of how it was started.
    static void refuse(String sentence) {
        System.err.println("jmh/run: " + sentence);
        System.exit(2);
    }

    private static Optional<Path> path(String property) {
        return Optional.ofNullable(System.getProperty(property))
                .filter(value -> !value.isEmpty())
                .map(Path::of);
    }
}
