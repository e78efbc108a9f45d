package io.github.sgpt4j.spring.ai;

import io.github.sgpt4j.CrossEncoder;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.springframework.ai.document.Document;
import org.springframework.ai.rag.Query;
import org.springframework.ai.rag.postretrieval.document.DocumentPostProcessor;

/// Re-ranks the documents that were found for a query with a [CrossEncoder].
///
/// Documents come back best first, with the cross-encoder's score in place of their own; higher is better. Of
/// a plain language model it is a sum of log-probabilities, so it is negative, and only scores of one query are
/// comparable; of a re-ranker it is a logit or a probability ([CrossEncoder#scoresAreProbabilities]). Equal
/// scores keep their order. Safe to share between threads; the encoder is borrowed and must outlive
/// this.
public final class SgptDocumentPostProcessor implements DocumentPostProcessor {
    private final CrossEncoder encoder;
    private final int topN;
    private final CutTexts cutTexts;

    private SgptDocumentPostProcessor(Builder builder) {
        encoder = builder.encoder;
        topN = builder.topN;
        cutTexts = new CutTexts(
                "pairs of query and document to score with " + encoder.model().directory());
    }

    /// A post-processor over an encoder.
    ///
    /// @param encoder borrowed
    public static Builder builder(CrossEncoder encoder) {
        return new Builder(encoder);
    }

    /// The encoder that computes.
    public CrossEncoder encoder() {
        return encoder;
    }

    /// The best documents for a query, best first.
    ///
    /// @throws IllegalArgumentException if a document has no text
    /// @throws io.github.sgpt4j.error.SgptException as [CrossEncoder#score(String, List)]
    @Override
    public List<Document> process(Query query, List<Document> documents) {
        List<CrossEncoder.Score> scores =
                encoder.score(query.text(), documents.stream().map(Texts::of).toList());
        cutTexts.tell(scores.stream().filter(CrossEncoder.Score::truncated).count(), encoder.maxLength());
        Comparator<Integer> bestFirst = Comparator.comparing(i -> scores.get(i).rawValue(), Collections.reverseOrder());
        return IntStream.range(0, scores.size())
                .boxed()
                .sorted(bestFirst)
                .limit(topN)
                .map(i -> scored(documents.get(i), scores.get(i).value()))
                .toList();
    }

    private static Document scored(Document document, float score) {
        Document copy = document.mutate().score((double) score).build();
        copy.setContentFormatter(document.getContentFormatter());
        return copy;
    }

    /// Collects what a post-processor needs.
    public static final class Builder {
        private final CrossEncoder encoder;
        private int topN = Integer.MAX_VALUE;

        private Builder(CrossEncoder encoder) {
            this.encoder = Objects.requireNonNull(encoder, "encoder");
        }

        /// At most this many documents; all unless set.
        ///
        /// @throws IllegalArgumentException if less than 1
        public Builder topN(int value) {
            if (value < 1) {
                throw new IllegalArgumentException("top n: expected at least 1, got " + value);
            }
            topN = value;
            return this;
        }

        /// The post-processor.
        public SgptDocumentPostProcessor build() {
            return new SgptDocumentPostProcessor(this);
        }
    }
}
