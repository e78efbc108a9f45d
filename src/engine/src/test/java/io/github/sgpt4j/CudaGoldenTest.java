package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.Goldens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every golden through the CUDA backend: 32-bit floats within the CPU's bound, 16-bit types within bounds of their
/// own.
@Tag("cuda-only")
class CudaGoldenTest {
    /// Minimum cosine of a 16-bit embedding and the exact one.
    private static final double MIN_COSINE = 0.999;

    /// Cosine of an embedding with products in 8 bits and the exact one.
    private static final double MIN_COSINE_IN_8_BITS = 0.98;

    static List<String> biEncoders() {
        return Goldens.biEncoders();
    }

    static List<String> crossEncoders() {
        return Goldens.crossEncoders();
    }

    @BeforeEach
    void requireDevice() {
        CudaTests.require();
    }

    private static ModelOptions options(Dtype dtype) {
        return ModelOptions.DEFAULT.withDevice("cuda").withDtype(dtype);
    }

    private static List<String> strings(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(n -> texts.add(n.textValue()));
        return texts;
    }

    /// All pooling modes in one pass.
    @ParameterizedTest
    @MethodSource("biEncoders")
    void embeddingsAgreeIn32Bits(String name) {
        JsonNode expected = Goldens.expected(name);
        List<String> texts = strings(expected.get("texts"));
        List<String> modes = new ArrayList<>();
        expected.get("pooled").fieldNames().forEachRemaining(modes::add);
        try (Model model = Model.open(Goldens.model(name), options(Dtype.FP32))) {
            assertEquals("cuda:0", model.device());
            boolean normalizes = model.info().modules().contains("Normalize");
            BiEncoderOptions pooling = BiEncoderOptions.DEFAULT
                    .withSpecb(false)
                    .withPooling(modes.stream().map(Pooling::parse).toArray(Pooling[]::new));
            try (BiEncoder encoder = BiEncoder.of(model, pooling)) {
                float[][] actual = encoder.embed(texts);
                for (int i = 0; i < texts.size(); i++) {
                    double[] all = concatenated(expected.get("pooled"), modes, i);
                    if (normalizes) {
                        Closeness.normalize(all);
                    }
                    Closeness.FP32.check("text " + i, all, actual[i]);
                }
            }
        }
    }

    private static double[] concatenated(JsonNode pooled, List<String> modes, int text) {
        return modes.stream()
                .flatMapToDouble(
                        mode -> Arrays.stream(Closeness.doubles(pooled.get(mode).get(text))))
                .toArray();
    }

    @ParameterizedTest
    @MethodSource("biEncoders")
    void hiddenStatesAgreeIn32Bits(String name) {
        JsonNode expected = Goldens.expected(name).get("last_hidden_state");
        int[] ids = Closeness.ints(
                Goldens.expected(name).get("ids").get(expected.get("text").intValue()));
        try (Model model = Model.open(Goldens.model(name), options(Dtype.FP32))) {
            float[][] states = model.decoder().hiddenStates(PackedBatch.of(List.of(ids)));
            for (int t = 0; t < states.length; t++) {
                Closeness.FP32.check("token " + t, expected.get("values").get(t), states[t]);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("biEncoders")
    void embeddingsPointTheSameWayIn16Bits(String name) {
        for (Dtype dtype : List.of(Dtype.BF16, Dtype.FP16)) {
            checkDirections(name, dtype, MIN_COSINE);
        }
    }

    @ParameterizedTest
    @MethodSource("biEncoders")
    void embeddingsPointNearlyTheSameWayIn8Bits(String name) {
        checkDirections(name, Dtype.FP8, MIN_COSINE_IN_8_BITS);
    }

    private static void checkDirections(String name, Dtype dtype, double least) {
        JsonNode expected = Goldens.expected(name);
        List<String> texts = strings(expected.get("texts"));
        String mode = expected.get("default_pooling").textValue();
        try (BiEncoder encoder =
                BiEncoder.open(Goldens.model(name), options(dtype), BiEncoderOptions.DEFAULT.withSpecb(false))) {
            float[][] actual = encoder.embed(texts);
            for (int i = 0; i < texts.size(); i++) {
                double[] vector =
                        Closeness.doubles(expected.get("pooled").get(mode).get(i));
                double cosine = cosine(vector, actual[i]);
                int text = i;
                assertTrue(cosine >= least, () -> "%s, %s, text %d: %f".formatted(name, dtype, text, cosine));
            }
        }
    }

    private static double cosine(double[] a, float[] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += a[i] * b[i];
            aa += a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return aa == 0 && bb == 0 ? 1 : ab / Math.sqrt(aa * bb);
    }

    @ParameterizedTest
    @MethodSource("crossEncoders")
    void scoresAgreeIn32Bits(String name) {
        check(name, Dtype.FP32, Closeness.FP32, name.startsWith("gptneo") ? 1 : 100);
    }

    /// Logits of the random goldens are of size 1, weights and states have 8 or 11 bits. The error of a
    /// score is at most the error of a token's log-probability times the number of tokens.
    @ParameterizedTest
    @MethodSource("crossEncoders")
    void scoresAreNearIn16Bits(String name) {
        check(name, Dtype.BF16, new Closeness(0.05, 0.02), 100);
        check(name, Dtype.FP16, new Closeness(0.01, 0.005), 100);
    }

    /// Inputs and weights have 4 bits; the output head still has those of bfloat16.
    @ParameterizedTest
    @MethodSource("crossEncoders")
    void scoresAreNotFarIn8Bits(String name) {
        check(name, Dtype.FP8, new Closeness(0.5, 0.05), 100);
    }

    private static void check(String name, Dtype dtype, Closeness allowed, int batchTokens) {
        JsonNode expected = Goldens.expected(name);
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT
                .withPrompt(expected.get("prompt").textValue())
                .withMaxLength(expected.get("max_length").intValue())
                .withBatchTokens(batchTokens);
        List<String> documents = strings(expected.get("documents"));
        try (CrossEncoder encoder = CrossEncoder.open(Goldens.model(name), options(dtype), options)) {
            for (int q = 0; q < expected.get("queries").size(); q++) {
                List<CrossEncoder.Score> scores =
                        encoder.score(expected.get("queries").get(q).textValue(), documents);
                for (int d = 0; d < documents.size(); d++) {
                    CrossEncoder.Score score = scores.get(d);
                    String what = "%s, %s, query %d, document %d".formatted(name, dtype, q, d);
                    allowed.check(what, expected.get("scores").get(q).get(d).doubleValue(), score.value());
                    JsonNode tokens = expected.get("token_log_probs").get(q).get(d);
                    for (int t = 0; t < score.tokens(); t++) {
                        allowed.check(
                                what,
                                tokens.get(t).doubleValue(),
                                score.tokenLogProbabilities().get(t));
                    }
                }
            }
        }
    }
}
