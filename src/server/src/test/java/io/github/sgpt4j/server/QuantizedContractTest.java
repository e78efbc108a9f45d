package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.RunningServer.ok;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.VectorPrecision;
import io.github.sgpt4j.VectorQuantizer;
import io.github.sgpt4j.VectorRanges;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Vectors of bytes and bits, as Jina and Cohere have them.
class QuantizedContractTest {
    private static final List<String> TEXTS = ClientTask.TEXTS;

    private static RunningServer plain;
    private static RunningServer ranged;
    private static VectorRanges ranges;
    private static float[][] vectors;

    @BeforeAll
    static void start() {
        plain = RunningServer.start(options -> options);
        vectors = Arrays.stream(plain.encoder().embed(TEXTS))
                .map(Similarity.COSINE::prepare)
                .toArray(float[][]::new);
        ranges = VectorRanges.of(vectors);
        ranged = RunningServer.start(options -> options.withRanges(ranges));
    }

    @AfterAll
    static void end() {
        plain.close();
        ranged.close();
    }

    private static byte[][] expected(VectorPrecision precision) {
        return (precision.needsRanges() ? VectorQuantizer.of(precision, ranges) : VectorQuantizer.of(precision))
                .quantize(vectors);
    }

    private static void assertBytes(VectorPrecision precision, byte[] expected, JsonNode actual) {
        int[] numbers = new int[actual.size()];
        int[] wanted = new int[expected.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = actual.get(i).intValue();
        }
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = precision.isUnsigned() ? Byte.toUnsignedInt(expected[i]) : expected[i];
        }
        assertArrayEquals(wanted, numbers);
    }

    @ParameterizedTest
    @EnumSource(value = VectorPrecision.class, mode = EnumSource.Mode.EXCLUDE, names = "FLOAT32")
    void jinasNameForTheirType(VectorPrecision precision) {
        JsonNode numbers = ok(ranged.post(
                "/v1/embeddings", RunningServer.json(Map.of("input", TEXTS, "embedding_type", precision.toString()))));
        JsonNode text = ok(ranged.post(
                "/v1/embeddings",
                RunningServer.json(
                        Map.of("input", TEXTS, "embedding_type", precision.toString(), "encoding_format", "base64"))));
        byte[][] expected = expected(precision);
        for (int i = 0; i < expected.length; i++) {
            assertBytes(precision, expected[i], numbers.get("data").get(i).get("embedding"));
            assertArrayEquals(
                    expected[i],
                    Base64.getDecoder()
                            .decode(text.get("data").get(i).get("embedding").textValue()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/embed", "/v2/embed"})
    void coheresListsByType(String path) {
        List<String> types = List.of("float", "int8", "uint8", "binary", "ubinary");
        JsonNode answer = ok(ranged.post(path, RunningServer.json(Map.of("texts", TEXTS, "embedding_types", types))));
        assertEquals("embeddings_by_type", answer.get("response_type").textValue());
        assertEquals(
                path.substring(2, 3), answer.at("/meta/api_version/version").textValue());
        List<String> names = new ArrayList<>();
        answer.get("embeddings").fieldNames().forEachRemaining(names::add);
        assertEquals(types, names);
        for (VectorPrecision precision : VectorPrecision.values()) {
            if (precision != VectorPrecision.FLOAT32) {
                byte[][] expected = expected(precision);
                for (int i = 0; i < expected.length; i++) {
                    assertBytes(
                            precision,
                            expected[i],
                            answer.get("embeddings").get(precision.toString()).get(i));
                }
            }
        }
        assertEquals(TEXTS.size(), answer.get("texts").size());
    }

    @Test
    void coheresFloatsAreAListInItsFirstApiOnly() {
        String body = RunningServer.json(Map.of("texts", TEXTS, "output_dimension", 8, "input_type", "clustering"));
        JsonNode first = ok(plain.post("/v1/embed", body)).get("embeddings");
        JsonNode second = ok(plain.post("/v2/embed", body)).get("embeddings").get("float");
        assertEquals(first, second);
        assertEquals(TEXTS.size(), first.size());
        float[][] narrow = Expected.narrow(plain.encoder().embed(TEXTS), 8);
        for (int i = 0; i < narrow.length; i++) {
            for (int j = 0; j < 8; j++) {
                assertEquals(narrow[i][j], first.get(i).get(j).floatValue(), 1e-6);
            }
        }
    }

    private static String refused(RunningServer server, String path, Map<String, Object> body) {
        var response = server.post(path, RunningServer.json(body));
        assertEquals(400, response.statusCode(), response::body);
        return response.body();
    }

    @Test
    void bytesNeedRangesOfTheVectorsAskedFor() {
        Map<String, Object> int8 = Map.of("input", TEXTS, "embedding_type", "int8");
        assertTrue(refused(plain, "/v1/embeddings", int8).contains("needs the ranges"));
        refused(plain, "/v2/embed", Map.of("texts", TEXTS, "embedding_types", List.of("float", "uint8")));
        refused(ranged, "/v1/embeddings", Map.of("input", TEXTS, "embedding_type", "int8", "dimensions", 8));
        refused(ranged, "/v1/embeddings", Map.of("input", TEXTS, "embedding_type", "int8", "normalize", false));
        assertTrue(refused(ranged, "/v1/embeddings", Map.of("input", TEXTS, "embedding_type", "int4"))
                .contains("ubinary"));
        refused(ranged, "/v2/embed", Map.of("texts", List.of()));
        refused(ranged, "/v2/embed", Map.of("texts", TEXTS, "truncate", "MIDDLE"));
        refused(ranged, "/v2/embed", Map.of("texts", List.of("long text ".repeat(300)), "truncate", "NONE"));
    }
}
