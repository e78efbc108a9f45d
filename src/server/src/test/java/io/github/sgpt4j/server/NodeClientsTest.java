package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.Expected.assertRanks;
import static io.github.sgpt4j.server.Expected.assertVector;
import static io.github.sgpt4j.server.Expected.assertVectors;
import static io.github.sgpt4j.server.Expected.rows;
import static io.github.sgpt4j.server.Expected.vector;
import static io.github.sgpt4j.server.Expected.vectors;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.TextKind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Clients from npm, as published, against this server: what they get is what the engine computes, and what goes wrong
/// reaches the program in the client's own way. The scripts are in `src/test/clients`.
class NodeClientsTest {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    /// `Retry-After` in milliseconds, less what a timer may be early.
    private static final double RETRY_AFTER = 990;

    private static NodeProject scripts;
    private static RunningServer server;
    private static RunningServer loading;

    @BeforeAll
    static void startServers() {
        scripts = NodeProject.of("clients");
        server = RunningServer.start(ClientTask::options);
        loading = RunningServer.loading(ClientTask::options);
    }

    @AfterAll
    static void endServers() {
        if (server != null) {
            server.close();
        }
        if (loading != null) {
            loading.close();
        }
    }

    /// What a script found.
    private static JsonNode run(String script) {
        try (Overload overload = new Overload(ClientTask::options, ClientTask.KEY)) {
            String task = ClientTask.json(server, loading, overload);
            // A developer's own settings for these clients must not reach them.
            Map<String, String> environment = Map.of(
                    "OPENAI_BASE_URL",
                    "",
                    "OPENAI_LOG",
                    "",
                    "LANGSMITH_TRACING",
                    "false",
                    "LANGCHAIN_TRACING_V2",
                    "false");
            return RunningServer.parsed(scripts.run(LIMIT, environment, script, task));
        }
    }

    private static float[][] texts(TextKind kind) {
        return ClientTask.vectors(server, kind);
    }

    private static List<CrossEncoder.Score> scores() {
        return server.scorer().score(ClientTask.QUERY, ClientTask.DOCUMENTS);
    }

    private static void assertFailure(JsonNode failure, String type, int status) {
        assertEquals(type, failure.get("class").textValue(), failure::toPrettyString);
        assertEquals(status, failure.get("status").intValue(), failure::toPrettyString);
    }

    private static void assertFailure(JsonNode failure, String type, int status, String code, String word) {
        assertFailure(failure, type, status);
        assertEquals(code, failure.get("code").textValue(), failure::toPrettyString);
        assertTrue(failure.get("message").textValue().contains(word), failure::toPrettyString);
    }

    private static void assertRetried(JsonNode retry) {
        assertEquals("[429,200]", retry.get("statuses").toString());
        assertTrue(retry.get("waited").doubleValue() >= RETRY_AFTER, retry::toString);
    }

