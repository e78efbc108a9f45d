package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Pairs that are tokenized first and scored later.
class TokenizedPairTest {
    private static final List<String> QUERIES = List.of("planets", "", "artificial snow", "legs of spiders");
    private static final List<String> DOCUMENTS =
            List.of("a planet", "", "snow ".repeat(60), "A spider has eight legs.", "a planet");

    private static final ModelOptions CPU =
            ModelOptions.DEFAULT.withDevice("cpu").withThreads(2);
    private static final CrossEncoderOptions SHORT =
            CrossEncoderOptions.DEFAULT.withPrompt("see {}:").withMaxLength(40).withBatchTokens(100);

    private static CrossEncoder open(String golden, CrossEncoderOptions options) {
        return CrossEncoder.open(Goldens.model(golden), CPU, options);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gptneo-ce", "bloom-ce", "llama-ce", "opt-ce"})
    void pairsOfManyQueriesTogetherGiveTheBitsOfTheirOwnCalls(String golden) {
        try (CrossEncoder encoder = open(golden, SHORT)) {
            List<TokenizedPair> pairs = new ArrayList<>();
            List<CrossEncoder.Score> expected = new ArrayList<>();
            for (String query : QUERIES) {
                pairs.addAll(encoder.tokenized(query, DOCUMENTS, true));
                expected.addAll(encoder.score(query, DOCUMENTS));
            }
            List<Integer> order =
                    new ArrayList<>(IntStream.range(0, pairs.size()).boxed().toList());
            Collections.shuffle(order, new Random(7));
            List<CrossEncoder.Score> actual =
                    encoder.scoreTokenized(order.stream().map(pairs::get).toList());
            assertEquals(order.stream().map(expected::get).toList(), actual);
            for (int i = 0; i < pairs.size(); i++) {
                // Alone, nothing is shared with other pairs.
                assertEquals(List.of(expected.get(i)), encoder.scoreTokenized(List.of(pairs.get(i))));
                assertEquals(expected.get(i).inputTokens(), pairs.get(i).tokens());
                assertEquals(expected.get(i).uncutTokens(), pairs.get(i).uncutTokens());
                assertEquals(expected.get(i).truncated(), pairs.get(i).truncated());
                assertEquals(expected.get(i).tokens(), pairs.get(i).queryTokens());
            }
            assertTrue(pairs.get(2).truncated());
            assertFalse(pairs.get(0).truncated());
        }
    }

    @Test
    void noPairsGiveNoScores() {
        try (CrossEncoder encoder = open("gptneo-ce", SHORT)) {
            assertEquals(List.of(), encoder.tokenized("planets", List.of(), false));
            assertEquals(List.of(), encoder.scoreTokenized(List.of()));
        }
    }

    @Test
    void aPairThatIsTooLongIsRefusedWithItsPlaceItsTokensAndTheLimitOnly() {
        try (CrossEncoder encoder = open("gptneo-ce", SHORT)) {
            int uncut = encoder.tokenized("planets", DOCUMENTS, true).get(2).uncutTokens();
            assertEquals(
                    "pair 3 of 5: expected at most 40 tokens, got " + uncut,
                    Refusal.message(assertThrowsExactly(
                            FormatException.class, () -> encoder.tokenized("planets", DOCUMENTS, false))));
            // Nothing is scored, so cutting loses nothing.
            assertEquals(5, encoder.tokenized("", DOCUMENTS, false).size());
        }
    }

    @Test
    void theArgumentDecidesWhateverTheOptionsSay() {
        try (CrossEncoder encoder = open("gptneo-ce", SHORT.withTruncate(false))) {
            TokenizedPair pair = encoder.tokenized("planets", DOCUMENTS, true).get(2);
            assertEquals(40, encoder.scoreTokenized(List.of(pair)).getFirst().inputTokens());
        }
    }

    @Test
    void cutPairsCount() {
        try (CrossEncoder encoder = open("gptneo-ce", SHORT)) {
            List<TokenizedPair> pairs = encoder.tokenized("planets", DOCUMENTS, true);
            assertEquals(new Truncation(0, 0, 0, 40), encoder.truncation());
            encoder.scoreTokenized(pairs);
            assertEquals(new Truncation(5, 1, pairs.get(2).uncutTokens(), 40), encoder.truncation());
        }
    }

    @Test
    void aPairOfAnotherEncoderIsRefusedWithItsPlace() {
        try (Model model = Model.open(Goldens.model("gptneo-ce"), CPU);
                CrossEncoder one = CrossEncoder.of(model, SHORT);
                CrossEncoder other = CrossEncoder.of(model, SHORT)) {
            TokenizedPair own = one.tokenized("moon", List.of("d"), true).getFirst();
            TokenizedPair foreign = other.tokenized("moon", List.of("d"), true).getFirst();
            Refusal.check(
                    IllegalArgumentException.class,
                    () -> one.scoreTokenized(List.of(own, own, foreign)),
                    "pair 3 of 3: expected one that this encoder");
            assertThrowsExactly(NullPointerException.class, () -> one.scoreTokenized(Arrays.asList(own, null)));
            assertEquals(1, one.scoreTokenized(List.of(own)).size());
        }
    }

    private static void requireCancelled(Executable call) {
        Thread.currentThread().interrupt();
        assertThrows(CancelledException.class, call);
        assertTrue(Thread.interrupted(), "the status stays set");
    }

    @Test
    void anInterruptedThreadGetsTheExceptionAndTheEncoderGoesOn() {
        try (CrossEncoder encoder = open("gptneo-ce", SHORT)) {
            List<TokenizedPair> pairs = encoder.tokenized("planets", DOCUMENTS, true);
            requireCancelled(() -> encoder.tokenized("planets", DOCUMENTS, true));
            requireCancelled(() -> encoder.tokenized("planets", List.of(), true));
            requireCancelled(() -> encoder.scoreTokenized(pairs));
            requireCancelled(() -> encoder.scoreTokenized(List.of()));
            assertEquals(0, encoder.truncation().texts());
            assertEquals(encoder.score("planets", DOCUMENTS), encoder.scoreTokenized(pairs));
        }
    }

    @Test
    void aClosedEncoderRefusesEverything() {
        CrossEncoder encoder = open("gptneo-ce", SHORT);
        List<TokenizedPair> pairs = encoder.tokenized("planets", DOCUMENTS, true);
        encoder.close();
        for (Executable call : List.<Executable>of(
                () -> encoder.tokenized("planets", DOCUMENTS, true),
                () -> encoder.scoreTokenized(pairs),
                () -> encoder.scoreTokenized(List.of()))) {
            assertTrue(Refusal.message(assertThrowsExactly(IllegalStateException.class, call))
                    .endsWith(" is closed"));
        }
        assertTrue(pairs.getFirst().tokens() > 0);
    }

    @Test
    void batchTokensAreThoseOfTheOptionsOrTheModel() {
        try (Model model = Model.open(Goldens.model("gptneo-ce"), CPU);
                CrossEncoder stated = CrossEncoder.of(model, SHORT);
                CrossEncoder usual = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT)) {
            assertEquals(100, stated.batchTokens());
            assertEquals(model.batchTokens(), usual.batchTokens());
        }
    }
}
