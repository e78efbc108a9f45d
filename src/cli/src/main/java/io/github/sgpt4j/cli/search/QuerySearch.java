package io.github.sgpt4j.cli.search;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.cli.search.interactive.InteractiveSearch;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// A search that answers queries.
public interface QuerySearch extends InteractiveSearch, Closeable {
    /// The best documents of each query, best first.
    ///
    /// @throws IOException if documents cannot be read
    List<List<Hit>> search(List<TextRecord> queries) throws IOException;

    /// Notices about the texts, one sentence each.
    List<String> notices();

    /// The encoder, if texts are embedded.
    Optional<BiEncoder> encoder();

    /// How many documents are searched.
    ///
    /// @throws IOException if they cannot be counted
    int size() throws IOException;
}
