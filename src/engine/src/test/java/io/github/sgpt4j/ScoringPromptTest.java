package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScoringPromptTest {
    private static final String EXAMPLE = "\"example\": {\"document\": \"D\", \"query\": \"Q\"}";

    @TempDir
    private Path folder;

    private ScoringPrompt read(String json) throws IOException {
        Path file = folder.resolve("p.json");
        Files.writeString(file, json);
        return ScoringPrompt.read(file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"A", "B", "C", "D", "E", "F", "G", "H", "I"})
    void lettersNameTemplates(String letter) {
        ScoringPrompt prompt = ScoringPrompt.named(letter);
        assertEquals(letter, prompt.name());
        assertEquals(prompt, ScoringPrompt.of(prompt.text()));
        assertEquals(ScoringPrompt.Vocabulary.MODEL, prompt.vocabulary());
    }

    @Test
    void textsAreThoseOfTheReference() {
        assertEquals("{} ", ScoringPrompt.named("A").text());
        assertEquals("Body:{}\n\nTitle:\n", ScoringPrompt.named("D").text());
        assertEquals(CrossEncoderOptions.DEFAULT.scoringPrompt(), ScoringPrompt.named("G"));
        assertEquals(
                "# Get matching document and query with the same content\nget_document()\n{}\nget_query_matching_document()\n\"",
                ScoringPrompt.named("I").text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"J", "K", "L", "M"})
    void someLettersNeedAnExample(String letter) throws IOException {
        IllegalArgumentException named =
                assertThrows(IllegalArgumentException.class, () -> ScoringPrompt.named(letter));
        assertTrue(named.getMessage().contains("\"example\""), named.getMessage());
        FormatException inFile =
                assertThrows(FormatException.class, () -> read("{\"prompt\": \"%s\"}".formatted(letter)));
        assertTrue(inFile.getMessage().contains("expected key \"example\""), inFile.getMessage());
        assertEquals(
                letter + " (p.json)",
                read("{\"prompt\": \"%s\", %s}".formatted(letter, EXAMPLE)).name());
    }

    @Test
    void examplesPrecedePrompts() throws IOException {
        ScoringPrompt j = read("{\"prompt\": \"J\", " + EXAMPLE + "}");
        assertEquals(
                Optional.of("Documents are searched to find matches with the same content.\nDocument:\nD\nQuery:\nQ\n"),
                j.example());
        assertEquals("Document:\n{}\nQuery:\n", j.text());
        ScoringPrompt l = read("{\"prompt\": \"L\", " + EXAMPLE + "}");
        assertTrue(l.example().orElseThrow().endsWith("\n###\nDocument: D\nQuery: Q\nBot: Yes"));
        assertEquals(List.of(" Yes", " No"), l.choices());
        ScoringPrompt m = read("{\"prompt\": \"M\", " + EXAMPLE + "}");
        assertTrue(m.example().orElseThrow().endsWith("\nBot: Yes"));
        assertEquals(List.of("Yes", "No"), m.choices());
        assertNotEquals(l, m);
    }

    @Test
    void bracesInExamplesAreText() throws IOException {
        ScoringPrompt prompt = read(
                "{\"prompt\": \"{}:\", \"start\": \"{}={};\", \"example\": {\"document\": \"{}\", \"query\": \"%s\"}}");
        assertEquals(Optional.of("{}=%s;"), prompt.example());
    }

    @Test
    void theVocabularyIsChosenInAFile() throws IOException {
        ScoringPrompt prompt = read("{\"prompt\": \"G\", \"vocabulary\": \"tokenizer\"}");
        assertEquals(ScoringPrompt.Vocabulary.TOKENIZER, prompt.vocabulary());
        assertEquals(ScoringPrompt.named("G").text(), prompt.text());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | expected key \"prompt\"",
                "{\"prompt\": \"{} \\ud83d\"} | expected Unicode text",
                "{\"prompt\": \"x\"} | expected {} once",
                "{\"prompt\": \"{} {}\"} | expected {} once",
                "{\"prompt\": \"{}\", \"choices\": [\"a\", \"b\"]} | expected {} twice",
                "{\"prompt\": \"{} {}\", \"choices\": [\"a\"]} | key \"choices\"",
                "{\"prompt\": \"{} {}\", \"choices\": [\"a\", \"a\"]} | key \"choices\"",
                "{\"prompt\": \"{} {}\", \"choices\": [\"a\", 1]} | key \"choices\"",
                "{\"prompt\": \"{} {}\", \"choices\": \"ab\"} | key \"choices\"",
                "{\"prompt\": \"{} {}\", \"choices\": [\"a\", \"b\"], \"vocabulary\": \"model\"} | key \"vocabulary\"",
                "{\"prompt\": \"{}\", \"vocabulary\": \"both\"} | key \"vocabulary\"",
                "{\"prompt\": \"{}\", \"promt\": \"{}\"} | key \"promt\"",
                "{\"prompt\": \"{}\", \"start\": \"{} {}\"} | expected key \"example\"",
                "{\"prompt\": \"{}\", \"example\": {\"document\": \"a\", \"query\": \"b\"}} | expected \"start\"",
                "{\"prompt\": \"{}\", \"start\": \"{}\", \"example\": {\"document\": \"a\", \"query\": \"b\"}} | twice",
                "{\"prompt\": \"J\", \"example\": {\"document\": \"a\"}} | expected key \"query\"",
                "{\"prompt\": \"J\", \"example\": {\"document\": \"a\", \"query\": \"b\", \"x\": 1}} | key \"x\"",
                "{\"prompt\": \"J\", \"start\": \"{} {}\"} | key \"start\"",
                "{\"prompt\": \"G\", \"choices\": [\"a\", \"b\"]} | key \"choices\"",
                "{\"prompt\": 7} | key \"prompt\"",
                "[] | p.json"
            })
    void brokenFilesAreRefusedByName(String json, String word) {
        FormatException e = assertThrows(FormatException.class, () -> read(json));
        assertTrue(e.getMessage().contains(word) && e.getMessage().contains("p.json"), e.getMessage());
    }
}
