package io.github.sgpt4j.cli.search.interactive;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// A search whose settings may change from query to query.
public interface InteractiveSearch {
    /// The settings that it was opened with.
    SearchOptions options();

    /// Documents for a query, best first.
    ///
    /// @throws IOException if documents cannot be read
    List<Hit> search(String query, SearchOptions options) throws IOException;

    /// Why it cannot search in a mode or re-rank; empty if it can.
    Optional<String> refusal(SearchMode mode, boolean rerank);

    /// What in a filter fits no document, as sentences.
    ///
    /// @throws IOException if documents cannot be read
    List<String> notices(Filter filter) throws IOException;

    /// How embeddings are compared.
    Similarity similarity();
}
