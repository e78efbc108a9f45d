package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.DecoderGoldens;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Newer decoders as bi-encoders, against results in 64-bit arithmetic.
@Tag("vector")
class GoldenDecodersTest {
    static List<String> models() {
        return DecoderGoldens.biEncoders();
    }

    private static List<int[]> ids(String name) {
        List<int[]> ids = new ArrayList<>();
        DecoderGoldens.expected(name).get("ids").forEach(n -> ids.add(Closeness.ints(n)));
        return ids;
    }

    private static List<String> strings(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(n -> texts.add(n.textValue()));
        return texts;
    }

    /// From token ids: what the decoder itself computes.
    @ParameterizedTest
    @MethodSource("models")
    void statesAndPoolingAgree(String name) {
        JsonNode expected = DecoderGoldens.expected(name);
        Path directory = DecoderGoldens.model(name);
        List<int[]> ids = ids(name);
        try (Backend backend = new CpuBackend(new CpuOptions(2, Precision.AUTO, 0));
                Weights weights = Weights.open(directory)) {
            Decoder decoder = Decoder.load(directory, weights, backend);
            JsonNode states = expected.get("last_hidden_state");
            float[][] actual = decoder.hiddenStates(
                    PackedBatch.of(List.of(ids.get(states.get("text").intValue()))));
            for (int t = 0; t < actual.length; t++) {
                Closeness.FP32.check("token " + t, states.get("values").get(t), actual[t]);
            }
            for (Map.Entry<String, JsonNode> mode : expected.get("pooled").properties()) {
                float[][] pooled = decoder.pool(
                        SequenceBatch.of(ids),
                        new int[ids.size()],
                        List.of(Pooling.parse(mode.getKey()).mode()));
                for (int i = 0; i < pooled.length; i++) {
                    Closeness.FP32.check(
                            mode.getKey() + " of text " + i, mode.getValue().get(i), pooled[i]);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void embeddingsAgree(String name) {
        JsonNode expected = DecoderGoldens.expected(name);
        List<String> texts = strings(expected.get("texts"));
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withMaxLength(
                expected.get("max_seq_length").intValue());
        try (BiEncoder encoder = BiEncoder.open(DecoderGoldens.model(name), ModelOptions.DEFAULT, options)) {
            for (int i = 0; i < texts.size(); i++) {
                assertArrayEquals(ids(name).get(i), encoder.tokenize(texts.get(i), TextKind.TEXT), "ids of text " + i);
            }
            float[][] together = encoder.embed(texts);
            for (int i = 0; i < texts.size(); i++) {
                Closeness.FP32.check("text " + i, expected.get("embeddings").get(i), together[i]);
                Closeness.SAME.check("alone " + i, together[i], encoder.embed(texts.get(i)));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void promptsAgree(String name) {
        for (Map.Entry<String, JsonNode> entry :
                DecoderGoldens.expected(name).path("prompts").properties()) {
            JsonNode prompts = entry.getValue();
            String prompt = prompts.get("prompt").textValue();
            BiEncoderOptions options = BiEncoderOptions.DEFAULT.withPrompt(TextKind.TEXT, prompt);
            List<String> texts = strings(prompts.get("texts"));
            try (BiEncoder encoder = BiEncoder.open(DecoderGoldens.model(name), ModelOptions.DEFAULT, options)) {
                float[][] actual = encoder.embed(texts);
                for (int i = 0; i < texts.size(); i++) {
                    String what = "%s %d".formatted(entry.getKey(), i);
                    assertArrayEquals(
                            Closeness.ints(prompts.get("ids").get(i)),
                            encoder.tokenize(texts.get(i), TextKind.TEXT),
                            what);
                    Closeness.FP32.check(what, prompts.get("embeddings").get(i), actual[i]);
                }
            }
        }
    }
}
