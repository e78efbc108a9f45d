package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.DecoderGoldens;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What the directions of attention mean for embeddings, likelihoods and training.
class DirectionsOfUseTest {
    private static final int[] IDS = {1, 348, 290, 321, 600, 964, 277};

    private static float[] logProbabilities(Decoder decoder, int[] ids) {
        int[] rows = new int[3];
        Arrays.setAll(rows, i -> i);
        return decoder.logProbabilities(
                PackedBatch.of(List.of(ids)), Optional.empty(), rows, Arrays.copyOfRange(ids, 1, 4));
    }

    @Test
    void gritLmPredictsTokensFromEarlierOnesOnly() {
        try (Model model = Model.open(DecoderGoldens.model("mistral-gritlm-be"))) {
            Decoder decoder = model.decoder();
            float[] ofAll = logProbabilities(decoder, IDS);
            float[] ofFirst = logProbabilities(decoder, Arrays.copyOf(IDS, 4));
            Closeness.SAME.check("earlier tokens alone", ofFirst, ofAll);
            float[] whole = decoder.hiddenStates(PackedBatch.of(List.of(IDS)))[0];
            float[] first = decoder.hiddenStates(PackedBatch.of(List.of(Arrays.copyOf(IDS, 4))))[0];
            assertTrue(Closeness.deviation(Closeness.doubles(first), whole) > 0.01, "later tokens count for states");
            assertEquals(
                    "bidirectional for embeddings, causal for likelihoods", model.info().attention());
            assertEquals("auto_map", model.info().sources().attention());
        }
    }

    @Test
    void bidirectionalModelsHaveNoLikelihoods() {
        UnsupportedModelException e = assertThrows(
                UnsupportedModelException.class,
                () -> CrossEncoder.open(DecoderGoldens.model("qwen2-gte-be")).close());
        assertTrue(e.getMessage().contains("later ones"), e.getMessage());
    }

    @Test
    void prefixesAreNotSharedWhereTokensAttendToLaterOnes() {
        try (Model model = Model.open(DecoderGoldens.model("qwen2-gte-be"))) {
            assertEquals(Integer.MAX_VALUE, model.decoder().worthSharing());
        }
    }

    @Test
    void modelsWithoutAGradientAreNotTrained() {
        for (String name : List.of("mistral-gritlm-be", "gemma3-be", "olmo2-be", "llama-llm2vec-be")) {
            UnsupportedModelException e = assertThrows(
                    UnsupportedModelException.class,
                    () -> TrainableModel.open(
                                    DecoderGoldens.model(name),
                                    ModelOptions.DEFAULT,
                                    BiEncoderOptions.DEFAULT,
                                    tensor -> true)
                            .close());
            assertTrue(e.getMessage().contains("training"), e.getMessage());
        }
    }
}
