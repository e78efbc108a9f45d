package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.VectorPrecision;
import io.github.sgpt4j.VectorQuantizer;
import io.github.sgpt4j.VectorRanges;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Embeddings as bytes and bits, and files of them.
class PrecisionTest {
    private static final List<String> TEXTS =
            List.of("fear of spiders", "a large cat", "bread", "", "the sea at night");

    @TempDir
    Path folder;

    private static List<JsonNode> embed(String... options) {
        List<String> arguments = new ArrayList<>(List.of("embed"));
        arguments.addAll(List.of(options));
        arguments.addAll(TEXTS);
        return Cli.run(arguments.toArray(String[]::new)).lines();
    }

    private static float[][] floats() {
        return embed().stream()
                .map(line -> {
                    float[] vector = new float[line.get("embedding").size()];
                    for (int i = 0; i < vector.length; i++) {
                        vector[i] =
                                Float.parseFloat(line.get("embedding").get(i).asText());
                    }
                    return vector;
                })
                .toArray(float[][]::new);
    }

    private static int[] numbers(VectorPrecision precision, byte[] bytes) {
        int[] numbers = new int[bytes.length];
        Arrays.setAll(numbers, i -> precision.isUnsigned() ? Byte.toUnsignedInt(bytes[i]) : bytes[i]);
        return numbers;
    }

    private static int[] numbers(JsonNode array) {
        int[] numbers = new int[array.size()];
        Arrays.setAll(numbers, i -> array.get(i).intValue());
        return numbers;
    }

    /// Without ranges, those of the embeddings themselves count, in JSON Lines as in a matrix.
    @ParameterizedTest
    @EnumSource(value = VectorPrecision.class, mode = EnumSource.Mode.EXCLUDE, names = "FLOAT32")
    void writesNumbersOfThePrecision(VectorPrecision precision) throws IOException {
        float[][] vectors = floats();
        VectorQuantizer quantizer = precision.needsRanges()
                ? VectorQuantizer.of(precision, VectorRanges.of(vectors))
                : VectorQuantizer.of(precision);
        List<JsonNode> lines = embed("--precision", precision.toString());
        Path file = folder.resolve("x.npy");
        Cli.Result result = Cli.run(Stream.concat(
                        Stream.of("embed", "--precision", precision.toString(), "-o", file.toString()), TEXTS.stream())
                .toArray(String[]::new));
        assertEquals(0, result.code(), result.err());
        assertEquals(precision.needsRanges(), result.err().contains("come from 5 embeddings only"), result.err());
        byte[] npy = Files.readAllBytes(file);
        int columns = precision.columns(vectors[0].length);
        String header = new String(npy, 10, 118, StandardCharsets.US_ASCII);
        assertTrue(
                header.contains("'descr': '%s', 'fortran_order': False, 'shape': (5, %d)"
                        .formatted(precision.isUnsigned() ? "|u1" : "|i1", columns)),
                header);
        assertEquals(128 + 5 * columns, npy.length);
        for (int i = 0; i < vectors.length; i++) {
            byte[] expected = quantizer.quantize(vectors[i]);
            assertEquals(TEXTS.get(i), lines.get(i).get("text").textValue());
            assertEquals(i, lines.get(i).get("index").intValue());
            assertArrayEquals(numbers(precision, expected), numbers(lines.get(i).get("embedding")));
            assertArrayEquals(expected, Arrays.copyOfRange(npy, 128 + i * columns, 128 + (i + 1) * columns));
        }
    }

