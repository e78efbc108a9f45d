package io.github.sgpt4j.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.reference.ReferenceBackend;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.PackedBatchBuilder;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Tests the decoder's structure alone: in 64-bit arithmetic it agrees with the reference in all
/// recorded digits, independent of a backend's kernels.
class DecoderReferenceTest {
    /// Expected values are rounded to 7 decimals; results pass through one rounding to 32 bits.
    private static final Closeness TIGHT = new Closeness(2e-6, 1e-6);

    /// Sharing tokens between sequences changes nothing but the last rounding.
    private static final Closeness SHARED = new Closeness(1e-6, 2e-7);

    private static final Map<String, PoolMode> MODES = Map.of(
            "cls", PoolMode.FIRST,
            "max", PoolMode.MAX,
            "mean", PoolMode.MEAN,
            "mean_sqrt_len_tokens", PoolMode.MEAN_SQRT_LENGTH,
            "weightedmean", PoolMode.WEIGHTED_MEAN,
            "lasttoken", PoolMode.LAST);

    static List<String> biEncoders() {
        return Goldens.biEncoders();
    }

    static List<String> crossEncoders() {
        return Goldens.crossEncoders();
    }

    static List<String> variants() {
        return Variants.decoders();
    }

    @FunctionalInterface
    private interface DecoderCheck {
        void check(Decoder decoder);
    }

    private static void withDecoder(Path directory, DecoderCheck check) {
        try (Weights weights = Weights.open(directory);
                ReferenceBackend backend = new ReferenceBackend()) {
            check.check(Decoder.load(directory, weights, backend));
            assertEquals(0, backend.openTensors(), "open tensors");
            assertEquals(0, backend.openBatches(), "open batches");
        }
    }

    private static float[] everyLogProbability(Decoder decoder, int[] ids) {
        return decoder.logProbabilities(
                PackedBatch.of(List.of(ids)),
                Optional.empty(),
                IntStream.range(0, ids.length - 1).toArray(),
                Arrays.copyOfRange(ids, 1, ids.length));
    }

    @ParameterizedTest
    @MethodSource("biEncoders")
    void hiddenStatesOfGoldensAgree(String name) {
        JsonNode expected = Goldens.expected(name);
        JsonNode states = expected.get("last_hidden_state");
        int[] ids = Closeness.ints(expected.get("ids").get(states.get("text").intValue()));
        withDecoder(Goldens.model(name), decoder -> {
            float[][] actual = decoder.hiddenStates(PackedBatch.of(List.of(ids)));
            assertEquals(states.get("values").size(), actual.length);
            for (int t = 0; t < actual.length; t++) {
                TIGHT.check("token " + t, states.get("values").get(t), actual[t]);
            }
        });
    }

    @ParameterizedTest
    @MethodSource("biEncoders")
    void pooledStatesOfGoldensAgree(String name) {
        JsonNode expected = Goldens.expected(name);
        List<Integer> texts = new ArrayList<>();
        List<int[]> sequences = new ArrayList<>();
        for (int i = 0; i < expected.get("ids").size(); i++) {
            int[] ids = Closeness.ints(expected.get("ids").get(i));
            if (ids.length > 0) {
                texts.add(i);
                sequences.add(ids);
            }
        }
        withDecoder(Goldens.model(name), decoder -> {
            for (Map.Entry<String, JsonNode> mode : expected.get("pooled").properties()) {
                float[][] actual = decoder.pool(
                        SequenceBatch.of(sequences), new int[sequences.size()], List.of(MODES.get(mode.getKey())));
                for (int i = 0; i < actual.length; i++) {
                    TIGHT.check(
                            mode.getKey() + " of text " + texts.get(i),
                            mode.getValue().get(texts.get(i)),
                            actual[i]);
                }
            }
        });
    }

    @ParameterizedTest
    @MethodSource("crossEncoders")
    void logProbabilitiesOfGoldensAgree(String name) {
        JsonNode sequence = Goldens.expected(name).get("sequence");
        int[] ids = Closeness.ints(sequence.get("ids"));
        withDecoder(
                Goldens.model(name),
                decoder -> TIGHT.check(name, sequence.get("log_probs"), everyLogProbability(decoder, ids)));
    }

    @ParameterizedTest
    @MethodSource("variants")
    void variantsAgree(String name) {
        JsonNode expected = Variants.expected(name);
        withDecoder(Variants.model(name), decoder -> {
            for (int s = 0; s < expected.get("ids").size(); s++) {
                int[] ids = Closeness.ints(expected.get("ids").get(s));
                float[][] states = decoder.hiddenStates(PackedBatch.of(List.of(ids)));
                int[] positions = Closeness.ints(expected.get("positions").get(s));
                for (int p = 0; p < positions.length; p++) {
                    TIGHT.check(
                            "sequence %d, position %d".formatted(s, positions[p]),
                            expected.get("hidden_states").get(s).get(p),
                            states[positions[p]]);
                }
                TIGHT.check("sequence " + s, expected.get("log_probs").get(s), everyLogProbability(decoder, ids));
            }
        });
    }

