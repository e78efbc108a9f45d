package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Prompts with an example, with choices and with the tokenizer's vocabulary, against transformers' results in
/// 64-bit arithmetic. The last document is too long for the model.
@Tag("vector")
class GoldenPromptTest {
    private static final JsonNode EXPECTED = expected();

    /// Its output head has 23 rows more than its tokenizer's vocabulary.
    private static final String PADDED = "gptneox-ce";

    @TempDir
    private Path folder;

    private static JsonNode expected() {
        try (InputStream in = Objects.requireNonNull(
                GoldenPromptTest.class.getResourceAsStream("/prompts/scores.json"), "scores.json")) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private record Case(String model, String prompt) {}

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        EXPECTED.get("models")
                .fieldNames()
                .forEachRemaining(model -> EXPECTED.get("prompts")
                        .fieldNames()
                        .forEachRemaining(prompt -> cases.add(new Case(model, prompt))));
        return cases;
    }

    private CrossEncoderOptions options(String prompt) throws IOException {
        Path file = folder.resolve(prompt + ".json");
        Files.writeString(file, EXPECTED.get("prompts").get(prompt).toString());
        return CrossEncoderOptions.DEFAULT
                .withPrompt(ScoringPrompt.read(file))
                .withMaxLength(EXPECTED.get("max_length").intValue());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void scoresAgree(Case each) throws IOException {
        List<String> documents = Variants.strings(EXPECTED.get("documents"));
        JsonNode scores = EXPECTED.get("models").get(each.model()).get(each.prompt());
        for (int batchTokens : new int[] {1, 4096}) {
            CrossEncoderOptions options = options(each.prompt()).withBatchTokens(batchTokens);
            try (CrossEncoder encoder = CrossEncoder.open(Goldens.model(each.model()), ModelOptions.DEFAULT, options)) {
                for (int q = 0; q < scores.size(); q++) {
                    List<CrossEncoder.Score> actual =
                            encoder.score(EXPECTED.get("queries").get(q).textValue(), documents);
                    for (int d = 0; d < documents.size(); d++) {
                        String what = "%s, query %d, document %d".formatted(each, q, d);
                        Closeness.FP32.check(
                                what,
                                scores.get(q).get(d).doubleValue(),
                                actual.get(d).value());
                        assertEquals(d == documents.size() - 1, actual.get(d).truncated(), what);
                    }
                }
            }
        }
    }

    @Test
    void choicesGiveLogitsAndLogProbabilities() throws IOException {
        CrossEncoderOptions options = options("choice");
        try (Model model = Model.open(Goldens.model("gptj-ce"));
                CrossEncoder encoder = CrossEncoder.of(model, options);
                CrossEncoder raw = CrossEncoder.of(model, options.withRawScores(true))) {
            assertEquals(ScoringMethod.CHOICE, encoder.method());
            assertEquals(options.scoringPrompt(), encoder.prompt().orElseThrow());
            CrossEncoder.Score score =
                    encoder.score("a query", List.of("a document")).getFirst();
            assertEquals(2, score.logits().size());
            double difference =
                    (double) score.logits().getFirst() - score.logits().getLast();
            Closeness.SAME.check("log-probability", -Math.log1p(Math.exp(-difference)), score.value());
            assertEquals(
                    (float) difference,
                    raw.score("a query", List.of("a document")).getFirst().value());
        }
    }

    @Test
    void moreThanTwoChoicesShareTheProbability() throws IOException {
        List<String> choices = List.of(" the", " a", " of");
        double sum = 0;
        try (Model model = Model.open(Goldens.model("gptneo-ce"))) {
            for (int i = 0; i < choices.size(); i++) {
                List<String> order = new ArrayList<>(choices);
                order.addFirst(order.remove(i));
                Path file = folder.resolve("choices.json");
                String listed = new ObjectMapper().writeValueAsString(order);
                Files.writeString(file, "{\"prompt\": \"{} and {}:\", \"choices\": %s}".formatted(listed));
                CrossEncoder encoder =
                        CrossEncoder.of(model, CrossEncoderOptions.DEFAULT.withPrompt(ScoringPrompt.read(file)));
                sum += Math.exp(encoder.score("q", List.of("d")).getFirst().value());
            }
        }
        Closeness.SAME.check("sum of probabilities", 1, sum);
    }

    @Test
    void aQueryWithATokenBeyondTheTokenizersVocabularyIsRefused() throws IOException {
        try (Model model = Model.open(Goldens.model(PADDED));
                CrossEncoder encoder = CrossEncoder.of(model, options("tokenizer"))) {
            int beyond = model.decoder().config().vocabulary() - 1;
            String added = model.tokenizer().content(beyond);
            FormatException e =
                    assertThrows(FormatException.class, () -> encoder.score("a" + added, List.of("document")));
            assertTrue(e.getMessage().contains("1500 ids"), e.getMessage());
            try (CrossEncoder whole = CrossEncoder.of(model, options("model"))) {
                assertTrue(
                        whole.score("a" + added, List.of("document")).getFirst().value() < 0);
            }
        }
    }

    @Test
    void fingerprintsTellPromptsApart() throws IOException {
        List<String> fingerprints = new ArrayList<>();
        try (Model model = Model.open(Goldens.model("gptj-ce"))) {
            for (String prompt : List.of("few_shot", "choice", "choice_zero", "model", "tokenizer")) {
                fingerprints.add(CrossEncoder.of(model, options(prompt)).fingerprint());
            }
            fingerprints.add(CrossEncoder.of(
                            model,
                            options("few_shot").withPrompt(options("few_shot").prompt()))
                    .fingerprint());
            assertEquals(6, fingerprints.stream().distinct().count(), fingerprints::toString);
            assertEquals(
                    fingerprints.get(3),
                    CrossEncoder.of(model, CrossEncoderOptions.DEFAULT.withMaxLength(160))
                            .fingerprint());
        }
    }

    @Test
    void whatStaysMustFit() throws IOException {
        CrossEncoderOptions options = options("choice").withMaxLength(40);
        try (Model model = Model.open(Goldens.model("gptj-ce"))) {
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> CrossEncoder.of(model, options));
            assertTrue(e.getMessage().contains("expected at least the 41 tokens"), e.getMessage());
        }
    }
}