    @Test
    void rangesOfDocumentsServeQueries() throws IOException {
        Path texts = Files.writeString(folder.resolve("texts.txt"), String.join("\n", TEXTS) + "\n");
        String ranges = folder.resolve("ranges.json").toString();
        Path matrix = folder.resolve("floats.npy");
        assertEquals(
                0,
                Cli.run("embed", "-i", texts.toString(), "-o", matrix.toString())
                        .code());
        VectorQuantizer quantizer = VectorQuantizer.of(VectorPrecision.INT8, VectorRanges.of(floats()));
        String[] query = {"embed", "--precision", "int8", "--calibration", texts.toString(), "a spider"};
        int[] expected = numbers(Cli.run(query).lines().getFirst().get("embedding"));
        query[4] = matrix.toString();
        assertArrayEquals(expected, numbers(Cli.run(query).lines().getFirst().get("embedding")));
        assertEquals(
                0,
                Cli.run(
                                "embed",
                                "--precision",
                                "int8",
                                "--save-ranges",
                                ranges,
                                "-i",
                                texts.toString(),
                                "-o",
                                folder.resolve("docs.npy").toString())
                        .code());
        query[3] = "--ranges";
        query[4] = ranges;
        Cli.Result again = Cli.run(query);
        assertArrayEquals(expected, numbers(again.lines().getFirst().get("embedding")));
        assertEquals("", again.err());
        float[] vector = new float[expected.length];
        JsonNode plain = Cli.run("embed", "a spider").lines().getFirst().get("embedding");
        for (int i = 0; i < vector.length; i++) {
            vector[i] = Float.parseFloat(plain.get(i).asText());
        }
        assertArrayEquals(numbers(VectorPrecision.INT8, quantizer.quantize(vector)), expected);
        // Those of other options are told, and refused if their dimension is another.
        assertTrue(Cli.run("embed", "--precision", "int8", "--ranges", ranges, "--normalize", "x")
                .err()
                .contains("of other options"));
        assertTrue(Cli.run("embed", "--precision", "int8", "--ranges", ranges, "--dimensions", "8", "x")
                .failure(1)
                .contains("expected 8 components"));
        assertTrue(
                Cli.run("embed", "--precision", "uint8", "--calibration", matrix.toString(), "--dimensions", "8", "x")
                        .failure(1)
                        .contains("expected 8 components"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--precision int4 x",
                "--precision binary --ranges r.json x",
                "--ranges r.json x",
                "--save-ranges r.json x",
                "--precision float32 --calibration c.txt x",
                "--precision int8 --calibration c.txt --ranges r.json x",
                "--precision int8 --save-ranges s.json --ranges r.json x",
                "--precision int8 --calibration c.csv x",
                "-o vectors.csv x",
                "-o vectors.jsonl.gz x",
                "-o vectors.npz x"
            })
    void optionsWithoutEffectAreWrongUsage(String options) {
        Cli.Result result = Cli.run(("embed " + options).split(" "));
        assertEquals(2, result.code(), result.err());
    }

    @Test
    void theFormatDecidesForUnknownEndings() throws IOException {
        Path file = folder.resolve("vectors.dat");
        assertEquals(
                0,
                Cli.run("embed", "--format", "npy", "-o", file.toString(), "x").code());
        assertEquals("1\n", Files.readString(folder.resolve("vectors.dat.ids")));
        assertEquals(
                0,
                Cli.run("embed", "-o", folder.resolve("vectors").toString(), "x")
                        .code());
        assertEquals(
                2,
                Cli.run("score", "--query", "x", "-o", folder.resolve("s.csv").toString(), "y")
                        .code());
    }

    @Test
    void aMatrixHasItsIdsBesideIt() throws IOException {
        Path input = Files.writeString(
                folder.resolve("docs.jsonl"), "{\"_id\":\"a b\",\"text\":\"x\"}\n\n{\"text\":\"y\"}\n");
        Path file = folder.resolve("x.npy");
        Path ids = folder.resolve("x.npy.ids");
        Files.writeString(ids, "old");
        assertEquals(
                0,
                Cli.run("embed", "-i", input.toString(), "-o", file.toString()).code());
        assertEquals("a b\n2\n", Files.readString(ids));
        byte[] before = Files.readAllBytes(file);
        // A failure leaves both as they were.
        Path bad = Files.writeString(folder.resolve("bad.jsonl"), "{\"_id\":\"q\",\"text\":\"x\"}\n{}\n");
        Cli.run("embed", "-i", bad.toString(), "-o", file.toString()).failure(1);
        Path broken = Files.writeString(folder.resolve("broken.jsonl"), "{\"_id\":\"a\\nb\",\"text\":\"x\"}\n");
        assertTrue(Cli.run("embed", "-i", broken.toString(), "-o", file.toString())
                .failure(1)
                .contains("without line breaks"));
        assertEquals("a b\n2\n", Files.readString(ids));
        assertArrayEquals(before, Files.readAllBytes(file));
        try (Stream<Path> files = Files.list(folder)) {
            assertFalse(files.anyMatch(each -> each.toString().endsWith(".tmp")));
        }
    }

    @Test
    void noTextsMakeAnEmptyMatrixOfThePrecision() throws IOException {
        Path input = Files.writeString(folder.resolve("none.txt"), "");
        Path file = folder.resolve("x.npy");
        assertEquals(
                0,
                Cli.run("embed", "--precision", "int8", "-i", input.toString(), "-o", file.toString())
                        .code());
        assertTrue(Files.readString(file, StandardCharsets.ISO_8859_1).contains("'|i1'"));
        assertEquals("", Files.readString(folder.resolve("x.npy.ids")));
    }
}
