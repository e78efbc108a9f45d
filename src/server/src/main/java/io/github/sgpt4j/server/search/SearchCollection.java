package io.github.sgpt4j.server.search;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// Documents that a server searches. Safe to share between threads.
public interface SearchCollection extends AutoCloseable {
    /// What people call it.
    String name();

    /// Number of documents.
    ///
    /// @throws IOException if they cannot be read
    int size() throws IOException;

    /// Embeds the queries, elsewhere, together with other texts; empty if documents are found by words only.
    Optional<BiEncoder> encoder();

    /// The ways in which documents can be found.
    default List<SearchMode> modes() {
        return encoder().isPresent()
                ? List.of(SearchMode.BM25, SearchMode.DENSE, SearchMode.HYBRID)
                : List.of(SearchMode.BM25);
    }

    /// The best documents, best first.
    ///
    /// @param query searched for by words
    /// @param vector its embedding by [#encoder] as a query, `[dimension]`; ignored if only words count
    /// @param options its mode is one of [#modes], and it asks for no re-ranking
    /// @throws IOException if the documents cannot be read
    List<Hit> search(String query, float[] vector, SearchOptions options) throws IOException;

    /// What in a filter fits no document, so that it may be mistaken, as sentences.
    ///
    /// @throws IOException if the documents cannot be read
    List<String> notices(Filter filter) throws IOException;

    @Override
    void close() throws IOException;
}
