package io.github.sgpt4j.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import dev.langchain4j.model.scoring.ScoringModel;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Scores texts for a query in this process with a [CrossEncoder], for re-ranking. Safe to share between
/// threads.
///
/// Higher is better. With a plain language model, a score is the logarithm of the query's probability after the
/// text. It is negative, and only scores of the same query can be compared: a fixed minimum has no meaning. With
/// a re-ranker, it is a logit, or a probability if [CrossEncoder#scoresAreProbabilities] says so; only
/// probabilities suit a fixed minimum.
///
/// A text that is too long with its query is cut, as [CrossEncoder] says, and a warning in the log of this package
/// tells how many were; with [CrossEncoderOptions#withTruncate] it is refused. Failures are those of
/// [CrossEncoder].
public final class SgptScoringModel implements ScoringModel, AutoCloseable {
    private final CrossEncoder encoder;
    private final Runnable owned;

    private SgptScoringModel(CrossEncoder encoder, Runnable owned) {
        this.encoder = encoder;
        this.owned = owned;
    }

    /// A model to choose and to set up.
    public static Builder builder() {
        return new Builder();
    }

    /// A model over an encoder that the caller owns and closes.
    public static SgptScoringModel of(CrossEncoder encoder) {
        return builder().encoder(encoder).build();
    }

    /// Sets up a [SgptScoringModel].
    public static final class Builder extends ModelBuilder<CrossEncoder, Builder> {
        private @Nullable CrossEncoderOptions options;

        private Builder() {}

        /// How a model that is opened here scores.
        public Builder options(CrossEncoderOptions value) {
            options = Objects.requireNonNull(value, "options");
            return this;
        }

        /// Opens the model.
        ///
        /// @throws IllegalArgumentException if not exactly one model was chosen, or options were given for an
        ///     encoder that is already open
        /// @throws IllegalStateException if an artifact that the choice needs is missing
        /// @throws java.io.UncheckedIOException if no model has the name, or it cannot be downloaded
        /// @throws io.github.sgpt4j.error.SgptException as
        ///     [CrossEncoder#open(java.nio.file.Path)]
        public SgptScoringModel build() {
            Opened<CrossEncoder> opened = open();
            return new SgptScoringModel(opened.encoder(), opened.owned());
        }

        @Override
        Builder self() {
            return this;
        }

        @Override
        CrossEncoder encoder(Model model) {
            return CrossEncoder.of(model, options == null ? CrossEncoderOptions.DEFAULT : options);
        }

        @Override
        boolean hasOptions() {
            return options != null;
        }

        @Override
        void close(CrossEncoder made) {
            made.close();
        }
    }

    /// What computes.
    public CrossEncoder encoder() {
        return encoder;
    }

    /// Scores texts for a query.
    ///
    /// @return one score per text, in order, with the number of tokens that were computed
    @Override
    public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
        List<CrossEncoder.Score> scores =
                encoder.score(query, segments.stream().map(TextSegment::text).toList());
        CutTexts cut = new CutTexts("pairs of document and query", encoder.maxLength());
        scores.forEach(score -> cut.count(score.truncated(), score.uncutTokens()));
        cut.warn();
        long tokens = scores.stream().mapToLong(CrossEncoder.Score::inputTokens).sum();
        return Response.from(
                scores.stream().map(score -> (double) score.value()).toList(), new TokenUsage(Math.toIntExact(tokens)));
    }

    /// Closes the model if it was opened by the builder.
    @Override
    public void close() {
        owned.run();
    }
}
