package io.github.sgpt4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.server.models.ServedModels;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every row of the contract's table of errors, in every dialect: status, type, code, headers, shape.
class ErrorTableTest {
    /// The paths of OpenAI's dialect and the field that holds their texts.
    private static final List<String> OPENAI = List.of("/v1/embeddings", "/embeddings", "/v1/rerank", "/v2/rerank");
    private static final List<String> TEI =
            List.of("/embed", "/", "/invocations", "/similarity", "/tokenize", "/decode");
    private static final int UNKNOWN_ID = 1_000_000;

    private static RunningServer server;

    @BeforeAll
    static void start() {
        server = RunningServer.start(options ->
                options.withLimits(Limits.DEFAULT.withClientBatchSize(3).withBodyBytes(20_000)));
    }

    @AfterAll
    static void end() {
        server.close();
    }

    /// Asserts that an answer is an error of OpenAI's dialect.
    private static JsonNode assertOpenAi(HttpResponse<String> response, int status, String type, String code) {
        assertEquals(status, response.statusCode(), response::body);
        assertEquals(
                "application/json",
                response.headers().firstValue("content-type").orElseThrow());
        assertTrue(response.headers().firstValue("x-request-id").isPresent());
        JsonNode body = RunningServer.parsed(response.body());
        JsonNode error = body.get("error");
        assertEquals(List.of("error", "message"), names(body));
        assertEquals(List.of("message", "type", "param", "code"), names(error));
        assertEquals(type, error.get("type").textValue(), response::body);
        assertEquals(code, error.get("code").textValue(), response::body);
        assertEquals(error.get("message"), body.get("message"));
        assertSentence(error.get("message").textValue());
        return error;
    }

    /// Asserts that an answer is an error of TEI's dialect.
    private static void assertTei(HttpResponse<String> response, int status, String type) {
        assertEquals(status, response.statusCode(), response::body);
        assertEquals(
                "application/json",
                response.headers().firstValue("content-type").orElseThrow());
        assertTrue(response.headers().firstValue("x-request-id").isPresent());
        JsonNode body = RunningServer.parsed(response.body());
        assertEquals(List.of("error", "error_type"), names(body));
        assertEquals(type, body.get("error_type").textValue(), response::body);
        assertSentence(body.get("error").textValue());
    }

    private static void assertSentence(String message) {
        assertFalse(message.isBlank());
        assertFalse(message.contains("Exception"), message);
        assertFalse(message.contains("io.github"), message);
    }

    private static List<String> names(JsonNode object) {
        return object.propertyStream().map(Map.Entry::getKey).toList();
    }

    static Stream<String> bodiesThatAreNotJson() {
        return Stream.of(
                "",
                "{",
                "{\"input\":\"a\"",
                "[1,2]",
                "\"a\"",
                "7",
                "null",
                "{\"input\":NaN}",
                "{'input':'a'}",
                "{\"input\":\"a\"} x",
                "{\"input\":\"a\"}{}",
                "{\"input\":\"\\ud800\\u0000\t\"}",
                "{\"a\":1,\"a\":2}",
                "{\"a\":" + "[".repeat(100) + "]".repeat(100) + "}",
                "input=a");
    }

    @ParameterizedTest
    @MethodSource("bodiesThatAreNotJson")
    void bodyIsNotJson(String body) {
        for (String path : OPENAI) {
            assertOpenAi(server.post(path, body), 400, "invalid_request_error", "invalid_json");
        }
        for (String path : TEI) {
            assertTei(server.post(path, body), 400, "Validation");
        }
    }

    @Test
    void bodyIsNotUtf8() {
        byte[] body = {'{', '"', 'i', '"', ':', '"', (byte) 0xc3, (byte) 0x28, '"', '}'};
        for (String path : List.of("/v1/embeddings", "/embed")) {
            HttpResponse<String> response = server.send(server.request(path)
                    .header("content-type", "application/json")
                    .POST(BodyPublishers.ofByteArray(body)));
            assertEquals(400, response.statusCode(), response::body);
        }
    }

