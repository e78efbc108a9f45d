package io.github.sgpt4j.scoring;

import io.github.sgpt4j.model.CachedPrefix;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The cross-encoder: how likely is a query after a prompt with a document (SGPT-CE, Muennighoff 2022, section 3).
/// Borrows decoder and tokenizer.
///
/// Tokens are computed once where possible: what all requests of a call start with, over the whole call; a context
/// that several queries share, over a batch. Only the scored rows go through the output head.
///
/// @param maxLength most tokens of an input
public record PairScorer(Decoder decoder, Tokenizer tokenizer, PromptTemplate template, int maxLength) {
    public PairScorer {
        if (maxLength < 1 || maxLength > decoder.config().maxPositions()) {
            throw new IllegalArgumentException("maximal length %d: expected 1 to %d, the model's positions"
                    .formatted(maxLength, decoder.config().maxPositions()));
        }
    }

    /// Scores `queries[i]` after the prompt with `documents[i]`.
    ///
    /// @return the log-probability of each scored query token, `[pairs][tokens]`; a query without tokens has none,
    ///     one that is longer than the model keeps its last ones
    public float[][] logProbabilities(
            List<String> queries, List<String> documents, int batchTokens, Progress progress) {
        if (queries.size() != documents.size()) {
            throw new IllegalArgumentException(
                    "%d queries for %d documents".formatted(queries.size(), documents.size()));
        }
        List<ScoringRequest> requests = requests(queries, documents);
        float[][] results = new float[requests.size()][];
        List<Integer> scored = new ArrayList<>();
        for (int i = 0; i < results.length; i++) {
            results[i] = new float[0];
            if (requests.get(i).targets().length > 0) {
                scored.add(i);
            }
        }
        if (!scored.isEmpty()) {
            run(requests, byContext(requests, scored), batchTokens, progress, results);
        } else {
            progress.update(results.length, results.length);
        }
        return results;
    }

    private List<ScoringRequest> requests(List<String> queries, List<String> documents) {
        int instruction = tokenizer.encode(template.before(), false).length;
        Map<String, int[]> queryIds = new HashMap<>();
        Map<String, int[]> contextIds = new HashMap<>();
        List<ScoringRequest> requests = new ArrayList<>(queries.size());
        for (int i = 0; i < queries.size(); i++) {
            int[] query = queryIds.computeIfAbsent(queries.get(i), q -> tokenizer.encode(q, false));
            int[] context =
                    contextIds.computeIfAbsent(documents.get(i), d -> tokenizer.encode(template.context(d), false));
            requests.add(ScoringRequest.of(context, query, instruction, maxLength));
        }
        return requests;
    }

    /// Puts requests with equal contexts next to one another, otherwise in the given order.
    private static List<Integer> byContext(List<ScoringRequest> requests, List<Integer> scored) {
        Map<IntBuffer, List<Integer>> groups = new LinkedHashMap<>();
        for (int i : scored) {
            ScoringRequest request = requests.get(i);
            IntBuffer context = IntBuffer.wrap(request.input(), 0, request.scoredFrom() + 1);
            groups.computeIfAbsent(context, c -> new ArrayList<>()).add(i);
        }
        return groups.values().stream().flatMap(List::stream).toList();
    }

    private void run(
            List<ScoringRequest> requests, List<Integer> order, int batchTokens, Progress progress, float[][] results) {
        int done = results.length - order.size();
        try (SharedPrefix shared = SharedPrefix.of(decoder, requests, order)) {
            ScoringBatch batch = new ScoringBatch(shared.states());
            for (int i : order) {
                ScoringRequest request = requests.get(i);
                if (!batch.isEmpty() && batch.tokens() + batch.cost(request) > batchTokens) {
                    batch.run(decoder, results);
                    done += batch.size();
                    progress.update(done, results.length);
                    batch = new ScoringBatch(shared.states());
                }
                batch.add(i, request);
            }
            batch.run(decoder, results);
            progress.update(results.length, results.length);
        }
    }

    /// The tokens that every request starts with.
    private record SharedPrefix(Optional<CachedPrefix> states) implements AutoCloseable {
        static SharedPrefix of(Decoder decoder, List<ScoringRequest> requests, List<Integer> order) {
            int[] first = requests.get(order.getFirst()).input();
            int length = first.length;
            for (int i : order) {
                ScoringRequest request = requests.get(i);
                // The first scored row must be computed, not cached.
                length = Math.min(length, request.scoredFrom());
                int mismatch = Arrays.mismatch(first, 0, length, request.input(), 0, length);
                length = mismatch < 0 ? length : mismatch;
            }
            return order.size() < 2 || length == 0
                    ? new SharedPrefix(Optional.empty())
                    : new SharedPrefix(Optional.of(decoder.prefix(Arrays.copyOf(first, length))));
        }

        @Override
        public void close() {
            states.ifPresent(CachedPrefix::close);
        }
    }
}
