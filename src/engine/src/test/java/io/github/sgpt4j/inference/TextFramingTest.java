package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.LeftOut;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import io.github.sgpt4j.tokenizer.CutSide;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextFramingTest {
    private static final String TEXT = "the moon and the sun";

    private final Tokenizer plain = Tokenizer.load(Variants.model("st-pooling-name"));
    /// Puts `<s>` (0) before and `</s>` (1) after.
    private final Tokenizer special = Tokenizer.load(Variants.model("st-no-prompt-pooling"));

    @Test
    void plainTextIsCutOnTheRight() {
        int[] ids = plain.encode(TEXT, true);
        assertArrayEquals(ids, new TextFraming.Plain().encode(plain, TEXT, 100).ids());
        assertArrayEquals(
                Arrays.copyOf(ids, 3),
                new TextFraming.Plain().encode(plain, TEXT, 3).ids());
        assertEquals(0, new TextFraming.Plain().promptLength(plain));
    }

    @Test
    void specialTokensStayWhenTextIsCut() {
        int[] ids = new TextFraming.Plain().encode(special, TEXT, 4).ids();
        assertEquals(4, ids.length);
        assertEquals(0, ids[0]);
        assertEquals(1, ids[3]);
    }

    @Test
    void aPromptIsTokenizedWithTheText() {
        TextFraming.Prompt prompt = new TextFraming.Prompt("the moo");
        assertArrayEquals(
                plain.encode("the moon", true), prompt.encode(plain, "n", 100).ids());
    }

    @Test
    void aPromptsLengthLeavesOutATrailingSpecialToken() {
        TextFraming.Prompt prompt = new TextFraming.Prompt("passage: ");
        int alone = plain.encode("passage: ", false).length;
        assertEquals(alone, prompt.promptLength(plain));
        assertEquals(1 + alone, prompt.promptLength(special));
    }

    /// NV-Embed: `</s>` (2) follows the text as text, so that cutting removes it.
    @Test
    void anEndFollowsTheTextAndIsCutWithIt() {
        Tokenizer llama = Tokenizer.load(Goldens.root().resolve("tokenizers/llama2-spm"));
        int[] ids = llama.encode(TEXT, true);
        for (String prompt : new String[] {"", "Instruct: search\nQuery: "}) {
            TextFraming framing = TextFraming.prompt(prompt, "</s>", LeftOut.PROMPT_WITHOUT_SPECIAL_TOKENS);
            int[] whole = framing.encode(llama, TEXT, 100).ids();
            assertArrayEquals(llama.encode(prompt + TEXT, true), Arrays.copyOf(whole, whole.length - 1));
            assertEquals(2, whole[whole.length - 1]);
            EncodedText cut = framing.encode(llama, TEXT, whole.length - 1);
            assertArrayEquals(Arrays.copyOf(whole, whole.length - 1), cut.ids());
            assertEquals(whole.length, cut.uncut());
            assertEquals(llama.encode(prompt, false).length, framing.promptLength(llama));
        }
        assertEquals(
                1 + llama.encode("a: ", false).length,
                TextFraming.prompt("a: ", "</s>", LeftOut.PROMPT).promptLength(llama));
        assertEquals(0, TextFraming.prompt("", "</s>", LeftOut.PROMPT).promptLength(llama));
        EncodedText given = TextFraming.prompt("", "</s>", LeftOut.PROMPT)
                .frame(llama, ids, 100, CutSide.STATED, Cancellation.NEVER);
        assertArrayEquals(ids, given.ids());
    }

    @Test
    void bracketsAreAddedToTheIdsNotToTheText() {
        for (String text : new String[] {TEXT, "", "[", "]}"}) {
            TextFraming.Brackets query = TextFraming.queryBrackets(plain);
            int[] ids = query.encode(plain, text, 100).ids();
            assertEquals(plain.encode("[", false)[0], ids[0]);
            assertEquals(plain.encode("]", false)[0], ids[ids.length - 1]);
            assertArrayEquals(plain.encode(text, true), Arrays.copyOfRange(ids, 1, ids.length - 1));
        }
        TextFraming.Brackets document = TextFraming.documentBrackets(plain);
        assertEquals(plain.encode("{", false)[0], document.before());
        assertEquals(plain.encode("}", false)[0], document.after());
        assertEquals(0, document.promptLength(plain));
    }

    @Test
    void theTextIsCutToLeaveRoomForBrackets() {
        TextFraming.Brackets brackets = TextFraming.documentBrackets(plain);
        int[] whole = plain.encode(TEXT, true);
        for (int max = 3; max < whole.length + 4; max++) {
            int[] ids = brackets.encode(plain, TEXT, max).ids();
            int kept = Math.min(max - 2, whole.length);
            assertEquals(kept + 2, ids.length);
            assertArrayEquals(Arrays.copyOf(whole, kept), Arrays.copyOfRange(ids, 1, kept + 1));
        }
        assertArrayEquals(
                new int[] {brackets.before(), brackets.after()},
                brackets.encode(plain, TEXT, 2).ids());
    }

    @Test
    void tokensAreCountedBeforeTheTextIsCut() {
        int whole = plain.encode(TEXT, true).length;
        TextFraming.Brackets brackets = TextFraming.documentBrackets(plain);
        for (int max = 2; max < whole + 4; max++) {
            EncodedText bracketed = brackets.encode(plain, TEXT, max);
            assertEquals(whole + 2, bracketed.uncut());
            assertEquals(max < whole + 2, bracketed.truncated());
            EncodedText ends = new TextFraming.Plain().encode(special, TEXT, max);
            assertEquals(special.encode(TEXT, true).length, ends.uncut());
            assertEquals(max < ends.uncut(), ends.truncated());
        }
        EncodedText empty = new TextFraming.Plain().encode(plain, "", 2);
        assertEquals(0, empty.uncut());
        assertFalse(empty.truncated());
    }

    @Test
    void aVocabularyWithoutABracketIsUnsupported(@TempDir Path directory) throws IOException {
        String merged = "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": []},"
                + " \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false}}";
        Files.writeString(directory.resolve("tokenizer.json"), merged);
        Tokenizer tokenizer = Tokenizer.load(directory);
        UnsupportedModelException e =
                assertThrows(UnsupportedModelException.class, () -> TextFraming.queryBrackets(tokenizer));
        assertTrue(e.getMessage().contains("\"[\""), e.getMessage());
    }

    @Test
    void goldenModelsHaveBrackets() {
        for (String name : Goldens.biEncoders()) {
            Tokenizer tokenizer = Tokenizer.load(Goldens.model(name));
            assertEquals(
                    "[",
                    tokenizer.decode(
                            new int[] {TextFraming.queryBrackets(tokenizer).before()}, false));
        }
    }
}