    static Stream<Arguments> wrongForOpenAi() {
        return Stream.of(
                Arguments.of("/v1/embeddings", "{}", "input"),
                Arguments.of("/v1/embeddings", "{\"input\":null}", "input"),
                Arguments.of("/v1/embeddings", "{\"input\":7}", "input"),
                Arguments.of("/v1/embeddings", "{\"input\":true}", "input"),
                Arguments.of("/v1/embeddings", "{\"input\":{\"a\":1}}", "input"),
                Arguments.of("/v1/embeddings", "{\"input\":[\"a\",7]}", "input[1]"),
                Arguments.of("/v1/embeddings", "{\"input\":[\"a\",null]}", "input[1]"),
                Arguments.of("/v1/embeddings", "{\"input\":[1.5]}", "input[0]"),
                Arguments.of("/v1/embeddings", "{\"input\":[[1],[\"a\"]]}", "input[1]"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"encoding_format\":\"hex\"}", "encoding_format"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"encoding_format\":1}", "encoding_format"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"dimensions\":0}", "dimensions"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"dimensions\":-1}", "dimensions"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"dimensions\":257}", "dimensions"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"dimensions\":2.5}", "dimensions"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"dimensions\":99999999999}", "dimensions"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"dimensions\":\"8\"}", "dimensions"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"input_type\":\"poem\"}", "input_type"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"task\":\"poem\"}", "task"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"truncate\":\"yes\"}", "truncate"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"normalize\":1}", "normalize"),
                Arguments.of("/v1/embeddings", "{\"input\":\"a\",\"model\":7}", "model"),
                Arguments.of("/v1/rerank", "{\"documents\":[\"a\"]}", "query"),
                Arguments.of("/v1/rerank", "{\"query\":7,\"documents\":[\"a\"]}", "query"),
                Arguments.of("/v1/rerank", "{\"query\":\"a\"}", "documents"),
                Arguments.of("/v1/rerank", "{\"query\":\"a\",\"documents\":\"b\"}", "documents"),
                Arguments.of("/v1/rerank", "{\"query\":\"a\",\"documents\":[[1]]}", "documents[0]"),
                Arguments.of("/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\",{}]}", "documents[1].text"),
                Arguments.of("/v2/rerank", "{\"query\":\"a\",\"documents\":[\"b\"],\"top_n\":-1}", "top_n"),
                Arguments.of("/v2/rerank", "{\"query\":\"a\",\"documents\":[\"b\"],\"top_n\":1.5}", "top_n"),
                Arguments.of(
                        "/v2/rerank",
                        "{\"query\":\"a\",\"documents\":[\"b\"],\"return_documents\":0}",
                        "return_documents"),
                Arguments.of("/rerank", "{\"query\":\"a\",\"documents\":[\"b\"],\"top_n\":-1}", "top_n"));
    }

    @ParameterizedTest
    @MethodSource("wrongForOpenAi")
    void fieldIsWrong(String path, String body, String param) {
        JsonNode error = assertOpenAi(server.post(path, body), 400, "invalid_request_error", "invalid_value");
        assertEquals(param, error.get("param").textValue());
        assertTrue(error.get("message").textValue().contains(param), error::toString);
    }

