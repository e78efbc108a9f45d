package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// tokenize, inspect, devices, help and version.
class SmallCommandsTest {
    @Test
    void tokenizesAsTheGoldensDo() {
        JsonNode expected = Cli.expected("gptneo-be");
        for (int i = 0; i < 5; i++) {
            String text = expected.get("texts").get(i).asText();
            JsonNode line = Cli.run("tokenize", "-m", Cli.model("gptneo-be"), text)
                    .lines()
                    .getFirst();
            List<String> fields = new ArrayList<>();
            line.fieldNames().forEachRemaining(fields::add);
            assertEquals(List.of("index", "text", "ids"), fields);
            assertEquals(expected.get("ids").get(i), line.get("ids"));
            assertEquals(text, line.get("text").asText());
        }
    }

    @Test
    void leavesSpecialTokensOutOnRequest() {
        String model = Cli.model("opt-ce");
        int all = Cli.run("tokenize", "-m", model, "hello")
                .lines()
                .getFirst()
                .get("ids")
                .size();
        int fewer = Cli.run("tokenize", "-m", model, "--no-special-tokens", "hello")
                .lines()
                .getFirst()
                .get("ids")
                .size();
        assertEquals(all - 1, fewer);
    }

    @Test
    void showsThePlacesOfTokensOnRequest() {
        JsonNode line = Cli.run("tokenize", "-m", Cli.model("opt-ce"), "--offsets", "\uD83D\uDE00 hello")
                .lines()
                .getFirst();
        JsonNode offsets = line.get("offsets");
        assertEquals(line.get("ids").size(), offsets.size());
        assertTrue(offsets.get(0).isNull());
        assertEquals("[0,1]", offsets.get(1).toString());
        assertEquals(7, offsets.get(offsets.size() - 1).get(1).intValue());
        JsonNode without = Cli.run("tokenize", "-m", Cli.model("opt-ce"), "\uD83D\uDE00 hello")
                .lines()
                .getFirst();
        assertEquals(without.get("ids"), line.get("ids"));
        assertFalse(without.has("offsets"));
    }

    @Test
    void tokenizesWithTheFilesOfTheTokenizerAlone(@TempDir Path folder) throws IOException {
        Path model = Path.of(Cli.model("gpt2-be"));
        for (String name : List.of("vocab.json", "merges.txt", "tokenizer_config.json")) {
            Files.copy(model.resolve(name), folder.resolve(name));
        }
        JsonNode expected = Cli.expected("gpt2-be");
        Cli.Result result = Cli.run(
                "tokenize",
                "-m",
                folder.toString(),
                "--strict",
                expected.get("texts").get(0).asText());
        assertEquals(expected.get("ids").get(0), result.lines().getFirst().get("ids"));
        assertEquals("", result.err());
        Files.delete(folder.resolve("tokenizer_config.json"));
        String notice = "no file names the tokenizer's class";
        assertTrue(Cli.run("tokenize", "-m", folder.toString(), "x").err().contains(notice));
        assertTrue(Cli.run("tokenize", "-m", folder.toString(), "--strict", "x")
                .failure(1)
                .contains(notice));
    }

    @Test
    void inspectShowsTheBuiltInModel() {
        Cli.Result result = Cli.run("inspect");
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.err());
        for (String fact : List.of(
                "family +gpt_neo",
                "layers +3",
                "hidden size +256",
                "vocabulary +32,000",
                "stored as +F16 .*",
                "files +model.safetensors",
                "pooling +weightedmean \\(1_Pooling.config.json\\)",
                "text length +cut to 256 tokens .*",
                "specb +yes: \"specb\" is in the directory's name.*")) {
            assertTrue(result.text().lines().anyMatch(line -> line.matches(fact)), fact + "\n" + result.text());
        }
    }

    @Test
    void devicesNamesTheCpu() {
        Cli.Result result = Cli.run("devices");
        assertEquals(0, result.code(), result.err());
        assertTrue(result.text().startsWith("cpu     available "), result.text());
    }

    @Test
    void devicesShowsTheThreadsAndWeightsThatAreAskedFor() {
        String cpu = Cli.run("devices", "--threads", "3", "--dtype", "bf16")
                .text()
                .lines()
                .findFirst()
                .orElseThrow();
        assertTrue(cpu.endsWith(", 3 threads, weights bf16"), cpu);
    }

    @Test
    void devicesTellsEachReasonOnce() {
        List<String> lines = Cli.run("devices").text().lines().toList();
        for (String line : lines) {
            String reason = line.replaceFirst("^.*?not available  ", "");
            assertEquals(
                    1, lines.stream().filter(other -> other.endsWith(reason)).count(), reason);
        }
    }

    /// 15 seconds is the target of `BatchSize` in the module retrieval.
    @Test
    void helpAndManualAgreeOnHowOftenAnIndexIsCommitted() throws IOException {
        String often = "Work is committed about every 15 seconds:";
        assertTrue(Cli.run("index", "--help").text().replaceAll("\\s+", " ").contains(often));
        assertTrue(Files.readString(Path.of("../docs/search.md"))
                .replaceAll("\\s+", " ")
                .contains(often));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "embed",
                "score",
                "tokenize",
                "index",
                "search",
                "eval",
                "inspect",
                "verify",
                "convert",
                "merge",
                "devices"
            })
    void everyLevelHasHelpAndVersion(String verb) {
        String[] start = verb.isEmpty() ? new String[0] : new String[] {verb};
        Cli.Result help = Cli.run(with(start, "--help"));
        assertEquals(0, help.code());
        assertEquals("", help.err());
        assertTrue(help.text().startsWith(("Usage: sgpt " + verb).strip()), help.text());
        Cli.Result version = Cli.run(with(start, "--version"));
        assertEquals(0, version.code());
        assertTrue(version.text().matches("sgpt \\d+\\.\\d+\\.\\d+.*\n"), version.text());
    }

    @Test
    void withoutAVerbThereIsHelp() {
        assertEquals(Cli.run("--help").text(), Cli.run().text());
    }

    private static String[] with(String[] start, String option) {
        List<String> all = new ArrayList<>(List.of(start));
        all.add(option);
        return all.toArray(String[]::new);
    }
}
