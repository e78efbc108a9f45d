package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Bi-encoders of every family against transformers' results in 64-bit arithmetic.
@Tag("vector")
class GoldenBiEncoderTest {
    static List<String> models() {
        return Goldens.biEncoders();
    }

    static List<String> specbModels() {
        return models().stream().filter(m -> Goldens.expected(m).has("specb")).toList();
    }

    private static List<String> strings(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(n -> texts.add(n.textValue()));
        return texts;
    }

    private static BiEncoderOptions noSpecb() {
        return BiEncoderOptions.DEFAULT.withSpecb(false);
    }

    @ParameterizedTest
    @MethodSource("models")
    void tokenIdsAreExact(String name) {
        JsonNode expected = Goldens.expected(name);
        try (BiEncoder encoder = BiEncoder.open(Goldens.model(name), ModelOptions.DEFAULT, noSpecb())) {
            for (int i = 0; i < expected.get("texts").size(); i++) {
                assertArrayEquals(
                        Closeness.ints(expected.get("ids").get(i)),
                        encoder.tokenize(expected.get("texts").get(i).textValue(), TextKind.TEXT),
                        "text " + i);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyPoolingModeAgrees(String name) {
        JsonNode expected = Goldens.expected(name);
        List<String> texts = strings(expected.get("texts"));
        try (Model model = Model.open(Goldens.model(name))) {
            boolean normalizes = model.info().modules().contains("Normalize");
            for (Map.Entry<String, JsonNode> mode : expected.get("pooled").properties()) {
                BiEncoderOptions options = noSpecb().withPooling(Pooling.parse(mode.getKey()));
                try (BiEncoder encoder = BiEncoder.of(model, options)) {
                    float[][] actual = encoder.embed(texts);
                    for (int i = 0; i < texts.size(); i++) {
                        double[] vector = Closeness.doubles(mode.getValue().get(i));
                        Closeness.FP32.check(
                                mode.getKey() + " of text " + i, normalizes ? normalized(vector) : vector, actual[i]);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void severalModesAreConcatenated(String name) {
        JsonNode expected = Goldens.expected(name);
        String text = expected.get("texts").get(4).textValue();
        BiEncoderOptions options = noSpecb().withPooling(Pooling.LASTTOKEN, Pooling.WEIGHTEDMEAN);
        try (Model model = Model.open(Goldens.model(name));
                BiEncoder encoder = BiEncoder.of(model, options)) {
            JsonNode pooled = expected.get("pooled");
            double[] last = Closeness.doubles(pooled.get("lasttoken").get(4));
            double[] weighted = Closeness.doubles(pooled.get("weightedmean").get(4));
            double[] both = Arrays.copyOf(last, last.length + weighted.length);
            System.arraycopy(weighted, 0, both, last.length, weighted.length);
            boolean normalizes = model.info().modules().contains("Normalize");
            assertEquals(both.length, encoder.dimension());
            Closeness.FP32.check(name, normalizes ? normalized(both) : both, encoder.embed(text));
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void theCheckpointsOwnPoolingIsTheDefault(String name) {
        JsonNode expected = Goldens.expected(name);
        try (Model model = Model.open(Goldens.model(name));
                BiEncoder encoder = BiEncoder.of(model, noSpecb())) {
            String mode = expected.get("default_pooling").textValue();
            assertEquals(List.of(Pooling.parse(mode)), model.info().pooling());
            double[] vector = Closeness.doubles(expected.get("pooled").get(mode).get(0));
            boolean normalizes = model.info().modules().contains("Normalize");
            Closeness.FP32.check(
                    name,
                    normalizes ? normalized(vector) : vector,
                    encoder.embed(expected.get("texts").get(0).textValue()));
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void hiddenStatesAgree(String name) {
        JsonNode expected = Goldens.expected(name).get("last_hidden_state");
        int[] ids = Closeness.ints(
                Goldens.expected(name).get("ids").get(expected.get("text").intValue()));
        try (Model model = Model.open(Goldens.model(name))) {
            float[][] states = model.decoder().hiddenStates(PackedBatch.of(List.of(ids)));
            assertEquals(expected.get("values").size(), states.length);
            for (int t = 0; t < states.length; t++) {
                Closeness.FP32.check("token " + t, expected.get("values").get(t), states[t]);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("specbModels")
    void bracketsAgree(String name) {
        JsonNode specb = Goldens.expected(name).get("specb");
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withSpecb(true).withPooling(Pooling.WEIGHTEDMEAN);
        try (BiEncoder encoder = BiEncoder.open(Goldens.model(name), ModelOptions.DEFAULT, options)) {
            checkSpecb(specb, "query_ids", "query_embeddings", strings(specb.get("queries")), encoder, TextKind.QUERY);
            checkSpecb(
                    specb,
                    "document_ids",
                    "document_embeddings",
                    strings(specb.get("documents")),
                    encoder,
                    TextKind.DOCUMENT);
        }
    }

    private static void checkSpecb(
            JsonNode specb, String ids, String embeddings, List<String> texts, BiEncoder encoder, TextKind kind) {
        float[][] actual = encoder.embed(texts, kind);
        for (int i = 0; i < texts.size(); i++) {
            assertArrayEquals(Closeness.ints(specb.get(ids).get(i)), encoder.tokenize(texts.get(i), kind));
            Closeness.FP32.check(kind + " " + i, specb.get(embeddings).get(i), actual[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void companyOrderAndThreadsDoNotMatter(String name) {
        List<String> texts = strings(Goldens.expected(name).get("texts"));
        float[][] together;
        try (BiEncoder encoder = BiEncoder.open(Goldens.model(name), ModelOptions.DEFAULT.withThreads(1), noSpecb())) {
            together = encoder.embed(texts);
            for (int i = 0; i < texts.size(); i++) {
                Closeness.SAME.check("alone " + i, together[i], encoder.embed(texts.get(i)));
            }
        }
        for (int threads : new int[] {2, 3}) {
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                order.add(i);
            }
            Collections.shuffle(order, new Random(threads));
            try (BiEncoder encoder = BiEncoder.open(
                    Goldens.model(name),
                    ModelOptions.DEFAULT.withThreads(threads),
                    noSpecb().withBatchTokens(30 * threads))) {
                float[][] shuffled =
                        encoder.embed(order.stream().map(texts::get).toList());
                for (int i = 0; i < texts.size(); i++) {
                    Closeness.SAME.check(
                            threads + " threads, text " + order.get(i), together[order.get(i)], shuffled[i]);
                }
            }
        }
    }

    private static double[] normalized(double[] vector) {
        double[] result = vector.clone();
        Closeness.normalize(result);
        return result;
    }
}
