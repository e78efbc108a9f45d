package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.retrieval.corpus.LineReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every error gives one line on stderr, nothing on stdout, and exit code 1 for failures or 2 for wrong usage.
class BadInputTest {
    private static final String MODEL = Cli.model("gptneo-be");

    @TempDir
    Path folder;

    @Test
    void refusesAModelThatIsNotThere() {
        String line =
                Cli.run("embed", "-m", folder.resolve("absent").toString(), "x").failure(1);
        assertTrue(line.contains("absent") && line.contains("found nothing"), line);
    }

    @Test
    void refusesAnEmptyDirectoryAndAFile() throws IOException {
        assertTrue(Cli.run("inspect", "-m", folder.toString()).failure(1).contains(folder.toString()));
        Path file = Files.createFile(folder.resolve("file"));
        assertTrue(Cli.run("inspect", "-m", file.toString()).failure(1).contains("file"));
    }

    @Test
    void refusesAModelWithoutWeights() throws IOException {
        Path model = copy("gptneo-be");
        Files.delete(model.resolve("model.safetensors"));
        assertTrue(fails(model).contains("model.safetensors"));
    }

    @Test
    void refusesAnUnknownFamily() throws IOException {
        Path model = copy("gptneo-be");
        edit(model, config -> config.put("model_type", "bert"));
        assertTrue(fails(model).contains("bert"));
    }

    @Test
    void refusesShapesThatDisagreeWithTheConfiguration() throws IOException {
        Path model = copy("gptneo-be");
        edit(model, config -> config.put("vocab_size", config.get("vocab_size").asInt() + 1));
        fails(model);
    }

    @Test
    void refusesAMissingTensor() throws IOException {
        Path model = copy("gptneo-be");
        edit(model, config -> {
            int layers = config.get("num_layers").asInt() + 2;
            config.put("num_layers", layers);
            config.remove("attention_layers");
            config.set("attention_types", Cli.parse("[[[\"global\", \"local\"], " + layers / 2 + "]]"));
        });
        fails(model);
    }

