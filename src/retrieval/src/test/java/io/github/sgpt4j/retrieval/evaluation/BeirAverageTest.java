package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BeirAverageTest {
    @Test
    void theirNamesTellHowManyTheyHave() {
        List<Integer> sizes =
                BeirAverage.ALL.stream().map(a -> a.collections().size()).toList();
        assertEquals(List.of(18, 14, 11, 5), sizes);
        for (BeirAverage average : BeirAverage.ALL) {
            assertTrue(
                    average.name()
                            .contains(Integer.toString(average.collections().size())),
                    average.name());
            assertEquals(
                    average.collections().size(),
                    Set.copyOf(average.collections()).size());
            assertTrue(BeirAverage.ZERO_SHOT.collections().containsAll(average.collections()));
            assertFalse(average.collections().contains(BeirAverage.MSMARCO));
        }
    }

    @Test
    void tellsWhatIsMissing() {
        assertEquals(
                List.of("arguana", "fiqa", "nfcorpus"),
                BeirAverage.SGPT_5.missing(List.of("SciFact", "scidocs", "mine", "msmarco")));
        assertEquals(List.of(), BeirAverage.PUBLIC.missing(BeirAverage.ZERO_SHOT.collections()));
    }

    @Test
    void msMarcoIsEvaluatedOnItsDevelopmentSet() {
        assertEquals("dev", BeirAverage.split("msmarco"));
        assertEquals("test", BeirAverage.split("scifact"));
        assertTrue(BeirAverage.isBeir("msmarco") && BeirAverage.isBeir("cqadupstack"));
        assertFalse(BeirAverage.isBeir("cranfield"));
    }
}
