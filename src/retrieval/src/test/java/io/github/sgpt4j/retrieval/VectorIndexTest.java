package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.VectorIndex.Match;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VectorIndexTest {
    @TempDir
    private Path folder;

    /// Few distinct values, so that some vectors are equal.
    private static float[] vector(Random random) {
        float[] vector = new float[7];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = random.nextInt(3) - 1;
        }
        return vector;
    }

    @ParameterizedTest
    @EnumSource(Similarity.class)
    void findsWhatSortingEverythingFinds(Similarity similarity) {
        Random random = new Random(5);
        VectorIndex index = new VectorIndex(7, similarity);
        float[] query = {1, 0, -1, 1, 1, 0, -1};
        List<Match> expected = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            float[] vector = vector(random);
            index.add("d" + i, vector);
            expected.add(new Match("d" + i, similarity.of(query, vector)));
        }
        // The sort is stable: equal similarities keep the order in which vectors were added.
        expected.sort(Comparator.comparing(Match::similarity, Comparator.reverseOrder()));
        for (int limit : new int[] {0, 1, 2, 13, 199, 200, 1000}) {
            assertEquals(expected.subList(0, Math.min(limit, 200)), index.search(query, limit));
        }
    }

    @Test
    void computesCosines() {
        VectorIndex index = new VectorIndex(2, Similarity.COSINE);
        index.add(List.of("up", "mixed", "left", "zero"), new float[][] {{0, 5}, {3, 4}, {-2, 0}, {0, 0}});
        assertEquals(
                List.of(new Match("mixed", 0.6f), new Match("up", 0f), new Match("zero", 0f), new Match("left", -1f)),
                index.search(new float[] {10, 0}, 4));
    }

    @Test
    void replacesInPlaceAndRemoves() {
        VectorIndex index = new VectorIndex(1, Similarity.DOT);
        index.add(List.of("a", "b", "c"), new float[][] {{1}, {1}, {1}});
        index.add("a", new float[] {1});
        index.remove(List.of("b", "none"));
        assertEquals(2, index.size());
        assertEquals(List.of(new Match("a", 2f), new Match("c", 2f)), index.search(new float[] {2}, 9));
    }

    @Test
    void keepsNoneIfOneVectorIsWrong() {
        VectorIndex index = new VectorIndex(2, Similarity.COSINE);
        assertThrows(
                IllegalArgumentException.class,
                () -> index.add(List.of("a", "b"), new float[][] {{1, 2}, {1, Float.NaN}}));
        assertThrows(IllegalArgumentException.class, () -> index.add(List.of("a"), new float[][] {{1, 2}, {1, 2}}));
        assertThrows(IllegalArgumentException.class, () -> index.add("a", new float[] {1}));
        assertThrows(IllegalArgumentException.class, () -> index.add("\ud800", new float[] {1, 2}));
        assertThrows(IllegalArgumentException.class, () -> index.search(new float[] {1, 2}, -1));
        assertEquals(0, index.size());
    }

    @ParameterizedTest
    @EnumSource(Similarity.class)
    void comesBackFromAFile(Similarity similarity) throws IOException {
        Random random = new Random(6);
        VectorIndex index = new VectorIndex(7, similarity);
        for (String id : List.of("", "ä\n", "\ud83d\udd77", "z")) {
            index.add(id, vector(random));
        }
        Path file = folder.resolve("vectors.safetensors");
        index.save(file);
        VectorIndex loaded = VectorIndex.load(file);
        assertEquals(similarity, loaded.similarity());
        float[] query = vector(random);
        assertEquals(index.search(query, 9), loaded.search(query, 9));
        new VectorIndex(3, similarity).save(file);
        assertEquals(0, VectorIndex.load(file).size());
        assertEquals(3, VectorIndex.load(file).dimension());
    }

    @Test
    void anInterruptedThreadSavesAndIsCancelledWhenItLoads() throws IOException {
        VectorIndex index = new VectorIndex(2, Similarity.DOT);
        index.add("one", new float[] {1, 2});
        Path file = folder.resolve("vectors.safetensors");
        Thread.currentThread().interrupt();
        try {
            index.save(file);
            assertTrue(Thread.currentThread().isInterrupted());
            assertThrows(CancelledException.class, () -> VectorIndex.load(file));
            assertTrue(Thread.currentThread().isInterrupted());
        } finally {
            Thread.interrupted();
        }
        assertEquals(1, VectorIndex.load(file).size());
    }

    /// Every byte changed in turn: the vectors are the same, or the message names the file.
    @Test
    void damagedFilesAreRefusedOrWhole() throws IOException {
        VectorIndex index = new VectorIndex(2, Similarity.DOT);
        index.add(List.of("one", "two"), new float[][] {{1, 2}, {3, 4}});
        Path file = folder.resolve("vectors.safetensors");
        index.save(file);
        byte[] bytes = Files.readAllBytes(file);
        float[] query = {5, 7};
        int refused = 0;
        for (int i = 0; i < bytes.length; i++) {
            byte[] damaged = bytes.clone();
            damaged[i] ^= (byte) 0x81;
            Files.write(file, damaged);
            try {
                assertEquals(index.search(query, 2), VectorIndex.load(file).search(query, 2));
            } catch (FormatException e) {
                assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
                refused++;
            }
            Files.write(file, java.util.Arrays.copyOf(bytes, i));
            assertThrows(FormatException.class, () -> VectorIndex.load(file));
        }
        assertTrue(refused > bytes.length / 2, () -> "of " + bytes.length);
    }
}