    @Test
    void openai() {
        JsonNode found = run("openai.js");
        assertEquals("base64", found.at("/asked/encoding_format").textValue(), "what the client asks for by itself");
        float[][] usual = texts(TextKind.TEXT);
        assertVectors(usual, vectors(found.get("usual")));
        assertVectors(usual, vectors(found.get("float")));
        assertVectors(usual, vectors(found.get("base64")));
        assertVectors(usual, vectors(found.get("raw")));
        assertVectors(usual, vectors(found.get("ids")));
        assertVectors(new float[][] {usual[0]}, vectors(found.get("single")));
        assertVectors(ClientTask.narrow(server), vectors(found.get("narrow")));
        assertVectors(texts(TextKind.QUERY), vectors(found.get("query")));
        assertVectors(texts(TextKind.DOCUMENT), vectors(found.get("typed")));
        assertVectors(Expected.normalized(server.encoder().embed(ClientTask.MANY)), vectors(found.get("many")));
        assertEquals("[0,1,2,3,4]", found.get("order").toString());
        assertEquals(
                "{\"object\":\"list\",\"model\":\"nano\",\"data\":\"embedding\"}",
                found.get("answered").toString());
        long tokens = ClientTask.TEXTS.stream()
                .mapToLong(text -> server.encoder().tokenize(text, TextKind.TEXT).length)
                .sum();
        assertEquals(tokens, found.at("/usage/prompt_tokens").longValue());
        assertEquals(tokens, found.at("/usage/total_tokens").longValue());
        assertEquals(tokens, Long.parseLong(found.get("tokens").textValue()));
        assertEquals(
                List.of(RunningServer.MODEL, RunningServer.ALIAS),
                rows(found.get("listed")).stream()
                        .map(model -> model.get("id").textValue())
                        .toList());
        assertEquals(RunningServer.MODEL, found.at("/retrieved/id").textValue());
        assertRetried(found.get("retry"));
        assertVectors(usual, vectors(found.get("retried")));

        JsonNode failures = found.get("failures");
        assertFailure(failures.get("key"), "AuthenticationError", 401, "invalid_api_key", "key");
        assertFailure(failures.get("model"), "NotFoundError", 404, "model_not_found", "unknown");
        assertFailure(failures.get("retrieve"), "NotFoundError", 404, "model_not_found", "model");
        assertFailure(failures.get("path"), "NotFoundError", 404, "not_found", "/v1/nothing");
        assertFailure(failures.get("empty"), "BadRequestError", 400, "empty_input", "input");
        assertFailure(failures.get("dimensions"), "BadRequestError", 400, "invalid_value", "dimensions");
        assertEquals("dimensions", failures.at("/dimensions/param").textValue());
        assertFailure(failures.get("long"), "BadRequestError", 400, "input_too_long", "tokens, the limit is");
        assertFailure(failures.get("many"), "APIError", 413, "too_large", "21 texts, the limit is 20");
        assertFailure(failures.get("loading"), "InternalServerError", 503, "unavailable", "loaded");
        for (JsonNode failure : rows(failures)) {
            assertFalse(failure.get("requestId").isNull(), failure::toPrettyString);
        }
    }

    @Test
    void langchain() {
        JsonNode found = run("langchain.js");
        float[][] usual = texts(TextKind.TEXT);
        assertEquals("base64", found.at("/asked/encoding_format").textValue(), "what the client asks for by itself");
        assertVectors(usual, vectors(found.get("documents")));
        assertVector(usual[0], vector(found.get("query")));
        assertEquals(3, found.get("requests").intValue(), "requests for five texts in batches of two");
        assertVectors(usual, vectors(found.get("batches")));
        assertVectors(usual, vectors(found.get("float")));
        assertVectors(ClientTask.narrow(server), vectors(found.get("narrow")));
        assertVector(texts(TextKind.QUERY)[0], vector(found.get("asQuery")));
        assertRetried(found.get("retry"));
        assertVectors(usual, vectors(found.get("retried")));

        JsonNode failures = found.get("failures");
        assertFailure(failures.get("key"), "AuthenticationError", 401, "invalid_api_key", "key");
        assertFailure(failures.get("model"), "NotFoundError", 404, "model_not_found", "unknown");
        assertFailure(failures.get("empty"), "BadRequestError", 400, "empty_input", "input");
        assertFailure(failures.get("many"), "APIError", 413, "too_large", "21 texts");
        assertFailure(failures.get("loading"), "InternalServerError", 503, "unavailable", "loaded");
    }

    @Test
    void cohere() {
        JsonNode found = run("cohere.js");
        List<CrossEncoder.Score> scores = scores();
        JsonNode first = found.get("first");
        assertReranked(scores, 4, first.get("usual"), "1");
        assertReranked(scores, 2, first.get("objects"), "1");
        for (JsonNode result : rows(first.at("/objects/results"))) {
            assertEquals(
                    ClientTask.DOCUMENTS.get(result.get("index").intValue()),
                    result.at("/document/text").textValue());
        }
        assertReranked(scores, 1, first.get("paths"), "1");
        assertRetried(first.get("retry"));
        assertReranked(scores, 4, first.at("/retry/answer"), "1");
        assertCohereFailures(first.get("failures"));

        JsonNode second = found.get("second");
        assertReranked(scores, 4, second.get("usual"), "2");
        assertReranked(scores, 2, second.get("top"), "2");
        assertCohereFailures(second.get("failures"));
    }

