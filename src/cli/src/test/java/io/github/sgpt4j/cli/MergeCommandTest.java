package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.Model;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `--biases`, and `sgpt merge`.
class MergeCommandTest {
    private static final String BASE = Cli.model("gptneo-be");

    @TempDir
    Path folder;

    private String biases;

    @BeforeEach
    void writeBiases() throws IOException {
        biases = TrainedFile.write("gptneo", Path.of(BASE), folder.resolve("biases.safetensors"))
                .toString();
    }

    private static String embed(String... options) {
        Cli.Result result = Cli.run(
                Stream.concat(Stream.of("embed", "--quiet", "--as", "query", "what is a whale"), Stream.of(options))
                        .toArray(String[]::new));
        assertEquals(0, result.code(), result.err());
        return result.text();
    }

    @Test
    void theResultEmbedsAsBaseAndBiasesDo() {
        Path made = folder.resolve("made");
        Cli.Result merged = Cli.run("merge", "-m", BASE, "--biases", biases, "--output", made.toString());
        assertEquals(0, merged.code(), merged.err());
        assertEquals(made.resolve("model.safetensors") + "\n", merged.text());
        assertTrue(merged.err().contains("sgpt: wrote "), merged.err());
        String together = embed("-m", BASE, "--biases", biases);
        assertEquals(together, embed("-m", made.toString()));
        assertNotEquals(together, embed("-m", BASE));
        Cli.Result inspected = Cli.run("inspect", "--quiet", "-m", BASE, "--biases", biases);
        assertTrue(inspected.text().contains("\"specb\" of biases.safetensors"), inspected.text());
        assertTrue(inspected.text().contains(biases), inspected.text());
        assertEquals(
                0,
                Cli.run("verify", "--quiet", "--strict", "-m", made.toString()).code());
    }

    @Test
    void whatIsThereStays() throws IOException {
        Path there = Files.createDirectory(folder.resolve("there"));
        String line = Cli.run("merge", "-m", BASE, "--biases", biases, "--output", there.toString())
                .failure(1);
        assertTrue(line.startsWith(there + ": already exists"), line);
        String other = Cli.run("merge", "-m", Cli.model("bloom-be"), "--biases", biases, "--output", folder + "/new")
                .failure(1);
        assertTrue(other.contains("fingerprint"), other);
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(2, files.count());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "merge --output x|Missing required option: '--biases=FILE'",
                "merge --biases x|Missing required option: '--output=DIR'",
                "merge --biases @ --output x|expected",
                "merge --biases x --output @|expected",
                "embed --biases @ x|expected",
                "verify --biases x|--biases has no effect with verify",
                "verify --index x --biases y|--biases has no effect with --index without -m",
                "bench --shape 125M --biases x|--biases has no effect with --shape",
                "eval --run a --qrels b --biases x|--biases has no effect with --run"
            })
    void wrongUsageIsTold(String command, String complaint) {
        String[] words = command.split(" ");
        for (int i = 0; i < words.length; i++) {
            words[i] = words[i].equals("@") ? "" : words[i];
        }
        String line = Cli.run(words).failure(2);
        assertTrue(line.contains(complaint), line);
    }

    @Test
    void tokenizeNeedsNoBiases() {
        String line = Cli.run("tokenize", "-m", BASE, "--biases", biases, "a").failure(2);
        assertTrue(line.startsWith("--biases has no effect on tokenize, which needs only the tokenizer"), line);
    }

    /// The embeddings of the demo corpus are kept for the built-in model alone.
    @Test
    void theBuiltInModelCanBeTrainedToo() throws IOException {
        Path base = NanoModel.directory();
        Path file = folder.resolve("nano.safetensors");
        try (Weights weights = Weights.open(base)) {
            String name = weights.names().stream()
                    .filter(n -> n.endsWith("ln_f.bias"))
                    .findFirst()
                    .orElseThrow();
            float[] values = weights.get(name).toFloats();
            for (int i = 0; i < values.length; i += 2) {
                values[i] += 1;
            }
            new SafetensorsWriter()
                    .metadata("base", fingerprint(base))
                    .metadata("pooling", "weightedmean")
                    .metadata("specb", "true")
                    .metadata("max_length", "64")
                    .add(name, weights.get(name).shape(), values)
                    .write(file);
        }
        List<String> search = List.of("search", "--quiet", "--format", "jsonl", "fear of spiders");
        String usual = Cli.run(search.toArray(String[]::new)).text();
        Cli.Result trained = Cli.run(Stream.concat(search.stream(), Stream.of("--biases", file.toString()))
                .toArray(String[]::new));
        assertEquals(0, trained.code(), trained.err());
        assertNotEquals(usual, trained.text());
        assertEquals(usual, Cli.run(search.toArray(String[]::new)).text());
        Path made = folder.resolve("nano");
        assertEquals(
                0,
                Cli.run("merge", "--quiet", "--biases", file.toString(), "--output", made.toString())
                        .code());
        Cli.Result merged = Cli.run(
                Stream.concat(search.stream(), Stream.of("-m", made.toString())).toArray(String[]::new));
        assertEquals(trained.text(), merged.text());
        assertFalse(merged.text().isEmpty());
    }

    private static String fingerprint(Path base) {
        try (Model model = Model.open(base)) {
            return model.fingerprint();
        }
    }
}
