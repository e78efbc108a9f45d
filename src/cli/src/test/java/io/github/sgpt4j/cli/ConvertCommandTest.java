package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `sgpt convert`, and models that have only pickled weights.
class ConvertCommandTest {
    private static final Path PICKLED = Path.of("../../weights-tools/src/test/resources/checkpoints");
    private static final String NAME = "gptneo-be-bin";

    @TempDir
    Path folder;

    private Path source;

    @BeforeEach
    void makeCheckpoint() throws IOException {
        source = folder.resolve(NAME);
        copy(Cli.GOLDENS.resolve(NAME), source);
        Files.delete(source.resolve("model.safetensors"));
        copy(PICKLED.resolve(NAME), source);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
    }

    private static void checkEmbedding(Cli.Result result) {
        JsonNode expected = Cli.expected(NAME).get("pooled").get("weightedmean").get(0);
        Cli.assertClose(expected, result.lines().getFirst().get("embedding"), "embedding");
    }

    private static String text() {
        return Cli.expected(NAME).get("texts").get(0).textValue();
    }

    private Cli.Result embed(Path model, String... more) {
        String[] arguments = Stream.concat(
                        Stream.of("embed", "-m", model.toString(), "--pooling", "weightedmean", text()),
                        Stream.of(more))
                .toArray(String[]::new);
        return Cli.runWithEnvironment(
                Map.of("XDG_CACHE_HOME", folder.resolve("cache").toString()), arguments);
    }

    @Test
    void convertsIntoANewDirectory() {
        Path target = folder.resolve("converted");
        Cli.Result result = Cli.run("convert", source.toString(), target.toString());
        assertEquals(0, result.code(), result.err());
        assertEquals(target.resolve("model.safetensors") + "\n", result.text());
        assertEquals("sgpt: wrote 56 tensors, 1,222,144 bytes\n", result.err());
        checkEmbedding(embed(target));
        assertFalse(Files.exists(folder.resolve("cache")), "a readable checkpoint is not converted again");
    }

    @Test
    void convertsInPlaceOnceUnlessForced() {
        assertEquals(0, Cli.run("convert", source.toString(), "--quiet").code());
        assertTrue(Files.exists(source.resolve("model.safetensors")));
        String line = Cli.run("convert", source.toString()).failure(1);
        assertTrue(line.contains("already exists"), line);
        Cli.Result forced = Cli.run("convert", source.toString(), "--force", "--quiet", "--dtype", "fp16");
        assertEquals(0, forced.code(), forced.err());
        assertEquals("", forced.err());
        assertTrue(Cli.run("inspect", "-m", source.toString()).text().contains("F16"));
    }

    @Test
    void aDirectoryOfOtherFilesIsLeftAloneUnlessForced() throws IOException {
        Path target = Files.createDirectory(folder.resolve("notes"));
        Files.writeString(target.resolve("note.md"), "mine");
        String[] command = {"convert", "--quiet", source.toString(), target.toString()};
        String line = Cli.run(command).failure(1);
        assertEquals(target + ": expected a new or empty directory unless forced, found note.md in it", line);
        try (Stream<Path> left = Files.list(target)) {
            assertEquals(List.of(target.resolve("note.md")), left.toList());
        }
        Cli.Result forced = Cli.run("convert", "--force", "--quiet", source.toString(), target.toString());
        assertEquals(0, forced.code(), forced.err());
        assertEquals("mine", Files.readString(target.resolve("note.md")));
        checkEmbedding(embed(target));
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertEquals(
                0,
                Cli.run("convert", "--quiet", source.toString(), empty.toString())
                        .code());
    }

