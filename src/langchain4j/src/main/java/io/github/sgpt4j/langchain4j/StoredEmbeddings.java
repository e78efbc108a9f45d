package io.github.sgpt4j.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Embeddings to add to a store, as an index takes them.
///
/// @param vectors `[documents][dimension]`
record StoredEmbeddings(List<Document> documents, float[][] vectors) {
    /// @param segments null for embeddings alone; so may be an element
    /// @throws IllegalArgumentException if the lists have different lengths, an id is blank, metadata are
    ///     not supported, or an embedding is zero
    static StoredEmbeddings of(
            List<String> ids, List<Embedding> embeddings, @Nullable List<@Nullable TextSegment> segments) {
        requireSize("ids", ids.size(), embeddings.size());
        requireSize("text segments", segments == null ? embeddings.size() : segments.size(), embeddings.size());
        List<Document> documents = new ArrayList<>();
        float[][] vectors = new float[embeddings.size()][];
        for (int i = 0; i < vectors.length; i++) {
            requireNotBlank(ids.get(i));
            documents.add(Segments.document(ids.get(i), segments == null ? null : segments.get(i)));
            vectors[i] = embeddings.get(i).vector();
            requireDirection(i, vectors[i]);
        }
        return new StoredEmbeddings(documents, vectors);
    }

    private static void requireSize(String what, int size, int embeddings) {
        if (size != embeddings) {
            throw new IllegalArgumentException(
                    "%s: expected %d, one per embedding, got %d".formatted(what, embeddings, size));
        }
    }

    private static void requireNotBlank(@Nullable String id) {
        if (id == null || id.isBlank() || Segments.isBlank(id)) {
            throw new IllegalArgumentException("id cannot be null or blank");
        }
    }

    private static void requireDirection(int place, float[] vector) {
        for (float x : vector) {
            if (x != 0) {
                return;
            }
        }
        throw new IllegalArgumentException(
                "embedding %d: expected a number other than zero, got none, so no other is similar to it"
                        .formatted(place));
    }
}
