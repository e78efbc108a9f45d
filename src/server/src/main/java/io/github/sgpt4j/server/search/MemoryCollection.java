package io.github.sgpt4j.server.search;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.MemoryIndex;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// Documents in memory.
public final class MemoryCollection implements SearchCollection {
    private final String name;
    private final MemoryIndex index;
    private final BiEncoder embedder;

    private MemoryCollection(String name, MemoryIndex index, BiEncoder embedder) {
        this.name = name;
        this.index = index;
        this.embedder = embedder;
    }

    /// Documents with their embeddings. Of documents with the same id, the last counts.
    ///
    /// @param name what people call them
    /// @param vectors by `encoder`, as documents, `[documents][dimension]`
    /// @param encoder embeds queries; borrowed, so it must outlive this
    /// @throws IllegalArgumentException if the vectors do not fit, or a number is not finite
    public static MemoryCollection of(String name, List<Document> documents, float[][] vectors, BiEncoder encoder) {
        return new MemoryCollection(
                name, new MemoryIndex(encoder.dimension(), encoder.similarity(), documents, vectors), encoder);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int size() {
        return index.size();
    }

    @Override
    public Optional<BiEncoder> encoder() {
        return Optional.of(embedder);
    }

    @Override
    public List<Hit> search(String query, float[] vector, SearchOptions options) throws IOException {
        return index.search(query, vector, options);
    }

    @Override
    public List<String> notices(Filter filter) {
        return index.notices(filter);
    }

    @Override
    public void close() throws IOException {
        index.close();
    }
}
