package io.github.sgpt4j.cli.search;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/// A search that answers queries.
public interface QuerySearch extends Closeable {
    /// The best documents of each query, best first.
    ///
    /// @throws IOException if documents cannot be read
    List<List<Hit>> search(List<TextRecord> queries) throws IOException;

    /// The similarity function for embeddings.
    Similarity similarity();

    /// Notices about the texts, one sentence each.
    List<String> notices();
}
