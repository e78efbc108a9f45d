package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.ScoredId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ExactSearchTest {
    private static final long SEED = 5;

    @ParameterizedTest
    @EnumSource
    void findsWhatComparingEverythingFinds(Similarity similarity) {
        Random random = new Random(SEED);
        float[][] documents = new float[150][37];
        for (float[] document : documents) {
            float length = (float) Math.exp(random.nextGaussian());
            for (int i = 0; i < document.length; i++) {
                document[i] = length * (float) random.nextGaussian();
            }
        }
        float[] query = documents[3].clone();
        List<String> ids = new ArrayList<>();
        List<ScoredId> expected = new ArrayList<>();
        for (int i = 0; i < documents.length; i++) {
            ids.add("d" + i);
            expected.add(new ScoredId("d" + i, similarity.of(query, documents[i])));
        }
        expected.sort(ScoredId.BEST_FIRST);
        ExactSearch search = new ExactSearch(List.of("q"), new float[][] {query}, similarity, 20, false);
        search.add(ids.subList(0, 70), Arrays.copyOf(documents, 70));
        search.add(ids.subList(70, 150), Arrays.copyOfRange(documents, 70, 150));
        Map<String, List<ScoredId>> results = search.results();
        List<ScoredId> found = results.getOrDefault("q", List.of());
        String what = similarity + " seed " + SEED;
        assertEquals(
                expected.subList(0, 20).stream().map(ScoredId::id).toList(),
                found.stream().map(ScoredId::id).toList(),
                what);
        for (int i = 0; i < found.size(); i++) {
            float score = expected.get(i).score();
            assertEquals(score, found.get(i).score(), 1e-5f * Math.max(1, Math.abs(score)), what);
        }
    }
}
