package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.DecoderGoldens;
import io.github.sgpt4j.testing.RerankerGoldens.Pairs;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Re-rankers of every kind against the reference's results in 64-bit arithmetic.
@Tag("vector")
class GoldenRerankerTest {
    /// Probabilities.
    private static final Closeness PROBABILITIES = new Closeness(1e-5, 0);

    /// A golden checkpoint.
    ///
    /// @param template asked for, since the folder's name says nothing; empty if the files state it
    /// @param method what is computed
    record Case(String name, Optional<RerankTemplate> template, ScoringMethod method) {
        static Case named(String name, RerankTemplate template, ScoringMethod method) {
            return new Case(name, Optional.of(template), method);
        }

        static Case stated(String name, ScoringMethod method) {
            return new Case(name, Optional.empty(), method);
        }

        CrossEncoderOptions options(JsonNode expected) {
            CrossEncoderOptions options = CrossEncoderOptions.DEFAULT;
            if (template.isPresent()) {
                options = options.withTemplate(template.get())
                        .withMaxLength(expected.get("max_length").intValue());
            }
            JsonNode pieces = expected.path("template").path("pieces");
            if (template.equals(Optional.of(RerankTemplate.BGE_GEMMA))) {
                return options.withInstruction(pieces.get(pieces.size() - 1).textValue());
            }
            return template.equals(Optional.of(RerankTemplate.MXBAI_V2))
                    ? options.withInstruction(expected.get("instruction").textValue())
                    : options;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Case> cases() {
        return Stream.of(
                Case.named("qwen3-rr", RerankTemplate.QWEN3_RERANKER, ScoringMethod.CHOICE),
                Case.named("qwen3-seqcls", RerankTemplate.QWEN3_RERANKER, ScoringMethod.HEAD),
                Case.named("llama-seqcls", RerankTemplate.RANKLLAMA, ScoringMethod.HEAD),
                Case.named("qwen2-rr", RerankTemplate.MXBAI_V2, ScoringMethod.CHOICE),
                Case.named("gemma-rr", RerankTemplate.BGE_GEMMA, ScoringMethod.CHOICE),
                Case.named("gemma2-rr", RerankTemplate.BGE_GEMMA, ScoringMethod.CHOICE),
                Case.named("llama-bidirec-seqcls", RerankTemplate.NVIDIA_RERANK, ScoringMethod.HEAD),
                Case.stated("qwen3-rr-st", ScoringMethod.CHOICE),
                Case.stated("qwen3-rr-onelogit", ScoringMethod.CHOICE),
                Case.stated("qwen3-seqcls-st", ScoringMethod.HEAD),
                Case.stated("qwen2-rr-st", ScoringMethod.CHOICE));
    }

    private static CrossEncoder open(Case golden, CrossEncoderOptions options) {
        return CrossEncoder.open(DecoderGoldens.model(golden.name()), ModelOptions.DEFAULT, options);
    }

    static void check(CrossEncoder encoder, JsonNode expected, int query, int document, CrossEncoder.Score score) {
        String what = "query " + query + ", document " + document;
        Closeness scores = encoder.scoresAreProbabilities() ? PROBABILITIES : Closeness.FP32;
        double value = expected.get("scores").get(query).get(document).doubleValue();
        if (isProbabilityOfRawScore(expected)) {
            PROBABILITIES.check(what, value, 1 / (1 + Math.exp(-score.value())));
        } else {
            scores.check(what, value, score.value());
        }
        if (expected.has("logits")) {
            float[] logits = new float[score.logits().size()];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = score.logits().get(i);
            }
            Closeness.FP32.check(what, expected.get("logits").get(query).get(document), logits);
        }
        assertEquals(
                expected.get("ids").get(query).get(document).size(), score.inputTokens(), what + ": number of tokens");
        assertEquals(List.of(), score.tokenLogProbabilities());
    }

