package io.github.sgpt4j.scoring;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.model.CachedPrefix;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;

/// The cross-encoder: how likely is a query after a prompt with a document (SGPT-CE, Muennighoff 2022, section 3).
/// Borrows decoder and tokenizer.
///
/// Tokens are computed once where possible: what all requests of a call start with, over the whole call; a context
/// that several queries share, over a batch. Only the scored rows go through the output head.
///
/// @param lanes the model
/// @param maxLength most tokens of an input
public record PairScorer(Lanes lanes, Tokenizer tokenizer, PromptTemplate template, int maxLength) {
    public PairScorer {
        int positions = lanes.any().config().maxPositions();
        if (maxLength < 1 || maxLength > positions) {
            throw new IllegalArgumentException(
                    "maximal length %d: expected 1 to %d, the model's positions".formatted(maxLength, positions));
        }
    }

    /// On one device.
    public PairScorer(Decoder decoder, Tokenizer tokenizer, PromptTemplate template, int maxLength) {
        this(new Lanes(List.of(decoder)), tokenizer, template, maxLength);
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
        return score(lanes, requests(queries, documents), batchTokens, progress);
    }

    /// Scores requests that are token ids already.
    static float[][] score(Lanes lanes, List<ScoringRequest> requests, int batchTokens, Progress progress) {
        float[][] results = new float[requests.size()][];
        List<Integer> scored = new ArrayList<>();
        for (int i = 0; i < results.length; i++) {
            results[i] = new float[0];
            if (requests.get(i).targets().length > 0) {
                scored.add(i);
            }
        }
        if (!scored.isEmpty()) {
            run(lanes, requests, byContext(requests, scored), batchTokens, progress, results);
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

    private static void run(
            Lanes lanes,
            List<ScoringRequest> requests,
            List<Integer> order,
            int batchTokens,
            Progress progress,
            float[][] results) {
        Counter counter = new Counter(progress, results.length, results.length - order.size());
        int[] shared = sharedTokens(requests, order);
        lanes.run(
                new Batches(requests, order, shared.length, batchTokens),
                decoder -> new ScoringLane(decoder, shared, results, counter));
    }

    /// The tokens that every request starts with; none if there is only one request.
    private static int[] sharedTokens(List<ScoringRequest> requests, List<Integer> order) {
        int[] first = requests.get(order.getFirst()).input();
        int length = order.size() < 2 ? 0 : first.length;
        for (int i : order) {
            ScoringRequest request = requests.get(i);
            // The first scored row must be computed, not cached.
            length = Math.min(length, request.scoredFrom());
            int mismatch = Arrays.mismatch(first, 0, length, request.input(), 0, length);
            length = mismatch < 0 ? length : mismatch;
        }
        return Arrays.copyOf(first, length);
    }

    /// Fills batches in the given order, each when it is asked for.
    private static final class Batches implements Iterator<ScoringBatch> {
        private final List<ScoringRequest> requests;
        private final List<Integer> order;
        private final int cached;
        private final int batchTokens;
        private int next;

        Batches(List<ScoringRequest> requests, List<Integer> order, int cached, int batchTokens) {
            this.requests = requests;
            this.order = order;
            this.cached = cached;
            this.batchTokens = batchTokens;
        }

        @Override
        public boolean hasNext() {
            return next < order.size();
        }

        @Override
        public ScoringBatch next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            ScoringBatch batch = new ScoringBatch(cached);
            do {
                batch.add(order.get(next), requests.get(order.get(next)));
                next++;
            } while (hasNext() && batch.tokens() + batch.cost(requests.get(order.get(next))) <= batchTokens);
            return batch;
        }
    }

    /// One device's part; computes the shared tokens for itself.
    private static final class ScoringLane implements Lanes.Lane<ScoringBatch> {
        private final Decoder decoder;
        private final Optional<CachedPrefix> prefix;
        private final float[][] results;
        private final Counter counter;

        ScoringLane(Decoder decoder, int[] shared, float[][] results, Counter counter) {
            this.decoder = decoder;
            this.results = results;
            this.counter = counter;
            prefix = shared.length == 0 ? Optional.empty() : Optional.of(decoder.prefix(shared));
        }

        @Override
        public Lanes.Started start(ScoringBatch batch) {
            Download download = batch.start(decoder, prefix);
            return new Lanes.Started() {
                @Override
                public void finish() {
                    batch.keep(download.get(), results);
                    counter.add(batch.size());
                }

                @Override
                public void close() {
                    download.close();
                }
            };
        }

        @Override
        public void close() {
            prefix.ifPresent(CachedPrefix::close);
        }
    }
}
