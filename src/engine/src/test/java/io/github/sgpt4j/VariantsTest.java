package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Variants;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Configuration options that the goldens leave at their defaults, against transformers and sentence-transformers in
/// 64-bit arithmetic.
class VariantsTest {
    static List<String> decoders() {
        return Variants.decoders();
    }

    static List<String> embeddings() {
        return Variants.embeddings();
    }

    @FunctionalInterface
    private interface DecoderCheck {
        void check(Decoder decoder, JsonNode expected);
    }

    private static void withDecoder(String name, DecoderCheck check) {
        Path directory = Variants.model(name);
        try (Weights weights = Weights.open(directory);
                Backend backend = Devices.open(ModelOptions.DEFAULT)) {
            check.check(Decoder.load(directory, weights, backend), Variants.expected(name));
        }
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void hiddenStatesAgree(String name) {
        withDecoder(name, (decoder, expected) -> {
            for (int s = 0; s < expected.get("ids").size(); s++) {
                int[] ids = Closeness.ints(expected.get("ids").get(s));
                float[][] states = decoder.hiddenStates(PackedBatch.of(List.of(ids)));
                checkRows(expected, s, Arrays.asList(states));
            }
        });
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void hiddenStatesOfSequencesInOneBatchAgree(String name) {
        withDecoder(name, (decoder, expected) -> {
            List<int[]> sequences = IntStream.range(0, expected.get("ids").size())
                    .mapToObj(s -> Closeness.ints(expected.get("ids").get(s)))
                    .toList();
            List<float[]> states = Arrays.asList(decoder.hiddenStates(PackedBatch.of(sequences)));
            int row = 0;
            for (int s = 0; s < sequences.size(); s++) {
                int length = sequences.get(s).length;
                checkRows(expected, s, states.subList(row, row + length));
                row += length;
            }
            assertEquals(row, states.size());
        });
    }

    private static void checkRows(JsonNode expected, int sequence, List<float[]> states) {
        int[] positions = Closeness.ints(expected.get("positions").get(sequence));
        for (int p = 0; p < positions.length; p++) {
            Closeness.FP32.check(
                    "sequence %d, position %d".formatted(sequence, positions[p]),
                    expected.get("hidden_states").get(sequence).get(p),
                    states.get(positions[p]));
        }
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void logProbabilitiesAgree(String name) {
        withDecoder(name, (decoder, expected) -> {
            for (int s = 0; s < expected.get("ids").size(); s++) {
                int[] ids = Closeness.ints(expected.get("ids").get(s));
                int[] rows = IntStream.range(0, ids.length - 1).toArray();
                float[] actual = decoder.logProbabilities(
                        PackedBatch.of(List.of(ids)), Optional.empty(), rows, Arrays.copyOfRange(ids, 1, ids.length));
                Closeness.FP32.check("sequence " + s, expected.get("log_probs").get(s), actual);
            }
        });
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void oneTokenMoreThanTheModelTakesIsRefused(String name) {
        withDecoder(name, (decoder, expected) -> {
            int positions = decoder.config().maxPositions();
            assertEquals(
                    positions,
                    expected.get("ids").get(expected.get("ids").size() - 1).size());
            int longest = decoder.config().longest();
            PackedBatch tooLong = PackedBatch.of(List.of(new int[longest + 1]));
            assertThrows(IllegalArgumentException.class, () -> decoder.hiddenStates(tooLong));
            PackedBatch more = PackedBatch.of(List.of(new int[positions + 1]));
            if (longest > positions) {
                assertEquals(positions + 1, decoder.hiddenStates(more).length);
            } else {
                assertThrows(IllegalArgumentException.class, () -> decoder.hiddenStates(more));
            }
        });
    }

    @ParameterizedTest
    @MethodSource("embeddings")
    void tokenIdsAreExact(String name) {
        JsonNode expected = Variants.expected(name);
        List<String> texts = Variants.strings(expected.get("texts"));
        try (BiEncoder encoder = BiEncoder.open(Variants.model(name))) {
            for (Map.Entry<String, JsonNode> kind : expected.get("ids").properties()) {
                for (int t = 0; t < texts.size(); t++) {
                    assertArrayEquals(
                            Closeness.ints(kind.getValue().get(t)),
                            encoder.tokenize(texts.get(t), TextKind.valueOf(kind.getKey())),
                            kind.getKey() + " " + t);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("embeddings")
    void embeddingsAgree(String name) {
        JsonNode expected = Variants.expected(name);
        List<String> texts = Variants.strings(expected.get("texts"));
        try (BiEncoder encoder = BiEncoder.open(Variants.model(name))) {
            for (Map.Entry<String, JsonNode> kind : expected.get("embeddings").properties()) {
                float[][] actual = encoder.embed(texts, TextKind.valueOf(kind.getKey()));
                for (int t = 0; t < texts.size(); t++) {
                    JsonNode vector = kind.getValue().get(t);
                    assertEquals(vector.size(), encoder.dimension());
                    Closeness.FP32.check(kind.getKey() + " " + t, vector, actual[t]);
                }
            }
        }
    }
}
