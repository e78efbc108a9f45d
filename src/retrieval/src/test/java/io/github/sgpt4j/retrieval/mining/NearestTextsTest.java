package io.github.sgpt4j.retrieval.mining;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.Similarity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NearestTextsTest {
    @ParameterizedTest
    @EnumSource(Similarity.class)
    void findsTheNearestInTheirOrder(Similarity similarity) {
        float[][] texts = RandomVectors.clustered(4_400, 12, 9, 0.3, 21);
        float[][] queries = RandomVectors.clustered(300, 12, 9, 0.3, 22);
        for (int most : new int[] {1, 7}) {
            List<List<Neighbour>> expected = new ArrayList<>();
            for (float[] query : queries) {
                float[] scores = similarity.matrix(new float[][] {query}, texts)[0];
                expected.add(IntStream.range(0, texts.length)
                        .mapToObj(j -> new Neighbour(j, scores[j]))
                        .sorted(Comparator.comparing(Neighbour::score)
                                .reversed()
                                .thenComparing(Neighbour::index))
                        .limit(most)
                        .toList());
            }
            NearestTexts nearest = new NearestTexts(texts, similarity, OptionalInt.empty());
            assertEquals(expected, nearest.of(queries, most, ProgressListener.NONE));
        }
    }

    @Test
    void refusesWhatCannotBeCompared() {
        NearestTexts nearest = new NearestTexts(new float[][] {{1, 2}}, Similarity.DOT, OptionalInt.empty());
        assertEquals(List.of(), nearest.of(new float[0][], 1, ProgressListener.NONE));
        assertEquals(
                List.of(List.of(new Neighbour(0, 5))), nearest.of(new float[][] {{1, 2}}, 3, ProgressListener.NONE));
        assertThrows(IllegalArgumentException.class, () -> nearest.of(new float[][] {{1}}, 1, ProgressListener.NONE));
        assertThrows(
                IllegalArgumentException.class,
                () -> new NearestTexts(new float[0][], Similarity.DOT, OptionalInt.empty()));
    }
}
