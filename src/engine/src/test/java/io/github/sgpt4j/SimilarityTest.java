package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.checkpoint.EmbeddingSettings;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SimilarityTest {
    private static final float[] A = {3, 4};
    private static final float[] B = {0, -2};

    @Test
    void valuesAreSentenceTransformers() {
        assertEquals(-0.8f, Similarity.COSINE.of(A, B), 1e-7f);
        assertEquals(-8f, Similarity.DOT.of(A, B));
        assertEquals((float) -Math.sqrt(45), Similarity.EUCLIDEAN.of(A, B));
        assertEquals(-9f, Similarity.MANHATTAN.of(A, B));
    }

    @Test
    void equalVectorsAreAtNoDistanceAndZeroHasTheCosineZero() {
        assertEquals(0f, Similarity.EUCLIDEAN.of(A, A));
        assertEquals(0f, Similarity.MANHATTAN.of(A, A));
        assertEquals(0f, Similarity.COSINE.of(A, new float[2]));
    }

    @Test
    void vectorsArePreparedForTheCosineOnly() {
        for (Similarity similarity : Similarity.values()) {
            float[] prepared = similarity.prepare(A);
            assertArrayEquals(new float[] {3, 4}, A);
            assertArrayEquals(similarity == Similarity.COSINE ? new float[] {0.6f, 0.8f} : A, prepared);
            assertEquals(similarity.of(A, B), similarity.ofPrepared(prepared, similarity.prepare(B)));
        }
    }

    @Test
    void namesAreThoseThatFilesHold() {
        assertEquals(
                EmbeddingSettings.SIMILARITIES,
                Arrays.stream(Similarity.values()).map(Similarity::toString).toList());
        for (Similarity similarity : Similarity.values()) {
            assertEquals(similarity, Similarity.parse(similarity.toString()));
        }
        assertThrows(IllegalArgumentException.class, () -> Similarity.parse("Cosine"));
    }

    @Test
    void differentDimensionsAreRefused() {
        for (Similarity similarity : Similarity.values()) {
            assertThrows(IllegalArgumentException.class, () -> similarity.of(A, new float[3]));
        }
    }
}
