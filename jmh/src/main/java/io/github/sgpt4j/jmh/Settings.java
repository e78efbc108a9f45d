package io.github.sgpt4j.jmh;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// Settings from system properties, shared by all benchmarks and libraries.
public final class Settings {
    /// Documents are truncated to this many tokens.
    public static final int DOCUMENT_TOKENS = 300;

    private Settings() {}

    /// The directory for checkpoints: `-Dsgpt4j.jmh.data`, otherwise a folder in the temporary directory.
    public static Path dataDirectory() {
        return path("sgpt4j.jmh.data").orElse(Path.of(System.getProperty("java.io.tmpdir"), "sgpt4j-jmh"));
    }

    /// A collection of documents to use instead of the built-in text, with one JSON object with `title` and
    /// `text` per line: `-Dcorpus`.
    public static Optional<Path> corpus() {
        return path("corpus");
    }

    /// Queries for [#corpus]: `-Dqueries`.
    public static Optional<Path> queries() {
        return path("queries");
    }

    /// A directory with GPT-2's vocab.json and merges.txt: `-Dgpt2.dir`.
    public static Optional<Path> gpt2Directory() {
        return path("gpt2.dir");
    }

    /// Threads of each library: `-Dthreads`, otherwise the number of processors.
    public static int threads() {
        return Integer.getInteger("threads", Runtime.getRuntime().availableProcessors());
    }

    /// Activation of GPT-Neo and GPT-2 checkpoints: `-Dactivation`, `gelu_new` (as trained) or `gelu` (for
    /// which DJL exposes a fused operation of PyTorch).
    public static String activation() {
        return System.getProperty("activation", "gelu_new");
    }

    /// The type of our engine's weights: `-Ddtype`, `fp32` (like the others), `bf16` or `fp16`.
    public static Dtype dtype() {
        return Dtype.valueOf(System.getProperty("dtype", "fp32").toUpperCase(Locale.ROOT));
    }

    /// Exits if vectors of the requested width are unavailable.
    static void requireVectors() {
        Simd.problem().ifPresent(Settings::refuse);
    }

    /// Exits because of a usage error.
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
