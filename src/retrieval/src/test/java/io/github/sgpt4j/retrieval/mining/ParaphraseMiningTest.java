package io.github.sgpt4j.retrieval.mining;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.CancelledException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ParaphraseMiningTest {
    private static final Comparator<TextPair> ORDER = Comparator.comparing(TextPair::score)
            .reversed()
            .thenComparing(TextPair::first)
            .thenComparing(TextPair::second);

    /// All pairs, by the definition.
    private static List<TextPair> all(float[][] vectors, Similarity similarity) {
        List<TextPair> pairs = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            for (int j = i + 1; j < vectors.length; j++) {
                pairs.add(new TextPair(i, j, similarity.of(vectors[i], vectors[j])));
            }
        }
        pairs.sort(ORDER);
        return pairs;
    }

    @ParameterizedTest
    @EnumSource(Similarity.class)
    void findsTheBestPairsOfAll(Similarity similarity) {
        float[][] vectors = RandomVectors.clustered(700, 24, 9, 0.3, 5);
        List<TextPair> expected = all(vectors, similarity);
        MiningOptions options = MiningOptions.DEFAULT.withSimilarity(similarity);
        for (int most : new int[] {1, 100, 3_000, 500_000}) {
            ParaphraseMining.Found found = ParaphraseMining.mine(vectors, options.withMaxPairs(most));
            assertEquals(expected.subList(0, Math.min(most, expected.size())), found.pairs());
            assertEquals(expected.size(), found.reaching());
        }
        float least = expected.get(5_000).score();
        ParaphraseMining.Found found =
                ParaphraseMining.mine(vectors, options.withMinScore(least).withMaxPairs(10));
        assertEquals(expected.subList(0, 10), found.pairs());
        assertEquals(expected.stream().filter(pair -> pair.score() >= least).count(), found.reaching());
    }

    /// More texts than a block of columns has, so that all edges of blocks are crossed.
    @Test
    void blocksDoNotShow() {
        float[][] vectors = RandomVectors.clustered(4_500, 8, 40, 0.1, 6);
        List<TextPair> expected = all(vectors, Similarity.COSINE).subList(0, 20_000);
        MiningOptions options = MiningOptions.DEFAULT.withMaxPairs(20_000);
        assertEquals(expected, ParaphraseMining.mine(vectors, options).pairs());
        assertEquals(
                expected, ParaphraseMining.mine(vectors, options.withThreads(1)).pairs());
    }

    @ParameterizedTest
    @CsvSource({"1,500000", "3,500000", "3,200", "2000,400"})
    void neighboursLimitPairs(int neighbours, int most) {
        float[][] vectors = RandomVectors.clustered(700, 24, 9, 0.3, 7);
        List<TextPair> expected = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            int text = i;
            IntStream.range(0, vectors.length)
                    .filter(j -> j != text)
                    .boxed()
                    .sorted(Comparator.comparing((Integer j) -> Similarity.COSINE.of(vectors[text], vectors[j]))
                            .reversed()
                            .thenComparing(Comparator.naturalOrder()))
                    .limit(neighbours)
                    .map(j -> new TextPair(
                            Math.min(text, j), Math.max(text, j), Similarity.COSINE.of(vectors[text], vectors[j])))
                    .forEach(expected::add);
        }
        List<TextPair> distinct = expected.stream().distinct().sorted(ORDER).toList();
        ParaphraseMining.Found found = ParaphraseMining.mine(
                vectors, MiningOptions.DEFAULT.withNeighbours(neighbours).withMaxPairs(most));
        assertEquals(distinct.subList(0, Math.min(most, distinct.size())), found.pairs());
        assertEquals(distinct.size(), found.reaching());
    }

    @Test
    void fewTextsHaveFewPairs() {
        assertEquals(
                List.of(),
                ParaphraseMining.mine(new float[0][], MiningOptions.DEFAULT).pairs());
        assertEquals(
                List.of(),
                ParaphraseMining.mine(new float[][] {{1}}, MiningOptions.DEFAULT)
                        .pairs());
        assertEquals(
                List.of(new TextPair(0, 1, 1)),
                ParaphraseMining.mine(new float[][] {{2}, {3}}, MiningOptions.DEFAULT)
                        .pairs());
    }

    @Test
    void badVectorsAndOptionsAreRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> ParaphraseMining.mine(new float[][] {{1}, {1, 2}}, MiningOptions.DEFAULT));
        assertThrows(
                IllegalArgumentException.class,
                () -> ParaphraseMining.mine(new float[][] {{1}, {Float.NaN}}, MiningOptions.DEFAULT));
        assertThrows(IllegalArgumentException.class, () -> MiningOptions.DEFAULT.withMaxPairs(0));
        assertThrows(IllegalArgumentException.class, () -> MiningOptions.DEFAULT.withNeighbours(0));
        assertThrows(IllegalArgumentException.class, () -> MiningOptions.DEFAULT.withMinScore(Float.NaN));
    }

    @Test
    void anInterruptEndsTheCall() {
        float[][] vectors = RandomVectors.clustered(2_000, 8, 4, 0.3, 8);
        List<Long> told = new ArrayList<>();
        MiningOptions options = MiningOptions.DEFAULT.withProgress((done, total) -> {
            told.add(done);
            Thread.currentThread().interrupt();
        });
        assertThrows(CancelledException.class, () -> ParaphraseMining.mine(vectors, options));
        assertTrue(Thread.interrupted());
        assertEquals(1, told.size());
    }
}
