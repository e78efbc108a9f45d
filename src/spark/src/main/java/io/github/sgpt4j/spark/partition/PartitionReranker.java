package io.github.sgpt4j.spark.partition;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.TokenizedPair;
import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/// Scores the rows of a partition. Immutable and serializable.
///
/// @param settings of the engine
/// @param truncate whether pairs that are too long are cut; otherwise they are an error
public record PartitionReranker(EngineSettings settings, boolean truncate) implements Serializable {
    /// Refuses null.
    public PartitionReranker {
        Objects.requireNonNull(settings, "settings");
    }

    /// Scores the pairs of rows, which are read as results are taken.
    ///
    /// @param pair of a row, empty if it has none
    /// @param result of a row and its score, empty if it has no pair
    /// @param <S> a row
    /// @param <R> what is made of it
    /// @return one result per row, in order; throws what [CrossEncoder#scoreTokenized] throws, and
    ///     [io.github.sgpt4j.error.FormatException] for a pair that is too long and not to be cut
    public <S, R> PartitionResults<R> score(
            Iterator<? extends S> rows,
            Function<? super S, Optional<TextPair>> pair,
            BiFunction<? super S, Optional<Float>, ? extends R> result) {
        return PartitionResults.of(rows, pair, result, settings, lease -> new Scores(lease.crossEncoder()));
    }

    private final class Scores implements Computation<TextPair, TokenizedPair, Float> {
        private final CrossEncoder encoder;

        Scores(CrossEncoder encoder) {
            this.encoder = encoder;
        }

        @Override
        public long characters(TextPair input) {
            return (long) input.query().length() + input.document().length();
        }

        @Override
        public TokenizedPair tokenize(TextPair input) {
            return encoder.tokenized(input.query(), List.of(input.document()), truncate)
                    .getFirst();
        }

        @Override
        public InputSize size(TokenizedPair tokenized) {
            return new InputSize(tokenized.tokens(), tokenized.uncutTokens(), tokenized.truncated());
        }

        @Override
        public List<Float> compute(List<TokenizedPair> tokenized) {
            return encoder.scoreTokenized(tokenized).stream()
                    .map(CrossEncoder.Score::value)
                    .toList();
        }

        @Override
        public int batchTokens() {
            return encoder.batchTokens();
        }

        @Override
        public int maxLength() {
            return encoder.maxLength();
        }
    }
}
