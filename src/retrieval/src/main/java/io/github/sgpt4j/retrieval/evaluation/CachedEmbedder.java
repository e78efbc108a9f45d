package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// Keeps vectors on disk, so that an evaluation that was interrupted goes on where it stood, and a
/// later one finds them. Vectors are written after every 256 texts. Several processes may share a
/// cache. Close it after use; the embedder that computes stays the caller's.
///
/// Safe to share between threads if the embedder is; what two of them lack at once may be computed
/// twice. An interrupt ends a call that computes, after the vectors of whole 256 texts were written,
/// and breaks nothing.
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
    /// @param directory of caches, for any number of models; made if need be
    /// @param identity everything that vectors depend on besides the text and its kind: the model's content, and
    ///     how it is used
    /// @throws IOException if the directory cannot be read or written
    public static CachedEmbedder open(TextEmbedder embedder, Path directory, String identity) throws IOException {
        return open(embedder, directory, identity, notice -> {});
    }

    /// Opens a cache. What is damaged in it is computed again.
    ///
    /// @param notices is told of damage, once, in a sentence with the name of the folder
    /// @throws IOException as [#open(TextEmbedder, Path, String)]
    public static CachedEmbedder open(TextEmbedder embedder, Path directory, String identity, Consumer<String> notices)
            throws IOException {
        ResultCache cache = ResultCache.open(directory, "embeddings", identity, embedder.dimension(), notices);
        return new CachedEmbedder(embedder, cache);
    }

    /// Keeps nothing, but embeds equal texts of a call once.
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

    /// @return `[texts][dimension]`; equal texts share a row, which is not to be changed
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted while something
    ///     is to be embedded
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

    /// Texts that were embedded.
    public long computed() {
        return cache.computed();
    }

    /// Texts whose vectors were on disk.
    public long found() {
        return cache.found();
    }

    @Override
    public void close() throws IOException {
        cache.close();
    }
}
