package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where more documents than asked for have equal scores, those with the first ids are found, in every index.
class EqualScoresTest {
    private static final int DOCUMENTS = 260;

    @TempDir
    private Path folder;

    /// One in ten is nearer than the others, which are all alike; ids do not follow the order of adding.
    private static List<Document> documents() {
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < DOCUMENTS; i++) {
            documents.add(Document.of("id-%03d".formatted(i), isNearer(i) ? "spider spider" : "spider legs"));
        }
        // In UTF-16 these come in the other order than in UTF-8.
        documents.add(Document.of("id-\ud83d\ude00", "spider legs"));
        documents.add(Document.of("id-\uffee", "spider legs"));
        Collections.shuffle(documents, new Random(3));
        return documents;
    }

    private static boolean isNearer(int number) {
        return number % 10 == 7;
    }

    private static float[][] vectors(List<Document> documents, int dimension) {
        return documents.stream()
                .map(document -> {
                    float[] vector = new float[dimension];
                    vector[0] = 1;
                    vector[1] = document.text().equals("spider spider") ? 0.5f : 1;
                    return vector;
                })
                .toArray(float[][]::new);
    }

    private static List<String> expected(List<Document> documents, int limit) {
        List<String> ids = new ArrayList<>();
        for (String text : List.of("spider spider", "spider legs")) {
            documents.stream()
                    .filter(document -> document.text().equals(text))
                    .map(Document::id)
                    .sorted()
                    .forEach(ids::add);
        }
        return ids.subList(0, Math.min(limit, ids.size()));
    }

    private static List<String> ids(List<Hit> hits) {
        return hits.stream().map(hit -> hit.document().id()).toList();
    }

    @Test
    void theFirstIdsAreFound() throws IOException {
        List<Document> documents = documents();
        try (BiEncoder encoder = BiEncoder.open(SmallIndex.MODEL);
                SemanticIndex disk = SemanticIndex.open(folder, encoder)) {
            int dimension = disk.model().dimension();
            float[][] vectors = vectors(documents, dimension);
            int half = documents.size() / 2;
            disk.add(documents.subList(0, half), Arrays.copyOfRange(vectors, 0, half));
            disk.commit();
            disk.add(documents.subList(half, documents.size()), Arrays.copyOfRange(vectors, half, documents.size()));
            disk.commit();
            float[] query = new float[dimension];
            query[0] = 1;
            try (MemoryIndex memory = new MemoryIndex(dimension, Similarity.COSINE, documents, vectors)) {
                for (SearchMode mode : SearchMode.values()) {
                    for (int limit : new int[] {1, 5, 26, 27, 40, 150, 261, 262, 300}) {
                        SearchOptions options = SearchOptions.DEFAULT
                                .withMode(mode)
                                .withLimit(limit)
                                .withCandidates(30)
                                .withExact(true);
                        List<Hit> found = disk.search("spider", query, options);
                        assertEquals(expected(documents, limit), ids(found), options.toString());
                        assertEquals(found, memory.search("spider", query, options), options.toString());
                    }
                }
            }
        }
    }
}