    private static void assertReranked(List<CrossEncoder.Score> scores, int top, JsonNode answer, String version) {
        assertRanks(scores, top, answer.get("results"), "relevanceScore");
        assertEquals(version, answer.at("/meta/apiVersion/version").textValue());
        assertEquals(1, answer.at("/meta/billedUnits/searchUnits").intValue());
        assertFalse(answer.get("id").textValue().isEmpty());
    }

    private static void assertCohereFailures(JsonNode failures) {
        assertFailure(failures.get("key"), "UnauthorizedError", 401);
        assertFailure(failures.get("model"), "NotFoundError", 404);
        assertFailure(failures.get("empty"), "BadRequestError", 400);
        assertFailure(failures.get("top"), "BadRequestError", 400);
        assertFailure(failures.get("many"), "CohereError", 413);
        assertFailure(failures.get("loading"), "ServiceUnavailableError", 503);
        assertTrue(
                failures.at("/top/body/message").textValue().contains("top_n"),
                "Cohere's clients show the message at the top of the body");
    }

    @Test
    void huggingFace() {
        JsonNode found = run("huggingface.js");
        float[][] usual = texts(TextKind.TEXT);
        assertVectors(new float[][] {usual[0]}, vectors(found.get("single")));
        assertVectors(usual, vectors(found.get("batch")));
        assertVectors(usual, vectors(found.get("invocations")));
        assertVectors(usual, vectors(found.get("endpoint")));
        assertVectors(ClientTask.narrow(server), vectors(found.get("narrow")));
        assertVectors(texts(TextKind.QUERY), vectors(found.get("query")));
        assertVectors(server.encoder().embed(ClientTask.TEXTS), vectors(found.get("plain")));
        assertVectors(Expected.normalized(server.encoder().embed(List.of(ClientTask.LONG))), vectors(found.get("cut")));
        float[] query = Expected.normalized(server.encoder().embedQuery(ClientTask.QUERY));
        float[][] documents = Expected.normalized(server.encoder().embedDocuments(ClientTask.DOCUMENTS));
        float[] similarities = vector(found.get("similarities"));
        assertEquals(documents.length, similarities.length);
        for (int i = 0; i < documents.length; i++) {
            double cosine = 0;
            for (int k = 0; k < query.length; k++) {
                cosine += (double) query[k] * documents[i][k];
            }
            assertEquals(cosine, similarities[i], 1e-6);
        }

        assertFailure(found.get("overloaded"), "InferenceClientProviderApiError", 429);
        JsonNode failures = found.get("failures");
        assertHuggingFace(failures.get("key"), 401, "Validation");
        assertHuggingFace(failures.get("path"), 404, "Validation");
        assertHuggingFace(failures.get("empty"), 400, "Empty");
        assertHuggingFace(failures.get("prompt"), 422, "Validation");
        assertHuggingFace(failures.get("long"), 422, "Validation");
        assertHuggingFace(failures.get("many"), 413, "Validation");
        assertHuggingFace(failures.get("loading"), 503, "Unhealthy");
    }

    private static void assertHuggingFace(JsonNode failure, int status, String type) {
        assertFailure(failure, "InferenceClientProviderApiError", status);
        assertEquals(type, failure.at("/body/error_type").textValue(), failure::toPrettyString);
        assertTrue(
                failure.get("message")
                        .textValue()
                        .endsWith(failure.at("/body/error").textValue()),
                failure::toPrettyString);
        assertFalse(failure.get("requestId").textValue().isEmpty(), failure::toPrettyString);
    }
}
