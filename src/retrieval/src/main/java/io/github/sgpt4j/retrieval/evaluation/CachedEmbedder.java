package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// Keeps vectors on disk, so that an interrupted evaluation continues where it stopped, and a later one
/// reuses them. Vectors are written after every 256 texts. Several processes may share a cache. Close
/// it after use; closing leaves the wrapped embedder open.
///
/// Safe to share between threads if the embedder is; texts that two threads miss at the same time may
/// be embedded twice. An interrupt ends a call that computes, after the vectors of the last complete
/// 256 texts were written, and breaks nothing.
public final class CachedEmbedder implements TextEmbedder, AutoCloseable {
    private final TextEmbedder embedder;
    private final ResultCache cache;

    private CachedEmbedder(TextEmbedder embedder, ResultCache cache) {
        this.embedder = embedder;
        this.cache = cache;
    }

    /// Opens a cache.
    ///
    /// @param embedder computes what is missing
    /// @param directory of caches, for any number of models; created if needed
    /// @param identity everything that vectors depend on besides the text and its kind: the model's
    ///     content, and how it is used
    /// @throws IOException if the directory cannot be read or written
    public static CachedEmbedder open(TextEmbedder embedder, Path directory, String identity) throws IOException {
        return open(embedder, directory, identity, notice -> {});
    }

    /// Opens a cache. Damaged entries are computed again.
    ///
    /// @param notices told of damage, once, in a sentence that names the folder
    /// @throws IOException as [#open(TextEmbedder, Path, String)]
    public static CachedEmbedder open(TextEmbedder embedder, Path directory, String identity, Consumer<String> notices)
            throws IOException {
        ResultCache cache = ResultCache.open(directory, "embeddings", identity, embedder.dimension(), notices);
        return new CachedEmbedder(embedder, cache);
    }

    /// Keeps nothing, but embeds equal texts within a call once.
    public static CachedEmbedder withoutCache(TextEmbedder embedder) {
        return new CachedEmbedder(embedder, ResultCache.none(embedder.dimension()));
    }

    @Override
    public int dimension() {
        return embedder.dimension();
    }

    @Override
    public Similarity similarity() {
        return embedder.similarity();
    }

    /// @return `[texts][dimension]`; equal texts share a row, which must not be changed
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted while texts
    ///     remain to be embedded
    /// @throws java.io.UncheckedIOException if the cache cannot be read or written
    /// @throws io.github.sgpt4j.error.FormatException if a vector is not finite
    @Override
    public float[][] embed(List<String> texts, TextKind kind, ProgressListener progress) {
        List<TextKey> keys =
                texts.stream().map(text -> TextKey.of(kind.name(), text)).toList();
        return cache.get(
                keys,
                (indices, listener) ->
                        embedder.embed(indices.stream().map(texts::get).toList(), kind, listener),
                progress);
    }

    /// Number of texts that were embedded.
    public long computed() {
        return cache.computed();
    }

    /// Number of texts whose vectors were on disk.
    public long found() {
        return cache.found();
    }

    @Override
    public void close() throws IOException {
        cache.close();
    }
}