    @Test
    void refusesTruncatedWeights() throws IOException {
        Path model = copy("gptneo-be");
        Path weights = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(bytes, bytes.length - 5));
        assertTrue(fails(model).contains("model.safetensors"));
        Files.write(weights, Arrays.copyOf(bytes, 4));
        assertTrue(fails(model).contains("model.safetensors"));
    }

    @Test
    void refusesNumbersThatAreNotFinite() throws IOException {
        for (String golden : List.of("gptneo-be", "gptneo-ce")) {
            Path model = copy(golden);
            Path weights = model.resolve("model.safetensors");
            byte[] bytes = Files.readAllBytes(weights);
            Arrays.fill(bytes, bytes.length / 2, bytes.length, (byte) -1);
            Files.write(weights, bytes);
            String[] command = golden.endsWith("ce")
                    ? new String[] {"score", "-m", model.toString(), "--query", "q", "d"}
                    : new String[] {"embed", "-m", model.toString(), "d"};
            String line = Cli.run(command).failure(1);
            assertTrue(line.startsWith(model + ": expected finite "), line);
            assertTrue(line.endsWith("\"d\" (1 of 1); sgpt inspect --scan finds broken weights"), line);
            Files.move(model, folder.resolve(golden));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json"})
    void refusesBrokenJsonOfTheModel(String name) throws IOException {
        Path model = copy("gptneo-be");
        Files.writeString(model.resolve(name), "{\"a\": ");
        assertTrue(fails(model).contains(Path.of(name).toString()));
    }

    @Test
    void refusesADeviceThatIsUnavailable() {
        assertTrue(Cli.run("embed", "-m", MODEL, "--device", "cuda:7", "x")
                .failure(1)
                .contains("cuda:7"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "embed",
                "score a",
                "score --query q",
                "tokenize",
                "frobnicate",
                "embed --frobnicate x",
                "embed -i a.txt x",
                "embed -i a.csv",
                "score -i a.txt",
                "score --prompt none --query q d",
                "search -k 0 q",
                "search --rerank=x q",
                "devices x",
                "embed -m",
                "embed --threads 1 --threads 2 x"
            })
    void explainsWrongUsageInOneLine(String command) {
        String line = Cli.run(command.split(" ")).failure(2);
        assertTrue(line.contains("--help"), line);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"text\": \"a\"|not valid JSON at column 13: expected more, got the end",
                "[1]|expected an object, got an array",
                "{\"text\": 3}|\"text\": expected a string, got a number",
                "{\"title\": \"a\"}|expected \"text\", found none",
                "{\"text\": \"a\", \"title\": []}|\"title\": expected a string",
                "{\"text\": \"a\"} {}|not valid JSON at column 15: expected the end, got more",
                "{\"text\": \"\\ud800x\"}|half a surrogate pair"
            })
    void namesTheLineOfBrokenObjects(String line, String complaint) throws IOException {
        Path file = folder.resolve("in.jsonl");
        Files.writeString(file, "{\"text\": \"good\"}\n\n" + line + "\n");
        Path out = folder.resolve("out.jsonl");
        String said = Cli.run("embed", "-m", MODEL, "-i", file.toString(), "-o", out.toString())
                .failure(1);
        assertTrue(said.startsWith(file + ": line 3: "), said);
        assertTrue(said.contains(complaint), said);
        assertEquals(List.of(file), list());
    }

    @Test
    void namesTheLineOfAPairWithoutQueryOrDocument() throws IOException {
        Path file = folder.resolve("in.jsonl");
        Files.writeString(file, "{\"query\": \"a\", \"document\": \"b\"}\n{\"document\": \"b\"}\n");
        String[] command = {"score", "-m", Cli.model("gptneo-ce"), "-i", file.toString()};
        assertTrue(Cli.run(command).failure(1).contains("line 2: expected \"query\""));
        Files.writeString(file, "{\"query\": \"a\"}\n");
        assertTrue(Cli.run(command).failure(1).contains("line 1: expected \"document\""));
    }

    @Test
    void namesTheLineOfInvalidUtf8() {
        InputStream in = new ByteArrayInputStream(new byte[] {'a', '\n', 'b', (byte) 0xC3, '\n'});
        String line = Cli.run(in, "embed", "-m", MODEL, "-i", "-").failure(1);
        assertEquals("stdin: line 2: expected UTF-8, got byte 0xc3 at byte 2", line);
    }

    @Test
    void refusesFilesThatCannotBeRead() throws IOException {
        Path absent = folder.resolve("absent.txt");
        assertEquals(
                absent + ": no such file or directory",
                Cli.run("embed", "-m", MODEL, "-i", absent.toString()).failure(1));
        Path directory = Files.createDirectory(folder.resolve("d.txt"));
        assertTrue(Cli.run("embed", "-i", directory.toString()).failure(1).contains("got a directory"));
        Path noGzip = folder.resolve("a.txt.gz");
        Files.writeString(noGzip, "text");
        assertTrue(Cli.run("embed", "-i", noGzip.toString()).failure(1).startsWith(noGzip.toString()));
        assertTrue(
                Cli.run("search", "--corpus", absent.toString(), "q").failure(1).startsWith(absent.toString()));
        Path none = Files.createDirectory(folder.resolve("none"));
        assertTrue(
                Cli.run("search", "--corpus", none.toString(), "q").failure(1).startsWith(none.toString()));
    }

    @Test
    void refusesATruncatedArchive() throws IOException {
        Path file = folder.resolve("a.txt.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write("some text\n".repeat(1000).getBytes(StandardCharsets.UTF_8));
        }
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 12));
        assertTrue(
                Cli.run("embed", "-m", MODEL, "-i", file.toString()).failure(1).startsWith(file + ": line "));
    }

    @Test
    void refusesALineBeyondTheLimitInBoundedMemory() throws IOException {
        Path file = folder.resolve("long.txt.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            byte[] block = new byte[1 << 20];
            Arrays.fill(block, (byte) 'a');
            for (int i = 0; i < LineReader.MAX_LINE_BYTES / block.length + 1; i++) {
                out.write(block);
            }
        }
        String line = Cli.run("embed", "-m", MODEL, "-i", file.toString()).failure(1);
        assertTrue(line.contains("line 1: expected at most 67,108,864 bytes"), line);
    }

    @Test
    void looksForHubModelsInTheCacheAndSaysWhere() throws IOException {
        Map<String, String> environment =
                Map.of("HF_HOME", "x", "HF_HUB_CACHE", folder.toString(), "HF_HUB_OFFLINE", "1");
        String[] inspect = {"inspect", "-m", "owner/name"};
        String absent = Cli.runWithEnvironment(environment, inspect).failure(1);
        Path repository = folder.resolve("models--owner--name");
        assertTrue(absent.contains("not in " + repository), absent);
        assertTrue(absent.endsWith("; nor is there a directory owner/name"), absent);
        Files.createDirectories(repository.resolve("refs"));
        for (String reference : List.of("../../etc", "abc123\n")) {
            Files.writeString(repository.resolve("refs/main"), reference);
            assertEquals(absent, Cli.runWithEnvironment(environment, inspect).failure(1));
        }
        Path snapshot = repository.resolve("snapshots").resolve("abc123");
        Files.createDirectories(snapshot);
        String partial = Cli.runWithEnvironment(environment, inspect).failure(1);
        assertTrue(partial.contains("incomplete in " + repository), partial);
        Files.delete(snapshot);
        Files.move(copy("gptneo-be"), snapshot);
        assertEquals(0, Cli.runWithEnvironment(environment, inspect).code());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "embd hello|unknown verb \"embd\"; did you mean embed? (see sgpt --help)",
                "Search x|unknown verb \"Search\"; did you mean search? (see sgpt --help)",
                "tokenise x|unknown verb \"tokenise\"; did you mean tokenize? (see sgpt --help)",
                "idnex x|unknown verb \"idnex\"; did you mean index? (see sgpt --help)",
                "nonsense x|unknown verb \"nonsense\" (see sgpt --help)",
                "7|unknown verb \"7\" (see sgpt --help)",
                "embed|expected a text, -i FILE or lines on stdin, got none",
                "devices --batch-tokens 4|--batch-tokens has no effect on devices",
                "tokenize --dtype bf16 x|--dtype has no effect on tokenize",
                "embed --threads 4097 x|threads: expected 1 to 1024, got 4097",
                "embed --threads 2147483648 x|from 1 to 2147483647, got \"2147483648\"",
            })
    void saysWhatIsWrongWithACall(String command, String expected) {
        String line = Cli.run(command.split(" ")).failure(2);
        assertTrue(line.contains(expected), line);
    }

    private String fails(Path model) throws IOException {
        Path out = folder.resolve("out.jsonl");
        String line = Cli.run("embed", "-m", model.toString(), "-o", out.toString(), "x")
                .failure(1);
        assertFalse(line.contains("Exception"), line);
        assertEquals(List.of(model), list());
        return line;
    }

    private List<Path> list() throws IOException {
        try (var entries = Files.list(folder)) {
            return entries.toList();
        }
    }

    private Path copy(String name) throws IOException {
        Path target = folder.resolve("copy");
        Path source = Cli.GOLDENS.resolve(name);
        try (var files = Files.walk(source)) {
            for (Path file : files.toList()) {
                Files.copy(file, target.resolve(source.relativize(file).toString()));
                target.resolve(source.relativize(file).toString()).toFile().setWritable(true);
            }
        }
        return target;
    }

    private static void edit(Path model, Consumer<ObjectNode> change) throws IOException {
        Path file = model.resolve("config.json");
        ObjectNode config = (ObjectNode) Cli.read(file);
        change.accept(config);
        Files.writeString(file, config.toString());
    }
}
