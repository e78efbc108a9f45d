package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.weightstools.ConvertListener;
import io.github.sgpt4j.weightstools.ConvertOptions;
import io.github.sgpt4j.weightstools.ConvertReport;
import io.github.sgpt4j.weightstools.Converter;
import io.github.sgpt4j.weightstools.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A trained model as pickled by transformers 4.2, with mask buffers and a tied head. This test is in
/// the engine's package because log-probabilities of whole texts are not public API.
class ConvertedTrainedModelTest {
    @TempDir
    Path folder;

    @Test
    void aTrainedModelComputesWhatTheReferenceComputes() throws IOException {
        Path source = Shared.file("real/gpt2-trained");
        assumeTrue(Files.exists(source), () -> source + " is not there: the trained model is not converted");
        Path target = folder.resolve("gpt2-trained");
        ConvertReport report = Converter.convert(source, target, ConvertOptions.DEFAULT, ConvertListener.NONE);
        assertEquals(52, report.tensors());
        assertEquals(Map.of("lm_head.weight", "transformer.wte.weight"), report.tied());
        assertEquals(
                IntStream.range(0, 4)
                        .boxed()
                        .flatMap(i ->
                                List.of("bias", "masked_bias").stream().map(b -> "transformer.h." + i + ".attn." + b))
                        .toList(),
                report.droppedBuffers());

        JsonNode expected =
                new ObjectMapper().readTree(target.resolve("expected.json").toFile());
        for (Pooling pooling : List.of(Pooling.WEIGHTEDMEAN, Pooling.MEAN)) {
            BiEncoderOptions options = BiEncoderOptions.DEFAULT.withPooling(pooling);
            try (BiEncoder encoder = BiEncoder.open(target, ModelOptions.DEFAULT, options)) {
                for (int i = 0; i < expected.get("texts").size(); i++) {
                    check(
                            expected.get(pooling == Pooling.MEAN ? "mean" : "weightedmean")
                                    .get(i),
                            encoder.embed(expected.get("texts").get(i).textValue()));
                }
            }
        }
        try (Model model = Model.open(target)) {
            for (int i = 0; i < expected.get("texts").size(); i++) {
                int[] ids = model.tokenize(expected.get("texts").get(i).textValue(), false);
                assertArrayEquals(ints(expected.get("ids").get(i)), ids);
                float[] actual = model.decoder()
                        .logProbabilities(
                                PackedBatch.of(List.of(Arrays.copyOf(ids, ids.length - 1))),
                                Optional.empty(),
                                IntStream.range(0, ids.length - 1).toArray(),
                                Arrays.copyOfRange(ids, 1, ids.length));
                check(expected.get("log_probs").get(i), actual);
            }
        }
    }

    private static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).intValue();
        }
        return values;
    }

    private static void check(JsonNode expected, float[] actual) {
        assertEquals(expected.size(), actual.length);
        for (int i = 0; i < actual.length; i++) {
            double reference = expected.get(i).doubleValue();
            assertEquals(reference, actual[i], 5e-5 + 5e-5 * Math.abs(reference));
        }
    }
}
