package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cuda.CudaBackend;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.CudaTests;
import io.github.sgpt4j.testing.DecoderGoldens;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Newer decoders through the CUDA backend: 32-bit floats within the CPU's bound, other types within
/// bounds of their own.
@Tag("cuda-only")
class CudaDecodersTest {
    private static final String GRAPHS = "sgpt4j.cuda.graphs";

    static List<String> models() {
        return DecoderGoldens.biEncoders();
    }

    @BeforeEach
    void requireDevice() {
        CudaTests.require();
    }

    private static List<int[]> ids(String name) {
        List<int[]> ids = new ArrayList<>();
        DecoderGoldens.expected(name).get("ids").forEach(n -> ids.add(Closeness.ints(n)));
        return ids;
    }

    private static void with(String name, Precision precision, Consumer<Decoder> test) {
        Path directory = DecoderGoldens.model(name);
        try (Weights weights = Weights.open(directory);
                CudaBackend backend = new CudaBackend(new CudaOptions(0, precision))) {
            test.accept(Decoder.load(directory, weights, backend));
            assertTrue(backend.notices().stream().noneMatch(notice -> notice.contains("CUDA graphs")));
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void statesAndPoolingAgreeIn32Bits(String name) {
        JsonNode expected = DecoderGoldens.expected(name);
        List<int[]> ids = ids(name);
        with(name, Precision.FP32, decoder -> {
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
        });
    }

    @ParameterizedTest
    @MethodSource("models")
    void meansPointNearlyTheSameWayIn8Bits(String name) {
        JsonNode expected = DecoderGoldens.expected(name).get("pooled").get("mean");
        List<int[]> ids = ids(name);
        with(name, Precision.FP8, decoder -> {
            float[][] actual = decoder.pool(SequenceBatch.of(ids), new int[ids.size()], List.of(PoolMode.MEAN));
            for (int i = 0; i < actual.length; i++) {
                checkDirection("text " + i, expected.get(i), actual[i], 0.98);
            }
        });
    }

    private static void checkDirection(String what, JsonNode expected, float[] actual, double least) {
        double cosine = cosine(Closeness.doubles(expected), actual);
        assertTrue(cosine >= least, () -> "%s: %f".formatted(what, cosine));
    }

    /// From texts, with all modules.
    @ParameterizedTest
    @MethodSource("models")
    void embeddingsAgreeIn32Bits(String name) {
        JsonNode expected = DecoderGoldens.expected(name).get("embeddings");
        float[][] actual = embed(name, Dtype.FP32);
        for (int i = 0; i < actual.length; i++) {
            Closeness.FP32.check("text " + i, expected.get(i), actual[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void embeddingsPointTheSameWayIn16Bits(String name) {
        JsonNode expected = DecoderGoldens.expected(name).get("embeddings");
        for (Dtype dtype : List.of(Dtype.BF16, Dtype.FP16)) {
            float[][] actual = embed(name, dtype);
            for (int i = 0; i < actual.length; i++) {
                checkDirection("%s, text %d".formatted(dtype, i), expected.get(i), actual[i], 0.999);
            }
        }
    }

    private static float[][] embed(String name, Dtype dtype) {
        JsonNode expected = DecoderGoldens.expected(name);
        List<String> texts = new ArrayList<>();
        expected.get("texts").forEach(n -> texts.add(n.textValue()));
        BiEncoderOptions limit = BiEncoderOptions.DEFAULT.withMaxLength(
                expected.get("max_seq_length").intValue());
        ModelOptions options = ModelOptions.DEFAULT.withDevice("cuda").withDtype(dtype);
        try (BiEncoder encoder = BiEncoder.open(DecoderGoldens.model(name), options, limit)) {
            float[][] actual = encoder.embed(texts);
            assertEquals(texts.size(), actual.length);
            return actual;
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
        return ab / Math.sqrt(aa * bb);
    }

    /// Each text is computed, recorded and launched twice, in turn with another of as many tokens.
    @ParameterizedTest
    @MethodSource("models")
    void recordedPassesAgree(String name) {
        JsonNode expected = DecoderGoldens.expected(name).get("pooled").get("mean");
        List<int[]> ids = ids(name);
        System.setProperty(GRAPHS, "true");
        try {
            with(name, Precision.FP32, decoder -> {
                for (int round = 0; round < 4; round++) {
                    for (int i = 0; i < ids.size(); i++) {
                        float[][] actual =
                                decoder.pool(SequenceBatch.of(List.of(ids.get(i))), new int[1], List.of(PoolMode.MEAN));
                        Closeness.FP32.check("round %d, text %d".formatted(round, i), expected.get(i), actual[0]);
                    }
                }
            });
        } finally {
            System.clearProperty(GRAPHS);
        }
    }

    /// Bounds of scores and logits, windows in half of the layers.
    @Test
    void boundedLogProbabilitiesAgree() {
        JsonNode sequence = DecoderGoldens.expected("gemma2-rr").get("sequence");
        int[] ids = Closeness.ints(sequence.get("ids"));
        double[] expected = Closeness.doubles(sequence.get("log_probs"));
        int[] rows = IntStream.range(0, ids.length - 1).toArray();
        int[] targets = Arrays.copyOfRange(ids, 1, ids.length);
        Map<Precision, Closeness> allowed = Map.of(
                Precision.FP32,
                Closeness.FP32,
                Precision.BF16,
                new Closeness(0.05, 0.02),
                Precision.FP16,
                new Closeness(0.01, 0.005),
                Precision.FP8,
                new Closeness(0.5, 0.05));
        allowed.forEach((precision, closeness) -> with("gemma2-rr", precision, decoder -> {
            float[] actual = decoder.logProbabilities(PackedBatch.of(List.of(ids)), Optional.empty(), rows, targets);
            assertEquals(expected.length, actual.length);
            closeness.check(precision.toString(), expected, actual);
        }));
    }
}
