package io.github.sgpt4j;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.Fingerprint;
import io.github.sgpt4j.checkpoint.ScoreActivation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.inference.PairScoring;
import io.github.sgpt4j.inference.PairTokens;
import io.github.sgpt4j.inference.Progress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// Scores how well documents answer queries. Higher is better. Safe to share between threads.
///
/// What is computed ([#method]) is what the options ask for, otherwise what the model's files or its
/// published name say, otherwise the likelihood:
///
/// - likelihood: SGPT-CE (Muennighoff 2022, arXiv 2202.08904, section 3). The score is
///   Σ log p(token | prompt with the document, earlier query tokens) over the query's tokens, natural
///   logarithm; only scores of the same query are comparable. Input that is too long is cut from the left,
///   but the prompt's instruction stays. A query without tokens scores 0.
/// - choice: the logit of one token after a prompt with both texts, or its difference to the logit of a second
///   one ("yes" and "no"), or the probability that this makes. Texts that are too long are cut on the right;
///   what the prompt has after them stays. With a [ScoringPrompt] that has choices: log p of the first of a few
///   tokens, by a softmax over them; cut as for the likelihood.
/// - head: the output of a classification head with one label for such a prompt, or the probability of it.
///
/// Scores are finite: if the model computes NaN or infinity, all methods that score throw a
/// [FormatException][io.github.sgpt4j.error.FormatException] with the pair and what to do about it.
///
/// Interrupting a thread ([Thread#interrupt], `Future.cancel(true)`, `ExecutorService.shutdownNow`)
/// ends its current call here with a [CancelledException][io.github.sgpt4j.error.CancelledException],
/// before the decoder's next layer, and the interrupt status stays set; no other call is affected, and
/// the encoder stays usable. If the status is already set before a call, the exception comes at once,
/// for an empty list too. An interrupt that comes after everything is computed only leaves the status
/// set. A [ProgressListener] may interrupt the thread that it is called on.
public final class CrossEncoder implements AutoCloseable {
    private final Model model;
    private final boolean ownsModel;
    private final CrossEncoderOptions options;
    private final ScoringPlan plan;
    private final PairScoring<?> scorer;
    private final int maxLength;
    private final TextReadings.Tally tally;
    private volatile boolean closed;

    /// A pair's score.
    ///
    /// @param value sum of `tokenLogProbabilities`; or the difference of `logits`, or the only one of them, or
    ///     the probability or log-probability that this makes
    /// @param tokenLogProbabilities of each scored query token, in order; empty unless the likelihood is
    ///     computed
    /// @param logits what was read from the model: the logit of the token that counts, then those of the ones
    ///     against it, if there are any; or the head's output. Empty for the likelihood
    /// @param inputTokens token ids that it was computed from: prompt with document and query, for the
    ///     likelihood without the last id
    /// @param uncutTokens token ids before cutting
    public record Score(
            float value, List<Float> tokenLogProbabilities, List<Float> logits, int inputTokens, int uncutTokens) {
        /// Copies the lists.
        public Score {
            tokenLogProbabilities = List.copyOf(tokenLogProbabilities);
            logits = List.copyOf(logits);
        }

        /// Number of scored query tokens; 0 unless the likelihood is computed.
        public int tokens() {
            return tokenLogProbabilities.size();
        }

        /// Whether prompt, document and query were too long together and were cut.
        public boolean truncated() {
            return uncutTokens > inputTokens;
        }

        /// The score before it becomes a probability: the difference of `logits`, or the only one of them (of
        /// more than two, the first less the logarithm of the others' summed exponentials); `value` for the
        /// likelihood. It also tells scores apart that are rounded to the same probability.
        public float rawValue() {
            return logits.isEmpty() ? value : (float) raw(logits);
        }

        private static double raw(List<Float> logits) {
            return logits.size() == 1
                    ? logits.getFirst()
                    : (double) logits.getFirst() - logSumExp(logits.subList(1, logits.size()));
        }

        /// Of one number, the number itself.
        private static double logSumExp(List<Float> values) {
            double maximum = Collections.max(values);
            double sum = 0;
            for (float value : values) {
                sum += Math.exp(value - maximum);
            }
            return maximum + Math.log(sum);
        }

        private static Score likelihood(float[] logProbabilities, int inputTokens, int uncutTokens) {
            double sum = 0;
            for (float p : logProbabilities) {
                sum += p;
            }
            return new Score((float) sum, list(logProbabilities), List.of(), inputTokens, uncutTokens);
        }

        private static Score logits(float[] logits, ScoreActivation activation, int inputTokens, int uncutTokens) {
            List<Float> values = list(logits);
            return new Score((float) activation.apply(raw(values)), List.of(), values, inputTokens, uncutTokens);
        }

        private static List<Float> list(float[] values) {
            List<Float> list = new ArrayList<>(values.length);
            for (float value : values) {
                list.add(value);
            }
            return list;
        }
    }