    static Stream<Arguments> wrongForTei() {
        return Stream.of(
                Arguments.of("/embed", "{}"),
                Arguments.of("/embed", "{\"inputs\":7}"),
                Arguments.of("/embed", "{\"inputs\":[\"a\",null]}"),
                Arguments.of("/embed", "{\"inputs\":\"a\",\"truncation_direction\":\"up\"}"),
                Arguments.of("/embed", "{\"inputs\":\"a\",\"prompt_name\":\"poem\"}"),
                Arguments.of("/embed", "{\"inputs\":\"a\",\"prompt_name\":1}"),
                Arguments.of("/embed", "{\"inputs\":\"a\",\"normalize\":\"x\"}"),
                Arguments.of("/embed", "{\"inputs\":\"a\",\"truncate\":0}"),
                Arguments.of("/embed", "{\"inputs\":\"a\",\"dimensions\":0}"),
                Arguments.of("/embed", "{\"inputs\":\"a\",\"dimensions\":257}"),
                Arguments.of("/similarity", "{}"),
                Arguments.of("/similarity", "{\"inputs\":\"a\"}"),
                Arguments.of("/similarity", "{\"inputs\":{\"sentences\":[\"a\"]}}"),
                Arguments.of("/similarity", "{\"inputs\":{\"source_sentence\":\"a\"}}"),
                Arguments.of("/similarity", "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":\"a\"}}"),
                Arguments.of("/similarity", "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":[1]}}"),
                Arguments.of(
                        "/similarity",
                        "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":[\"a\"]},\"parameters\":1}"),
                Arguments.of("/tokenize", "{}"),
                Arguments.of("/tokenize", "{\"inputs\":[1]}"),
                Arguments.of("/tokenize", "{\"inputs\":\"a\",\"prompt_name\":\"poem\"}"),
                Arguments.of("/tokenize", "{\"inputs\":\"a\",\"add_special_tokens\":1}"),
                Arguments.of("/decode", "{}"),
                Arguments.of("/decode", "{\"ids\":\"a\"}"),
                Arguments.of("/decode", "{\"ids\":[\"a\"]}"),
                Arguments.of("/decode", "{\"ids\":[[1],[1.5]]}"),
                Arguments.of("/rerank", "{\"texts\":[\"a\"]}"),
                Arguments.of("/rerank", "{\"query\":\"a\"}"),
                Arguments.of("/rerank", "{\"query\":\"a\",\"texts\":[{\"text\":\"a\"}]}"),
                Arguments.of("/rerank", "{\"query\":\"a\",\"texts\":[\"a\"],\"raw_scores\":1}"));
    }

    @ParameterizedTest
    @MethodSource("wrongForTei")
    void fieldIsWrong(String path, String body) {
        assertTei(server.post(path, body), 422, "Validation");
    }

    @Test
    void inputIsEmpty() {
        for (String input : List.of("\"\"", "[]", "[\"\"]", "[\"a\",\"\"]", "[[]]", "[[5],[]]")) {
            for (String path : List.of("/v1/embeddings", "/embeddings")) {
                assertOpenAi(
                        server.post(path, "{\"input\":%s}".formatted(input)),
                        400,
                        "invalid_request_error",
                        "empty_input");
            }
            for (String path : List.of("/embed", "/", "/invocations")) {
                assertTei(server.post(path, "{\"inputs\":%s}".formatted(input)), 400, "Empty");
            }
        }
        for (String rest : List.of(
                "\"query\":\"\",\"documents\":[\"a\"]",
                "\"query\":\"a\",\"documents\":[]",
                "\"query\":\"a\",\"documents\":[\"\"]",
                "\"query\":\"a\",\"documents\":[{\"text\":\"\"}]")) {
            for (String path : List.of("/v1/rerank", "/v2/rerank", "/rerank")) {
                assertOpenAi(server.post(path, "{" + rest + "}"), 400, "invalid_request_error", "empty_input");
            }
        }
        assertTei(server.post("/rerank", "{\"query\":\"a\",\"texts\":[]}"), 400, "Empty");
        assertTei(server.post("/rerank", "{\"query\":\"\",\"texts\":[\"a\"]}"), 400, "Empty");
        assertTei(
                server.post("/similarity", "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":[]}}"), 400, "Empty");
        assertTei(
                server.post("/similarity", "{\"inputs\":{\"source_sentence\":\"\",\"sentences\":[\"a\"]}}"),
                400,
                "Empty");
        assertTei(server.post("/tokenize", "{\"inputs\":[]}"), 400, "Empty");
        assertTei(server.post("/decode", "{\"ids\":[]}"), 400, "Empty");
    }

