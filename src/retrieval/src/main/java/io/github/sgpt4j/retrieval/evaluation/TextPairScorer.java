package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.ProgressListener;
import java.util.List;

/// Says how well documents answer queries.
@FunctionalInterface
public interface TextPairScorer {
    /// Scores pairs; those of one document should stand next to one another, since its work may be shared.
    ///
    /// @param progress told how many pairs are done
    /// @return one score per pair, in order; higher is better
    float[] score(List<String> queries, List<String> documents, ProgressListener progress);

    /// What an encoder computes; it stays the caller's.
    static TextPairScorer of(CrossEncoder encoder) {
        return (queries, documents, progress) -> {
            List<CrossEncoder.Score> scores = encoder.score(queries, documents, progress);
            float[] values = new float[scores.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = scores.get(i).value();
            }
            return values;
        };
    }
}