    @Test
    void dividesWeightsAsAsked() {
        Path target = folder.resolve("shards");
        Cli.Result result = Cli.run("convert", source.toString(), target.toString(), "--max-shard-size", "0.5MB");
        assertEquals(
                List.of(
                        "model-00001-of-00003.safetensors",
                        "model-00002-of-00003.safetensors",
                        "model-00003-of-00003.safetensors",
                        "model.safetensors.index.json"),
                result.text()
                        .lines()
                        .map(line -> Path.of(line).getFileName().toString())
                        .toList());
        checkEmbedding(embed(target));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"--dtype=int8", "--max-shard-size=0GB", "--max-shard-size=5", "--max-shard-size=x", "--what"})
    void wrongOptionsAreUsageErrors(String option) {
        Cli.run("convert", source.toString(), option).failure(2);
        assertFalse(Files.exists(source.resolve("model.safetensors")));
    }

    @Test
    void aSourceIsNeeded() {
        Cli.run("convert").failure(2);
        assertTrue(Cli.run("convert", folder.resolve("nowhere").toString())
                .failure(1)
                .contains("nowhere"));
    }

    @Test
    void hostileWeightsAreOneLine() throws IOException {
        Files.writeString(source.resolve("pytorch_model.bin"), "cos\nsystem\n(S'echo hello'\ntR.");
        String line = Cli.run("convert", source.toString()).failure(1);
        assertTrue(line.contains("global \"os.system\" is refused"), line);
    }

    @Test
    void aModelWithPickledWeightsIsConvertedOnce() throws IOException {
        Cli.Result first = embed(source);
        checkEmbedding(first);
        assertTrue(first.err().contains("converting them once"), first.err());
        assertFalse(Files.exists(source.resolve("model.safetensors")), "the checkpoint stays as it is");
        Cli.Result second = embed(source);
        checkEmbedding(second);
        assertEquals("", second.err());
        assertEquals(1, conversions());

        Files.setLastModifiedTime(source.resolve("config.json"), FileTime.fromMillis(1_000_000));
        Cli.Result changed = embed(source, "--quiet");
        checkEmbedding(changed);
        assertEquals("", changed.err());
        assertEquals(1, conversions(), "the older conversion is removed");
    }

    private long conversions() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
            return files.filter(file -> file.endsWith(Path.of(NAME, "model.safetensors")))
                    .count();
        }
    }

    @Test
    void aModelThatCannotBeConvertedIsOneLine() throws IOException {
        Files.writeString(source.resolve("pytorch_model.bin"), "nothing");
        String line = embed(source, "--quiet").failure(1);
        assertTrue(line.contains("pytorch_model.bin"), line);
        assertEquals(0, conversions());
    }

    private static final Path RESOURCES = Path.of("../engine/src/test/resources");

    @Test
    void anAdapterIsMergedIntoItsBaseModel() throws IOException {
        Path adapter = folder.resolve("adapter");
        copy(RESOURCES.resolve("adapters/gpt2-conv1d"), adapter);
        Path base = RESOURCES.resolve("variants/gpt2-unscaled");
        Path target = folder.resolve("merged");
        Cli.Result result = Cli.run("convert", adapter.toString(), target.toString(), "--base-model", base.toString());
        assertEquals(0, result.code(), result.err());
        assertEquals(target.resolve("model.safetensors") + "\n", result.text());
        assertTrue(result.err().startsWith("sgpt: wrote "), result.err());
        assertTrue(Files.exists(target.resolve("config.json")));
        assertFalse(Files.exists(target.resolve("adapter_config.json")));

        Path config = adapter.resolve("adapter_config.json");
        Files.writeString(config, Files.readString(config).replace("\"gpt2-unscaled\"", "\"" + base + "\""));
        Path named = folder.resolve("named");
        Cli.Result told = Cli.run("convert", adapter.toString(), named.toString());
        assertEquals(0, told.code(), told.err());
        assertTrue(told.err().contains("the adapter is merged into " + base), told.err());
        assertEquals(-1, Files.mismatch(target.resolve("model.safetensors"), named.resolve("model.safetensors")));
    }

    @Test
    void anAdapterIsNotMergedInPlace() throws IOException {
        Path adapter = folder.resolve("adapter");
        copy(RESOURCES.resolve("adapters/gpt2-conv1d"), adapter);
        String line = Cli.run("convert", adapter.toString()).failure(1);
        assertTrue(line.contains("merged into a directory other"), line);
        String base = RESOURCES.resolve("variants/gpt2-unscaled").toString();
        Cli.run("convert", adapter.toString(), "--base-model", base).failure(2);
        Cli.run("convert", source.toString(), folder.resolve("x").toString(), "--base-model", base)
                .failure(2);
        assertFalse(Files.exists(folder.resolve("x")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"scores-2.pkl", "scores-5.pkl.gz"})
    void scoresOfMsMarcoBecomeLines(String name) throws IOException {
        Path scores = Path.of("../../weights-tools/src/test/resources/scores");
        List<String> expected = Files.readAllLines(scores.resolve("scores.jsonl"));
        Path pickle = folder.resolve(name);
        Files.copy(scores.resolve(name), pickle);
        Path beside = folder.resolve("ce-scores.jsonl");
        Cli.Result result = Cli.run("convert", pickle.toString());
        assertEquals(0, result.code(), result.err());
        assertEquals(beside + "\n", result.text());
        assertEquals("sgpt: wrote 240 scores of 8 queries\n", result.err());
        assertEquals(expected, Files.readAllLines(beside));

        String again = Cli.run("convert", pickle.toString()).failure(1);
        assertEquals(beside + ": there is a file already", again);
        assertEquals(0, Cli.run("convert", "--force", pickle.toString()).code());

        Path data = Files.createDirectory(folder.resolve("msmarco"));
        assertEquals(
                "",
                Cli.run("convert", "--quiet", pickle.toString(), data.toString())
                        .err());
        assertEquals(expected, Files.readAllLines(data.resolve("ce-scores.jsonl")));
        Path named = data.resolve("ce-scores.jsonl.gz");
        assertEquals(
                named + "\n",
                Cli.run("convert", pickle.toString(), named.toString()).text());
        assertTrue(Files.size(named) < Files.size(beside));

        String[][] useless = {{"--dtype", "bf16"}, {"--max-shard-size", "1GB"}, {"--base-model", "x"}};
        for (String[] option : useless) {
            String said =
                    Cli.run("convert", pickle.toString(), option[0], option[1]).failure(2);
            assertTrue(said.startsWith(option[0] + " has no effect with " + pickle), said);
        }
        Files.writeString(pickle, "not a pickle");
        assertTrue(Cli.run("convert", "--force", pickle.toString()).failure(1).startsWith(pickle + ": "));
    }
}
