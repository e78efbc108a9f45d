package io.github.sgpt4j.spark.partition;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Embedding;
import io.github.sgpt4j.TextCut;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TokenizedText;
import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/// Embeds the rows of a partition. Immutable and serializable.
///
/// @param settings of the engine
/// @param kind of the texts
/// @param truncate whether texts that are too long are cut; otherwise they are an error
public record PartitionEmbedder(EngineSettings settings, TextKind kind, boolean truncate) implements Serializable {
    /// Refuses null.
    public PartitionEmbedder {
        Objects.requireNonNull(settings, "settings");
        Objects.requireNonNull(kind, "kind");
    }

    /// Embeds the texts of rows, which are read as results are taken.
    ///
    /// @param text of a row, empty if it has none
    /// @param result of a row and its embedding, `[dimension]`, empty if it has no text
    /// @param <S> a row
    /// @param <R> what is made of it
    /// @return one result per row, in order; throws what [BiEncoder#embedTokenized] throws, and
    ///     [io.github.sgpt4j.error.FormatException] for a text that is too long and not to be cut
    public <S, R> PartitionResults<R> embed(
            Iterator<? extends S> rows,
            Function<? super S, Optional<String>> text,
            BiFunction<? super S, Optional<float[]>, ? extends R> result) {
        return PartitionResults.of(rows, text, result, settings, lease -> new Embeddings(lease.biEncoder()));
    }

    private final class Embeddings implements Computation<String, TokenizedText, float[]> {
        private final BiEncoder encoder;

        Embeddings(BiEncoder encoder) {
            this.encoder = encoder;
        }

        @Override
        public long characters(String input) {
            return input.length();
        }

        @Override
        public TokenizedText tokenize(String input) {
            return encoder.tokenized(input, kind, truncate ? TextCut.USUAL : TextCut.REFUSE);
        }

        @Override
        public InputSize size(TokenizedText tokenized) {
            return new InputSize(tokenized.tokens(), tokenized.uncutTokens(), tokenized.truncated());
        }

        @Override
        public List<float[]> compute(List<TokenizedText> tokenized) {
            return encoder.embedTokenized(tokenized).stream()
                    .map(Embedding::vector)
                    .toList();
        }

        @Override
        public int batchTokens() {
            return encoder.batchTokens();
        }

        @Override
        public int maxLength() {
            return encoder.maxLength(kind);
        }
    }
}