    @Test
    void inputIsTooLong() {
        String text = "many words of a long text ".repeat(100);
        JsonNode error = assertOpenAi(
                server.post("/v1/embeddings", "{\"input\":[\"a\",\"%s\"],\"truncate\":false}".formatted(text)),
                400,
                "invalid_request_error",
                "input_too_long");
        assertEquals("input[1]", error.get("param").textValue());
        assertTrue(
                error.get("message").textValue().matches("input\\[1] has [0-9]+ tokens, the limit is 256"),
                error::toString);
        assertOpenAi(
                server.post(
                        "/v1/rerank",
                        "{\"query\":\"a\",\"documents\":[\"b\",\"%s\"],\"truncate\":false}".formatted(text)),
                400,
                "invalid_request_error",
                "input_too_long");
        assertTei(server.post("/embed", "{\"inputs\":\"%s\",\"truncate\":false}".formatted(text)), 422, "Validation");
        assertTei(
                server.post("/rerank", "{\"query\":\"a\",\"texts\":[\"%s\"],\"truncate\":false}".formatted(text)),
                422,
                "Validation");
        assertTei(
                server.post(
                        "/similarity",
                        "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":[\"%s\"]},\"parameters\":{\"truncate\":false}}"
                                .formatted(text)),
                422,
                "Validation");
        try (RunningServer strict = RunningServer.start(options -> options.withAutoTruncate(false))) {
            assertTei(strict.post("/embed", "{\"inputs\":\"%s\"}".formatted(text)), 422, "Validation");
            assertEquals(
                    200,
                    strict.post("/embed", "{\"inputs\":\"%s\",\"truncate\":true}".formatted(text))
                            .statusCode());
        }
    }

    @Test
    void tokenDoesNotExist() {
        for (int id : List.of(-1, UNKNOWN_ID, Integer.MAX_VALUE)) {
            assertOpenAi(
                    server.post("/v1/embeddings", "{\"input\":[[5],[5,%d]]}".formatted(id)),
                    400,
                    "invalid_request_error",
                    "invalid_token");
            assertTei(server.post("/embed", "{\"inputs\":[%d]}".formatted(id)), 422, "Tokenizer");
            assertTei(server.post("/decode", "{\"ids\":[%d]}".formatted(id)), 422, "Tokenizer");
        }
    }

    @Test
    void thereAreTooManyTexts() {
        String four = "[\"a\",\"b\",\"c\",\"d\"]";
        JsonNode error = assertOpenAi(
                server.post("/v1/embeddings", "{\"input\":%s}".formatted(four)),
                413,
                "invalid_request_error",
                "too_large");
        assertEquals("input has 4 texts, the limit is 3", error.get("message").textValue());
        assertOpenAi(
                server.post("/v2/rerank", "{\"query\":\"q\",\"documents\":%s}".formatted(four)),
                413,
                "invalid_request_error",
                "too_large");
        assertTei(server.post("/embed", "{\"inputs\":%s}".formatted(four)), 413, "Validation");
        assertTei(server.post("/rerank", "{\"query\":\"q\",\"texts\":%s}".formatted(four)), 413, "Validation");
        assertTei(
                server.post("/similarity", "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":%s}}".formatted(four)),
                413,
                "Validation");
        assertTei(server.post("/tokenize", "{\"inputs\":%s}".formatted(four)), 413, "Validation");
        assertTei(server.post("/decode", "{\"ids\":[[1],[2],[3],[4]]}"), 413, "Validation");
        assertEquals(
                200, server.post("/embed", "{\"inputs\":[\"a\",\"b\",\"c\"]}").statusCode());
    }

    @Test
    void bodyIsTooLarge() {
        String large = "{\"input\":\"%s\"}".formatted("a".repeat(20_000));
        assertOpenAi(server.post("/v1/embeddings", large), 413, "invalid_request_error", "too_large");
        assertTei(server.post("/embed", large.replace("input", "inputs")), 413, "Validation");
    }

    @Test
    void keyIsWrong() {
        try (RunningServer closed = RunningServer.loading(options -> options.withApiKey("k"))) {
            for (String path : OPENAI) {
                HttpResponse<String> response = closed.post(path, "{}");
                assertOpenAi(response, 401, "authentication_error", "invalid_api_key");
                assertEquals(
                        "Bearer",
                        response.headers().firstValue("www-authenticate").orElseThrow());
            }
            for (String path : TEI) {
                HttpResponse<String> response = closed.post(path, "{}");
                assertTei(response, 401, "Validation");
                assertEquals(
                        "Bearer",
                        response.headers().firstValue("www-authenticate").orElseThrow());
            }
        }
    }

