package io.github.sgpt4j.server.inference;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Embedding;
import io.github.sgpt4j.ScoringMethod;
import io.github.sgpt4j.TextCut;
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
import java.util.stream.IntStream;

/// Embeds and scores for requests: tokenizes for each, computes in batches with others.
///
/// @param queue forms the batches
/// @param metrics count
/// @param work tokenizes long texts
public record Inference(BatchQueue queue, Metrics metrics, LongWork work) {
    /// Characters that are tokenized together, unless a single text has more.
    private static final int TOGETHER = 1 << 18;

    /// Results, and when they came.
    private record Timed<R>(List<R> results, double queue, double inference) {}

    /// Embeds texts.
    ///
    /// @throws ApiException if they cannot be embedded, or not in time
    public Embedded embed(EmbedRequest request, Deadline deadline) {
        return embed(List.of(request), deadline);
    }

    /// Embeds the texts of all parts of a request together.
    ///
    /// @param parts with one encoder; at least one
    /// @return the results of all parts, in order
    /// @throws ApiException if they cannot be embedded, or not in time
    public Embedded embed(List<EmbedRequest> parts, Deadline deadline) {
        metrics.begin(
                Metrics.Work.EMBED,
                parts.stream().mapToInt(part -> part.inputs().size()).sum());
        parts.forEach(Inference::requireDimensions);
        long start = System.nanoTime();
        List<TokenizedText> texts = new ArrayList<>();
        parts.forEach(part -> tokenize(part, deadline, texts));
        double tokenization = (System.nanoTime() - start) / 1e9;
        Timed<Embedding> timed = compute(new EmbedOperation(parts.getFirst().encoder()), texts, deadline);
        List<float[]> vectors = new ArrayList<>(texts.size());
        for (EmbedRequest part : parts) {
            for (int i = 0; i < part.inputs().size(); i++) {
                vectors.add(shaped(timed.results().get(vectors.size()).vector(), part));
            }
        }
        int[] tokens = texts.stream().mapToInt(TokenizedText::tokens).toArray();
        boolean[] truncated = new boolean[texts.size()];
        for (int i = 0; i < truncated.length; i++) {
            truncated[i] = texts.get(i).truncated();
        }
        long characters =
                parts.stream().mapToLong(part -> characters(part.inputs())).sum();
        Timing timing = new Timing(deadline.elapsed(), tokenization, timed.queue(), timed.inference());
        Embedded embedded = new Embedded(vectors, tokens, truncated, characters, timing);
        metrics.success(Metrics.Work.EMBED, tokens, embedded.cut(), timing);
        return embedded;
    }

    /// Tokenizes some inputs at a time, so that other requests get their turn between them.
    private void tokenize(EmbedRequest request, Deadline deadline, List<TokenizedText> texts) {
        List<Input> inputs = request.inputs();
        int from = 0;
        while (from < inputs.size()) {
            long size = inputs.get(from).size();
            int to = from + 1;
            while (to < inputs.size() && size + inputs.get(to).size() <= TOGETHER) {
                size += inputs.get(to).size();
                to++;
            }
            int first = from;
            int end = to;
            texts.addAll(work.run(
                    size,
                    deadline,
                    () -> IntStream.range(first, end)
                            .mapToObj(i -> tokenized(request, i))
                            .toList()));
            from = to;
        }
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
    /// @throws ApiException if they cannot be scored, or not in time
    public Scored score(ScoreRequest request, Deadline deadline) {
        metrics.begin(Metrics.Work.PREDICT, request.documents().size());
        long start = System.nanoTime();
        List<TokenizedPair> pairs = work.run(
                request.characters(),
                deadline,
                () -> request.encoder().tokenized(request.query(), request.documents(), true));
        requireLengths(request, pairs);
        double tokenization = (System.nanoTime() - start) / 1e9;
        Timed<CrossEncoder.Score> timed = compute(new ScoreOperation(request.encoder()), pairs, deadline);
        long characters = request.query().codePointCount(0, request.query().length());
        for (String document : request.documents()) {
            characters += document.codePointCount(0, document.length());
        }
        Timing timing = new Timing(deadline.elapsed(), tokenization, timed.queue(), timed.inference());
        Scored scored = new Scored(timed.results(), characters, timing);
        int[] tokens = pairs.stream().mapToInt(TokenizedPair::tokens).toArray();
        metrics.success(Metrics.Work.PREDICT, tokens, scored.cut(), timing);
        return scored;
    }

    private static void requireLengths(ScoreRequest request, List<TokenizedPair> pairs) {
        for (int i = 0; i < pairs.size() && !request.truncate(); i++) {
            TokenizedPair pair = pairs.get(i);
            if (pair.truncated()) {
                throw tooLong("%s[%d] with the query".formatted(request.field(), i), pair.uncutTokens(), pair.tokens());
            }
        }
        long cut = pairs.stream().filter(TokenizedPair::truncated).count();
        boolean likelihood = request.encoder().method() == ScoringMethod.LIKELIHOOD;
        if (cut > 0 && request.cut() == (likelihood ? TextCut.RIGHT : TextCut.LEFT)) {
            throw new ApiException(
                    Problem.INVALID_VALUE,
                    "truncation_direction",
                    "truncation_direction: pairs are cut on the %s, as the model was made for, and %d are too long"
                            .formatted(likelihood ? "left" : "right", cut));
        }
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
