package io.github.sgpt4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.CrossEncoder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/// What the engine computes, in the form in which the server must answer it.
final class Expected {
    private Expected() {}

    /// A vector scaled to length 1.
    static float[] normalized(float[] vector) {
        double squares = 0;
        for (float x : vector) {
            squares += (double) x * x;
        }
        float[] scaled = new float[vector.length];
        for (int i = 0; i < vector.length; i++) {
            scaled[i] = (float) (vector[i] / Math.sqrt(squares));
        }
        return scaled;
    }

    /// Vectors scaled to length 1.
    static float[][] normalized(float[][] vectors) {
        return Arrays.stream(vectors).map(Expected::normalized).toArray(float[][]::new);
    }

    /// The first components of vectors, scaled to length 1.
    static float[][] narrow(float[][] vectors, int dimensions) {
        return Arrays.stream(vectors)
                .map(vector -> normalized(Arrays.copyOf(vector, dimensions)))
                .toArray(float[][]::new);
    }

    /// Asserts that vectors are equal, up to the last bit, where two correct orders of rounding differ.
    static void assertVectors(float[][] expected, float[][] got) {
        assertEquals(expected.length, got.length, "number of vectors");
        for (int i = 0; i < expected.length; i++) {
            assertVector(expected[i], got[i]);
        }
    }

    static void assertVector(float[] expected, float[] got) {
        assertEquals(expected.length, got.length, "dimensions");
        for (int i = 0; i < expected.length; i++) {
            int at = i;
            assertTrue(
                    Math.abs(expected[i] - got[i]) <= Math.ulp(expected[i]),
                    () -> "component %d: expected %s, got %s".formatted(at, expected[at], got[at]));
        }
    }

    /// An array of arrays of numbers.
    static float[][] vectors(JsonNode array) {
        return rows(array).stream().map(Expected::vector).toArray(float[][]::new);
    }

    /// The vectors of an answer of OpenAI's embeddings, numbers or base64.
    static float[][] data(JsonNode answer) {
        return rows(answer.get("data")).stream()
                .map(datum -> vector(datum.get("embedding")))
                .toArray(float[][]::new);
    }

    /// An array of numbers, or floats in base64.
    static float[] vector(JsonNode node) {
        if (node.isTextual()) {
            return base64(node.textValue());
        }
        float[] vector = new float[node.size()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = Float.parseFloat(node.get(i).asText());
        }
        return vector;
    }

    static float[] base64(String text) {
        FloatBuffer floats = ByteBuffer.wrap(Base64.getDecoder().decode(text))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        float[] vector = new float[floats.remaining()];
        floats.get(vector);
        return vector;
    }

    static List<JsonNode> rows(JsonNode array) {
        return array.valueStream().toList();
    }

    /// The probability of a query's tokens, as a geometric mean.
    static double relevance(CrossEncoder.Score score) {
        double sum = 0;
        for (float logProbability : score.tokenLogProbabilities()) {
            sum += logProbability;
        }
        return Math.exp(sum / score.tokens());
    }

    /// Places of documents, best first, equal ones in their order.
    static List<Integer> order(List<CrossEncoder.Score> scores) {
        return java.util.stream.IntStream.range(0, scores.size())
                .boxed()
                .sorted(java.util.Comparator.comparingDouble((Integer i) -> -relevance(scores.get(i))))
                .toList();
    }

    /// Asserts that results have the right order and scores.
    ///
    /// @param field that holds a score
    static void assertRanks(List<CrossEncoder.Score> scores, int top, JsonNode results, String field) {
        List<Integer> order = order(scores).subList(0, top);
        assertEquals(
                order,
                rows(results).stream()
                        .map(result -> result.get("index").intValue())
                        .toList());
        for (JsonNode result : rows(results)) {
            double expected = relevance(scores.get(result.get("index").intValue()));
            assertEquals(expected, result.get(field).doubleValue(), 2e-6 * expected, field);
        }
    }
}