    @Test
    void modelIsUnknown() {
        JsonNode error = assertOpenAi(
                server.post("/v1/embeddings", "{\"input\":\"a\",\"model\":\"x\"}"),
                404,
                "invalid_request_error",
                "model_not_found");
        assertEquals("model", error.get("param").textValue());
        assertOpenAi(
                server.post("/v2/rerank", "{\"query\":\"a\",\"documents\":[\"b\"],\"model\":\"x\"}"),
                404,
                "invalid_request_error",
                "model_not_found");
        assertOpenAi(server.get("/v1/models/x"), 404, "invalid_request_error", "model_not_found");
        assertTei(server.post("/embed", "{\"inputs\":\"a\",\"model\":\"x\"}"), 404, "Validation");
        assertTei(server.post("/tokenize", "{\"inputs\":\"a\",\"model\":\"x\"}"), 404, "Validation");
        assertTei(server.post("/rerank", "{\"query\":\"a\",\"texts\":[\"b\"],\"model\":\"x\"}"), 404, "Validation");
    }

    @Test
    void pathIsUnknown() {
        assertOpenAi(server.post("/v1/nothing", "{}"), 404, "invalid_request_error", "not_found");
        assertOpenAi(server.get("/v2/nothing"), 404, "invalid_request_error", "not_found");
        assertTei(server.post("/nothing", "{}"), 404, "Validation");
        assertTei(server.get("/embed_all"), 404, "Validation");
    }

    @Test
    void methodIsWrong() {
        for (String path : List.of("/v1/embeddings", "/v1/rerank", "/v2/rerank")) {
            HttpResponse<String> response = server.get(path);
            assertOpenAi(response, 405, "invalid_request_error", "method_not_allowed");
            assertEquals("POST", response.headers().firstValue("allow").orElseThrow());
        }
        HttpResponse<String> embed = server.send(server.request("/embed").DELETE());
        assertTei(embed, 405, "Validation");
        assertEquals("POST", embed.headers().firstValue("allow").orElseThrow());
        HttpResponse<String> health = server.post("/health", "{}");
        assertTei(health, 405, "Validation");
        assertEquals(
                List.of("GET", "HEAD"),
                List.of(health.headers().firstValue("allow").orElseThrow().split(", ")));
        assertOpenAi(server.post("/v1/models", "{}"), 405, "invalid_request_error", "method_not_allowed");
    }

    @Test
    void mediaTypeIsWrong() {
        HttpRequest.Builder request = server.request("/v1/rerank").POST(BodyPublishers.ofString("{}"));
        assertOpenAi(server.send(request), 415, "invalid_request_error", "unsupported_media_type");
        assertTei(server.send(server.request("/embed").POST(BodyPublishers.ofString("{}"))), 415, "Validation");
    }

    @Test
    void modelCannotDoIt() {
        try (RunningServer two = RunningServer.serving(
                RunningServer.served("embedder", List.of(), true, false),
                RunningServer.served("ranker", List.of(), false, true))) {
            assertOpenAi(
                    two.post("/v1/embeddings", "{\"input\":\"a\",\"model\":\"ranker\"}"),
                    400,
                    "invalid_request_error",
                    "model_type");
            assertOpenAi(
                    two.post("/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\"],\"model\":\"embedder\"}"),
                    400,
                    "invalid_request_error",
                    "model_type");
            assertTei(two.post("/embed", "{\"inputs\":\"a\",\"model\":\"ranker\"}"), 424, "Backend");
            assertTei(
                    two.post("/rerank", "{\"query\":\"a\",\"texts\":[\"b\"],\"model\":\"embedder\"}"), 424, "Backend");
            assertEquals(200, two.post("/v1/embeddings", "{\"input\":\"a\"}").statusCode());
            assertEquals(
                    200,
                    two.post("/rerank", "{\"query\":\"a\",\"texts\":[\"b\"]}").statusCode());
        }
    }

    private static void assertRetryAfter(HttpResponse<String> response) {
        int seconds =
                Integer.parseInt(response.headers().firstValue("retry-after").orElseThrow());
        assertTrue(seconds >= 1);
    }

