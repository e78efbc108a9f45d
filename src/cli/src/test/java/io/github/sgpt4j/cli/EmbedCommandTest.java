package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.cli.input.TextInput;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbedCommandTest {
    private static final String MODEL = "gptneo-be";

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"weightedmean", "mean", "lasttoken", "cls", "max", "mean_sqrt_len_tokens"})
    void agreesWithTheGoldensForEveryPooling(String pooling) throws IOException {
        JsonNode expected = Cli.expected(MODEL);
        Path input = folder.resolve("texts.jsonl");
        writeObjects(input, expected.get("texts"));
        List<JsonNode> lines = Cli.run("embed", "-m", Cli.model(MODEL), "--pooling", pooling, "-i", input.toString())
                .lines();
        JsonNode vectors = expected.get("pooled").get(pooling);
        assertEquals(vectors.size(), lines.size());
        for (int i = 0; i < lines.size(); i++) {
            assertEquals(i, lines.get(i).get("index").asInt());
            assertEquals(expected.get("texts").get(i), lines.get(i).get("text"));
            assertFalse(lines.get(i).has("id"));
            Cli.assertClose(vectors.get(i), lines.get(i).get("embedding"), "text " + i);
        }
    }

    @Test
    void putsQueriesAndDocumentsInBracketsOnRequest() {
        JsonNode specb = Cli.expected(MODEL).get("specb");
        for (String kind : List.of("query", "document")) {
            List<String> arguments = new ArrayList<>(List.of("embed", "-m", Cli.model(MODEL), "--specb", "--as", kind));
            JsonNode texts = specb.get(kind.equals("query") ? "queries" : "documents");
            texts.forEach(text -> arguments.add(text.asText()));
            List<JsonNode> lines = Cli.run(arguments.toArray(String[]::new)).lines();
            for (int i = 0; i < texts.size(); i++) {
                Cli.assertClose(
                        specb.get(kind + "_embeddings").get(i), lines.get(i).get("embedding"), kind + " " + i);
            }
        }
    }

    @Test
    void leavesBracketsOutOnRequest() {
        String text = "fear of spiders";
        String plain = Cli.run("embed", text).text();
        assertEquals(
                plain, Cli.run("embed", "--no-specb", "--as", "query", text).text());
        assertFalse(plain.equals(Cli.run("embed", "--as", "query", text).text()));
    }

    @Test
    void putsPromptsInFrontOnRequest() {
        List<JsonNode> plain = Cli.run("embed", "find: fear of spiders").lines();
        List<JsonNode> prompted = Cli.run("embed", "--as", "query", "--prompt-query", "find: ", "fear of spiders")
                .lines();
        assertEquals(plain.getFirst().get("embedding"), prompted.getFirst().get("embedding"));
        assertEquals(
                2,
                Cli.run("embed", "--as", "document", "--prompt-query", "find: ", "fear of spiders")
                        .code());
    }

    /// The model with two prompts of its own.
    private String prompting() throws IOException {
        Path model = Files.createDirectories(folder.resolve("prompting"));
        try (Stream<Path> files = Files.walk(Path.of(Cli.model(MODEL)))) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                Path copy = model.resolve(Path.of(Cli.model(MODEL)).relativize(file));
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
        Files.writeString(
                model.resolve("config_sentence_transformers.json"),
                "{\"prompts\": {\"s2p_query\": \"find: \", \"s2s_query\": \"like: \"}}");
        return model.toString();
    }

    @Test
    void takesAPromptOfTheModelByItsName() throws IOException {
        String model = prompting();
        JsonNode expected = Cli.run("embed", "-m", Cli.model(MODEL), "find: fear of spiders")
                .lines()
                .getFirst()
                .get("embedding");
        for (String kind : List.of("text", "query", "document")) {
            assertEquals(
                    expected,
                    Cli.run("embed", "-m", model, "--as", kind, "--prompt-name", "s2p_query", "fear of spiders")
                            .lines()
                            .getFirst()
                            .get("embedding"),
                    kind);
        }
        String unknown = Cli.run("embed", "-m", model, "--prompt-name", "query", "fear of spiders")
                .failure(1);
        assertTrue(
                unknown.contains("one of the model's prompts, \"s2p_query\", \"s2s_query\", got \"query\""), unknown);
        String index = folder.resolve("index").toString();
        Path corpus = Files.writeString(folder.resolve("corpus.txt"), "a morbid fear of spiders\n");
        String[] made = {
            "index", "-m", model, "--corpus", corpus.toString(), "--index", index, "--prompt-name", "s2p_query"
        };
        assertEquals(0, Cli.run(made).code());
        String[] search = {"search", "-m", model, "--index", index, "--prompt-query", "find: ", "spiders"};
        assertEquals(0, Cli.run(search).code());
        search[5] = "--prompt-name";
        search[6] = "s2p_query";
        assertEquals(0, Cli.run(search).code());
        search[6] = "s2s_query";
        assertTrue(Cli.run(search).failure(1).contains(index));
        assertTrue(Cli.run("inspect", "-m", model)
                .text()
                .contains("none is named query, so queries get one only by its name"));
    }

    @Test
    void cutsAndScalesToDimensions() {
        JsonNode whole = Cli.run("embed", "fear of spiders").lines().getFirst().get("embedding");
        JsonNode cut = Cli.run("embed", "--dimensions", "4", "fear of spiders")
                .lines()
                .getFirst()
                .get("embedding");
        assertEquals(4, cut.size());
        double squares = 0;
        for (JsonNode x : cut) {
            squares += x.asDouble() * x.asDouble();
        }
        assertEquals(1, squares, 1e-5);
        assertEquals(
                whole.get(0).asDouble() / whole.get(1).asDouble(),
                cut.get(0).asDouble() / cut.get(1).asDouble(),
                1e-4);
    }

    @Test
    void refusesMoreDimensionsThanTheModelHas() {
        int all = Cli.run("embed", "fear").lines().getFirst().get("embedding").size();
        assertEquals(
                all,
                Cli.run("embed", "--dimensions", Integer.toString(all), "fear")
                        .lines()
                        .getFirst()
                        .get("embedding")
                        .size());
        String message = Cli.run("embed", "--dimensions", Integer.toString(all + 1), "fear")
                .failure(1);
        assertTrue(message.startsWith("--dimensions: expected 1 to %d, as the model ".formatted(all)), message);
        assertTrue(message.endsWith("has no more, got " + (all + 1)), message);
    }

    @Test
    void normalizes() {
        JsonNode vector = Cli.run("embed", "-m", Cli.model(MODEL), "--normalize", "deep learning")
                .lines()
                .getFirst()
                .get("embedding");
        double squares = 0;
        for (JsonNode x : vector) {
            squares += x.asDouble() * x.asDouble();
        }
        assertEquals(1, squares, 1e-5);
    }

    @Test
    void joinsTitleAndTextAndPassesIdsOn() throws IOException {
        Path input = folder.resolve("corpus.jsonl.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(input))) {
            out.write("""
                    {"_id": "a", "title": " One", "text": "two\\u00a0"}

                    {"_id": 7, "title": "", "text": " three "}
                    {"title": null, "text": " four "}
                    """.getBytes(StandardCharsets.UTF_8));
        }
        List<JsonNode> lines =
                Cli.run("embed", "-m", Cli.model(MODEL), "-i", input.toString()).lines();
        assertEquals("One two", lines.get(0).get("text").asText());
        assertEquals("a", lines.get(0).get("id").asText());
        assertEquals("three", lines.get(1).get("text").asText());
        assertEquals("7", lines.get(1).get("id").asText());
        assertEquals(" four ", lines.get(2).get("text").asText());
        assertFalse(lines.get(2).has("id"));
        assertEquals(3, lines.size());
    }

    @Test
    void takesEachLineOfStdinAsItIs() {
        List<JsonNode> lines = Cli.runWithInput("\uFEFF a \r\n\nb\rc", "embed", "-m", Cli.model(MODEL), "-i", "-")
                .lines();
        assertEquals(
                List.of(" a ", "", "b\rc"),
                lines.stream().map(l -> l.get("text").asText()).toList());
    }

    @Test
    void givesATextWithoutTokensTheZeroVector() {
        for (JsonNode x :
                Cli.run("embed", "-m", Cli.model(MODEL), "").lines().getFirst().get("embedding")) {
            assertEquals(0.0, x.asDouble());
        }
    }

    @Test
    void writesFloatsThatReadBackExactly() throws IOException {
        String text = "deep learning";
        JsonNode json = Cli.run("embed", "-m", Cli.model(MODEL), text)
                .lines()
                .getFirst()
                .get("embedding");
        Path file = folder.resolve("x.npy");
        assertEquals(
                0,
                Cli.run("embed", "-m", Cli.model(MODEL), "--format", "npy", "-o", file.toString(), text)
                        .code());
        float[][] matrix = parseNpy(Files.readAllBytes(file));
        for (int i = 0; i < json.size(); i++) {
            assertEquals(matrix[0][i], Float.parseFloat(json.get(i).asText()), "component " + i);
        }
    }

    @Test
    void writesTheSameMatrixToStdoutAndToAFile() throws IOException {
        String[] toStdout = {"embed", "-m", Cli.model(MODEL), "--format", "npy", "a", "b", "c"};
        byte[] printed = Cli.run(toStdout).out();
        Path file = folder.resolve("x.npy");
        Cli.Result result =
                Cli.run("embed", "-m", Cli.model(MODEL), "--format", "npy", "-o", file.toString(), "a", "b", "c");
        assertEquals(0, result.code(), result.err());
        assertArrayEquals(printed, Files.readAllBytes(file));
        assertEquals(3, parseNpy(printed).length);
        assertEquals(
                List.of(file, folder.resolve("x.npy.ids")),
                list().stream().sorted().toList());
    }

    @Test
    void writesAnEmptyMatrixForNoTexts() {
        byte[] npy = Cli.run("embed", "-m", Cli.model(MODEL), "--format", "npy", "-i", "-")
                .out();
        assertEquals(0, parseNpy(npy).length);
    }

    @Test
    void replacesAFileAndLeavesNothingBeside() throws IOException {
        Path file = folder.resolve("out.jsonl");
        Files.writeString(file, "old");
        Cli.Result result = Cli.run("embed", "-m", Cli.model(MODEL), "-o", file.toString(), "new text");
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.text());
        assertTrue(Files.readString(file).startsWith("{\"index\":0,\"text\":\"new text\",\"embedding\":["));
        assertEquals(List.of(file), list());
    }

    @Test
    void keepsInputOrderOverManyChunks() {
        int count = 2 * TextInput.CHUNK_TEXTS + 3;
        StringBuilder input = new StringBuilder();
        for (int i = 0; i < count; i++) {
            input.append(i % 10).append('\n');
        }
        List<JsonNode> lines = Cli.runWithInput(input.toString(), "embed", "-m", Cli.model(MODEL), "-i", "-")
                .lines();
        assertEquals(count, lines.size());
        for (int i = 0; i < count; i++) {
            assertEquals(i, lines.get(i).get("index").asInt());
            assertEquals(Integer.toString(i % 10), lines.get(i).get("text").asText());
        }
        Cli.assertClose(lines.get(3).get("embedding"), lines.get(8003).get("embedding"), "same text in another chunk");
    }

    private List<Path> list() throws IOException {
        try (var entries = Files.list(folder)) {
            return entries.toList();
        }
    }

    static void writeObjects(Path file, JsonNode texts) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (JsonNode text : texts) {
            lines.append("{\"text\":").append(text).append("}\n");
        }
        Files.writeString(file, lines);
    }

    private static float[][] parseNpy(byte[] file) {
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[8];
        bytes.get(magic);
        assertArrayEquals(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0}, magic);
        byte[] header = new byte[bytes.getShort()];
        bytes.get(header);
        assertEquals(0, bytes.position() % 64);
        String text = new String(header, StandardCharsets.US_ASCII);
        assertTrue(text.endsWith(" \n"), text);
        var shape = Pattern.compile("\\{'descr': '<f4', 'fortran_order': False, 'shape': \\((\\d+), (\\d+)\\), \\} *\n")
                .matcher(text);
        assertTrue(shape.matches(), text);
        float[][] matrix = new float[Integer.parseInt(shape.group(1))][Integer.parseInt(shape.group(2))];
        for (float[] row : matrix) {
            for (int i = 0; i < row.length; i++) {
                row[i] = bytes.getFloat();
            }
        }
        assertFalse(bytes.hasRemaining());
        return matrix;
    }
}
