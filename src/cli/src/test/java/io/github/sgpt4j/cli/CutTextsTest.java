package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every verb reports truncated texts once, and refuses them with `--strict`.
class CutTextsTest {
    private static final String LONG = "bread ".repeat(700).strip();

    @TempDir
    Path folder;

    private String file;

    @BeforeEach
    void writeTexts() throws IOException {
        Path texts = folder.resolve("texts.txt");
        Files.writeString(texts, "a doctor for children\n" + LONG + "\nfear of spiders\n");
        file = texts.toString();
    }

    private static void assertTold(String notice, String... arguments) {
        Cli.Result result = Cli.run(arguments);
        assertEquals(0, result.code(), result.err());
        assertEquals(
                1,
                result.err()
                        .lines()
                        .filter(line -> line.contains(" truncated to "))
                        .count(),
                result.err());
        assertTrue(result.err().contains(notice), result.err());
        List<String> quiet = new ArrayList<>(List.of(arguments));
        quiet.add("--quiet");
        assertEquals("", Cli.run(quiet.toArray(String[]::new)).err());
    }

    private static void assertRefused(String... arguments) {
        List<String> strict = new ArrayList<>(List.of(arguments));
        strict.add("--strict");
        String line = Cli.run(strict.toArray(String[]::new)).failure(1);
        assertTrue(line.contains("\"bread bread") && line.contains(" tokens, got "), line);
    }

    @Test
    void embed() {
        String out = folder.resolve("out.jsonl").toString();
        assertRefused("embed", "-i", file, "-o", out);
        assertFalse(Files.exists(Path.of(out)));
        assertRefused("embed", "-i", file);
        assertTold("texts truncated to 256 tokens: 1 of 3; the longest had 70", "embed", "-i", file, "-o", out);
        assertEquals(0, Cli.run("embed", "--strict", "short").code());
        assertEquals("", Cli.run("embed", "short").err());
    }

    @Test
    void score() {
        String[] score = {"score", "--query", "bread", "-i", file};
        assertTold("pairs of document and query truncated to 512 tokens: 1 of 3; the longest had 7", score);
        assertRefused(score);
    }

    @Test
    void searchInMemory() {
        assertTold(
                "documents truncated to 256 tokens: 1 of 3",
                "search",
                "--corpus",
                file,
                "--passage-tokens",
                "off",
                "spiders");
        assertEquals(
                "", Cli.run("search", "--corpus", file, "--strict", "spiders").err());
        assertTold("queries truncated to 256 tokens: 1 of 1", "search", LONG);
        assertRefused("search", "--corpus", file, "--passage-tokens", "off", "spiders");
        assertRefused("search", LONG);
    }

    @Test
    void indexAndItsSearch() {
        String index = folder.resolve("index").toString();
        String split = folder.resolve("split").toString();
        Cli.Result passages = Cli.run("index", "--corpus", file, "--index", split, "--strict");
        assertEquals(0, passages.code(), passages.err());
        assertTrue(passages.err().contains("0 of them cut"), passages.err());
        assertRefused("index", "--corpus", file, "--index", index, "--passage-tokens", "off");
        Cli.Result made = Cli.run("index", "--corpus", file, "--index", index, "--passage-tokens", "off");
        assertEquals(0, made.code(), made.err());
        assertTrue(made.err().contains("3 added") && made.err().contains(", 1 of them cut; "), made.err());
        assertTrue(made.err().contains("documents truncated to 256 tokens: 1 of 3; the longest had 70"), made.err());
        assertTold("queries truncated to 256 tokens: 1 of 2", "search", "--index", index, "spiders", LONG);
        assertRefused("search", "--index", index, "spiders", LONG);
        assertRefused("search", "--index", index, "--rerank", "3", "--mode", "bm25", "bread", "-m", model());
    }

    private static String model() {
        return Cli.model("gptneo-ce");
    }
}
