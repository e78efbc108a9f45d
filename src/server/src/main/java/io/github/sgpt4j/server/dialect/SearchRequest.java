package io.github.sgpt4j.server.dialect;

import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.server.inference.Input;
import io.github.sgpt4j.server.json.Json;
import io.github.sgpt4j.server.json.JsonObject;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import io.github.sgpt4j.server.search.SearchCollection;
import java.util.Optional;

/// What a request asks of the server's documents.
///
/// @param options with the documents to return and to re-rank, and the filter
record SearchRequest(String query, SearchOptions options) {
    private static final int MAX_RESULTS = 1000;
    /// Characters: as many as take a fraction of a second to search by their words.
    private static final int MAX_QUERY = 1 << 16;
    /// Characters: a filter of so many takes a fraction of a second to compare with documents in memory.
    private static final int MAX_FILTER = 1 << 16;

    private static final int USUAL_RESULTS = 10;
    private static final int USUAL_RERANK = 20;

    /// @throws ApiException if the body asks for what is not there
    static SearchRequest of(JsonObject body, Service now, SearchCollection collection) {
        String query = Input.text("query", body.required("query", "a string"));
        checkLength("query", query, MAX_QUERY);
        int limit = limit(body);
        int rerank = rerank(body, now);
        Optional<Filter> filter = body.text("where").map(SearchRequest::filter);
        SearchOptions options = SearchOptions.DEFAULT
                .withMode(mode(body, collection))
                .withLimit(limit)
                .withRerank(rerank);
        return new SearchRequest(query, filter.map(options::withFilter).orElse(options));
    }

    /// How requests and answers call a mode.
    static String name(SearchMode mode) {
        return switch (mode) {
            case BM25 -> "words";
            case DENSE -> "meaning";
            case HYBRID -> "both";
        };
    }

    /// What documents are found by, before they are re-ranked.
    SearchOptions firstStage() {
        return options.withLimit(Math.max(options.limit(), options.rerank())).withRerank(0);
    }

    private static void checkLength(String field, String text, int most) {
        if (text.length() > most) {
            throw new ApiException(
                    Problem.INPUT_TOO_LONG,
                    field,
                    "%s has %d characters, a search takes at most %d".formatted(field, text.length(), most));
        }
    }

    private static Filter filter(String text) {
        checkLength("where", text, MAX_FILTER);
        try {
            return Filter.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ApiException(Problem.INVALID_VALUE, "where", "where: " + e.getMessage());
        }
    }

    private static int limit(JsonObject body) {
        int limit = body.whole("k").orElse(USUAL_RESULTS);
        if (limit < 1 || limit > MAX_RESULTS) {
            throw new ApiException(
                    Problem.INVALID_VALUE, "k", "k: expected 1 to %d, got %d".formatted(MAX_RESULTS, limit));
        }
        return limit;
    }

    /// How many documents are re-ranked; 0 for none.
    private static int rerank(JsonObject body, Service now) {
        Optional<Json> value = body.value("rerank");
        if (value.isEmpty()) {
            return 0;
        }
        int max = Math.min(MAX_RESULTS, now.options().limits().clientBatchSize());
        int rerank = switch (value.get()) {
            case Json.Truth(boolean asked) -> asked ? Math.min(USUAL_RERANK, max) : 0;
            case Json.Whole(int count) -> count;
            default -> throw JsonObject.wrong("rerank", "a number of documents, true or false", value.get());
        };
        if (rerank < 0 || rerank > max) {
            throw new ApiException(
                    Problem.INVALID_VALUE, "rerank", "rerank: expected 0 to %d, got %d".formatted(max, rerank));
        }
        return rerank;
    }

    private static SearchMode mode(JsonObject body, SearchCollection collection) {
        Optional<String> name = body.text("mode");
        if (name.isEmpty()) {
            return collection.modes().getLast();
        }
        SearchMode mode = switch (name.get()) {
            case "words", "bm25" -> SearchMode.BM25;
            case "meaning", "dense" -> SearchMode.DENSE;
            case "both", "hybrid" -> SearchMode.HYBRID;
            default ->
                throw new ApiException(
                        Problem.INVALID_VALUE, "mode", "mode: expected words, meaning or both, got something else");
        };
        if (!collection.modes().contains(mode)) {
            throw new ApiException(
                    Problem.MODEL_TYPE, "mode", "no model here embeds queries: expected mode words, got " + name(mode));
        }
        return mode;
    }
}