    /// A document's place in a ranking.
    ///
    /// @param index of the document in the list that was ranked
    /// @param score higher is better
    public record Ranked(int index, float score) {}

    private CrossEncoder(Model model, boolean ownsModel, CrossEncoderOptions options) {
        Cancellation.ofThisThread("opening " + model.directory()).check();
        this.model = model;
        this.ownsModel = ownsModel;
        this.options = options;
        plan = ScoringPlan.of(model, options);
        maxLength = plan.maxLength(model, options);
        scorer = plan.scorer(model, options, maxLength);
        tally = new TextReadings.Tally(maxLength);
    }

    /// Maximum token ids of prompt, document and query together, for the likelihood without the last id. The
    /// templates bge-gemma and mxbai-v2 count the texts, not the whole prompt.
    public int maxLength() {
        return maxLength;
    }

    /// What is computed for pairs.
    public ScoringMethod method() {
        return plan.method();
    }

    /// The prompt that documents are put into, and what the softmax runs over; empty if a template of another
    /// kind makes the prompts.
    public Optional<ScoringPrompt> prompt() {
        return plan.usesPrompt() ? Optional.of(options.scoringPrompt()) : Optional.empty();
    }

    /// Whether scores are probabilities: from 0 to 1, and comparable between queries.
    public boolean scoresAreProbabilities() {
        return plan.activation() == ScoreActivation.SIGMOID;
    }

    /// Opens a checkpoint directory with default options; closing the encoder closes the model.
    public static CrossEncoder open(Path directory) {
        return open(directory, ModelOptions.DEFAULT, CrossEncoderOptions.DEFAULT);
    }

