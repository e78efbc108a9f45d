package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Texts that are tokenized first and embedded later.
class TokenizedTextTest {
    private static final List<String> TEXTS = List.of(
            "artificial snow falls on the mountains of another planet",
            "",
            "deep learning",
            "snow ".repeat(60),
            "naïve café 東京 🙂",
            "deep learning");
    private static final String PROMPT = "Represent this: ";

    private static final ModelOptions CPU =
            ModelOptions.DEFAULT.withDevice("cpu").withThreads(2);
    private static final BiEncoderOptions SHORT =
            BiEncoderOptions.DEFAULT.withMaxLength(12).withBatchTokens(30);

    @TempDir
    Path folder;

    private static BiEncoder open(String golden, BiEncoderOptions options) {
        return BiEncoder.open(Goldens.model(golden), CPU, options);
    }

    /// A checkpoint whose pooling leaves prompts out.
    private CheckpointFolder withoutPrompt() {
        return CheckpointFolder.copy("gptneo-be", folder).set("1_Pooling/config.json", "include_prompt", "false");
    }

    private static BiEncoderOptions prompts(BiEncoderOptions options) {
        return options.withSpecb(false)
                .withPrompt(TextKind.QUERY, "query: ")
                .withPrompt(TextKind.DOCUMENT, "a longer passage: ");
    }

