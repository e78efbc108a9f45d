package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// How encoders handle unusual input (no texts; empty, long, null and malformed ones) and report
/// progress.
class EncoderInputTest {
    private static final List<String> TEXTS = List.of(
            "deep learning",
            "",
            "artificial snow falls on the mountains of another planet",
            "a",
            "I'm searching for a planet not too far from Earth.",
            "naïve café 東京 🙂");

    private static final ModelOptions TWO_THREADS = ModelOptions.DEFAULT.withThreads(2);

    private static Model open(String golden) {
        return Model.open(Goldens.model(golden), TWO_THREADS);
    }

    private static void assertVectors(float[][] expected, float[][] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            Closeness.SAME.check("text " + i, expected[i], actual[i]);
        }
    }

    /// Checks that reported numbers rise up to `total`.
    private static void assertProgress(List<long[]> calls, long total) {
        long last = 0;
        for (long[] call : calls) {
            assertEquals(total, call[1]);
            assertTrue(call[0] >= last && call[0] <= total, () -> Arrays.toString(call));
            last = call[0];
        }
        assertEquals(total, last);
    }

    @Test
    void progressRisesToTheTotal() {
        try (Model model = open("gptneo-ce");
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withBatchTokens(10));
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT.withBatchTokens(10))) {
            List<long[]> calls = new ArrayList<>();
            encoder.embed(TEXTS, TextKind.TEXT, (done, total) -> calls.add(new long[] {done, total}));
            assertTrue(calls.size() > 2);
            assertProgress(calls, TEXTS.size());
            calls.clear();
            List<String> queries = List.of("snow", "", "a planet", "snow", "", "deep");
            scorer.score(queries, TEXTS, (done, total) -> calls.add(new long[] {done, total}));
            assertTrue(calls.size() > 2);
            assertProgress(calls, TEXTS.size());
            calls.clear();
            encoder.embed(List.of("", ""), TextKind.TEXT, (done, total) -> calls.add(new long[] {done, total}));
            assertProgress(calls, 2);
            calls.clear();
            scorer.score(List.of("", ""), List.of("a", "b"), (done, total) -> calls.add(new long[] {done, total}));
            assertProgress(calls, 2);
        }
    }

    @Test
    void whatAProgressListenerThrowsEndsTheCallAndNothingElse() {
        RuntimeException stop = new IllegalCallerException("stop");
        ProgressListener stopping = (done, total) -> {
            throw stop;
        };
        try (Model model = open("gptneo-ce");
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withBatchTokens(10));
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT.withBatchTokens(10))) {
            float[][] vectors = encoder.embed(TEXTS);
            List<CrossEncoder.Score> scores = scorer.score("snow", TEXTS);
            assertSame(stop, assertThrows(RuntimeException.class, () -> encoder.embed(TEXTS, TextKind.TEXT, stopping)));
            List<String> queries = Collections.nCopies(TEXTS.size(), "snow");
            assertSame(stop, assertThrows(RuntimeException.class, () -> scorer.score(queries, TEXTS, stopping)));
            assertVectors(vectors, encoder.embed(TEXTS));
            assertEquals(scores, scorer.score("snow", TEXTS));
        }
    }

    @Test
    void noTextsGiveNoResults() {
        try (Model model = open("gptneo-ce");
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT)) {
            assertEquals(0, encoder.embed(List.of()).length);
            assertEquals(0, encoder.embedQueries(List.of()).length);
            assertEquals(List.of(), scorer.score("query", List.of()));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anEmptyTextIsZeroAloneAndInCompany(boolean normalize) {
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withNormalize(normalize);
        try (BiEncoder encoder = BiEncoder.open(Goldens.model("gptneo-be"), TWO_THREADS, options)) {
            float[] zero = new float[encoder.dimension()];
            assertEquals(0, encoder.tokenize("", TextKind.TEXT).length);
            assertArrayEquals(zero, encoder.embed(""));
            float[][] vectors = encoder.embed(List.of("", "snow", "", "planet", ""));
            for (int i = 0; i < vectors.length; i += 2) {
                assertArrayEquals(zero, vectors[i]);
            }
            Closeness.SAME.check("snow", encoder.embed("snow"), vectors[1]);
            Closeness.SAME.check("planet", encoder.embed("planet"), vectors[3]);
        }
    }

    @Test
    void anEmptyQueryScoresZeroAndAnEmptyDocumentIsOne() {
        try (CrossEncoder scorer =
                CrossEncoder.open(Goldens.model("gptneo-ce"), TWO_THREADS, CrossEncoderOptions.DEFAULT)) {
            CrossEncoder.Score none = scorer.score("", List.of("document")).getFirst();
            assertEquals(0, none.tokens());
            assertEquals(0f, none.value());
            CrossEncoder.Score some = scorer.score("query", List.of("")).getFirst();
            assertTrue(some.tokens() > 0 && some.value() < 0);
        }
    }

    @Test
    void aLongTextIsWhatItsFirstTokensAre() {
        try (Model model = open("gptneo-be");
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            String text = "snow falls on a planet. ".repeat(20_000);
            int[] ids = encoder.tokenize(text, TextKind.TEXT);
            assertEquals(model.info().maxLength(), ids.length);
            String prefix = model.detokenize(ids);
            assertTrue(text.startsWith(prefix));
            assertArrayEquals(ids, encoder.tokenize(prefix, TextKind.TEXT));
            Closeness.SAME.check("long text", encoder.embed(prefix), encoder.embed(text));
        }
    }

    @Test
    void aLongPairScoresTheWholeQuery() {
        try (Model model = open("gptneo-ce");
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT)) {
            String document = "snow falls on a planet. ".repeat(5_000);
            int tokens = model.tokenize("a snowy planet", false).length;
            assertEquals(
                    tokens,
                    scorer.score("a snowy planet", List.of(document)).getFirst().tokens());
            CrossEncoder.Score cut = scorer.score(document, List.of("short")).getFirst();
            assertTrue(cut.tokens() > 0 && cut.tokens() <= 160);
            assertTrue(Float.isFinite(cut.value()));
        }
    }

    @Test
    void aNullTextIsANullPointerException() {
        try (Model model = open("gptneo-ce");
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT)) {
            List<String> withNull = Arrays.asList("a", null);
            assertThrowsExactly(NullPointerException.class, () -> encoder.embed((String) null));
            assertThrowsExactly(NullPointerException.class, () -> encoder.embed(withNull));
            assertThrowsExactly(NullPointerException.class, () -> encoder.tokenize(null, TextKind.TEXT));
            assertThrowsExactly(NullPointerException.class, () -> model.tokenize(null, true));
            assertThrowsExactly(NullPointerException.class, () -> scorer.score(null, List.of("a")));
            assertThrowsExactly(NullPointerException.class, () -> scorer.score(null, List.of()));
            assertThrowsExactly(NullPointerException.class, () -> scorer.score("a", withNull));
            assertThrowsExactly(
                    NullPointerException.class,
                    () -> scorer.score(withNull, TEXTS.subList(0, 2), ProgressListener.NONE));
            assertThrowsExactly(
                    IllegalArgumentException.class,
                    () -> scorer.score(List.of("a"), List.of("a", "b"), ProgressListener.NONE));
        }
    }

    @Test
    void aSurrogateWithoutItsPartnerCountsAsTheReplacementCharacter() {
        try (Model model = open("gptneo-ce");
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT)) {
            for (String text : List.of("\ud800", "\udc00", "a\ud83d b", "\udc00\ud800", "x\ud800")) {
                String repaired = text.replaceAll("[\\ud800-\\udfff]", "\ufffd");
                assertArrayEquals(model.tokenize(repaired, true), model.tokenize(text, true));
                assertArrayEquals(encoder.embed(repaired), encoder.embed(text));
                assertEquals(scorer.score(repaired, List.of(repaired)), scorer.score(text, List.of(text)));
            }
        }
    }
}
