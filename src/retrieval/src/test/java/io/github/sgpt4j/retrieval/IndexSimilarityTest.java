package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Indexes that compare vectors by a similarity other than the cosine.
class IndexSimilarityTest {
    private static final int DOCUMENTS = 400;
    private static final long SEED = 16;

    private static Model model;

    @TempDir
    private Path folder;

    @BeforeAll
    static void openModel() throws IOException {
        model = Model.open(NanoModel.directory());
    }

    @AfterAll
    static void closeModel() {
        model.close();
    }

    private static BiEncoder encoder(Similarity similarity) {
        return BiEncoder.of(model, BiEncoderOptions.DEFAULT.withSimilarity(similarity));
    }

    /// Vectors of very different lengths, so that the similarities find different documents.
    private static float[][] vectors(int rows, int dimension, Random random) {
        float[][] vectors = new float[rows][dimension];
        for (float[] vector : vectors) {
            double length = Math.exp(random.nextGaussian());
            for (int i = 0; i < dimension; i++) {
                vector[i] = (float) (length * random.nextGaussian());
            }
        }
        return vectors;
    }

    @ParameterizedTest
    @EnumSource(
            value = Similarity.class,
            names = {"COSINE", "DOT", "EUCLIDEAN"})
    void findsTheMostSimilarWithEitherStorageAndExactly(Similarity similarity) throws IOException {
        Random random = new Random(SEED);
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < DOCUMENTS; i++) {
            documents.add(Document.of("d" + i, "text " + i));
        }
        try (BiEncoder encoder = encoder(similarity)) {
            float[][] vectors = vectors(DOCUMENTS, encoder.dimension(), random);
            // A zero vector: near to everything short for distances; without a direction for the
            // cosine.
            vectors[7] = new float[encoder.dimension()];
            float[][] queries = vectors(5, encoder.dimension(), random);
            for (VectorStorage storage : VectorStorage.values()) {
                try (SemanticIndex index = SemanticIndex.open(
                        folder.resolve(storage.name()), encoder, IndexOptions.DEFAULT.withStorage(storage))) {
                    index.add(documents, vectors);
                    index.commit();
                    for (float[] query : queries) {
                        List<ScoredId> expected = expected(similarity, query, documents, vectors);
                        for (boolean exact : List.of(true, false)) {
                            SearchOptions options = SearchOptions.DEFAULT
                                    .withCandidates(DOCUMENTS)
                                    .withExact(exact);
                            List<Hit> hits = index.search(query, options);
                            String what = "%s %s exact %s seed %d".formatted(similarity, storage, exact, SEED);
                            assertEquals(
                                    expected.stream().map(ScoredId::id).toList(),
                                    hits.stream()
                                            .map(hit -> hit.document().id())
                                            .toList(),
                                    what);
                            for (int i = 0; i < hits.size(); i++) {
                                float score = expected.get(i).score();
                                assertEquals(score, hits.get(i).score(), 1e-6f * Math.max(1, Math.abs(score)), what);
                                assertEquals(
                                        hits.get(i).score(),
                                        hits.get(i).similarity().orElseThrow());
                            }
                        }
                    }
                }
            }
        }
    }

    private static List<ScoredId> expected(
            Similarity similarity, float[] query, List<Document> documents, float[][] vectors) {
        List<ScoredId> all = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            all.add(new ScoredId(documents.get(i).id(), similarity.of(query, vectors[i])));
        }
        all.sort(ScoredId.BEST_FIRST);
        return all.subList(0, 10);
    }

    @Test
    void remembersItsSimilarityAndRefusesAnother() throws IOException {
        Path path = folder.resolve("index");
        try (BiEncoder dot = encoder(Similarity.DOT);
                BiEncoder cosine = encoder(Similarity.COSINE)) {
            try (SemanticIndex index = SemanticIndex.open(path, dot)) {
                assertEquals(Similarity.DOT, index.similarity());
            }
            for (boolean write : List.of(true, false)) {
                FormatException e = assertThrows(FormatException.class, () -> {
                    if (write) {
                        SemanticIndex.open(path, cosine).close();
                    } else {
                        SemanticIndex.openReadOnly(path, cosine).close();
                    }
                });
                assertTrue(
                        e.getMessage().contains("by dot, and cannot be used to compare them by cosine"), e::getMessage);
            }
            try (SemanticIndex index = SemanticIndex.openReadOnly(path)) {
                assertEquals(Similarity.DOT, index.similarity());
            }
            SemanticIndex.open(path, dot).close();
        }
    }

    @Test
    void noIndexIsMadeForWhatNoGraphSearches() {
        Path path = folder.resolve("none");
        try (BiEncoder manhattan = encoder(Similarity.MANHATTAN)) {
            UnsupportedModelException e =
                    assertThrows(UnsupportedModelException.class, () -> SemanticIndex.open(path, manhattan));
            assertTrue(e.getMessage().contains("manhattan") && e.getMessage().contains("similarity_fn_name"));
        }
        assertFalse(Files.exists(path));
    }
}
