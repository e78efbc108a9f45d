package io.github.sgpt4j.retrieval.mining;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.CancelledException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CommunityDetectionTest {
    /// The steps of sentence-transformers' function, with the whole matrix.
    private static List<Community> expected(float[][] vectors, float threshold, int minSize) {
        int least = Math.min(minSize, vectors.length);
        float[][] scores = Similarity.COSINE.matrix(vectors, vectors);
        List<Community> extracted = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            int centre = i;
            List<Integer> members = new ArrayList<>();
            for (int j = 0; j < vectors.length; j++) {
                if (scores[i][j] >= threshold) {
                    members.add(j);
                }
            }
            members.sort(Comparator.comparing((Integer j) -> j != centre)
                    .thenComparing(Comparator.comparing((Integer j) -> scores[centre][j])
                            .reversed()));
            if (members.size() >= least) {
                extracted.add(new Community(
                        i, members, members.stream().map(j -> scores[centre][j]).toList()));
            }
        }
        extracted.sort(
                Comparator.comparing((Community each) -> each.members().size()).reversed());
        Set<Integer> taken = new HashSet<>();
        List<Community> found = new ArrayList<>();
        for (Community each : extracted) {
            List<Integer> free =
                    each.members().stream().filter(j -> !taken.contains(j)).toList();
            if (free.size() >= least) {
                taken.addAll(free);
                found.add(new Community(
                        each.centre(),
                        free,
                        free.stream().map(j -> scores[each.centre()][j]).toList()));
            }
        }
        found.sort(
                Comparator.comparing((Community each) -> each.members().size()).reversed());
        return found;
    }

    @ParameterizedTest
    @CsvSource({"900,24,0.3,0.75,10", "900,24,0.3,0.9,2", "900,24,0.6,0.6,3", "4400,8,0.4,0.8,20", "300,8,0.5,-1,1"})
    void agreesWithTheDefinition(int count, int dimension, double spread, float threshold, int minSize) {
        float[][] vectors = RandomVectors.clustered(count, dimension, 12, spread, 3);
        List<Community> expected = expected(vectors, threshold, minSize);
        assertTrue(!expected.isEmpty());
        CommunityOptions options =
                CommunityOptions.DEFAULT.withThreshold(threshold).withMinSize(minSize);
        assertEquals(expected, CommunityDetection.detect(vectors, options));
        assertEquals(expected, CommunityDetection.detect(vectors, options.withThreads(1)));
    }

    @Test
    void noTextBelongsToTwoCommunities() {
        float[][] vectors = RandomVectors.clustered(900, 24, 12, 0.5, 4);
        Set<Integer> seen = new HashSet<>();
        for (Community each : CommunityDetection.detect(vectors, CommunityOptions.DEFAULT.withThreshold(0.6f))) {
            assertTrue(each.members().size() >= 10);
            each.members().forEach(member -> assertTrue(seen.add(member), "text " + member));
        }
        assertTrue(seen.size() > 100, "members: " + seen.size());
    }

    @Test
    void fewTextsAreEnoughForThemselves() {
        assertEquals(List.of(), CommunityDetection.detect(new float[0][], CommunityOptions.DEFAULT));
        assertEquals(
                List.of(new Community(0, List.of(0, 1), List.of(1f, 1f))),
                CommunityDetection.detect(new float[][] {{2}, {3}}, CommunityOptions.DEFAULT));
    }

    @Test
    void badOptionsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> CommunityOptions.DEFAULT.withThreshold(1.5f));
        assertThrows(IllegalArgumentException.class, () -> CommunityOptions.DEFAULT.withThreshold(Float.NaN));
        assertThrows(IllegalArgumentException.class, () -> CommunityOptions.DEFAULT.withMinSize(0));
    }

    @Test
    void anInterruptEndsTheCall() {
        float[][] vectors = RandomVectors.clustered(2_000, 8, 4, 0.3, 8);
        CommunityOptions options = CommunityOptions.DEFAULT.withProgress(
                (done, total) -> Thread.currentThread().interrupt());
        assertThrows(CancelledException.class, () -> CommunityDetection.detect(vectors, options));
        assertTrue(Thread.interrupted());
    }
}