    @Test
    void serverIsOverloaded() {
        Map<String, String> bodies = Map.of(
                "/v1/embeddings", "{\"input\":\"a\"}",
                "/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\"]}",
                "/embed", "{\"inputs\":\"a\"}");
        bodies.forEach((path, body) -> {
            try (Overload overload = new Overload(options -> options, "none")) {
                HttpResponse<String> response = overload.server().post(path, body);
                if (path.equals("/embed")) {
                    assertTei(response, 429, "Overloaded");
                } else {
                    assertOpenAi(response, 429, "rate_limit_error", "overloaded");
                }
                assertRetryAfter(response);
            }
        });
    }

    private static void assertUnavailable(RunningServer of) {
        for (String path : OPENAI) {
            HttpResponse<String> response = of.post(path, "{}");
            assertOpenAi(response, 503, "server_error", "unavailable");
            assertRetryAfter(response);
        }
        assertOpenAi(of.get("/v1/models"), 503, "server_error", "unavailable");
        for (String path : TEI) {
            HttpResponse<String> response = of.post(path, "{}");
            assertTei(response, 503, "Unhealthy");
            assertRetryAfter(response);
        }
        for (String path : List.of("/health", "/ping", "/info")) {
            HttpResponse<String> response = of.get(path);
            assertTei(response, 503, "Unhealthy");
            assertRetryAfter(response);
        }
        assertEquals(200, of.get("/metrics").statusCode());
    }

    @Test
    void modelsAreNotLoaded() {
        try (RunningServer loading = RunningServer.loading(options -> options)) {
            assertUnavailable(loading);
            loading.server().serve(new ServedModels(List.of(RunningServer.served("nano", List.of(), true, true))));
            assertEquals(200, loading.get("/health").statusCode());
            assertEquals(200, loading.post("/embed", "{\"inputs\":\"a\"}").statusCode());
        }
    }

    @Test
    void modelsCannotBeLoaded() {
        try (RunningServer failed = RunningServer.loading(options -> options)) {
            failed.server().fail();
            assertUnavailable(failed);
        }
    }

    @Test
    void serverIsEnding() throws InterruptedException {
        try (RunningServer ending = RunningServer.start(options -> options)) {
            assertTrue(ending.server().drain());
            assertUnavailable(ending);
        }
    }

    @Test
    void timeIsUp() {
        UnaryOperator<ServerOptions> hasty =
                options -> options.withLimits(Limits.DEFAULT.withRequestTimeout(Duration.ofMillis(1)));
        String text = "many words of a long text ".repeat(40);
        String texts = RunningServer.json(java.util.Collections.nCopies(64, text));
        try (RunningServer slow = RunningServer.start(hasty)) {
            assertOpenAi(
                    slow.post("/v1/embeddings", "{\"input\":%s}".formatted(texts)), 504, "server_error", "timeout");
            assertOpenAi(
                    slow.post("/v1/rerank", "{\"query\":\"a\",\"documents\":%s}".formatted(texts)),
                    504,
                    "server_error",
                    "timeout");
            assertTei(slow.post("/embed", "{\"inputs\":%s}".formatted(texts)), 504, "Backend");
        }
    }

    @Test
    void computationFails(@TempDir Path directory) throws IOException {
        Path broken = BrokenModel.in(directory.resolve("model"));
        try (RunningServer failing = RunningServer.serving(
                RunningServer::silent, RunningServer.served(broken, "m", List.of(), true, true))) {
            assertOpenAi(failing.post("/v1/embeddings", "{\"input\":\"a\"}"), 500, "server_error", "internal");
            assertOpenAi(
                    failing.post("/v1/rerank", "{\"query\":\"a b\",\"documents\":[\"b\"]}"),
                    500,
                    "server_error",
                    "internal");
            assertTei(failing.post("/embed", "{\"inputs\":\"a\"}"), 424, "Backend");
            assertTei(failing.post("/rerank", "{\"query\":\"a b\",\"texts\":[\"b\"]}"), 424, "Backend");
            assertEquals(200, failing.post("/tokenize", "{\"inputs\":\"a\"}").statusCode());
            assertEquals(200, failing.get("/health").statusCode());
        }
    }
}
