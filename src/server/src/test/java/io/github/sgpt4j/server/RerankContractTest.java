package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.Expected.assertRanks;
import static io.github.sgpt4j.server.Expected.rows;
import static io.github.sgpt4j.server.RunningServer.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.CrossEncoder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Re-ranking as text-embeddings-inference, Jina, vLLM and Cohere have it.
class RerankContractTest {
    private static final String QUERY = ClientTask.QUERY;
    private static final List<String> DOCUMENTS = ClientTask.DOCUMENTS;

    private static RunningServer server;
    private static List<CrossEncoder.Score> scores;

    @BeforeAll
    static void start() {
        server = RunningServer.start(options -> options);
        scores = server.scorer().score(QUERY, DOCUMENTS);
    }

    @AfterAll
    static void end() {
        server.close();
    }

    private static String body(String field, Object documents, Object... more) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("query", QUERY);
        body.put(field, documents);
        for (int i = 0; i < more.length; i += 2) {
            body.put((String) more[i], more[i + 1]);
        }
        return RunningServer.json(body);
    }

    private static JsonNode texts(Object... more) {
        return ok(server.post("/rerank", body("texts", DOCUMENTS, more)));
    }

    private static JsonNode documents(Object... more) {
        return ok(server.post("/v1/rerank", body("documents", DOCUMENTS, more)));
    }

    @Test
    void teiRanks() {
        JsonNode plain = texts();
        assertRanks(scores, DOCUMENTS.size(), plain, "score");
        assertTrue(rows(plain).stream().allMatch(rank -> rank.get("text") == null));
        assertTrue(rows(plain).stream()
                .allMatch(rank ->
                        rank.get("score").doubleValue() > 0 && rank.get("score").doubleValue() <= 1));
        JsonNode returned = texts("return_text", true);
        for (JsonNode rank : rows(returned)) {
            assertEquals(
                    DOCUMENTS.get(rank.get("index").intValue()),
                    rank.get("text").textValue());
        }
    }

    @ParameterizedTest
    @CsvSource({"/rerank, 1", "/v1/rerank, 1", "/v2/rerank, 2"})
    void othersRank(String path, String version) {
        JsonNode answer = ok(server.post(path, body("documents", DOCUMENTS)));
        assertRanks(scores, DOCUMENTS.size(), answer.get("results"), "relevance_score");
        assertTrue(rows(answer.get("results")).stream().allMatch(result -> result.get("document") == null));
        UUID.fromString(answer.get("id").textValue());
        assertNotEquals(
                answer.get("id"),
                ok(server.post(path, body("documents", DOCUMENTS))).get("id"));
        assertEquals("rerank", answer.get("object").textValue());
        assertEquals("nano", answer.get("model").textValue());
        assertEquals(version, answer.at("/meta/api_version/version").textValue());
        assertEquals(1, answer.at("/meta/billed_units/search_units").intValue());
        int tokens = scores.stream().mapToInt(CrossEncoder.Score::inputTokens).sum();
        assertEquals(tokens, answer.at("/usage/prompt_tokens").intValue());
        assertEquals(tokens, answer.at("/usage/total_tokens").intValue());
    }

    @Test
    void documentsMayBeObjects() {
        List<Object> mixed = List.of(
                Map.of("text", DOCUMENTS.get(0), "id", 1),
                DOCUMENTS.get(1),
                Map.of("text", DOCUMENTS.get(2)),
                DOCUMENTS.get(3));
        JsonNode answer = ok(server.post("/v1/rerank", body("documents", mixed, "return_documents", true)));
        assertRanks(scores, DOCUMENTS.size(), answer.get("results"), "relevance_score");
        for (JsonNode result : rows(answer.get("results"))) {
            assertEquals(
                    "{\"text\":\"%s\"}"
                            .formatted(DOCUMENTS.get(result.get("index").intValue())),
                    result.get("document").toString());
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 4", "1, 1", "3, 3", "4, 4", "5, 4", "2147483647, 4"})
    void topIsAtMostAll(int top, int expected) {
        assertRanks(scores, expected, documents("top_n", top).get("results"), "relevance_score");
    }

    @Test
    void rawScoresAreSumsOfLogProbabilities() {
        for (JsonNode rank : rows(texts("raw_scores", true))) {
            assertEquals(
                    scores.get(rank.get("index").intValue()).value(),
                    rank.get("score").floatValue());
        }
        for (JsonNode result : rows(documents("raw_scores", true).get("results"))) {
            assertEquals(
                    scores.get(result.get("index").intValue()).value(),
                    result.get("relevance_score").floatValue());
        }
    }

    @Test
    void tiesKeepTheirOrder() {
        List<String> same = List.of("b", "a", "b", "a", "b");
        JsonNode ranks = ok(server.post("/rerank", body("texts", same)));
        List<Integer> order =
                rows(ranks).stream().map(rank -> rank.get("index").intValue()).toList();
        assertTrue(order.equals(List.of(0, 2, 4, 1, 3)) || order.equals(List.of(1, 3, 0, 2, 4)), order::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"nano", "small", "nano:query", "small:document"})
    void modelHasNames(String name) {
        assertEquals(name, documents("model", name).get("model").textValue());
    }

    @Test
    void longPairsAreCut() {
        String body =
                RunningServer.json(Map.of("query", QUERY, "documents", List.of("short", "long text ".repeat(600))));
        var response = server.post("/v1/rerank", body);
        JsonNode answer = ok(response);
        assertEquals(2, answer.get("results").size());
        assertEquals("1", response.headers().firstValue("x-truncated").orElse("none"));
        assertNull(answer.get("truncated"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/invocations"})
    void usualPathRanksIfNothingEmbeds(String path) {
        try (RunningServer ranker = RunningServer.serving(RunningServer.served("ranker", List.of(), false, true))) {
            assertRanks(scores, DOCUMENTS.size(), ok(ranker.post(path, body("texts", DOCUMENTS))), "score");
            assertRanks(
                    scores,
                    DOCUMENTS.size(),
                    ok(ranker.post(path, body("documents", DOCUMENTS))).get("results"),
                    "relevance_score");
            assertEquals(424, ranker.post("/embed", "{\"inputs\":\"a\"}").statusCode());
        }
    }
}
