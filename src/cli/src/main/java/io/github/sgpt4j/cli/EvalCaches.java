package io.github.sgpt4j.cli;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.retrieval.evaluation.CachedEmbedder;
import io.github.sgpt4j.retrieval.evaluation.CachedPairScorer;
import io.github.sgpt4j.retrieval.evaluation.TextEmbedder;
import io.github.sgpt4j.retrieval.evaluation.TextPairScorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Where `sgpt eval` keeps embeddings and scores.
final class EvalCaches {
    private final EvalCommand command;
    private final EvalOptions options;

    EvalCaches(EvalCommand command, EvalOptions options) {
        this.command = command;
        this.options = options;
    }

    /// The caller closes it.
    CachedEmbedder embedder(Model model, BiEncoder encoder) throws IOException {
        TextEmbedder embedder = TextEmbedder.of(encoder);
        return options.noCache()
                ? CachedEmbedder.withoutCache(embedder)
                : CachedEmbedder.open(embedder, directory(), identity(model, encoder.fingerprint()));
    }

    /// The caller closes it.
    CachedPairScorer scorer(Model model, CrossEncoder encoder) throws IOException {
        TextPairScorer scorer = TextPairScorer.of(encoder);
        return options.noCache()
                ? CachedPairScorer.withoutCache(scorer)
                : CachedPairScorer.open(scorer, directory(), identity(model, encoder.fingerprint()));
    }

    /// Devices and types of numbers round differently.
    private String identity(Model model, String fingerprint) {
        return "%s %s %s"
                .formatted(
                        fingerprint,
                        model.device(),
                        command.common().modelOptions().dtype());
    }

    /// A new directory for an index, which the caller deletes.
    Path workDirectory() throws IOException {
        if (options.noCache()) {
            return Files.createTempDirectory("sgpt-bm25-");
        }
        Path directory = directory();
        Files.createDirectories(directory);
        return Files.createTempDirectory(directory, "bm25-");
    }

    private Path directory() {
        return options.cache()
                .map(TextInput::path)
                .orElseGet(() -> new ModelLocation(
                                command.console(), command.common().quiet())
                        .cache()
                        .resolve("sgpt4j")
                        .resolve("evaluation"));
    }
}
