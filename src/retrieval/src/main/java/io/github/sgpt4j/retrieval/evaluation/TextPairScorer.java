package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.ProgressListener;
import java.util.List;

/// Scores how well documents answer queries.
@FunctionalInterface
public interface TextPairScorer {
    /// Scores pairs; pairs of one document should be adjacent, since its work may be shared.
    ///
    /// @param progress told how many pairs are done
    /// @return one score per pair, in order; higher is better
    float[] score(List<String> queries, List<String> documents, ProgressListener progress);

    /// Uses an encoder, which is borrowed.
    static TextPairScorer of(CrossEncoder encoder) {
        return (queries, documents, progress) -> {
            List<CrossEncoder.Score> scores = encoder.score(queries, documents, progress);
            float[] values = new float[scores.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = scores.get(i).rawValue();
            }
            return values;
        };
    }
}
