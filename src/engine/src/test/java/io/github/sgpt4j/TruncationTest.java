package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What encoders report about cut texts.
class TruncationTest {
    private static final List<String> TEXTS =
            List.of("a planet", "", "snow ".repeat(30), "deep learning", "x ".repeat(40));

    private static final CrossEncoderOptions PAIRS =
            CrossEncoderOptions.DEFAULT.withPrompt("see {}:").withMaxLength(40);

    private static Model open(String golden) {
        return Model.open(Goldens.model(golden), ModelOptions.DEFAULT.withDevice("cpu"));
    }

    @Test
    void everyEmbeddingSaysHowManyTokensItIsOf() {
        try (Model model = open("gptneo-be");
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withMaxLength(10))) {
            assertEquals(10, encoder.maxLength());
            List<Embedding> embeddings = encoder.embeddings(TEXTS, TextKind.TEXT, ProgressListener.NONE);
            float[][] vectors = encoder.embed(TEXTS);
            for (int i = 0; i < TEXTS.size(); i++) {
                int uncut = model.tokenize(TEXTS.get(i), true).length;
                assertArrayEquals(vectors[i], embeddings.get(i).vector());
                assertEquals(Math.min(10, uncut), embeddings.get(i).tokens());
                assertEquals(uncut, embeddings.get(i).uncutTokens());
                assertEquals(uncut > 10, embeddings.get(i).truncated());
            }
            assertTrue(embeddings.get(2).truncated());
            assertFalse(embeddings.get(0).truncated());
        }
    }

    @Test
    void anEncoderCountsByKind() {
        try (Model model = open("gptneo-be");
                BiEncoder encoder = BiEncoder.of(
                        model, BiEncoderOptions.DEFAULT.withSpecb(true).withMaxLength(10))) {
            int longest = model.tokenize(TEXTS.get(4), true).length;
            assertEquals(new Truncation(0, 0, 0, 10), encoder.truncation(TextKind.DOCUMENT));
            encoder.embedDocuments(TEXTS);
            encoder.embedDocuments(TEXTS.subList(0, 3));
            encoder.embedQueries(List.of("a planet"));
            assertEquals(new Truncation(8, 3, longest + 2, 10), encoder.truncation(TextKind.DOCUMENT));
            assertEquals(new Truncation(1, 0, 0, 10), encoder.truncation(TextKind.QUERY));
            assertEquals(new Truncation(0, 0, 0, 10), encoder.truncation(TextKind.TEXT));
        }
    }

    @Test
    void pairsThatAreTooLongAreTold() {
        try (Model model = open("gptneo-ce");
                CrossEncoder encoder = CrossEncoder.of(model, PAIRS)) {
            List<String> documents = List.of("a planet", "snow ".repeat(60));
            List<CrossEncoder.Score> scores = encoder.score("planets", documents);
            int whole = model.tokenize(PAIRS.prompt().replace("{}", documents.get(1)), false).length
                    + model.tokenize("planets", false).length
                    - 1;
            assertFalse(scores.get(0).truncated());
            assertEquals(scores.get(0).inputTokens(), scores.get(0).uncutTokens());
            assertTrue(scores.get(1).truncated());
            assertEquals(40, scores.get(1).inputTokens());
            assertEquals(whole, scores.get(1).uncutTokens());
            assertEquals(new Truncation(2, 1, whole, 40), encoder.truncation());
            // Nothing is scored, so cutting loses nothing.
            assertFalse(encoder.score("", documents).get(1).truncated());
        }
    }

    @Test
    void onRequestATextThatIsTooLongIsAnError() {
        BiEncoderOptions strict = BiEncoderOptions.DEFAULT.withMaxLength(10).withTruncate(false);
        try (Model model = open("gptneo-be");
                BiEncoder encoder = BiEncoder.of(model, strict)) {
            List<Long> progress = new ArrayList<>();
            Refusal.check(
                    FormatException.class,
                    () -> encoder.embed(TEXTS, TextKind.TEXT, (done, total) -> progress.add(done)),
                    "text \"snow snow",
                    "at most 10 tokens, got " + model.tokenize(TEXTS.get(2), true).length);
            assertEquals(List.of(), progress);
            assertEquals(2, encoder.embed(TEXTS.subList(0, 2)).length);
        }
    }

    @Test
    void onRequestAPairThatIsTooLongIsAnError() {
        CrossEncoderOptions strict = PAIRS.withTruncate(false);
        try (Model model = open("gptneo-ce");
                CrossEncoder encoder = CrossEncoder.of(model, strict)) {
            Refusal.check(
                    FormatException.class,
                    () -> encoder.score("planets", List.of("a planet", "snow ".repeat(60))),
                    "document \"snow snow",
                    "query \"planets\"",
                    "at most 40 tokens");
            assertEquals(1, encoder.score("planets", List.of("a planet")).size());
        }
    }
}
