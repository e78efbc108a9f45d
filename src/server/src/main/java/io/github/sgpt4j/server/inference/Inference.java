package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Embedding;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TokenizedPair;
import io.github.sgpt4j.TokenizedText;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.server.batching.BatchQueue;
import io.github.sgpt4j.server.batching.Operation;
import io.github.sgpt4j.server.batching.Ticket;
import io.github.sgpt4j.server.metrics.Metrics;
import io.github.sgpt4j.server.metrics.Timing;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Embeds and scores for requests: tokenizes on the thread of the request, computes in batches with others.
///
/// @param queue forms the batches
/// @param metrics count
public record Inference(BatchQueue queue, Metrics metrics) {
    /// Results, and when they came.
    private record Timed<R>(List<R> results, double queue, double inference) {}

    /// Embeds texts.
    ///
    /// @throws ApiException if they cannot be embedded, or not in time
    public Embedded embed(EmbedRequest request, Deadline deadline) {
        List<Input> inputs = request.inputs();
        metrics.begin(Metrics.Work.EMBED, inputs.size());
        requireDimensions(request);
        List<TokenizedText> texts = new ArrayList<>(inputs.size());
        long start = System.nanoTime();
        for (int i = 0; i < inputs.size(); i++) {
            texts.add(tokenized(request, i));
        }
        double tokenization = (System.nanoTime() - start) / 1e9;
        Timed<Embedding> timed = compute(new EmbedOperation(request.encoder()), texts, deadline);
        List<float[]> vectors = timed.results().stream()
                .map(embedding -> shaped(embedding.vector(), request))
                .toList();
        int[] tokens = texts.stream().mapToInt(TokenizedText::tokens).toArray();
        boolean[] truncated = new boolean[texts.size()];
        for (int i = 0; i < truncated.length; i++) {
            truncated[i] = texts.get(i).truncated();
        }
        Timing timing = new Timing(deadline.elapsed(), tokenization, timed.queue(), timed.inference());
        Embedded embedded = new Embedded(vectors, tokens, truncated, characters(inputs), timing);
        metrics.success(Metrics.Work.EMBED, tokens, embedded.cut(), timing);
        return embedded;
    }

    private static void requireDimensions(EmbedRequest request) {
        int all = request.encoder().dimension();
        if (request.dimensions().isPresent()) {
            int asked = request.dimensions().getAsInt();
            if (asked < 1 || asked > all) {
                throw new ApiException(
                        Problem.INVALID_VALUE,
                        "dimensions",
                        "dimensions: expected 1 to %d, got %d".formatted(all, asked));
            }
        }
    }

    private static TokenizedText tokenized(EmbedRequest request, int index) {
        Input input = request.inputs().get(index);
        BiEncoder encoder = request.encoder();
        TokenizedText text;
        try {
            text = switch (request.reading()) {
                case Reading.Kind(TextKind kind) ->
                    switch (input) {
                        case Input.Text(String of) -> encoder.tokenized(of, kind, request.cut());
                        case Input.Ids(int[] ids) -> encoder.tokenizedIds(ids, kind, request.cut());
                    };
                case Reading.Prompt(String prompt) ->
                    switch (input) {
                        case Input.Text(String of) -> encoder.tokenizedWithPrompt(prompt, of, request.cut());
                        case Input.Ids(int[] ids) ->
                            encoder.tokenizedWithPrompt(prompt, encoder.model().detokenize(ids, true), request.cut());
                    };
            };
        } catch (IllegalArgumentException e) {
            throw new ApiException(
                    Problem.INVALID_TOKEN, place(request, index), place(request, index) + ": " + e.getMessage());
        }
        if (text.truncated() && !request.truncate()) {
            throw tooLong(place(request, index), text.uncutTokens(), text.tokens());
        }
        return text;
    }

    private static ApiException tooLong(String place, int tokens, int limit) {
        return new ApiException(
                Problem.INPUT_TOO_LONG, place, "%s has %d tokens, the limit is %d".formatted(place, tokens, limit));
    }

    private static String place(EmbedRequest request, int index) {
        return request.inputs().size() == 1 ? request.field() : "%s[%d]".formatted(request.field(), index);
    }

    private static float[] shaped(float[] vector, EmbedRequest request) {
        float[] kept = request.dimensions().isPresent()
                ? Arrays.copyOf(vector, request.dimensions().getAsInt())
                : vector;
        if (request.normalize()) {
            double sum = 0;
            for (float x : kept) {
                sum += (double) x * x;
            }
            if (sum > 0) {
                double scale = 1 / Math.sqrt(sum);
                for (int i = 0; i < kept.length; i++) {
                    kept[i] = (float) (kept[i] * scale);
                }
            }
        }
        return kept;
    }

    private static long characters(List<Input> inputs) {
        long characters = 0;
        for (Input input : inputs) {
            if (input instanceof Input.Text(String text)) {
                characters += text.codePointCount(0, text.length());
            }
        }
        return characters;
    }

    /// Scores documents for a query.
    ///
    /// @param field of the body that holds the documents, for messages
    /// @param truncate whether pairs that are too long are cut; otherwise they are refused
    /// @throws ApiException if they cannot be scored, or not in time
    public Scored score(
            CrossEncoder encoder,
            String query,
            List<String> documents,
            String field,
            boolean truncate,
            Deadline deadline) {
        metrics.begin(Metrics.Work.PREDICT, documents.size());
        long start = System.nanoTime();
        List<TokenizedPair> pairs = encoder.tokenized(query, documents, true);
        for (int i = 0; i < pairs.size(); i++) {
            TokenizedPair pair = pairs.get(i);
            if (pair.truncated() && !truncate) {
                throw tooLong("%s[%d] with the query".formatted(field, i), pair.uncutTokens(), pair.tokens());
            }
        }
        double tokenization = (System.nanoTime() - start) / 1e9;
        Timed<CrossEncoder.Score> timed = compute(new ScoreOperation(encoder), pairs, deadline);
        long characters = query.codePointCount(0, query.length());
        for (String document : documents) {
            characters += document.codePointCount(0, document.length());
        }
        Timing timing = new Timing(deadline.elapsed(), tokenization, timed.queue(), timed.inference());
        Scored scored = new Scored(timed.results(), characters, timing);
        int[] tokens = pairs.stream().mapToInt(TokenizedPair::tokens).toArray();
        metrics.success(Metrics.Work.PREDICT, tokens, scored.cut(), timing);
        return scored;
    }

    private <T, R> Timed<R> compute(Operation<T, R> operation, List<T> items, Deadline deadline) {
        Ticket<R> ticket = queue.submit(operation, items);
        try {
            List<R> results = ticket.await(deadline.end());
            return new Timed<>(results, ticket.queueSeconds(), ticket.inferenceSeconds());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(Problem.UNAVAILABLE, "the server is ending", e);
        } catch (SgptException e) {
            throw new ApiException(Problem.INTERNAL, "the computation failed: " + e.getMessage(), e);
        } catch (IllegalStateException e) {
            throw new ApiException(Problem.UNAVAILABLE, "the model is closed", e);
        } catch (OutOfMemoryError e) {
            throw new ApiException(Problem.INTERNAL, "the computation failed: not enough memory", e);
        }
    }
}