    @ParameterizedTest
    @MethodSource("variants")
    void aCachedFrontChangesNothing(String name) {
        JsonNode sequences = Variants.expected(name).get("ids");
        int[] ids = Closeness.ints(sequences.get(sequences.size() - 1));
        withDecoder(Variants.model(name), decoder -> {
            float[] expected = everyLogProbability(decoder, ids);
            for (int front : new int[] {1, 7, ids.length - 2}) {
                PackedBatchBuilder builder = new PackedBatchBuilder();
                builder.addCached(front);
                builder.add(ids, front, ids.length, 0);
                try (CachedPrefix prefix = decoder.prefix(Arrays.copyOf(ids, front), Cancellation.NEVER)) {
                    float[] actual = decoder.logProbabilities(
                            builder.build(),
                            Optional.of(prefix),
                            IntStream.range(0, ids.length - 1 - front).toArray(),
                            Arrays.copyOfRange(ids, front + 1, ids.length));
                    SHARED.check(front + " cached", Arrays.copyOfRange(expected, front, expected.length), actual);
                }
            }
        });
    }

    @ParameterizedTest
    @MethodSource("variants")
    void continuationsOfOneSegmentDoNotSeeEachOther(String name) {
        JsonNode sequences = Variants.expected(name).get("ids");
        int[] one = Closeness.ints(sequences.get(sequences.size() - 1));
        int front = 9;
        int[] other = one.clone();
        for (int i = front; i < other.length; i++) {
            other[i] = (one[i] + 1) % 50;
        }
        PackedBatchBuilder builder = new PackedBatchBuilder();
        int parent = builder.add(one, 0, front, PackedBatch.NO_PARENT);
        builder.add(other, front, other.length, parent);
        builder.add(one, front, one.length, parent);
        withDecoder(Variants.model(name), decoder -> {
            float[][] together = decoder.hiddenStates(builder.build());
            float[][] alone = decoder.hiddenStates(PackedBatch.of(List.of(one)));
            float[][] otherAlone = decoder.hiddenStates(PackedBatch.of(List.of(other)));
            int tail = one.length - front;
            for (int t = 0; t < one.length; t++) {
                SHARED.check("one, token " + t, alone[t], together[t < front ? t : t + tail]);
                SHARED.check("other, token " + t, otherAlone[t], together[t]);
            }
        });
    }

    /// Only the requested states go through the last layer's feed-forward.
    @ParameterizedTest
    @MethodSource("variants")
    void askingForFewRowsGivesTheSameNumbers(String name) {
        JsonNode sequences = Variants.expected(name).get("ids");
        int[] ids = Closeness.ints(sequences.get(sequences.size() - 1));
        withDecoder(Variants.model(name), decoder -> {
            float[] every = everyLogProbability(decoder, ids);
            for (int first : new int[] {0, ids.length / 2, ids.length - 2}) {
                // Out of order and repeated.
                int[] rows = {first, ids.length - 2, first};
                int[] targets = Arrays.stream(rows).map(row -> ids[row + 1]).toArray();
                float[] few = decoder.logProbabilities(PackedBatch.of(List.of(ids)), Optional.empty(), rows, targets);
                for (int i = 0; i < rows.length; i++) {
                    assertEquals(every[rows[i]], few[i], name + ", row " + rows[i]);
                }
            }
        });
    }

    @ParameterizedTest
    @MethodSource("variants")
    void poolingTheLastTokenAloneIsPoolingItAmongOthers(String name) {
        JsonNode sequences = Variants.expected(name).get("ids");
        int[] ids = Closeness.ints(sequences.get(sequences.size() - 1));
        int[] other = Arrays.copyOfRange(ids, 1, ids.length);
        withDecoder(Variants.model(name), decoder -> {
            SequenceBatch batch = SequenceBatch.of(List.of(ids, other, Arrays.copyOf(ids, 5)));
            int[] skip = {0, ids.length, 2};
            float[][] alone = decoder.pool(batch, skip, List.of(PoolMode.LAST));
            float[][] among = decoder.pool(batch, skip, List.of(PoolMode.LAST, PoolMode.MEAN));
            for (int i = 0; i < alone.length; i++) {
                assertArrayEquals(Arrays.copyOf(among[i], alone[i].length), alone[i], name);
            }
            assertArrayEquals(new float[decoder.width()], alone[1]);
        });
    }
}
