package io.github.sgpt4j.inference;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.batch.TokenBudget;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.model.CachedPrefix;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The cross-encoder: how likely a query is after a prompt with a document (SGPT-CE, Muennighoff 2022,
/// section 3). Borrows decoder and tokenizer.
///
/// Shared tokens are computed once where possible: the common prefix of all requests once per call, a
/// context shared by several queries once per batch. Only the scored rows go through the output head.
///
/// @param lanes the model
/// @param template of prompts with the document
/// @param maxLength maximum tokens of an input
/// @param vocabulary first rows of the output head that the softmax runs over; all if there are fewer
public record PairScorer(Lanes lanes, Tokenizer tokenizer, PromptTemplate template, int maxLength, int vocabulary)
        implements PairScoring<ScoringRequest> {
    /// A context may be computed again for a further batch if that batch may have this many times its
    /// tokens.
    private static final long WORTH_SHARING = 8;

    public PairScorer {
        int longest = lanes.any().config().longest();
        if (maxLength < 1 || maxLength > longest) {
            throw new IllegalArgumentException(
                    "maximal length %d: expected 1 to %d, the model's positions".formatted(maxLength, longest));
        }
    }

    /// On one device, with all rows of the output head.
    public PairScorer(Decoder decoder, Tokenizer tokenizer, PromptTemplate template, int maxLength) {
        this(new Lanes(List.of(decoder)), tokenizer, template, maxLength, Integer.MAX_VALUE);
    }

    /// Number of tokens of prompts that stay when they are cut: of the example and of the text before the
    /// document, each tokenized by itself, as in SGPT's reference implementation.
    static int instruction(Tokenizer tokenizer, PromptTemplate template) {
        return tokenizer.encode(template.before(), false).length + tokenizer.encode(template.example(), false).length;
    }

    /// As [#score]; pairs that are too long are cut.
    ///
    /// @return the log-probability of each scored query token, `[pairs][tokens]`
    public float[][] logProbabilities(
            List<String> queries, List<String> documents, int batchTokens, Progress progress) {
        return score(queries, documents, true, batchTokens, progress).values();
    }

    @Override
    public Class<ScoringRequest> tokenized() {
        return ScoringRequest.class;
    }

    /// Scores `queries[i]` after the prompt with `documents[i]`, as [#score(List, int, Progress)]: the
    /// values are the log-probabilities of each scored query token; none for a query without tokens, and
    /// only the last ones of a query that is longer than the model allows.
    @Override
    public Scored score(
            List<String> queries, List<String> documents, boolean truncate, int batchTokens, Progress progress) {
        if (queries.size() != documents.size()) {
            throw new IllegalArgumentException(
                    "%d queries for %d documents".formatted(queries.size(), documents.size()));
        }
        Cancellation cancellation = Cancellation.ofThisThread("scoring pairs");
        cancellation.check();
        List<ScoringRequest> requests = requests(queries, documents, cancellation);
        for (int i = 0; i < requests.size() && !truncate; i++) {
            if (requests.get(i).truncated()) {
                throw new FormatException("prompt with document %s and query %s: expected at most %d tokens, got %d"
                        .formatted(
                                Quoted.of(documents.get(i)),
                                Quoted.of(queries.get(i)),
                                maxLength,
                                requests.get(i).uncutTokens()));
            }
        }
        return score(requests, batchTokens, progress, cancellation);
    }

    @Override
    public Scored score(List<ScoringRequest> requests, int batchTokens, Progress progress) {
        Cancellation cancellation = Cancellation.ofThisThread("scoring pairs");
        cancellation.check();
        return score(requests, batchTokens, progress, cancellation);
    }

    private Scored score(List<ScoringRequest> requests, int batchTokens, Progress progress, Cancellation cancellation) {
        return Scored.of(score(lanes, requests, vocabulary, batchTokens, progress, cancellation), requests);
    }

    /// Scores requests that are already token ids.
    static float[][] score(
            Lanes lanes,
            List<ScoringRequest> requests,
            int vocabulary,
            int batchTokens,
            Progress progress,
            Cancellation cancellation) {
        float[][] results = new float[requests.size()][];
        List<Integer> scored = new ArrayList<>();
        for (int i = 0; i < results.length; i++) {
            results[i] = new float[0];
            if (requests.get(i).targets().length > 0) {
                scored.add(i);
            }
        }
        if (!scored.isEmpty()) {
            run(lanes, requests, scored, vocabulary, batchTokens, progress, cancellation, results);
        } else {
            new Counter(progress, cancellation, results.length, results.length).add(0);
        }
        return results;
    }

    /// Pairs as token ids, those that are too long cut. Equal texts are tokenized once.
    @Override
    public List<ScoringRequest> requests(List<String> queries, List<String> documents, Cancellation cancellation) {
        int instruction = instruction(tokenizer, template);
        Map<String, int[]> queryIds = new HashMap<>();
        Map<String, int[]> contextIds = new HashMap<>();
        List<ScoringRequest> requests = new ArrayList<>(queries.size());
        for (int i = 0; i < queries.size(); i++) {
            cancellation.check();
            int[] query = queryIds.computeIfAbsent(queries.get(i), q -> queryIds(q, cancellation));
            int[] context = contextIds.computeIfAbsent(
                    documents.get(i), d -> tokenizer.encode(template.context(d), false, cancellation));
            requests.add(ScoringRequest.of(context, query, instruction, maxLength));
        }
        return requests;
    }

    private int[] queryIds(String query, Cancellation cancellation) {
        int[] ids = tokenizer.encode(query, false, cancellation);
        for (int id : ids) {
            if (id >= vocabulary) {
                throw new FormatException(
                        "query %s: expected tokens of the tokenizer's vocabulary, over whose %d ids the softmax runs, got the added token %s"
                                .formatted(Quoted.of(query), vocabulary, Quoted.of(tokenizer.content(id))));
            }
        }
        return ids;
    }

    /// Requests grouped by equal context, in the order of first occurrence.
    private static List<List<Integer>> byContext(List<ScoringRequest> requests, List<Integer> scored) {
        Map<IntBuffer, List<Integer>> groups = new LinkedHashMap<>();
        for (int i : scored) {
            ScoringRequest request = requests.get(i);
            IntBuffer context = IntBuffer.wrap(request.input(), 0, request.scoredFrom() + 1);
            groups.computeIfAbsent(context, c -> new ArrayList<>()).add(i);
        }
        return List.copyOf(groups.values());
    }

    private static void run(
            Lanes lanes,
            List<ScoringRequest> requests,
            List<Integer> scored,
            int vocabulary,
            int batchTokens,
            Progress progress,
            Cancellation cancellation,
            float[][] results) {
        Counter counter = new Counter(progress, cancellation, results.length, results.length - scored.size());
        int[] shared = sharedTokens(requests, scored);
        TokenBudget budget = lanes.budget(batchTokens);
        List<Piece> pieces = byContext(requests, scored).stream()
                .flatMap(group -> pieces(requests, group, shared.length, budget).stream())
                .toList();
        int[] tokens = pieces.stream().mapToInt(Piece::tokens).toArray();
        Iterator<ScoringBatch> batches = budget.plan(tokens).stream()
                .map(plan -> batch(requests, Arrays.stream(plan).mapToObj(pieces::get), shared.length))
                .iterator();
        lanes.run(
                batches,
                ScoringBatch::tokens,
                budget,
                cancellation,
                decoder -> new ScoringLane(decoder, shared, vocabulary, results, counter, cancellation));
    }

    /// Requests with equal contexts that go through the decoder together.
    ///
    /// @param tokens number of tokens to compute for them
    private record Piece(List<Integer> requests, int tokens) {}

    /// Splits requests with equal contexts if they are too many for a batch. To avoid computing the
    /// context too often, a batch may be larger than its part of the budget.
    private static List<Piece> pieces(
            List<ScoringRequest> requests, List<Integer> group, int cached, TokenBudget budget) {
        int context = requests.get(group.getFirst()).scoredFrom() + 1;
        long max = Math.min(budget.tokens(), Math.max(budget.batchTokens(), WORTH_SHARING * (context - cached)));
        List<Piece> pieces = new ArrayList<>();
        int from = 0;
        int tokens = 0;
        for (int i = 0; i < group.size(); i++) {
            int query = requests.get(group.get(i)).input().length - context;
            if (i > from && (long) tokens + query > max) {
                pieces.add(new Piece(group.subList(from, i), tokens));
                from = i;
            }
            tokens = i == from ? context - cached + query : tokens + query;
        }
        pieces.add(new Piece(group.subList(from, group.size()), tokens));
        return pieces;
    }

    private static ScoringBatch batch(List<ScoringRequest> requests, Stream<Piece> pieces, int cached) {
        ScoringBatch batch = new ScoringBatch(cached);
        pieces.flatMap(piece -> piece.requests().stream()).forEach(i -> batch.add(i, requests.get(i)));
        return batch;
    }

    /// The tokens that every request starts with; none if there is only one request.
    private static int[] sharedTokens(List<ScoringRequest> requests, List<Integer> scored) {
        int[] first = requests.get(scored.getFirst()).input();
        int length = scored.size() < 2 ? 0 : first.length;
        for (int i : scored) {
            ScoringRequest request = requests.get(i);
            // The first scored row must be computed, not cached.
            length = Math.min(length, request.scoredFrom());
            int mismatch = Arrays.mismatch(first, 0, length, request.input(), 0, length);
            length = mismatch < 0 ? length : mismatch;
        }
        return Arrays.copyOf(first, length);
    }

    /// One device's part, which computes the shared tokens once.
    private static final class ScoringLane implements Lanes.Lane<ScoringBatch> {
        private final Decoder decoder;
        private final Optional<CachedPrefix> prefix;
        private final int vocabulary;
        private final float[][] results;
        private final Counter counter;
        private final Cancellation cancellation;

        ScoringLane(
                Decoder decoder,
                int[] shared,
                int vocabulary,
                float[][] results,
                Counter counter,
                Cancellation cancellation) {
            this.decoder = decoder;
            this.vocabulary = vocabulary;
            this.results = results;
            this.counter = counter;
            this.cancellation = cancellation;
            prefix = shared.length == 0 ? Optional.empty() : Optional.of(decoder.prefix(shared, cancellation));
        }

        @Override
        public Lanes.Started start(ScoringBatch batch) {
            Download download = batch.start(decoder, prefix, vocabulary, cancellation);
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
