package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.Expected.assertVectors;
import static io.github.sgpt4j.server.Expected.data;
import static io.github.sgpt4j.server.Expected.vectors;
import static io.github.sgpt4j.server.RunningServer.ok;
import static io.github.sgpt4j.server.RunningServer.parsed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.server.routing.Access;
import io.github.sgpt4j.server.routing.Route;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What holds for all paths.
class CommonRulesTest {
    private static final String EMBED = "{\"inputs\":\"a\"}";
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?");
    private static final List<String> COMPUTED = List.of(
            "x-compute-time",
            "x-total-time",
            "x-tokenization-time",
            "x-queue-time",
            "x-inference-time",
            "x-compute-characters",
            "x-compute-tokens");

    private static RunningServer server;

    @BeforeAll
    static void start() {
        server = RunningServer.start(options -> options);
    }

    @AfterAll
    static void end() {
        server.close();
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElse("none");
    }

    private static HttpRequest.Builder typed(String path, String type, String body) {
        HttpRequest.Builder request = server.request(path).POST(BodyPublishers.ofString(body));
        return type.isEmpty() ? request : request.header("content-type", type);
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"})
    void takesJson(String type) {
        HttpResponse<String> response = server.send(typed("/embed", type, EMBED));
        ok(response);
        assertEquals("application/json", header(response, "content-type"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"
            })
    void refusesWhatAFormOfAnotherSiteCanSend(String type) {
        assertEquals(415, server.send(typed("/embed", type, EMBED)).statusCode());
        assertEquals(
                415,
                server.send(typed("/v1/embeddings", type, "{\"input\":\"a\"}")).statusCode());
    }

    @Test
    void ignoresUnknownFieldsAndTakesNullForAbsent() {
        JsonNode plain = ok(server.post("/v1/embeddings", "{\"input\":\"a\"}"));
        JsonNode nulls = ok(server.post("/v1/embeddings", """
                {"input":"a","model":null,"encoding_format":null,"dimensions":null,"user":null,"input_type":null,
                 "task":null,"truncate":null,"normalize":null,"unknown":{"a":[1,"b",null]}}"""));
        assertEquals(plain, nulls);
        assertEquals(ok(server.post("/embed", EMBED)), ok(server.post("/embed", """
                        {"inputs":"a","model":null,"truncate":null,"truncation_direction":null,"prompt_name":null,
                         "normalize":null,"dimensions":null,"unknown":1}""")));
        assertEquals(
                ok(server.post("/rerank", "{\"query\":\"a\",\"texts\":[\"b\",\"c\"]}")),
                ok(server.post("/rerank", """
                        {"query":"a","texts":["b","c"],"documents":null,"model":null,"truncate":null,
                         "truncation_direction":null,"raw_scores":null,"return_text":null,"unknown":[]}""")));
        JsonNode reranked = ok(server.post("/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\",\"c\"]}"));
        JsonNode withNulls = ok(server.post("/v1/rerank", """
                {"query":"a","documents":["b",{"text":"c","id":7}],"model":null,"top_n":null,"return_documents":null,
                 "raw_scores":null,"max_tokens_per_doc":100,"rank_fields":["text"],"unknown":true}"""));
        assertEquals(reranked.get("results"), withNulls.get("results"));
        assertEquals(
                ok(server.post("/similarity", "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":[\"b\"]}}")),
                ok(server.post("/similarity", """
                        {"inputs":{"source_sentence":"a","sentences":["b"],"x":1},"parameters":{"truncate":null,
                         "truncation_direction":null,"prompt_name":null},"model":null}""")));
        assertEquals(
                ok(server.post("/tokenize", "{\"inputs\":\"a b\"}")),
                ok(server.post(
                        "/tokenize",
                        "{\"inputs\":[\"a b\"],\"add_special_tokens\":null,\"prompt_name\":null,\"x\":0}")));
        assertEquals(
                ok(server.post("/decode", "{\"ids\":[5,6]}")),
                ok(server.post("/decode", "{\"ids\":[[5,6]],\"skip_special_tokens\":null,\"x\":0}")));
    }

    @Test
    void namesEachAnswer() {
        HttpResponse<String> named =
                server.send(typed("/embed", "application/json", EMBED).header("x-request-id", "a-1"));
        assertEquals("a-1", header(named, "x-request-id"));
        String first = header(server.get("/health"), "x-request-id");
        assertNotEquals("none", first);
        assertNotEquals(first, header(server.get("/health"), "x-request-id"));
        HttpResponse<String> refused =
                server.send(typed("/embed", "application/json", "{}").header("x-request-id", "b-2"));
        assertEquals("b-2", header(refused, "x-request-id"));
        String tooLong = "x".repeat(200);
        assertNotEquals(
                tooLong,
                header(server.send(server.request("/health").header("x-request-id", tooLong)), "x-request-id"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/embeddings {\"input\":[\"a b\",\"äb🐦\"]}",
                "/embed {\"inputs\":[\"a b\",\"äb🐦\"]}",
                "/ {\"inputs\":[\"a b\",\"äb🐦\"]}",
            })
    void saysWhatAnAnswerCost(String request) {
        String[] parts = request.split(" ", 2);
        HttpResponse<String> response = server.post(parts[0], parts[1]);
        ok(response);
        assertEquals("cpu", header(response, "x-compute-type"));
        for (String name : COMPUTED) {
            assertTrue(header(response, name).matches("[0-9]+"), () -> name + ": " + header(response, name));
        }
        assertEquals("6", header(response, "x-compute-characters"), "code points");
        int tokens = java.util.stream.Stream.of("a b", "äb🐦")
                .mapToInt(text -> server.encoder().tokenize(text, io.github.sgpt4j.TextKind.TEXT).length)
                .sum();
        assertEquals(String.valueOf(tokens), header(response, "x-compute-tokens"));
        assertEquals("none", header(response, "x-truncated"));
        assertTrue(Long.parseLong(header(response, "x-total-time"))
                >= Long.parseLong(header(response, "x-inference-time")));
    }

    @Test
    void saysWhatARankingCost() {
        HttpResponse<String> response =
                server.post("/v2/rerank", "{\"query\":\"a b\",\"documents\":[\"c\",\"a cat\"]}");
        ok(response);
        assertEquals("cpu", header(response, "x-compute-type"));
        for (String name : COMPUTED) {
            assertTrue(header(response, name).matches("[0-9]+"), () -> name + ": " + header(response, name));
        }
        long tokens = server.scorer().score("a b", List.of("c", "a cat")).stream()
                .mapToLong(score -> score.inputTokens())
                .sum();
        assertEquals(String.valueOf(tokens), header(response, "x-compute-tokens"));
    }

    @Test
    void saysHowManyInputsWereCut() {
        String body =
                RunningServer.json(java.util.Map.of("inputs", List.of("short", ClientTask.LONG, ClientTask.LONG)));
        HttpResponse<String> response = server.post("/embed", body);
        ok(response);
        assertEquals("2", header(response, "x-truncated"));
    }

    /// The decimals of an answer, as they were written.
    private static List<String> numbers(String body) {
        Matcher matcher = NUMBER.matcher(body);
        return matcher.results().map(result -> result.group()).toList();
    }

    @Test
    void writesTheShortestDecimals() {
        HttpResponse<String> response = server.post("/embed", "{\"inputs\":\"a short text\",\"normalize\":false}");
        ok(response);
        List<String> written = numbers(response.body());
        float[] expected = server.encoder().embed("a short text");
        assertEquals(expected.length, written.size());
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], Float.parseFloat(written.get(i)), written.get(i));
            assertEquals(
                    new BigDecimal(Float.toString(expected[i]))
                            .stripTrailingZeros()
                            .precision(),
                    new BigDecimal(written.get(i)).stripTrailingZeros().precision(),
                    written.get(i));
        }
    }

    @Test
    void answersATextAlikeWhateverSharesItsBatch() {
        String text = ClientTask.TEXTS.getFirst();
        JsonNode alone = ok(server.post("/embed", RunningServer.json(java.util.Map.of("inputs", text))));
        for (int others = 1; others < 40; others += 13) {
            List<String> texts = new java.util.ArrayList<>(ClientTask.MANY.subList(0, Math.min(others, 20)));
            texts.add(others % 2 == 0 ? 0 : texts.size(), text);
            JsonNode together = ok(server.post("/embed", RunningServer.json(java.util.Map.of("inputs", texts))));
            assertEquals(alone.get(0), together.get(texts.indexOf(text)));
        }
    }

    private static byte[] gzip(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    private static HttpResponse<String> encoded(String path, String encoding, byte[] body) {
        return server.send(server.request(path)
                .header("content-type", "application/json")
                .header("content-encoding", encoding)
                .POST(BodyPublishers.ofByteArray(body)));
    }

    @Test
    void takesCompressedBodies() throws IOException {
        JsonNode plain = ok(server.post("/v1/embeddings", "{\"input\":[\"äöü\",\"b\"]}"));
        assertEquals(plain, ok(encoded("/v1/embeddings", "gzip", gzip("{\"input\":[\"äöü\",\"b\"]}"))));
        assertEquals(plain, ok(encoded("/v1/embeddings", "GZIP", gzip("{\"input\":[\"äöü\",\"b\"]}"))));
        assertEquals(415, encoded("/embed", "br", gzip(EMBED)).statusCode());
        assertEquals(
                400,
                encoded("/embed", "gzip", EMBED.getBytes(StandardCharsets.UTF_8))
                        .statusCode());
        byte[] whole = gzip(EMBED);
        assertEquals(
                400,
                encoded("/embed", "gzip", java.util.Arrays.copyOf(whole, whole.length - 9))
                        .statusCode());
    }

    @Test
    void takesNamesOfModels() {
        float[][] text = ClientTask.vectors(server, io.github.sgpt4j.TextKind.TEXT);
        float[][] query = ClientTask.vectors(server, io.github.sgpt4j.TextKind.QUERY);
        float[][] document = ClientTask.vectors(server, io.github.sgpt4j.TextKind.DOCUMENT);
        for (String name : List.of(RunningServer.MODEL, RunningServer.ALIAS)) {
            assertVectors(text, data(named(name)));
            assertVectors(query, data(named(name + ":query")));
            assertVectors(document, data(named(name + ":document")));
            assertEquals(name + ":query", named(name + ":query").get("model").textValue());
        }
        assertEquals(
                404,
                server.post("/v1/embeddings", body(RunningServer.MODEL + ":text"))
                        .statusCode());
        assertVectors(
                query,
                vectors(ok(server.post(
                        "/embed",
                        RunningServer.json(java.util.Map.of("inputs", ClientTask.TEXTS, "model", "small:query"))))));
    }

    private static String body(String model) {
        return RunningServer.json(java.util.Map.of("input", ClientTask.TEXTS, "model", model));
    }

    private static JsonNode named(String model) {
        return ok(server.post("/v1/embeddings", body(model)));
    }

    @Test
    void takesAnyNameIfToldSo() {
        try (RunningServer tolerant = RunningServer.start(options -> options.withAnyModel(true))) {
            JsonNode answer = ok(tolerant.post("/v1/embeddings", body("text-embedding-3-small")));
            assertVectors(ClientTask.vectors(server, io.github.sgpt4j.TextKind.TEXT), data(answer));
            JsonNode query = ok(tolerant.post("/v1/embeddings", body("text-embedding-3-small:query")));
            assertVectors(ClientTask.vectors(server, io.github.sgpt4j.TextKind.QUERY), data(query));
            assertEquals(RunningServer.MODEL, answer.get("model").textValue());
            assertEquals(
                    RunningServer.MODEL,
                    ok(tolerant.post("/v1/rerank", "{\"model\":\"x\",\"query\":\"a\",\"documents\":[\"b\"]}"))
                            .get("model")
                            .textValue());
            assertEquals(404, tolerant.get("/v1/models/text-embedding-3-small").statusCode());
            assertEquals(
                    ok(server.post("/tokenize", "{\"inputs\":\"a\",\"model\":\"small:query\"}")),
                    ok(tolerant.post("/tokenize", "{\"inputs\":\"a\",\"model\":\"x\"}")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/health", "/ping"})
    void saysThatItIsWell(String path) {
        HttpResponse<String> response = server.get(path);
        assertEquals(200, response.statusCode());
        assertEquals("{\"status\":\"ok\"}", response.body());
        assertEquals("nosniff", header(response, "x-content-type-options"));
    }

    @Test
    void answersHeadLikeGetWithoutTheBody() {
        for (String path :
                List.of("/health", "/ping", "/info", "/metrics", "/v1/models", "/v1/models/nano", "/openapi.json")) {
            HttpResponse<String> get = server.get(path);
            HttpResponse<String> head = server.send(server.request(path).HEAD());
            assertEquals(get.statusCode(), head.statusCode(), path);
            assertEquals("", head.body(), path);
            assertEquals(header(get, "content-type"), header(head, "content-type"), path);
            if (!path.equals("/metrics")) {
                assertEquals(header(get, "content-length"), header(head, "content-length"), path);
            }
        }
        assertEquals(404, server.send(server.request("/nothing").HEAD()).statusCode());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/embed_all", "/embed_sparse", "/predict", "/vertex", "/v1", "/v1/", "/embed/", "/V1/embeddings"
            })
    void hasNoOtherPaths(String path) {
        assertEquals(404, server.post(path, EMBED).statusCode());
    }

    @Test
    void ignoresTheQueryOfAnAddress() {
        assertEquals(200, server.get("/health?a=b").statusCode());
        ok(server.post("/embed?x=1", EMBED));
    }

    @Test
    void sendsNothingToOtherOriginsUnlessAsked() {
        HttpRequest.Builder asked = server.request("/health").header("origin", "http://example.org");
        assertTrue(server.send(asked).headers().map().keySet().stream()
                .noneMatch(name -> name.startsWith("access-control")));
        HttpRequest.Builder preflight = preflight(server.request("/embed"));
        assertEquals(405, server.send(preflight).statusCode());
    }

    private static HttpRequest.Builder preflight(HttpRequest.Builder request) {
        return request.method("OPTIONS", BodyPublishers.noBody())
                .header("origin", "http://example.org")
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization,content-type");
    }

    @Test
    void letsPagesOfAnOriginAsk() {
        try (RunningServer open = RunningServer.start(
                options -> options.withCorsOrigin("http://example.org").withApiKey("k"))) {
            HttpResponse<String> before = open.send(preflight(open.request("/embed")));
            assertEquals(204, before.statusCode());
            assertEquals("http://example.org", header(before, "access-control-allow-origin"));
            assertTrue(header(before, "access-control-allow-methods").contains("POST"));
            assertEquals("authorization, *", header(before, "access-control-allow-headers"));
            HttpResponse<String> answer = open.send(open.request("/embed")
                    .header("content-type", "application/json")
                    .header("authorization", "Bearer k")
                    .header("origin", "http://example.org")
                    .POST(BodyPublishers.ofString(EMBED)));
            assertEquals(200, answer.statusCode());
            assertEquals("http://example.org", header(answer, "access-control-allow-origin"));
            assertEquals("origin", header(answer, "vary"));
            HttpResponse<String> refused = open.post("/embed", EMBED);
            assertEquals(401, refused.statusCode());
            assertEquals("http://example.org", header(refused, "access-control-allow-origin"));
        }
    }

    @Test
    void asksForTheKeyWhereTheContractSaysSo() {
        try (RunningServer closed = RunningServer.start(options -> options.withApiKey("the key"))) {
            Set<String> open = closed.server().routes().stream()
                    .filter(route ->
                            route.access() == Access.OPEN && route.method().equals("GET"))
                    .map(Route::path)
                    .filter(path -> !path.startsWith("/page/"))
                    .collect(Collectors.toCollection(TreeSet::new));
            assertTrue(Set.of("/", "/health", "/ping", "/metrics").containsAll(open), open::toString);
            for (Route route : closed.server().routes()) {
                String path = route.path().replace("*", "nano");
                HttpRequest.Builder request = closed.request(path)
                        .header("content-type", "application/json")
                        .method(route.method(), BodyPublishers.ofString("{}"));
                boolean asks = closed.send(request).statusCode() == 401;
                assertEquals(route.access() != Access.OPEN, asks, () -> route.method() + " " + path);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Bearer",
                "Bearer ",
                "Bearer the",
                "Bearer the keyy",
                "Basic the key",
                "the key",
                "Bearer The key"
            })
    void refusesOtherKeys(String authorization) {
        try (RunningServer closed = RunningServer.loading(options -> options.withApiKey("the key"))) {
            HttpRequest.Builder request = closed.request("/v1/models");
            if (!authorization.isEmpty()) {
                request.header("authorization", authorization);
            }
            HttpResponse<String> response = closed.send(request);
            assertEquals(401, response.statusCode());
            assertEquals("Bearer", header(response, "www-authenticate"));
            assertFalse(response.body().contains("the key"), response::body);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer the key", "bearer the key", "BEARER  the key "})
    void takesTheKey(String authorization) {
        try (RunningServer closed = RunningServer.loading(options -> options.withApiKey("the key"))) {
            // The models are not there yet: the key is all that this is about.
            assertEquals(
                    503,
                    closed.send(closed.request("/v1/models").header("authorization", authorization))
                            .statusCode());
        }
    }

    @Test
    void logsRequestsWithoutTexts() {
        List<String> lines = new java.util.concurrent.CopyOnWriteArrayList<>();
        try (RunningServer logging = RunningServer.start(options -> options.withLog(lines::add, false))) {
            ok(logging.post("/embed", "{\"inputs\":\"secretword\"}"));
            logging.post("/embed", "{\"inputs\":7}");
        }
        assertEquals(2, lines.size());
        assertTrue(lines.stream().noneMatch(line -> line.contains("secretword")), lines::toString);
        JsonNode line = parsed(lines.getFirst());
        assertEquals("POST /embed", line.get("route").textValue());
        assertEquals(200, line.get("status").intValue());
        assertTrue(line.get("tokens").intValue() > 0);
        assertTrue(line.get("ms").isNumber());
        assertTrue(line.get("time").isTextual());
        assertEquals(422, parsed(lines.get(1)).get("status").intValue());
    }
}
