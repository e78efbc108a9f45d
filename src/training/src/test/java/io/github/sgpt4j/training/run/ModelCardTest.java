package io.github.sgpt4j.training.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.training.data.TripleSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelCardTest {
    @TempDir
    Path folder;

    @Test
    void itSaysWhatTheModelWasMadeFromAndHow() throws IOException {
        TreeMap<Long, Map<String, Double>> scores = new TreeMap<>();
        scores.put(0L, Map.of("a|b", 0.125));
        scores.put(1200L, new TreeMap<>(Map.of("a|b", 0.25, "c", 2.0 / 3)));
        Locale before = Locale.getDefault();
        Path rows = TinyTraining.rows(folder, "row", 1234);
        try (TripleSource data = TinyTraining.data(rows);
                TrainableModel model = TinyTraining.model()) {
            Map<String, String> settings = new TreeMap<>(Map.of("pipe", "x | `y`\n# z", "rate", "0.1"));
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            String card = ModelCard.text(model, settings, data, 1200, scores);
            assertTrue(card.startsWith("---\nlibrary_name: sentence-transformers\n"), card);
            assertTrue(card.contains("from `gptneo-be` (fingerprint `%s`)".formatted(model.baseFingerprint())), card);
            assertTrue(card.contains("the state after step 1200."), card);
            assertTrue(card.contains("| pipe | x    y  # z |\n| rate | 0.1 |\n"), card);
            assertTrue(card.contains("\n1,234 rows, negatives per row: 1.\n"), card);
            assertTrue(card.contains("- `row.jsonl`, "), card);
            String sha = data.files().getFirst().sha256();
            assertTrue(card.contains("SHA-256 `%s`".formatted(sha)), card);
            assertEquals("""
                    ## Scores

                    | score | before training | this model | difference |
                    | --- | ---: | ---: | ---: |
                    | a b | 0.1250 | 0.2500 | +0.1250 |

                    All evaluations; step 0 is the model before training:

                    | step | a b | c |
                    | ---: | ---: | ---: |
                    | 0 | 0.1250 |  |
                    | 1200 | 0.2500 | 0.6667 |
                    """, card.substring(card.indexOf("## Scores")));
            assertTrue(
                    !ModelCard.text(model, settings, data, 0, new TreeMap<>()).contains("Scores"));
        } finally {
            Locale.setDefault(before);
        }
    }
}
