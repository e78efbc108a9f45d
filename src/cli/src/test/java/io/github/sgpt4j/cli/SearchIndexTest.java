package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.Similarity;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SearchIndexTest {
    @Test
    void findsWhatSortingEverythingFinds() {
        Random random = new Random(5);
        float[][] rows = new float[200][7];
        for (float[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                // Few values, so that there are equals.
                row[i] = random.nextInt(3) - 1;
            }
        }
        float[] query = {1, 0, -1, 1, 1, 0, -1};
        List<SearchIndex.Hit> all = new SearchIndex(rows, Similarity.COSINE).search(query, 1000);
        List<SearchIndex.Hit> sorted = new ArrayList<>(all);
        sorted.sort((a, b) -> a.similarity() == b.similarity()
                ? Integer.compare(a.document(), b.document())
                : Float.compare(b.similarity(), a.similarity()));
        assertEquals(sorted, all);
        assertEquals(200, all.size());
        for (int k : new int[] {1, 2, 13, 199}) {
            assertEquals(all.subList(0, k), new SearchIndex(rows, Similarity.COSINE).search(query, k));
        }
    }

    @Test
    void computesCosines() {
        SearchIndex index = new SearchIndex(new float[][] {{0, 5}, {3, 4}, {-2, 0}, {0, 0}}, Similarity.COSINE);
        assertEquals(
                List.of(
                        new SearchIndex.Hit(1, 0.6f),
                        new SearchIndex.Hit(0, 0f),
                        new SearchIndex.Hit(3, 0f),
                        new SearchIndex.Hit(2, -1f)),
                index.search(new float[] {10, 0}, 4));
    }
}
