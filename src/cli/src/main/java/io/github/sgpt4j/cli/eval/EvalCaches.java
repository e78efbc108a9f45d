package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Failures;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.model.ModelLocation;
import io.github.sgpt4j.cli.output.ScratchFolder;
import io.github.sgpt4j.cli.output.SpoolFile;
import io.github.sgpt4j.retrieval.evaluation.CachedEmbedder;
import io.github.sgpt4j.retrieval.evaluation.CachedPairScorer;
import io.github.sgpt4j.retrieval.evaluation.TextEmbedder;
import io.github.sgpt4j.retrieval.evaluation.TextPairScorer;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The caches of embeddings and scores of `sgpt eval`.
public final class EvalCaches {
    private static final String INDEX = "bm25-";

    private final EvalCommand command;
    private final EvalOptions options;

    public EvalCaches(EvalCommand command, EvalOptions options) {
        this.command = command;
        this.options = options;
    }

    /// The caller closes it.
    public CachedEmbedder embedder(Model model, BiEncoder encoder) throws IOException {
        TextEmbedder embedder = TextEmbedder.of(encoder);
        return options.noCache()
                ? CachedEmbedder.withoutCache(embedder)
                : withAdvice(() -> CachedEmbedder.open(
                        embedder, directory(), command.cacheKey(model, encoder.fingerprint()), command::notice));
    }

    /// The caller closes it.
    public CachedPairScorer scorer(Model model, CrossEncoder encoder) throws IOException {
        TextPairScorer scorer = TextPairScorer.of(encoder);
        return options.noCache()
                ? CachedPairScorer.withoutCache(scorer)
                : withAdvice(() -> CachedPairScorer.open(
                        scorer, directory(), command.cacheKey(model, encoder.fingerprint()), command::notice));
    }

    /// An operation that creates files in the cache.
    @FunctionalInterface
    private interface Opening<T> {
        T open() throws IOException;
    }

    private <T> T withAdvice(Opening<T> opening) throws IOException {
        try {
            return opening.open();
        } catch (FileSystemException e) {
            throw new CliException(
                    Failures.sentence(e) + "; --cache DIR stores results elsewhere, --no-cache stores none", e);
        }
    }

    /// A new folder for an index. The caller closes it.
    public ScratchFolder workFolder() throws IOException {
        if (options.noCache()) {
            return SpoolFile.inTemporaryFolder(folder -> ScratchFolder.in(folder, "sgpt-" + INDEX));
        }
        return withAdvice(() -> ScratchFolder.in(Files.createDirectories(directory()), INDEX));
    }

    private Path directory() {
        return options.cache()
                .map(TextInput::path)
                .orElseGet(() ->
                        new ModelLocation(command.console(), command.common().quiet(), false).cache("evaluation"));
    }
}