    /// Opens a checkpoint directory; closing the encoder closes the model.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if a file is missing, broken or asks for something
    ///     unsupported, the checkpoint has no output head or a classification head, the device is
    ///     unavailable, or this thread is interrupted
    public static CrossEncoder open(Path directory, ModelOptions modelOptions, CrossEncoderOptions options) {
        Model model = Model.open(directory, modelOptions);
        try {
            return model.madeWhileOpen(() -> new CrossEncoder(model, true, options));
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /// An encoder over a model that the caller owns and closes after the encoder.
    ///
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public static CrossEncoder of(Model model, CrossEncoderOptions options) {
        return model.madeWhileOpen(() -> new CrossEncoder(model, false, options));
    }

    /// The model that computes.
    public Model model() {
        return model;
    }

    /// What users should know about how scores are computed, in addition to [Model#notices]: one
    /// sentence each, with the file; empty for most checkpoints.
    ///
    /// @throws IllegalStateException if the encoder or its model is closed
    public List<String> notices() {
        requireOpen();
        return model.whileOpen(() -> {
            List<String> notices = new ArrayList<>(plan.notices(model));
            if (plan.method() != ScoringMethod.HEAD) {
                notices.addAll(model.decoder().headNotices());
            }
            return notices;
        });
    }

    /// Identifies everything that scores depend on: the checkpoint's contents ([Model#fingerprint]), what is
    /// computed, prompt and maximum length. 32 hexadecimal digits.
    ///
    /// @throws IllegalStateException if the encoder or its model is closed
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public String fingerprint() {
        requireOpen();
        Fingerprint fingerprint =
                new Fingerprint().add(model.fingerprint()).add(options.prompt()).add(Integer.toString(maxLength()));
        plan.identity().forEach(fingerprint::add);
        options.scoringPrompt().identity().forEach(fingerprint::add);
        return fingerprint.hex();
    }

    /// Scores one query against documents.
    ///
    /// @return one score per document, in order
    public List<Score> score(String query, List<String> documents) {
        Objects.requireNonNull(query, "query");
        return score(Collections.nCopies(documents.size(), query), documents, ProgressListener.NONE);
    }

    /// Orders documents by their scores for a query.
    ///
    /// @return all documents, best first; ties in the order of `documents`
    public List<Ranked> rank(String query, List<String> documents) {
        return rank(query, documents, documents.size());
    }

    /// Orders documents by their scores for a query.
    ///
    /// @param limit maximum number of results, at least 0
    /// @return the best documents, best first; ties in the order of `documents`
    /// @throws IllegalArgumentException if `limit` is negative
    public List<Ranked> rank(String query, List<String> documents, int limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("limit: expected at least 0, got " + limit);
        }
        List<Score> scores = score(query, documents);
        return IntStream.range(0, scores.size())
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> scores.get(i).rawValue(), Comparator.reverseOrder()))
                .limit(limit)
                .map(i -> new Ranked(i, scores.get(i).value()))
                .toList();
    }

    /// Scores pairs.
    ///
    /// @return one score per pair, in order
    /// @throws IllegalArgumentException if the numbers of queries and documents differ
    /// @throws io.github.sgpt4j.error.FormatException if a pair is too long and the options say not to
    ///     cut it, a score is NaN or infinite, or a weight file was modified since it was opened
    /// @throws IllegalStateException if the encoder or its model is closed, before or during the call
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or during
    ///     the call
    /// @throws NullPointerException if a text is null
    public List<Score> score(List<String> queries, List<String> documents, ProgressListener progress) {
        requireOpen();
        List<String> first = List.copyOf(queries);
        List<String> second = List.copyOf(documents);
        return scores(
                () -> scorer.score(first, second, options.truncate(), batchTokens(), watching(progress)),
                FiniteResults.Names.ofPairs(first, second));
    }

    /// Tokenizes the pairs of a query with documents, to be scored later. A server can so form batches of
    /// many requests by their exact tokens ([TokenizedPair#tokens]). The query is tokenized once.
    ///
    /// @param truncate whether pairs that are too long are cut, whatever [CrossEncoderOptions#truncate]
    ///     says; otherwise they are refused
    /// @return one pair per document, in order
    /// @throws io.github.sgpt4j.error.FormatException if a pair is too long and is not to be cut, with its
    ///     place, its tokens and the maximum, but nothing of its texts
    /// @throws IllegalStateException if the encoder or its model is closed
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or during
    ///     the call
    /// @throws NullPointerException if a text is null
    public List<TokenizedPair> tokenized(String query, List<String> documents, boolean truncate) {
        Objects.requireNonNull(query, "query");
        requireOpen();
        List<String> copy = List.copyOf(documents);
        Cancellation cancellation = Cancellation.ofThisThread("tokenizing pairs");
        cancellation.check();
        List<TokenizedPair> pairs =
                scorer.requests(Collections.nCopies(copy.size(), query), copy, cancellation).stream()
                        .map(request -> new TokenizedPair(this, request))
                        .toList();
        for (int i = 0; i < pairs.size() && !truncate; i++) {
            if (pairs.get(i).truncated()) {
                throw new FormatException("pair %d of %d: expected at most %d tokens, got %d"
                        .formatted(
                                i + 1,
                                pairs.size(),
                                pairs.get(i).tokens(),
                                pairs.get(i).uncutTokens()));
            }
        }
        return pairs;
    }

    /// Scores pairs that this encoder has tokenized, of any queries together. The results are those of
    /// the methods that score texts; on the CPU they are bit-identical.
    ///
    /// @return one score per pair, in order
    /// @throws IllegalArgumentException if a pair was tokenized by another encoder
    /// @throws io.github.sgpt4j.error.FormatException if a score is NaN or infinite, with the place of its
    ///     pair in the list, or a weight file was modified since it was opened
    /// @throws IllegalStateException if the encoder or its model is closed, before or during the call
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted, before or during
    ///     the call
    /// @throws NullPointerException if a pair is null
    public List<Score> scoreTokenized(List<TokenizedPair> pairs) {
        requireOpen();
        List<PairTokens> requests = TokenizedPair.requests(this, List.copyOf(pairs));
        return scores(() -> score(scorer, requests), FiniteResults.Names.ofPlaces("pair", requests.size()));
    }

    private <T extends PairTokens> PairScoring.Scored score(PairScoring<T> own, List<PairTokens> requests) {
        List<T> tokenized = requests.stream().map(own.tokenized()::cast).toList();
        return own.score(tokenized, batchTokens(), watching(ProgressListener.NONE));
    }

    private Score score(float[] values, int tokens, int uncut) {
        return plan.method() == ScoringMethod.LIKELIHOOD
                ? Score.likelihood(values, tokens, uncut)
                : Score.logits(values, plan.activation(), tokens, uncut);
    }

    private List<Score> scores(Supplier<PairScoring.Scored> computation, FiniteResults.Names names) {
        PairScoring.Scored scored = Model.whileOpen(
                this::requireOpen, () -> model.weights().mapped().reading(computation::get));
        List<Score> scores = IntStream.range(0, scored.tokens().length)
                .mapToObj(i -> score(scored.values()[i], scored.tokens()[i], scored.uncut()[i]))
                .toList();
        FiniteResults finite = new FiniteResults(model);
        for (int i = 0; i < scores.size(); i++) {
            for (float value : scored.values()[i]) {
                finite.requireScore(value, names, i);
            }
            finite.requireScore(scores.get(i).value(), names, i);
        }
        tally.add(scored.tokens(), scored.uncut());
        return scores;
    }

    private Progress watching(ProgressListener progress) {
        return (done, total) -> {
            model.weights().mapped().glance();
            progress.update(done, total);
        };
    }

    /// Maximum tokens computed at the same time on a device.
    public int batchTokens() {
        return options.batchTokens().orElseGet(model::batchTokens);
    }

    /// How many pairs were cut since this encoder was created. Calls that ended with an exception do
    /// not count.
    public Truncation truncation() {
        return tally.soFar();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("cross-encoder over " + model.directory() + " is closed");
        }
        model.requireOpen();
    }

    /// Closes the model if this encoder opened it. Closing again does nothing.
    @Override
    public void close() {
        closed = true;
        if (ownsModel) {
            model.close();
        }
    }
}
