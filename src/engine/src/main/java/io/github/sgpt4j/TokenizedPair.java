package io.github.sgpt4j;

import io.github.sgpt4j.inference.PairTokens;
import java.util.List;

/// A query and a document as the token ids that one encoder computes with, ready for
/// [CrossEncoder#scoreTokenized]. It does not keep the texts. Immutable and safe to share between threads.
public final class TokenizedPair {
    private final CrossEncoder encoder;
    private final PairTokens request;

    /// @param encoder the only one that may compute with it
    TokenizedPair(CrossEncoder encoder, PairTokens request) {
        this.encoder = encoder;
        this.request = request;
    }

    /// Number of token ids that the score is computed from: prompt with document and query, for the
    /// likelihood without the last id. Pairs with equal documents, computed together, cost less than their sum.
    public int tokens() {
        return request.tokens();
    }

    /// Number of token ids before cutting.
    public int uncutTokens() {
        return request.uncutTokens();
    }

    /// Whether prompt, document and query were too long together and were cut.
    public boolean truncated() {
        return request.truncated();
    }

    /// Number of scored query tokens: all of the query's, or as many of its last ones as there is room
    /// for; 0 unless the likelihood is computed.
    public int queryTokens() {
        return request.queryTokens();
    }

    /// The ids that go through the decoder; a copy.
    int[] ids() {
        return request.ids().clone();
    }

    /// What an encoder computes for pairs.
    ///
    /// @throws IllegalArgumentException if one is for another encoder
    static List<PairTokens> requests(CrossEncoder encoder, List<TokenizedPair> pairs) {
        for (int i = 0; i < pairs.size(); i++) {
            CrossEncoder other = pairs.get(i).encoder;
            if (other != encoder) {
                throw new IllegalArgumentException(
                        "pair %d of %d: expected one that this encoder over %s tokenized, got one of another encoder, over %s"
                                .formatted(
                                        i + 1,
                                        pairs.size(),
                                        encoder.model().directory(),
                                        other.model().directory()));
            }
        }
        return pairs.stream().map(pair -> pair.request).toList();
    }
}
