package io.github.sgpt4j;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.inference.TextEncoder;
import io.github.sgpt4j.tokenizer.EncodedText;
import java.util.List;

/// A text as the token ids that one encoder computes with, ready for [BiEncoder#embedTokenized]. It does
/// not keep the text. Immutable and safe to share between threads.
public final class TokenizedText {
    private final BiEncoder encoder;
    private final TextKind kind;
    private final EncodedText encoded;
    private final int promptLength;

    /// @param encoder the only one that may compute with it
    /// @param kind the kind that it counts as in [BiEncoder#truncation]
    /// @param encoded not modified by anyone
    /// @param promptLength number of first ids that pooling leaves out
    TokenizedText(BiEncoder encoder, TextKind kind, EncodedText encoded, int promptLength) {
        this.encoder = encoder;
        this.kind = kind;
        this.encoded = encoded;
        this.promptLength = promptLength;
    }

    /// Number of token ids, including special tokens, brackets and prompt: what it costs to compute.
    public int tokens() {
        return encoded.ids().length;
    }

    /// Number of token ids before cutting.
    public int uncutTokens() {
        return encoded.uncut();
    }

    /// Whether the text was too long and was cut.
    public boolean truncated() {
        return encoded.truncated();
    }

    /// The token ids that the decoder gets.
    ///
    /// @return `[tokens]`, a copy
    public int[] ids() {
        return encoded.ids().clone();
    }

    /// The kind that it counts as.
    TextKind kind() {
        return kind;
    }

    /// Checks that all texts of a list are for an encoder.
    ///
    /// @throws IllegalArgumentException if one is for another
    static void requireAllFor(BiEncoder encoder, List<TokenizedText> texts) {
        for (int i = 0; i < texts.size(); i++) {
            BiEncoder other = texts.get(i).encoder;
            if (other != encoder) {
                throw new IllegalArgumentException(
                        "text %d of %d: expected one that this encoder over %s tokenized, got one of another encoder, over %s"
                                .formatted(
                                        i + 1,
                                        texts.size(),
                                        encoder.model().directory(),
                                        other.model().directory()));
            }
        }
    }

    /// Tokenized texts as what an encoder computes.
    static TextEncoder.Source source(List<TokenizedText> texts) {
        return new TextEncoder.Source() {
            @Override
            public int size() {
                return texts.size();
            }

            @Override
            public EncodedText encode(int index, Cancellation cancellation) {
                return texts.get(index).encoded;
            }

            @Override
            public int promptLength(int index) {
                return texts.get(index).promptLength;
            }
        };
    }
}
