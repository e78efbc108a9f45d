package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.Expected.assertVectors;
import static io.github.sgpt4j.server.Expected.data;
import static io.github.sgpt4j.server.Expected.normalized;
import static io.github.sgpt4j.server.Expected.rows;
import static io.github.sgpt4j.server.Expected.vectors;
import static io.github.sgpt4j.server.RunningServer.ok;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.TextKind;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Embeddings as OpenAI and text-embeddings-inference have them.
class EmbeddingsContractTest {
    private static final List<String> TEXTS = ClientTask.TEXTS;

    private static RunningServer server;

    @BeforeAll
    static void start() {
        server = RunningServer.start(options -> options);
    }

    @AfterAll
    static void end() {
        server.close();
    }

    /// A body with the texts and more fields, given as name, value, ….
    private static String body(String field, Object... more) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put(field, TEXTS);
        for (int i = 0; i < more.length; i += 2) {
            body.put((String) more[i], more[i + 1]);
        }
        return RunningServer.json(body);
    }

    private static JsonNode openAi(Object... more) {
        return ok(server.post("/v1/embeddings", body("input", more)));
    }

    private static float[][] tei(Object... more) {
        return vectors(ok(server.post("/embed", body("inputs", more))));
    }

    private static float[][] expected(TextKind kind) {
        return normalized(server.encoder().embed(TEXTS, kind));
    }

    private static int tokens(String text, TextKind kind) {
        return server.encoder().tokenize(text, kind).length;
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/embeddings", "/embeddings"})
    void openAiAnswers(String path) {
        JsonNode answer = ok(server.post(path, body("input", "model", "nano", "user", "u")));
        assertEquals("list", answer.get("object").textValue());
        assertEquals("nano", answer.get("model").textValue());
        List<JsonNode> data = rows(answer.get("data"));
        for (int i = 0; i < data.size(); i++) {
            assertEquals(i, data.get(i).get("index").intValue());
            assertEquals("embedding", data.get(i).get("object").textValue());
            assertNull(data.get(i).get("truncated"));
        }
        assertVectors(expected(TextKind.TEXT), data(answer));
        int tokens =
                TEXTS.stream().mapToInt(text -> tokens(text, TextKind.TEXT)).sum();
        assertEquals(tokens, answer.at("/usage/prompt_tokens").intValue());
        assertEquals(tokens, answer.at("/usage/total_tokens").intValue());
    }

    @Test
    void numbersAndBase64AreTheSame() {
        JsonNode numbers = openAi("encoding_format", "float");
        JsonNode base64 = openAi("encoding_format", "base64");
        assertTrue(rows(numbers.get("data")).stream()
                .allMatch(datum -> datum.get("embedding").isArray()));
        for (JsonNode datum : rows(base64.get("data"))) {
            assertTrue(datum.get("embedding").isTextual());
            int bytes = 4 * server.encoder().dimension();
            assertEquals((bytes + 2) / 3 * 4, datum.get("embedding").textValue().length(), "padded");
        }
        assertArrayEquals(data(numbers), data(base64));
        assertEquals(numbers, openAi(), "numbers unless told otherwise");
    }

    @Test
    void inputHasFourForms() {
        float[][] all = expected(TextKind.TEXT);
        List<int[]> ids = TEXTS.stream()
                .map(text -> server.encoder().model().tokenize(text, false))
                .toList();
        assertVectors(
                Arrays.copyOf(all, 1),
                data(ok(server.post("/v1/embeddings", RunningServer.json(Map.of("input", TEXTS.getFirst()))))));
        assertVectors(
                Arrays.copyOf(all, 1),
                data(ok(server.post("/v1/embeddings", RunningServer.json(Map.of("input", ids.getFirst()))))));
        assertVectors(all, data(ok(server.post("/v1/embeddings", RunningServer.json(Map.of("input", ids))))));
        assertVectors(all, vectors(ok(server.post("/embed", RunningServer.json(Map.of("inputs", ids))))));
        List<Object> mixed = List.of(TEXTS.get(0), ids.get(1), TEXTS.get(2), ids.get(3), TEXTS.get(4));
        assertVectors(all, vectors(ok(server.post("/embed", RunningServer.json(Map.of("inputs", mixed))))));
        assertVectors(
                expected(TextKind.QUERY),
                data(ok(server.post(
                        "/v1/embeddings", RunningServer.json(Map.of("input", ids, "input_type", "query"))))));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 64, 255, 256})
    void dimensionsAreTheFirstOnesNormalizedAgain(int dimensions) {
        float[][] narrow = Expected.narrow(server.encoder().embed(TEXTS), dimensions);
        assertVectors(narrow, data(openAi("dimensions", dimensions)));
        assertVectors(narrow, data(openAi("dimensions", dimensions, "encoding_format", "base64")));
        assertVectors(narrow, tei("dimensions", dimensions));
    }

    @Test
    void vectorsStayAsTheyAreIfAsked() {
        float[][] plain = server.encoder().embed(TEXTS);
        assertArrayEquals(plain, data(openAi("normalize", false)));
        assertArrayEquals(plain, tei("normalize", false));
        float[][] first =
                Arrays.stream(plain).map(vector -> Arrays.copyOf(vector, 8)).toArray(float[][]::new);
        assertArrayEquals(first, data(openAi("normalize", false, "dimensions", 8)));
    }

    @ParameterizedTest
    @CsvSource({
        "query, QUERY", "search_query, QUERY", "retrieval.query, QUERY",
        "document, DOCUMENT", "search_document, DOCUMENT", "retrieval.passage, DOCUMENT",
        "text, TEXT"
    })
    void kindHasMoreNames(String name, TextKind kind) {
        assertVectors(expected(kind), data(openAi("input_type", name)));
        assertVectors(expected(kind), data(openAi("task", name)));
        assertVectors(expected(kind), data(openAi("input_type", name, "model", "nano:query")));
    }

    @Test
    void usualKindIsAnOption() {
        try (RunningServer queries = RunningServer.start(options -> options.withInputType(TextKind.QUERY))) {
            assertVectors(expected(TextKind.QUERY), data(ok(queries.post("/v1/embeddings", body("input")))));
            assertVectors(expected(TextKind.QUERY), vectors(ok(queries.post("/embed", body("inputs")))));
            assertVectors(
                    expected(TextKind.TEXT),
                    data(ok(queries.post("/v1/embeddings", body("input", "input_type", "text")))));
        }
    }

    @Test
    void usageCountsWhatIsComputed() {
        JsonNode query = openAi("input_type", "query");
        int tokens =
                TEXTS.stream().mapToInt(text -> tokens(text, TextKind.QUERY)).sum();
        assertEquals(tokens, query.at("/usage/prompt_tokens").intValue(), "with the brackets of queries");
        JsonNode cut =
                ok(server.post("/v1/embeddings", RunningServer.json(Map.of("input", List.of("a", ClientTask.LONG)))));
        assertEquals(
                tokens("a", TextKind.TEXT) + server.encoder().maxLength(),
                cut.at("/usage/prompt_tokens").intValue(),
                "without what was cut");
        assertNull(cut.at("/data/0").get("truncated"));
        assertTrue(cut.at("/data/1/truncated").booleanValue());
        assertVectors(normalized(server.encoder().embed(List.of("a", ClientTask.LONG))), data(cut));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/embed", "/", "/invocations"})
    void teiAnswersARowForEachInput(String path) {
        assertVectors(expected(TextKind.TEXT), vectors(ok(server.post(path, body("inputs")))));
        assertVectors(
                Arrays.copyOf(expected(TextKind.TEXT), 1),
                vectors(ok(server.post(path, RunningServer.json(Map.of("inputs", TEXTS.getFirst()))))));
    }

    @Test
    void teiCutsOnEitherSide() {
        int most = server.encoder().maxLength();
        int[] ids = server.encoder().model().tokenize(ClientTask.LONG, false);
        assertTrue(ids.length > most);
        String body = RunningServer.json(Map.of("inputs", ClientTask.LONG, "truncation_direction", "SIDE"));
        float[][] right = vectors(ok(server.post("/embed", body.replace("SIDE", "right"))));
        float[][] left = vectors(ok(server.post("/embed", body.replace("SIDE", "left"))));
        float[][] head =
                vectors(ok(server.post("/embed", RunningServer.json(Map.of("inputs", Arrays.copyOf(ids, most))))));
        float[][] tail = vectors(ok(server.post(
                "/embed",
                RunningServer.json(Map.of("inputs", Arrays.copyOfRange(ids, ids.length - most, ids.length))))));
        assertArrayEquals(head, right);
        assertArrayEquals(tail, left);
        assertFalse(Arrays.deepEquals(right, left));
        assertArrayEquals(
                right, vectors(ok(server.post("/embed", RunningServer.json(Map.of("inputs", ClientTask.LONG))))));
    }

    @Test
    void teiTakesPromptsByName() {
        assertVectors(expected(TextKind.QUERY), tei("prompt_name", "query"));
        assertVectors(expected(TextKind.DOCUMENT), tei("prompt_name", "document"));
    }

    @Test
    void similarityIsTheCosineOfQueryAndDocuments() {
        Map<String, Object> inputs = Map.of("source_sentence", ClientTask.QUERY, "sentences", ClientTask.DOCUMENTS);
        var response = server.post("/similarity", RunningServer.json(Map.of("inputs", inputs)));
        JsonNode answer = ok(response);
        int tokens = tokens(ClientTask.QUERY, TextKind.QUERY)
                + ClientTask.DOCUMENTS.stream()
                        .mapToInt(document -> tokens(document, TextKind.DOCUMENT))
                        .sum();
        assertEquals(
                tokens,
                Integer.parseInt(
                        response.headers().firstValue("x-compute-tokens").orElseThrow()));
        float[] query = normalized(server.encoder().embedQuery(ClientTask.QUERY));
        float[][] documents = normalized(server.encoder().embedDocuments(ClientTask.DOCUMENTS));
        assertEquals(documents.length, answer.size());
        for (int i = 0; i < documents.length; i++) {
            float[] document = documents[i];
            double cosine = IntStream.range(0, query.length)
                    .mapToDouble(k -> (double) query[k] * document[k])
                    .sum();
            assertEquals(cosine, answer.get(i).doubleValue(), 1e-6);
        }
    }

    @Test
    void similarityTakesParameters() {
        Map<String, Object> inputs =
                Map.of("source_sentence", ClientTask.QUERY, "sentences", List.of(ClientTask.QUERY, ClientTask.LONG));
        JsonNode same = ok(server.post(
                "/similarity",
                RunningServer.json(Map.of("inputs", inputs, "parameters", Map.of("prompt_name", "document")))));
        assertEquals(1, same.get(0).doubleValue(), 1e-6, "the same text read in the same way");
        assertEquals(
                422,
                server.post(
                                "/similarity",
                                RunningServer.json(Map.of("inputs", inputs, "parameters", Map.of("truncate", false))))
                        .statusCode());
    }

    @Test
    void tokensHaveTextsAndPlaces() {
        String text = "a cat🐦 sat";
        JsonNode answer = ok(server.post("/tokenize", RunningServer.json(Map.of("inputs", text))));
        int[] ids = server.encoder().model().tokenize(text, true);
        List<JsonNode> tokens = rows(answer.get(0));
        assertArrayEquals(
                ids,
                tokens.stream().mapToInt(token -> token.get("id").intValue()).toArray());
        int[] codePoints = text.codePoints().toArray();
        int from = 0;
        for (JsonNode token : tokens) {
            assertFalse(token.get("special").booleanValue());
            int start = token.get("start").intValue();
            int stop = token.get("stop").intValue();
            assertTrue(start >= 0 && start <= stop && stop <= codePoints.length, token::toString);
            assertTrue(start <= from && stop >= from, token::toString);
            from = stop;
        }
        assertEquals(codePoints.length, from, "all of the text is covered");
        JsonNode two = ok(server.post("/tokenize", RunningServer.json(Map.of("inputs", List.of(text, "b")))));
        assertEquals(answer.get(0), two.get(0));
        assertEquals(2, two.size());
    }

    @Test
    void idsAreDecoded() {
        List<int[]> ids = TEXTS.stream()
                .map(text -> server.encoder().model().tokenize(text, false))
                .toList();
        List<String> texts =
                ids.stream().map(of -> server.encoder().model().detokenize(of)).toList();
        // The built-in model has lower case only, and a space before the first word.
        assertEquals(" the cat sleeps on the warm roof.", texts.getFirst());
        JsonNode answer = ok(server.post("/decode", RunningServer.json(Map.of("ids", ids))));
        assertEquals(texts, rows(answer).stream().map(JsonNode::textValue).toList());
        assertEquals(
                texts.getFirst(),
                ok(server.post("/decode", RunningServer.json(Map.of("ids", ids.getFirst()))))
                        .get(0)
                        .textValue());
        // The built-in model's token 0 is its end of text.
        assertEquals("", ok(server.post("/decode", "{\"ids\":[0]}")).get(0).textValue());
        assertFalse(ok(server.post("/decode", "{\"ids\":[0],\"skip_special_tokens\":false}"))
                .get(0)
                .textValue()
                .isEmpty());
    }

    @Test
    void modelsAreListed() {
        JsonNode models = ok(server.get("/v1/models"));
        assertEquals("list", models.get("object").textValue());
        assertEquals(
                List.of("nano", "small"),
                rows(models.get("data")).stream()
                        .map(model -> model.get("id").textValue())
                        .toList());
        for (String id : List.of("nano", "small", "nano:query", "small:document")) {
            JsonNode model = ok(server.get("/v1/models/" + id));
            assertEquals(id, model.get("id").textValue());
            assertEquals("model", model.get("object").textValue());
            assertEquals("sgpt4j", model.get("owned_by").textValue());
            assertTrue(model.get("created").longValue() > 1_500_000_000L);
        }
    }

    @Test
    void namesOfModelsMayHaveSlashes() {
        try (RunningServer hub = RunningServer.serving(RunningServer.served("someone/model", List.of(), true, false))) {
            for (String path : List.of("/v1/models/someone/model", "/v1/models/someone%2Fmodel")) {
                assertEquals("someone/model", ok(hub.get(path)).get("id").textValue());
            }
            ok(hub.post("/v1/embeddings", "{\"input\":\"a\",\"model\":\"someone/model:query\"}"));
        }
    }
}
