package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A tokenizer without its model.
class ModelTokenizerTest {
    private static final String TEXT = "The Quick brown fox — naïve café, 12345!";

    @TempDir
    Path folder;

    @Test
    void theFileOfTheTokenizerIsEnough() throws IOException {
        copy("tokenizer.json", folder);
        ModelTokenizer tokenizer = ModelTokenizer.open(folder);
        try (Model model = Model.open(Goldens.model("opt-ce"))) {
            assertArrayEquals(model.tokenize(TEXT, true), tokenizer.tokenize(TEXT, true));
            assertArrayEquals(model.tokenize(TEXT, false), tokenizer.tokenize(TEXT, false));
        }
        assertEquals(TEXT, tokenizer.detokenize(tokenizer.tokenize(TEXT, false)));
        assertTrue(tokenizer.vocabularySize() > 1000);
        assertEquals(List.of(), tokenizer.notices());
        assertEquals(folder, tokenizer.directory());
    }

    @Test
    void tokensHavePlacesInTheText() throws IOException {
        copy("tokenizer.json", folder);
        ModelTokenizer tokenizer = ModelTokenizer.open(folder);
        String text = "a \uD83D\uDE00 caf\u00e9 \uDE00 " + TEXT;
        List<Token> tokens = tokenizer.tokens(text, true);
        assertArrayEquals(
                tokenizer.tokenize(text, true),
                tokens.stream().mapToInt(Token::id).toArray());
        Token first = tokens.getFirst();
        assertEquals(new Token(first.id(), "</s>", true, -1, -1), first);
        assertEquals(new Token(tokens.get(1).id(), "a", false, 0, 1), tokens.get(1));
        for (Token token : tokens.subList(1, tokens.size())) {
            assertFalse(token.special());
            int start = text.offsetByCodePoints(0, token.start());
            assertEquals(text.substring(start, text.offsetByCodePoints(0, token.end())), token.text());
        }
        assertTrue(tokens.stream().anyMatch(token -> token.text().contains("\uD83D\uDE00")));
        assertTrue(tokens.stream().anyMatch(token -> token.text().contains("\uDE00") && token.start() >= 9));
        assertEquals(text.codePointCount(0, text.length()), tokens.getLast().end());
        assertEquals(tokens.subList(1, tokens.size()), tokenizer.tokens(text, false));
        try (Model model = Model.open(Goldens.model("opt-ce"))) {
            assertEquals(tokens, model.tokens(text, true));
        }
    }

    /// Lower-casing happens before the tokenizer, but places are those of the text as it was given.
    @Test
    void placesAreThoseOfTheTextBeforeLowerCasing() {
        ModelTokenizer tokenizer = ModelTokenizer.open(Variants.model("st-lower-case"));
        List<Token> tokens = tokenizer.tokens("\u0130\u0130 WORD", false);
        assertEquals(7, tokens.getLast().end());
        assertTrue(tokens.getLast().text().endsWith("D"), tokens::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"st-lower-case", "st-subfolder"})
    void filesOfSentenceTransformersCount(String name) {
        ModelTokenizer tokenizer = ModelTokenizer.open(Variants.model(name));
        try (Model model = Model.open(Variants.model(name))) {
            assertArrayEquals(model.tokenize(TEXT, true), tokenizer.tokenize(TEXT, true));
        }
    }

    @Test
    void noOtherModuleNeedsToBeThere() throws IOException {
        Path transformer = Files.createDirectory(folder.resolve("0_Transformer"));
        copy("tokenizer.json", transformer);
        Files.writeString(
                folder.resolve("modules.json"),
                "[{\"idx\": 0, \"path\": \"0_Transformer\", \"type\": \"t\"}, {\"idx\": 1, \"path\": \"1_Pooling\"}]");
        Files.writeString(transformer.resolve("sentence_bert_config.json"), "{\"do_lower_case\": true}");
        ModelTokenizer tokenizer = ModelTokenizer.open(folder);
        assertArrayEquals(tokenizer.tokenize("some words", true), tokenizer.tokenize("Some WORDS", true));
        Files.delete(transformer.resolve("sentence_bert_config.json"));
        tokenizer = ModelTokenizer.open(folder);
        assertFalse(Arrays.equals(tokenizer.tokenize("some words", true), tokenizer.tokenize("Some WORDS", true)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "[]", "[3]", "[{\"path\": 1}]", "[{\"path\": \"../other\"}]"})
    void brokenModulesAreRefused(String modules) throws IOException {
        copy("tokenizer.json", folder);
        Files.writeString(folder.resolve("modules.json"), modules);
        Exception e = assertThrows(FormatException.class, () -> ModelTokenizer.open(folder));
        assertTrue(String.valueOf(e.getMessage()).contains("modules.json"), String.valueOf(e.getMessage()));
    }

    @Test
    void whatIsNoDirectoryOrHasNoTokenizerIsRefused() throws IOException {
        Exception e = assertThrows(FormatException.class, () -> ModelTokenizer.open(folder.resolve("none")));
        assertTrue(String.valueOf(e.getMessage()).endsWith("found nothing"));
        Path file = Files.createFile(folder.resolve("file"));
        e = assertThrows(FormatException.class, () -> ModelTokenizer.open(file));
        assertTrue(String.valueOf(e.getMessage()).endsWith("got a file"));
        e = assertThrows(FormatException.class, () -> ModelTokenizer.open(folder));
        assertTrue(String.valueOf(e.getMessage()).contains("no tokenizer: expected tokenizer.json"));
    }

    @Test
    void noticesOfTheTokenizerAreThoseOfTheModelToo() throws IOException {
        Path from = Goldens.model("gpt2-be");
        for (String name : List.of("vocab.json", "merges.txt")) {
            Files.copy(from.resolve(name), folder.resolve(name));
        }
        assertEquals(1, ModelTokenizer.open(folder).notices().size());
        Files.copy(from.resolve("config.json"), folder.resolve("config.json"));
        assertEquals(List.of(), ModelTokenizer.open(folder).notices());
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"tokenizer_class\": \"GPT2Tokenizer\", \"do_lower_case\": true}");
        List<String> notices = ModelTokenizer.open(folder).notices();
        assertEquals(1, notices.size());
        Files.copy(from.resolve("model.safetensors"), folder.resolve("model.safetensors"));
        try (Model model = Model.open(folder)) {
            assertTrue(model.notices().containsAll(notices), model.notices()::toString);
        }
    }

    private static void copy(String name, Path to) throws IOException {
        Files.copy(Goldens.model("opt-ce").resolve(name), to.resolve(name));
    }
}
