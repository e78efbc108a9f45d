package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.UnsupportedModelException;
import java.nio.file.Path;
import org.apache.lucene.index.VectorSimilarityFunction;

/// How an index keeps and compares vectors.
///
/// @param similarity what documents are ordered by
record VectorSpace(Similarity similarity) {
    /// A vector as it is stored and searched with: normalised to length 1 for the cosine, otherwise
    /// unchanged.
    ///
    /// @return a new vector; an empty one for a zero vector if only directions count, since it has none
    float[] prepare(float[] vector) {
        float[] prepared = similarity.prepare(vector);
        return similarity == Similarity.COSINE && isZero(prepared) ? new float[0] : prepared;
    }

    private static boolean isZero(float[] vector) {
        for (float x : vector) {
            if (x != 0) {
                return false;
            }
        }
        return true;
    }

    /// Similarity of two prepared vectors.
    float score(float[] query, float[] document) {
        return similarity.ofPrepared(query, document);
    }

    /// The function that the graph is built and searched with.
    VectorSimilarityFunction function() {
        return switch (similarity) {
            // Prepared vectors have length 1.
            case COSINE -> VectorSimilarityFunction.DOT_PRODUCT;
            case DOT -> VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT;
            case EUCLIDEAN -> VectorSimilarityFunction.EUCLIDEAN;
            case MANHATTAN -> throw new IllegalStateException("no graph for " + similarity);
        };
    }

    /// Refuses a similarity that the graph does not support.
    static void requireSearchable(Path index, Similarity similarity) {
        if (similarity == Similarity.MANHATTAN) {
            throw new UnsupportedModelException(
                    "%s: an index cannot compare embeddings by manhattan, which \"similarity_fn_name\" in the model's"
                                    .formatted(index)
                            + " config_sentence_transformers.json or an option asks for"
                            + " (it supports cosine, dot and euclidean);"
                            + " a search without an index compares every document instead");
        }
    }
}