    /// RankLLaMA's published usage takes the logit itself; the reference has its sigmoid.
    private static boolean isProbabilityOfRawScore(JsonNode expected) {
        return expected.path("layout").asText().contains("rankllama");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void scoresAgreeInBatches(Case golden) {
        JsonNode expected = DecoderGoldens.expected(golden.name());
        Pairs pairs = Pairs.of(expected);
        for (int batchTokens : new int[] {1, 700, 4096}) {
            try (CrossEncoder encoder = open(golden, golden.options(expected).withBatchTokens(batchTokens))) {
                assertEquals(golden.method(), encoder.method());
                List<CrossEncoder.Score> scores =
                        encoder.score(pairs.queries(), pairs.documents(), ProgressListener.NONE);
                for (int i = 0; i < scores.size(); i++) {
                    int[] at = pairs.indices().get(i);
                    check(encoder, expected, at[0], at[1], scores.get(i));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void pairsScoredAloneAgree(Case golden) {
        JsonNode expected = DecoderGoldens.expected(golden.name());
        Pairs pairs = Pairs.of(expected);
        try (CrossEncoder encoder = open(golden, golden.options(expected))) {
            for (int i = 0; i < pairs.indices().size(); i++) {
                int[] at = pairs.indices().get(i);
                List<CrossEncoder.Score> scores = encoder.score(
                        pairs.queries().get(i), List.of(pairs.documents().get(i)));
                check(encoder, expected, at[0], at[1], scores.getFirst());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void idsAreThoseOfTheReference(Case golden) {
        JsonNode expected = DecoderGoldens.expected(golden.name());
        try (CrossEncoder encoder = open(golden, golden.options(expected))) {
            checkIds(encoder, expected);
            for (String other : List.of("other_instruction", "without_instruction")) {
                if (expected.has(other)) {
                    CrossEncoderOptions options = golden.options(expected);
                    String instruction = expected.get(other).path("instruction").asText("");
                    try (CrossEncoder second = open(golden, options.withInstruction(instruction))) {
                        checkIds(second, expected.get(other));
                    }
                }
            }
        }
    }

    private static void checkIds(CrossEncoder encoder, JsonNode expected) {
        Pairs pairs = Pairs.of(expected);
        for (int i = 0; i < pairs.indices().size(); i++) {
            int[] at = pairs.indices().get(i);
            TokenizedPair pair = encoder.tokenized(
                            pairs.queries().get(i), List.of(pairs.documents().get(i)), true)
                    .getFirst();
            assertArrayEquals(
                    Closeness.ints(expected.get("ids").get(at[0]).get(at[1])),
                    pair.ids(),
                    "query " + at[0] + ", document " + at[1]);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void otherInstructionsAgree(Case golden) {
        JsonNode expected = DecoderGoldens.expected(golden.name());
        for (String other : List.of("other_instruction", "without_instruction")) {
            if (!expected.has(other)) {
                continue;
            }
            JsonNode own = expected.get(other);
            Pairs pairs = Pairs.of(own);
            CrossEncoderOptions options = golden.options(expected)
                    .withInstruction(own.path("instruction").asText(""));
            try (CrossEncoder encoder = open(golden, options)) {
                List<CrossEncoder.Score> scores =
                        encoder.score(pairs.queries(), pairs.documents(), ProgressListener.NONE);
                for (int i = 0; i < scores.size(); i++) {
                    int[] at = pairs.indices().get(i);
                    check(encoder, own, at[0], at[1], scores.get(i));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void rawScoresAreLogits(Case golden) {
        JsonNode expected = DecoderGoldens.expected(golden.name());
        try (CrossEncoder encoder = open(golden, golden.options(expected).withRawScores(true))) {
            CrossEncoder.Score score = encoder.score(
                            expected.get("queries").get(0).textValue(),
                            List.of(expected.get("documents").get(1).textValue()))
                    .getFirst();
            JsonNode logits = expected.get("logits").get(0).get(1);
            double raw = logits.get(0).doubleValue() - logits.path(1).asDouble(0);
            Closeness.FP32.check("raw score", raw, score.value());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gemma-rr", "gemma2-rr"})
    void everyTokenOfASequenceAgrees(String name) {
        JsonNode sequence = DecoderGoldens.expected(name).get("sequence");
        int[] ids = Closeness.ints(sequence.get("ids"));
        try (Model model = Model.open(DecoderGoldens.model(name))) {
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
    @MethodSource("cases")
    void cutPairsAreTold(Case golden) {
        JsonNode expected = DecoderGoldens.expected(golden.name());
        boolean cuts = !expected.get("truncation").textValue().startsWith("none");
        Pairs pairs = Pairs.of(expected);
        int last = expected.get("documents").size() - 1;
        try (CrossEncoder encoder = open(golden, golden.options(expected))) {
            List<CrossEncoder.Score> scores = encoder.score(pairs.queries(), pairs.documents(), ProgressListener.NONE);
            int cut = 0;
            for (int i = 0; i < scores.size(); i++) {
                boolean isLong = pairs.indices().get(i)[1] == last;
                assertEquals(cuts && isLong, scores.get(i).truncated(), "pair " + i);
                cut += scores.get(i).truncated() ? 1 : 0;
            }
            assertEquals(cut, encoder.truncation().truncated());
            assertTrue(!cuts || cut > 0);
        }
    }
}
