package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.filter.Filter;
import java.util.Objects;
import java.util.Optional;

/// How an index is searched. Immutable: each `with` method returns a changed copy.
///
/// @param mode how documents are found
/// @param limit most documents to return
/// @param rerank how many of the first results the cross-encoder re-orders; 0 for none
/// @param candidates how many documents are collected before the best are chosen, from the graph and
///     from each side of a hybrid search; never fewer than `limit` and `rerank`. More make the graph
///     search more accurate and slower
/// @param exact compare the query with every vector instead of searching the graph
/// @param filter which documents are searched, by their metadata; scores do not depend on it
/// @param bestPassages a document's similarity is the mean of those of so many of its passages, the nearest
///     ones, or of all if it has fewer; 1 for the nearest alone. Candidates of the graph are those with the
///     nearest passage in any case
public record SearchOptions(
        SearchMode mode,
        int limit,
        int rerank,
        int candidates,
        boolean exact,
        Optional<Filter> filter,
        int bestPassages) {
    /// The ten nearest by meaning.
    public static final SearchOptions DEFAULT =
            new SearchOptions(SearchMode.DENSE, 10, 0, 100, false, Optional.empty(), 1);

    /// @throws IllegalArgumentException if `limit`, `candidates` or `bestPassages` is not positive, or
    ///     `rerank` is negative
    public SearchOptions {
        Objects.requireNonNull(mode, "mode");
        Objects.requireNonNull(filter, "filter");
        if (limit < 1) {
            throw new IllegalArgumentException("limit: expected at least 1, got " + limit);
        }
        if (rerank < 0) {
            throw new IllegalArgumentException("rerank: expected at least 0, got " + rerank);
        }
        if (candidates < 1) {
            throw new IllegalArgumentException("candidates: expected at least 1, got " + candidates);
        }
        if (bestPassages < 1) {
            throw new IllegalArgumentException("best passages: expected at least 1, got " + bestPassages);
        }
    }

    /// Documents that the first stage must return.
    int firstStage() {
        return Math.max(limit, rerank);
    }

    /// Documents that the first stage collects.
    int gathered() {
        return Math.max(candidates, firstStage());
    }

    /// Found by meaning, by words, or by both.
    public SearchOptions withMode(SearchMode value) {
        return new SearchOptions(value, limit, rerank, candidates, exact, filter, bestPassages);
    }

    /// With this many documents at most.
    ///
    /// @throws IllegalArgumentException if not positive
    public SearchOptions withLimit(int value) {
        return new SearchOptions(mode, value, rerank, candidates, exact, filter, bestPassages);
    }

    /// With this many of the first results re-ordered by the cross-encoder; 0 for none.
    ///
    /// @throws IllegalArgumentException if negative
    public SearchOptions withRerank(int value) {
        return new SearchOptions(mode, limit, value, candidates, exact, filter, bestPassages);
    }

    /// With this many documents collected before the best are chosen.
    ///
    /// @throws IllegalArgumentException if not positive
    public SearchOptions withCandidates(int value) {
        return new SearchOptions(mode, limit, rerank, value, exact, filter, bestPassages);
    }

    /// With every vector compared, or only those that the graph leads to.
    public SearchOptions withExact(boolean value) {
        return new SearchOptions(mode, limit, rerank, candidates, value, filter, bestPassages);
    }

    /// With only documents that a filter accepts.
    public SearchOptions withFilter(Filter value) {
        return new SearchOptions(mode, limit, rerank, candidates, exact, Optional.of(value), bestPassages);
    }

    /// With all documents.
    public SearchOptions withoutFilter() {
        return new SearchOptions(mode, limit, rerank, candidates, exact, Optional.empty(), bestPassages);
    }

    /// With the mean of so many nearest passages as a document's similarity; 1 for the nearest alone.
    ///
    /// @throws IllegalArgumentException if not positive
    public SearchOptions withBestPassages(int value) {
        return new SearchOptions(mode, limit, rerank, candidates, exact, filter, value);
    }
}
