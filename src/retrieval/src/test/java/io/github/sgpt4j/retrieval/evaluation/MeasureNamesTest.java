package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MeasureNamesTest {
    @ParameterizedTest
    @CsvSource({
        "nDCG@10, ndcg_cut_10, nDCG@10",
        "NDCG, ndcg, nDCG",
        "map@1000, map_cut_1000, MAP@1000",
        "Recall@100, recall_100, recall@100",
        "P@5, P_5, P@5",
        "MRR, recip_rank, MRR",
        "mrr@10, recip_rank_10, MRR@10",
        "recip_rank, recip_rank, MRR"
    })
    void areReadInBothForms(String text, String name, String label) {
        Measure measure = Measure.parse(text);
        assertEquals(name, measure.name());
        assertEquals(label, measure.label());
        assertEquals(measure, Measure.parse(name));
        assertEquals(measure, Measure.parse(label));
    }

    @Test
    void everyStandardOneIsReadBack() {
        for (Measure measure : Measure.standard(List.of(1, 10, 1000))) {
            assertEquals(measure, Measure.parse(measure.name()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "P", "recall", "nDCG@0", "nDCG@", "nDCG@-1", "nDCG@1e3", "F1@10", "ndcg@9999999999"})
    void othersAreRefused(String text) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Measure.parse(text));
        assertTrue(e.getMessage().endsWith("got \"" + text + "\""), e.getMessage());
    }
}
