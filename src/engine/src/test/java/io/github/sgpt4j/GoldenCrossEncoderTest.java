package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Cross-encoders of every family against transformers' results in 64-bit arithmetic.
@Tag("vector")
class GoldenCrossEncoderTest {
    static List<String> models() {
        return Goldens.crossEncoders();
    }

    private static CrossEncoderOptions options(JsonNode expected) {
        return CrossEncoderOptions.DEFAULT
                .withPrompt(expected.get("prompt").textValue())
                .withMaxLength(expected.get("max_length").intValue());
    }

    /// All pairs of queries and documents.
    private record Pairs(List<String> queries, List<String> documents, List<int[]> indices) {
        static Pairs of(JsonNode expected) {
            List<String> queries = new ArrayList<>();
            List<String> documents = new ArrayList<>();
            List<int[]> indices = new ArrayList<>();
            for (int q = 0; q < expected.get("queries").size(); q++) {
                for (int d = 0; d < expected.get("documents").size(); d++) {
                    queries.add(expected.get("queries").get(q).textValue());
                    documents.add(expected.get("documents").get(d).textValue());
                    indices.add(new int[] {q, d});
                }
            }
            return new Pairs(queries, documents, indices);
        }
    }

    private static float[] logProbabilities(CrossEncoder.Score score) {
        float[] values = new float[score.tokens()];
        for (int i = 0; i < values.length; i++) {
            values[i] = score.tokenLogProbabilities().get(i);
        }
        return values;
    }

    private static void check(JsonNode expected, int query, int document, CrossEncoder.Score score) {
        String what = "query " + query + ", document " + document;
        double value = expected.get("scores").get(query).get(document).doubleValue();
        Closeness.FP32.check(what, value, score.value());
        Closeness.FP32.check(what, expected.get("token_log_probs").get(query).get(document), logProbabilities(score));
    }

    @ParameterizedTest
    @MethodSource("models")
    void scoresAndLogProbabilitiesAgree(String name) {
        JsonNode expected = Goldens.expected(name);
        Pairs pairs = Pairs.of(expected);
        for (int batchTokens : new int[] {1, 100, 4096}) {
            CrossEncoderOptions options = options(expected).withBatchTokens(batchTokens);
            try (CrossEncoder encoder = CrossEncoder.open(Goldens.model(name), ModelOptions.DEFAULT, options)) {
                List<CrossEncoder.Score> scores =
                        encoder.score(pairs.queries(), pairs.documents(), ProgressListener.NONE);
                for (int i = 0; i < scores.size(); i++) {
                    check(expected, pairs.indices().get(i)[0], pairs.indices().get(i)[1], scores.get(i));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void pairsScoredAloneAgree(String name) {
        JsonNode expected = Goldens.expected(name);
        Pairs pairs = Pairs.of(expected);
        try (CrossEncoder encoder = CrossEncoder.open(Goldens.model(name), ModelOptions.DEFAULT, options(expected))) {
            for (int i = 0; i < pairs.indices().size(); i++) {
                List<CrossEncoder.Score> scores = encoder.score(
                        pairs.queries().get(i), List.of(pairs.documents().get(i)));
                assertEquals(1, scores.size());
                check(expected, pairs.indices().get(i)[0], pairs.indices().get(i)[1], scores.getFirst());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyTokenOfASequenceAgrees(String name) {
        JsonNode sequence = Goldens.expected(name).get("sequence");
        int[] ids = Closeness.ints(sequence.get("ids"));
        try (Model model = Model.open(Goldens.model(name))) {
            assertArrayEquals(ids, model.tokenize(sequence.get("text").textValue(), false));
            float[] actual = model.decoder()
                    .logProbabilities(
                            PackedBatch.of(List.of(Arrays.copyOf(ids, ids.length - 1))),
                            Optional.empty(),
                            IntStream.range(0, ids.length - 1).toArray(),
                            Arrays.copyOfRange(ids, 1, ids.length));
            Closeness.FP32.check(name, sequence.get("log_probs"), actual);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void aCheckpointWithoutModulesEmbedsByWeightedMean(String name) {
        JsonNode expected = Goldens.expected(name);
        try (Model model = Model.open(Goldens.model(name));
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            assertEquals(List.of(Pooling.WEIGHTEDMEAN), model.info().pooling());
            // The first text of the bi-encoders' goldens.
            Closeness.FP32.check(name, expected.get("embedding_of_first_text"), encoder.embed("deep learning"));
        }
    }
}