    /// Embeds the texts of all kinds and with a prompt, mixed, and compares with the calls of each kind.
    private static void requireSameBits(BiEncoder encoder) {
        List<TokenizedText> tokenized = new ArrayList<>();
        List<Embedding> expected = new ArrayList<>();
        for (TextKind kind : TextKind.values()) {
            TEXTS.forEach(text -> tokenized.add(encoder.tokenized(text, kind, TextCut.USUAL)));
            expected.addAll(encoder.embeddings(TEXTS, kind, ProgressListener.NONE));
        }
        float[][] prompted = encoder.embedWithPrompt(PROMPT, TEXTS);
        for (int i = 0; i < prompted.length; i++) {
            TokenizedText text = encoder.tokenizedWithPrompt(PROMPT, TEXTS.get(i), TextCut.USUAL);
            tokenized.add(text);
            expected.add(new Embedding(prompted[i], text.tokens(), text.uncutTokens()));
        }
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, tokenized.size()).boxed().toList());
        Collections.shuffle(order, new Random(7));
        List<Embedding> actual =
                encoder.embedTokenized(order.stream().map(tokenized::get).toList());
        assertEquals(order.size(), actual.size());
        for (int i = 0; i < order.size(); i++) {
            Embedding one = expected.get(order.get(i));
            TokenizedText text = tokenized.get(order.get(i));
            assertArrayEquals(one.vector(), actual.get(i).vector(), "text " + order.get(i));
            assertEquals(one.tokens(), actual.get(i).tokens());
            assertEquals(one.uncutTokens(), actual.get(i).uncutTokens());
            assertEquals(one.tokens(), text.tokens());
            assertEquals(one.uncutTokens(), text.uncutTokens());
            assertEquals(one.truncated(), text.truncated());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gptneo-be", "bloom-be", "llama-be", "qwen3-be"})
    void everyKindAndPromptGivesTheBitsOfItsOwnCall(String golden) {
        try (Model model = Model.open(Goldens.model(golden), CPU);
                BiEncoder plain = BiEncoder.of(model, SHORT.withSpecb(false));
                BiEncoder prompted = BiEncoder.of(model, prompts(SHORT))) {
            requireSameBits(plain);
            requireSameBits(prompted);
        }
    }

    @Test
    void bracketsGiveTheBitsOfTheirOwnCalls() {
        try (BiEncoder encoder = open("gptneo-be", SHORT.withSpecb(true))) {
            requireSameBits(encoder);
        }
    }

    @Test
    void promptsThatPoolingLeavesOutAreThoseOfEachText() {
        Path directory = withoutPrompt().directory();
        try (BiEncoder encoder = BiEncoder.open(directory, CPU, prompts(SHORT.withMaxLength(40)));
                BiEncoder including = open("gptneo-be", prompts(SHORT.withMaxLength(40)))) {
            requireSameBits(encoder);
            // The comparison above would not see it if nothing was left out.
            assertFalse(Arrays.equals(
                    including.embedQuery(TEXTS.getFirst()),
                    encoder.embedTokenized(List.of(encoder.tokenized(TEXTS.getFirst(), TextKind.QUERY, TextCut.USUAL)))
                            .getFirst()
                            .vector()));
        }
    }

    @Test
    void idsAreThoseOfTheTextAndACopy() {
        try (BiEncoder encoder = open("gptneo-be", SHORT.withSpecb(true))) {
            for (TextKind kind : TextKind.values()) {
                for (String text : TEXTS) {
                    TokenizedText tokenized = encoder.tokenized(text, kind, TextCut.USUAL);
                    int[] ids = encoder.tokenize(text, kind);
                    assertArrayEquals(ids, tokenized.ids());
                    Arrays.fill(tokenized.ids(), 0);
                    assertArrayEquals(ids, tokenized.ids());
                }
            }
        }
    }

    @Test
    void aTextWithoutTokensIsZero() {
        try (BiEncoder encoder = open("gptneo-be", SHORT)) {
            TokenizedText text = encoder.tokenized("", TextKind.TEXT, TextCut.REFUSE);
            TokenizedText ids = encoder.tokenizedIds(new int[0], TextKind.TEXT, TextCut.REFUSE);
            assertEquals(0, text.tokens());
            assertFalse(text.truncated());
            for (Embedding embedding : encoder.embedTokenized(List.of(text, ids))) {
                assertArrayEquals(new float[encoder.dimension()], embedding.vector());
            }
            assertEquals(List.of(), encoder.embedTokenized(List.of()));
        }
    }

    private static int[] concat(int[]... parts) {
        return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
    }

    private static int[] first(int[] ids, int count) {
        return Arrays.copyOf(ids, count);
    }

    private static int[] last(int[] ids, int count) {
        return Arrays.copyOfRange(ids, ids.length - count, ids.length);
    }

    @Test
    void textsAreCutOnTheSideAskedForAndBracketsStay() {
        String text = "one two three four five six seven eight nine ten eleven twelve thirteen";
        try (BiEncoder encoder = open("gptneo-be", SHORT.withSpecb(true))) {
            int[] all = encoder.model().tokenize(text, true);
            int[] empty = encoder.tokenize("", TextKind.QUERY);
            int[] before = {empty[0]};
            int[] after = {empty[1]};
            assertArrayEquals(first(all, 12), ids(encoder, text, TextKind.TEXT, TextCut.USUAL));
            assertArrayEquals(first(all, 12), ids(encoder, text, TextKind.TEXT, TextCut.RIGHT));
            assertArrayEquals(last(all, 12), ids(encoder, text, TextKind.TEXT, TextCut.LEFT));
            assertArrayEquals(concat(before, first(all, 10), after), ids(encoder, text, TextKind.QUERY, TextCut.RIGHT));
            assertArrayEquals(concat(before, last(all, 10), after), ids(encoder, text, TextKind.QUERY, TextCut.LEFT));
            TokenizedText cut = encoder.tokenized(text, TextKind.QUERY, TextCut.LEFT);
            assertEquals(all.length + 2, cut.uncutTokens());
            assertTrue(cut.truncated());
            // The same of ids.
            for (TextCut side : List.of(TextCut.USUAL, TextCut.LEFT, TextCut.RIGHT)) {
                for (TextKind kind : TextKind.values()) {
                    TokenizedText ofIds = encoder.tokenizedIds(all, kind, side);
                    TokenizedText ofText = encoder.tokenized(text, kind, side);
                    assertArrayEquals(ofText.ids(), ofIds.ids());
                    assertEquals(ofText.uncutTokens(), ofIds.uncutTokens());
                }
            }
            // A prompt counts as the beginning of the text.
            int[] prompted = encoder.model().tokenize(PROMPT + text, true);
            assertArrayEquals(
                    last(prompted, 12),
                    encoder.tokenizedWithPrompt(PROMPT, text, TextCut.LEFT).ids());
            assertArrayEquals(
                    first(prompted, 12),
                    encoder.tokenizedWithPrompt(PROMPT, text, TextCut.RIGHT).ids());
        }
    }

    private static int[] ids(BiEncoder encoder, String text, TextKind kind, TextCut cut) {
        return encoder.tokenized(text, kind, cut).ids();
    }

    @ParameterizedTest
    @CsvSource({"llama-be, true", "qwen3-be, false"})
    void specialTokensStayOnBothSides(String golden, boolean atBeginning) {
        try (BiEncoder encoder = open(golden, SHORT.withSpecb(false))) {
            int[] bare = encoder.model().tokenize(TEXTS.get(3), false);
            int[] whole = encoder.model().tokenize(TEXTS.get(3), true);
            assertEquals(bare.length + 1, whole.length);
            int[] left = ids(encoder, TEXTS.get(3), TextKind.TEXT, TextCut.LEFT);
            int[] right = ids(encoder, TEXTS.get(3), TextKind.TEXT, TextCut.RIGHT);
            int[] special = atBeginning ? first(whole, 1) : last(whole, 1);
            assertArrayEquals(atBeginning ? concat(special, last(bare, 11)) : concat(last(bare, 11), special), left);
            assertArrayEquals(atBeginning ? concat(special, first(bare, 11)) : concat(first(bare, 11), special), right);
            // Ids are used as they are.
            assertArrayEquals(
                    first(bare, 5),
                    encoder.tokenizedIds(first(bare, 5), TextKind.TEXT, TextCut.USUAL)
                            .ids());
            assertArrayEquals(
                    first(whole, 5),
                    encoder.tokenizedIds(first(whole, 5), TextKind.TEXT, TextCut.USUAL)
                            .ids());
        }
    }

    @Test
    void theUsualSideIsTheOneThatTheTokenizersFilesState() {
        CheckpointFolder checkpoint =
                CheckpointFolder.copy("gptneo-be", folder).set("tokenizer_config.json", "truncation_side", "\"left\"");
        try (BiEncoder encoder = BiEncoder.open(checkpoint.directory(), CPU, SHORT.withSpecb(true))) {
            String text = "one two three four five six seven eight nine ten eleven twelve thirteen";
            int[] bare = encoder.model().tokenize(text, false);
            for (TextKind kind : TextKind.values()) {
                assertArrayEquals(ids(encoder, text, kind, TextCut.LEFT), ids(encoder, text, kind, TextCut.USUAL));
                assertArrayEquals(
                        ids(encoder, text, kind, TextCut.LEFT),
                        encoder.tokenizedIds(bare, kind, TextCut.USUAL).ids());
                assertArrayEquals(
                        ids(encoder, text, kind, TextCut.RIGHT),
                        encoder.tokenizedIds(bare, kind, TextCut.RIGHT).ids());
            }
            assertArrayEquals(first(bare, 12), ids(encoder, text, TextKind.TEXT, TextCut.RIGHT));
            requireSameBits(encoder);
        }
    }

    @Test
    void aPromptIsReadTogetherWithTheTextOfIds() {
        try (BiEncoder encoder = open("llama-be", prompts(SHORT.withMaxLength(40)))) {
            String text = TEXTS.getFirst();
            // With its special token, which does not come to stand between prompt and text.
            int[] ids = encoder.model().tokenize(text, true);
            for (TextKind kind : List.of(TextKind.QUERY, TextKind.DOCUMENT)) {
                TokenizedText ofIds = encoder.tokenizedIds(ids, kind, TextCut.REFUSE);
                assertArrayEquals(encoder.tokenize(text, kind), ofIds.ids());
                assertArrayEquals(
                        encoder.embed(List.of(text), kind)[0],
                        encoder.embedTokenized(List.of(ofIds)).getFirst().vector());
            }
        }
    }

    @Test
    void aTextThatIsTooLongIsRefusedWithItsTokensAndTheLimitOnly() {
        try (BiEncoder encoder = open("gptneo-be", SHORT.withSpecb(true))) {
            String text = TEXTS.get(3);
            int[] ids = encoder.model().tokenize(text, true);
            String message = "text: expected at most 12 tokens, got ";
            assertEquals(
                    message + ids.length,
                    message(FormatException.class, () -> encoder.tokenized(text, TextKind.TEXT, TextCut.REFUSE)));
            assertEquals(
                    message + (ids.length + 2),
                    message(FormatException.class, () -> encoder.tokenizedIds(ids, TextKind.QUERY, TextCut.REFUSE)));
            assertEquals(
                    message + encoder.model().tokenize(PROMPT + text, true).length,
                    message(FormatException.class, () -> encoder.tokenizedWithPrompt(PROMPT, text, TextCut.REFUSE)));
            int[] full = first(ids, 12);
            assertEquals(
                    12,
                    encoder.tokenizedIds(full, TextKind.TEXT, TextCut.REFUSE).tokens());
        }
    }

    @Test
    void theArgumentDecidesWhateverTheOptionsSay() {
        try (BiEncoder encoder = open("gptneo-be", SHORT.withTruncate(false))) {
            assertEquals(
                    12,
                    encoder.tokenized(TEXTS.get(3), TextKind.TEXT, TextCut.USUAL)
                            .tokens());
        }
    }

    private static String message(Class<? extends RuntimeException> type, Executable call) {
        return Refusal.message(assertThrowsExactly(type, call));
    }

    @Test
    void idsThatAreNoTokensAreRefusedWithTheirPlaces() {
        // Ten more rows than the tokenizer has tokens, as in checkpoints with padded tables.
        CheckpointFolder checkpoint = CheckpointFolder.copy("gptneo-be", folder)
                .set("config.json", "vocab_size", "1510")
                .reshape("wte.weight", 1510, 64);
        try (BiEncoder padded = BiEncoder.open(checkpoint.directory(), CPU, SHORT);
                BiEncoder encoder = open("gptneo-be", SHORT)) {
            for (int bad : new int[] {-1, Integer.MIN_VALUE, 1500, 1509, 1510, Integer.MAX_VALUE}) {
                for (BiEncoder one : List.of(padded, encoder)) {
                    assertEquals(
                            "token ids: expected ids of tokens, at least 0 and below 1500, got %d at index 2"
                                    .formatted(bad),
                            message(
                                    IllegalArgumentException.class,
                                    () -> one.tokenizedIds(new int[] {0, 1499, bad}, TextKind.TEXT, TextCut.USUAL)));
                }
            }
        }
    }

    @Test
    void aTextOfAnotherEncoderIsRefusedWithItsPlace() {
        try (Model model = Model.open(Goldens.model("gptneo-be"), CPU);
                BiEncoder one = BiEncoder.of(model, SHORT);
                BiEncoder other = BiEncoder.of(model, SHORT)) {
            TokenizedText own = one.tokenized("moon", TextKind.TEXT, TextCut.USUAL);
            TokenizedText foreign = other.tokenized("moon", TextKind.TEXT, TextCut.USUAL);
            Refusal.check(
                    IllegalArgumentException.class,
                    () -> one.embedTokenized(List.of(own, foreign)),
                    "text 2 of 2: expected one that this encoder");
            assertThrowsExactly(NullPointerException.class, () -> one.embedTokenized(Arrays.asList(own, null)));
            assertEquals(0, one.truncation(TextKind.TEXT).texts());
            assertEquals(1, one.embedTokenized(List.of(own)).size());
        }
    }

    @Test
    void cutTextsCountByTheirKinds() {
        try (BiEncoder encoder = open("gptneo-be", SHORT.withSpecb(true))) {
            TokenizedText longQuery = encoder.tokenized(TEXTS.get(3), TextKind.QUERY, TextCut.LEFT);
            TokenizedText text = encoder.tokenized("moon", TextKind.TEXT, TextCut.USUAL);
            TokenizedText prompted = encoder.tokenizedWithPrompt("p ", "moon", TextCut.USUAL);
            assertEquals(new Truncation(0, 0, 0, 12), encoder.truncation(TextKind.QUERY));
            encoder.embedTokenized(List.of(longQuery, text, longQuery, prompted));
            assertEquals(new Truncation(2, 2, longQuery.uncutTokens(), 12), encoder.truncation(TextKind.QUERY));
            assertEquals(new Truncation(2, 0, 0, 12), encoder.truncation(TextKind.TEXT));
            assertEquals(new Truncation(0, 0, 0, 12), encoder.truncation(TextKind.DOCUMENT));
        }
    }

    private static void requireCancelled(Executable call) {
        Thread.currentThread().interrupt();
        assertThrows(CancelledException.class, call);
        assertTrue(Thread.interrupted(), "the status stays set");
    }

    @Test
    void anInterruptedThreadGetsTheExceptionAndTheEncoderGoesOn() {
        try (BiEncoder encoder = open("gptneo-be", SHORT)) {
            TokenizedText text = encoder.tokenized("moon", TextKind.TEXT, TextCut.USUAL);
            requireCancelled(() -> encoder.tokenized("moon", TextKind.TEXT, TextCut.USUAL));
            requireCancelled(() -> encoder.tokenizedWithPrompt("a", "moon", TextCut.USUAL));
            requireCancelled(() -> encoder.tokenizedIds(new int[0], TextKind.TEXT, TextCut.USUAL));
            requireCancelled(() -> encoder.embedTokenized(List.of()));
            requireCancelled(() -> encoder.embedTokenized(List.of(text)));
            assertEquals(0, encoder.truncation(TextKind.TEXT).texts());
            assertArrayEquals(
                    encoder.embed("moon"),
                    encoder.embedTokenized(List.of(text)).getFirst().vector());
        }
    }

    @Test
    void aClosedEncoderRefusesEverything() {
        BiEncoder encoder = open("gptneo-be", SHORT);
        TokenizedText text = encoder.tokenized("moon", TextKind.TEXT, TextCut.USUAL);
        encoder.close();
        for (Executable call : List.<Executable>of(
                () -> encoder.tokenized("moon", TextKind.TEXT, TextCut.USUAL),
                () -> encoder.tokenizedWithPrompt("a", "moon", TextCut.USUAL),
                () -> encoder.tokenizedIds(new int[] {1}, TextKind.TEXT, TextCut.USUAL),
                () -> encoder.embedTokenized(List.of()),
                () -> encoder.embedTokenized(List.of(text)))) {
            assertTrue(message(IllegalStateException.class, call).endsWith(" is closed"));
        }
        // What is known without the encoder stays known.
        assertTrue(text.tokens() > 0 && text.ids().length == text.tokens());
    }

    @Test
    void missingArgumentsAreToldAtOnce() {
        try (BiEncoder encoder = open("gptneo-be", SHORT)) {
            for (Executable call : List.<Executable>of(
                    () -> encoder.tokenized(null, TextKind.TEXT, TextCut.USUAL),
                    () -> encoder.tokenized("moon", null, TextCut.USUAL),
                    () -> encoder.tokenized("moon", TextKind.TEXT, null),
                    () -> encoder.tokenizedWithPrompt(null, "moon", TextCut.USUAL),
                    () -> encoder.tokenizedWithPrompt("a", null, TextCut.USUAL),
                    () -> encoder.tokenizedIds(null, TextKind.TEXT, TextCut.USUAL),
                    () -> encoder.embedTokenized(null))) {
                assertThrowsExactly(NullPointerException.class, call);
            }
        }
    }
}
