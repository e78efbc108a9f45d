package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import java.util.List;

/// Turns texts into vectors.
public interface TextEmbedder {
    /// Components of a vector.
    int dimension();

    /// How vectors are compared.
    default Similarity similarity() {
        return Similarity.COSINE;
    }

    /// Embeds texts of one kind.
    ///
    /// @param progress told how many texts are done
    /// @return `[texts][dimension]`, in the order of `texts`
    float[][] embed(List<String> texts, TextKind kind, ProgressListener progress);

    /// Uses an encoder, which is borrowed.
    static TextEmbedder of(BiEncoder encoder) {
        return new TextEmbedder() {
            @Override
            public int dimension() {
                return encoder.dimension();
            }

            @Override
            public Similarity similarity() {
                return encoder.similarity();
            }

            @Override
            public float[][] embed(List<String> texts, TextKind kind, ProgressListener progress) {
                return encoder.embed(texts, kind, progress);
            }
        };
    }
}
