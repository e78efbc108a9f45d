package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/// NaN and infinity never leave an encoder.
class FiniteResultsTest {
    private static final String GOOD = "some words";
    private static final String BAD = "zebra";

    @TempDir
    Path folder;

    private static String message(Executable call) {
        return assertThrows(FormatException.class, call).getMessage();
    }

    /// A bi-encoder that computes NaN only for texts that start like [#BAD].
    private CheckpointFolder broken(float value) {
        int token;
        try (Model model = Model.open(Goldens.model("gptneo-be"))) {
            token = model.tokenize(BAD, false)[0];
            for (int id : model.tokenize(GOOD, false)) {
                assertTrue(id != token, "the good text has the broken token");
            }
        }
        return CheckpointFolder.copy("gptneo-be", folder).values("wte.weight", values -> {
            int width = values.length / vocabulary();
            values[token * width + 1] = value;
        });
    }

    private static int vocabulary() {
        return Goldens.json(Goldens.model("gptneo-be").resolve("config.json"))
                .get("vocab_size")
                .intValue();
    }

    @Test
    void everyWayToEmbedThrowsForNaN() {
        CheckpointFolder checkpoint = broken(Float.NaN);
        try (BiEncoder encoder = BiEncoder.open(checkpoint.directory())) {
            List<String> texts = List.of(GOOD, BAD, "");
            String expected = "%s: expected finite embeddings, computed NaN for text \"%s\" (2 of 3); Model.scan "
                    + "finds broken weights";
            assertEquals(expected.formatted(checkpoint.directory(), BAD), message(() -> encoder.embed(texts)));
            for (Executable call : List.<Executable>of(
                    () -> encoder.embed(BAD),
                    () -> encoder.embedQueries(texts),
                    () -> encoder.embedDocuments(texts),
                    () -> encoder.embed(texts, TextKind.QUERY),
                    () -> encoder.embeddings(texts, TextKind.TEXT, ProgressListener.NONE))) {
                assertTrue(message(call).contains("computed NaN for text \"" + BAD), "it names the text");
            }
            List<TokenizedText> tokenized = texts.stream()
                    .map(text -> encoder.tokenized(text, TextKind.TEXT, TextCut.USUAL))
                    .toList();
            // Texts of several users may be embedded together, so none is told.
            assertEquals(
                    expected.formatted(checkpoint.directory(), BAD).replace("text \"zebra\" (2 of 3)", "text 2 of 3"),
                    message(() -> encoder.embedTokenized(tokenized)));
            try (BatchingEncoder batching = new BatchingEncoder(encoder)) {
                assertEquals(
                        expected.formatted(checkpoint.directory(), BAD),
                        message(() -> batching.embed(texts, TextKind.TEXT)));
            }
            // After a failure, other texts still work.
            assertEquals(encoder.dimension(), encoder.embed(GOOD).length);
        }
    }

    @Test
    void infinityIsToldAlsoWhereNormalisingMakesItNaN() {
        CheckpointFolder checkpoint = broken(0);
        // The last layer's norm is the last step before pooling.
        checkpoint.values("ln_f.bias", values -> values[2] = Float.NEGATIVE_INFINITY);
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withNormalize(true);
        try (BiEncoder encoder = BiEncoder.open(checkpoint.directory(), ModelOptions.DEFAULT, options)) {
            assertTrue(message(() -> encoder.embed(GOOD)).contains("computed -Infinity for text"));
        }
    }

    @Test
    void whatIsCutOffIsNotLookedAt() {
        CheckpointFolder checkpoint = broken(0);
        checkpoint.values("ln_f.bias", values -> values[values.length - 1] = Float.NaN);
        try (Model model = Model.open(checkpoint.directory());
                BiEncoder whole = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                BiEncoder cut = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withTruncateDim(3))) {
            message(() -> whole.embed(GOOD));
            assertEquals(3, cut.embed(GOOD).length);
        }
    }

    @Test
    void aTextWithoutTokensIsStillZero() {
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withNormalize(true);
        try (BiEncoder encoder = BiEncoder.open(Goldens.model("gptneo-be"), ModelOptions.DEFAULT, options)) {
            assertArrayEquals(new float[encoder.dimension()], encoder.embed(""));
        }
    }

    @Test
    void numbersBeyondSixteenBitsNameTheType() {
        CheckpointFolder checkpoint = CheckpointFolder.copy("gptneo-be", folder);
        checkpoint.values("h.0.mlp.c_fc.weight", values -> Arrays.fill(values, 1e30f));
        ModelOptions half = ModelOptions.DEFAULT.withDtype(Dtype.FP16);
        try (BiEncoder encoder = BiEncoder.open(checkpoint.directory(), half, BiEncoderOptions.DEFAULT)) {
            String message = message(() -> encoder.embed(GOOD));
            assertTrue(message.endsWith("; with dtype fp16, numbers end at 65504: use dtype bf16 or fp32"), message);
        }
    }

    @Test
    void everyWayToScoreThrowsForNaN() {
        CheckpointFolder checkpoint = CheckpointFolder.copy("gptneo-ce", folder);
        checkpoint.values("transformer.ln_f.bias", values -> values[0] = Float.NaN);
        try (CrossEncoder encoder = CrossEncoder.open(checkpoint.directory())) {
            String expected = "%s: expected finite scores, computed NaN for query \"q\" and document \"d\" (2 of 2); "
                    + "Model.scan finds broken weights";
            // A query without tokens has no probability that could be broken.
            assertEquals(
                    expected.formatted(checkpoint.directory()),
                    message(() -> encoder.score(List.of("", "q"), List.of("d", "d"), ProgressListener.NONE)));
            assertTrue(message(() -> encoder.score("q", List.of("d"))).contains("(1 of 1)"));
            List<TokenizedPair> pairs = List.of(
                    encoder.tokenized("", List.of("d"), true).getFirst(),
                    encoder.tokenized("q", List.of("d"), true).getFirst());
            assertTrue(message(() -> encoder.scoreTokenized(pairs)).contains("computed NaN for pair 2 of 2; "));
        }
    }

    @Test
    void aTokenThatTheHeadRulesOutIsNoScore() {
        CheckpointFolder checkpoint = CheckpointFolder.copy("gptj-ce", folder);
        int token;
        try (Model model = Model.open(checkpoint.directory())) {
            token = model.tokenize(BAD, false)[0];
        }
        checkpoint.values("lm_head.bias", values -> values[token] = Float.NEGATIVE_INFINITY);
        try (CrossEncoder encoder = CrossEncoder.open(checkpoint.directory())) {
            assertTrue(message(() -> encoder.score(BAD, List.of("d"))).contains("computed -Infinity for query"));
        }
    }
}
