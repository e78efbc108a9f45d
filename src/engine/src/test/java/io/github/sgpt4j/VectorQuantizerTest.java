package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.error.FormatException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class VectorQuantizerTest {
    @TempDir
    Path folder;

    /// The results of sentence-transformers' `quantize_embeddings`.
    static List<JsonNode> cases() throws IOException {
        try (InputStream in = Objects.requireNonNull(
                VectorQuantizerTest.class.getResourceAsStream("/goldens-decoders/quantization.json"))) {
            List<JsonNode> cases = new ArrayList<>();
            new ObjectMapper().readTree(in).get("cases").forEach(cases::add);
            return cases;
        }
    }

    private static float[][] matrix(JsonNode rows) {
        float[][] matrix = new float[rows.size()][];
        for (int i = 0; i < matrix.length; i++) {
            matrix[i] = new float[rows.get(i).size()];
            for (int j = 0; j < matrix[i].length; j++) {
                matrix[i][j] = (float) rows.get(i).get(j).doubleValue();
            }
        }
        return matrix;
    }

    private static VectorRanges ranges(JsonNode golden) {
        if (golden.hasNonNull("ranges")) {
            float[][] given = matrix(golden.get("ranges"));
            return VectorRanges.of(given[0], given[1]);
        }
        return VectorRanges.of(
                matrix(golden.get(golden.has("calibration_embeddings") ? "calibration_embeddings" : "embeddings")));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithSentenceTransformers(JsonNode golden) {
        float[][] embeddings = matrix(golden.get("embeddings"));
        int compared = 0;
        for (VectorPrecision precision : VectorPrecision.values()) {
            JsonNode expected = golden.get(precision.toString());
            if (expected == null) {
                continue;
            }
            VectorQuantizer quantizer = precision.needsRanges()
                    ? VectorQuantizer.of(precision, ranges(golden))
                    : VectorQuantizer.of(precision);
            byte[][] actual = quantizer.quantize(embeddings);
            for (int i = 0; i < actual.length; i++) {
                assertEquals(precision.columns(embeddings[i].length), actual[i].length);
                for (int j = 0; j < actual[i].length; j++) {
                    int value = precision.isUnsigned() ? Byte.toUnsignedInt(actual[i][j]) : actual[i][j];
                    assertEquals(expected.get(i).get(j).intValue(), value, precision + " [%d][%d]".formatted(i, j));
                    compared++;
                }
            }
        }
        assertTrue(compared > 100, "compared " + compared);
    }

    @Test
    void scoresAreHammingDistancesAndDotProducts() {
        byte[] a = {(byte) 0b1010_0000, 7};
        byte[] b = {(byte) 0b0110_0000, 7};
        assertEquals(-2, VectorQuantizer.of(VectorPrecision.UBINARY).score(a, b));
        // Subtracting 128 turns the same bit of both.
        assertEquals(-2, VectorQuantizer.of(VectorPrecision.BINARY).score(new byte[] {32, 7}, new byte[] {-32, 7}));
        VectorRanges ranges = VectorRanges.of(new float[] {0, 0}, new float[] {1, 1});
        byte[] c = {-128, 127};
        assertEquals(
                128 * 128 + 127 * 127,
                VectorQuantizer.of(VectorPrecision.INT8, ranges).score(c, c));
        assertEquals(
                128 * 128 + 127 * 127,
                VectorQuantizer.of(VectorPrecision.UINT8, ranges).score(c, c));
        byte[] full = new byte[70_000];
        java.util.Arrays.fill(full, (byte) 255);
        assertEquals(
                70_000L * 255 * 255,
                VectorQuantizer.of(VectorPrecision.UINT8, ranges).score(full, full));
        assertThrows(
                IllegalArgumentException.class,
                () -> VectorQuantizer.of(VectorPrecision.BINARY).score(a, new byte[3]));
    }

    @Test
    void rangesSurviveTheirFile() throws IOException {
        VectorRanges.Builder builder = new VectorRanges.Builder();
        builder.add(new float[] {0.1f, -3, 5});
        builder.add(new float[] {-0.3f, 1e-20f, 5});
        VectorRanges ranges = builder.build().withFingerprint("abc");
        assertEquals(1, ranges.constantComponents());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ranges.write(out);
        Path file = Files.write(folder.resolve("ranges.json"), out.toByteArray());
        VectorRanges read = VectorRanges.read(file);
        assertEquals(ranges, read);
        assertEquals(2, read.embeddings());
        assertEquals("abc", read.fingerprint().orElseThrow());
        assertArrayEquals(
                VectorQuantizer.of(VectorPrecision.INT8, ranges).quantize(new float[] {0, 0, 0}),
                VectorQuantizer.of(VectorPrecision.INT8, read).quantize(new float[] {0, 0, 0}));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[]",
                "{\"format\":\"sgpt4j-ranges\",\"version\":2,\"minimum\":[0],\"maximum\":[1]}",
                "{\"format\":\"sgpt4j-ranges\",\"version\":1,\"minimum\":[0]}",
                "{\"format\":\"sgpt4j-ranges\",\"version\":1,\"minimum\":[0],\"maximum\":[1,2]}",
                "{\"format\":\"sgpt4j-ranges\",\"version\":1,\"minimum\":[2],\"maximum\":[1]}",
                "{\"format\":\"sgpt4j-ranges\",\"version\":1,\"minimum\":[\"0\"],\"maximum\":[1]}",
                "{\"format\":\"sgpt4j-ranges\",\"version\":1,\"minimum\":[0],\"maximum\":[1e300]}",
                "{\"format\":\"sgpt4j-ranges\",\"version\":1,\"minimum\":[-3e38],\"maximum\":[3e38]}",
                "{\"format\":\"sgpt4j-ranges\",\"version\":1,\"minimum\":[],\"maximum\":[]}"
            })
    void otherFilesAreRefused(String content) throws IOException {
        Path file = Files.writeString(folder.resolve("ranges.json"), content);
        String message = assertThrows(FormatException.class, () -> VectorRanges.read(file))
                .getMessage();
        assertTrue(message.contains(file.toString()), message);
    }

    @Test
    void whatCannotBeQuantisedIsRefused() {
        VectorRanges ranges = VectorRanges.of(new float[] {0}, new float[] {1});
        VectorQuantizer int8 = VectorQuantizer.of(VectorPrecision.INT8, ranges);
        assertThrows(FormatException.class, () -> int8.quantize(new float[] {Float.NaN}));
        assertThrows(
                FormatException.class,
                () -> VectorQuantizer.of(VectorPrecision.BINARY).quantize(new float[] {Float.POSITIVE_INFINITY}));
        assertThrows(IllegalArgumentException.class, () -> int8.quantize(new float[] {0, 0}));
        assertThrows(IllegalArgumentException.class, () -> VectorQuantizer.of(VectorPrecision.INT8));
        assertThrows(IllegalArgumentException.class, () -> VectorQuantizer.of(VectorPrecision.FLOAT32));
        assertThrows(IllegalArgumentException.class, () -> VectorQuantizer.of(VectorPrecision.BINARY, ranges));
        assertThrows(IllegalArgumentException.class, () -> VectorRanges.of(new float[0][]));
        assertThrows(IllegalArgumentException.class, () -> VectorRanges.of(new float[][] {{1}, {1, 2}}));
        assertThrows(IllegalArgumentException.class, () -> VectorRanges.of(new float[][] {{Float.NaN}}));
        assertThrows(IllegalArgumentException.class, () -> VectorPrecision.parse("int4"));
    }
}
