package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.Expected.assertVector;
import static io.github.sgpt4j.server.Expected.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.TextKind;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Answers of `/embed` as lines of JSON: one for each input, and a last one.
class LinesContractTest {
    private static final int TRIES = 1000;

    private static RunningServer server;

    @BeforeAll
    static void start() {
        server = RunningServer.start(options -> options.withLimits(Limits.DEFAULT.withClientBatchSize(3)));
    }

    @AfterAll
    static void end() {
        server.close();
    }

    private static HttpResponse<String> embed(RunningServer of, Map<String, Object> body) {
        return of.send(of.request("/embed")
                .header("content-type", "application/json")
                .header("accept", "application/x-ndjson")
                .POST(BodyPublishers.ofString(RunningServer.json(body))));
    }

    private static List<JsonNode> lines(HttpResponse<String> response) {
        assertEquals(200, response.statusCode(), response::body);
        assertEquals(
                "application/x-ndjson",
                response.headers().firstValue("content-type").orElseThrow());
        assertTrue(response.body().endsWith("\n"));
        return response.body().lines().map(RunningServer::parsed).toList();
    }

    /// Lines by index, without the last one.
    private static Map<Integer, JsonNode> byIndex(List<JsonNode> lines) {
        Map<Integer, JsonNode> byIndex = new HashMap<>();
        for (JsonNode line : lines.subList(0, lines.size() - 1)) {
            assertEquals(null, byIndex.put(line.get("index").intValue(), line), "each index once");
        }
        return byIndex;
    }

    @Test
    void hasNoLimitOfTexts() {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            texts.add("sentence number " + i);
        }
        HttpResponse<String> response = embed(server, Map.of("inputs", texts));
        List<JsonNode> lines = lines(response);
        assertEquals("cpu", response.headers().firstValue("x-compute-type").orElseThrow());
        Map<Integer, JsonNode> byIndex = byIndex(lines);
        float[][] expected = Expected.normalized(server.encoder().embed(texts));
        for (int i = 0; i < texts.size(); i++) {
            assertVector(expected[i], vector(byIndex.get(i).get("embedding")));
        }
        int tokens = texts.stream()
                .mapToInt(text -> server.encoder().tokenize(text, TextKind.TEXT).length)
                .sum();
        assertEquals(
                "{\"done\":true,\"usage\":{\"prompt_tokens\":%d,\"total_tokens\":%d}}".formatted(tokens, tokens),
                lines.getLast().toString());
    }

    @Test
    void badInputsDoNotFailTheRest() {
        List<Object> inputs = List.of("a", "", 7, List.of(999_999), "b", List.of(5), ClientTask.LONG);
        Map<Integer, JsonNode> lines =
                byIndex(lines(embed(server, Map.of("inputs", inputs, "truncate", false, "dimensions", 8))));
        assertEquals(inputs.size(), lines.size());
        for (int good : List.of(0, 4, 5)) {
            assertEquals(8, lines.get(good).get("embedding").size());
        }
        assertEquals("Empty", lines.get(1).get("error_type").textValue());
        assertEquals("Validation", lines.get(2).get("error_type").textValue());
        assertEquals("Tokenizer", lines.get(3).get("error_type").textValue());
        assertEquals("Validation", lines.get(6).get("error_type").textValue());
        assertTrue(lines.get(6).get("error").textValue().contains("the limit is"), lines.get(6)::toString);
    }

    @Test
    void singleInputIsOneLine() {
        List<JsonNode> lines = lines(embed(server, Map.of("inputs", "a")));
        assertEquals(2, lines.size());
        assertVector(
                Expected.normalized(server.encoder().embed("a")),
                vector(lines.getFirst().get("embedding")));
    }

    @Test
    void whatFailsBeforeTheFirstLineIsAUsualError() {
        assertEquals(422, embed(server, Map.of("a", 1)).statusCode());
        assertEquals(400, embed(server, Map.of("inputs", List.of())).statusCode());
        assertEquals(404, embed(server, Map.of("inputs", "a", "model", "x")).statusCode());
        assertEquals(422, embed(server, Map.of("inputs", "a", "dimensions", 0)).statusCode());
        try (Overload overload = new Overload(options -> options, "none")) {
            assertEquals(429, embed(overload.server(), Map.of("inputs", "a")).statusCode());
        }
    }

    /// A place is free a moment after the client has the last line, so it may have to ask again.
    private static HttpResponse<String> insist(Supplier<HttpResponse<String>> request) {
        HttpResponse<String> response = request.get();
        for (int i = 0; i < TRIES && response.statusCode() == 429; i++) {
            response = request.get();
        }
        return response;
    }

    @Test
    void requestGivesItsPlaceBack() {
        try (RunningServer one =
                RunningServer.start(options -> options.withLimits(Limits.DEFAULT.withConcurrentRequests(1)))) {
            for (int i = 0; i < 3; i++) {
                lines(insist(() -> embed(one, Map.of("inputs", ClientTask.MANY))));
            }
            HttpResponse<String> last = insist(() -> one.post("/embed", "{\"inputs\":\"a\"}"));
            assertEquals(200, last.statusCode());
        }
    }
}
