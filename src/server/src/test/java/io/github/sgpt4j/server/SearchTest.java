package io.github.sgpt4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.MemoryIndex;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.search.IndexCollection;
import io.github.sgpt4j.server.search.MemoryCollection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `POST /search` with the built-in model.
class SearchTest {
    private static final String HOSTILE = "<script>alert(1)</script> \"quoted\" \u0007 \ud83d\ude00 owls";

    private static List<Document> documents;
    private static float[][] vectors;
    private static DemoServer server;
    private static MemoryIndex index;

    @BeforeAll
    static void start() throws IOException {
        documents = DemoServer.documents(400);
        documents.add(new Document("hostile \"id\"", Optional.of("<b>title</b>"), HOSTILE));
        for (int i = 0; i < documents.size() - 1; i++) {
            documents.set(i, documents.get(i).withMetadata(metadata(i)));
        }
        server = new DemoServer(ServerOptions.DEFAULT, DemoServer.Use.BOTH, encoder -> {
            vectors = DemoServer.vectors(encoder, documents);
            return Optional.of(MemoryCollection.of("some words", documents, vectors, encoder));
        });
        index = new MemoryIndex(server.encoder.dimension(), server.encoder.similarity(), documents, vectors);
    }

    private static Metadata metadata(int i) {
        return Metadata.of(Map.of(
                "number",
                i,
                "large",
                (1L << 53) + 1,
                "part",
                1.0,
                "tags",
                List.of("all", i % 2 == 0 ? "even" : "odd")));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        index.close();
    }

    @ParameterizedTest
    @CsvSource({
        "words,BM25,words",
        "bm25,BM25,words",
        "meaning,DENSE,meaning",
        "dense,DENSE,meaning",
        "both,HYBRID,both",
        "hybrid,HYBRID,both"
    })
    void findsWhatTheIndexFinds(String mode, SearchMode means, String called) throws Exception {
        String query = "feeling fear of something";
        DemoServer.Answer answer =
                server.post("/search", "{\"query\":\"%s\",\"k\":7,\"mode\":\"%s\"}".formatted(query, mode));
        assertEquals(200, answer.status(), answer.body().toString());
        assertEquals(query, answer.body().path("query").asText());
        assertEquals(called, answer.body().path("mode").asText());
        List<Hit> expected = index.search(
                query,
                server.encoder.embedQueries(List.of(query))[0],
                SearchOptions.DEFAULT.withMode(means).withLimit(7));
        JsonNode results = answer.body().path("results");
        assertEquals(expected.size(), results.size());
        assertFalse(expected.isEmpty());
        for (int i = 0; i < results.size(); i++) {
            Hit hit = expected.get(i);
            JsonNode result = results.get(i);
            assertEquals(hit.document().id(), result.path("id").asText());
            assertEquals(
                    hit.document().title().orElseThrow(), result.path("title").asText());
            assertEquals(hit.document().text(), result.path("text").asText());
            assertEquals(hit.score(), result.path("score").floatValue());
            assertEquals(hit.similarity(), number(result, "similarity"));
            assertEquals(hit.bm25(), number(result, "bm25"));
            assertFalse(result.has("rerank_score"));
            assertFalse(result.has("relevance_score"));
        }
        long tokens = answer.body().path("usage").path("total_tokens").asLong();
        assertEquals(means != SearchMode.BM25, tokens > 0);
        assertEquals(String.valueOf(tokens), header(answer, "x-compute-tokens"));
        assertTrue(answer.body().path("took_ms").asDouble() >= 0);
    }

    private static Optional<Float> number(JsonNode result, String field) {
        return result.has(field) ? Optional.of(result.path(field).floatValue()) : Optional.empty();
    }

    private static String header(DemoServer.Answer answer, String name) {
        return answer.response().headers().firstValue(name).orElse("none");
    }

    @Test
    void searchesByBothAndForTenUnlessTold() throws Exception {
        JsonNode body = server.post("/search", "{\"query\":\"a feeling\",\"mode\":null,\"unknown\":[1]}")
                .body();
        assertEquals("both", body.path("mode").asText());
        assertEquals(10, body.path("results").size());
    }

    @Test
    void reordersByTheCrossEncodersScores() throws Exception {
        String query = "able to do something";
        JsonNode before = server.post("/search", "{\"query\":\"%s\",\"k\":12}".formatted(query))
                .body()
                .path("results");
        JsonNode after = server.post("/search", "{\"query\":\"%s\",\"k\":12,\"rerank\":9}".formatted(query))
                .body()
                .path("results");
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            texts.add(joined(before.get(i)));
        }
        List<CrossEncoder.Ranked> ranked = server.scorer.rank(query, texts);
        List<CrossEncoder.Score> scores = server.scorer.score(query, texts);
        for (int i = 0; i < 9; i++) {
            CrossEncoder.Ranked expected = ranked.get(i);
            JsonNode result = after.get(i);
            assertEquals(before.get(expected.index()).path("id"), result.path("id"));
            assertEquals(before.get(expected.index()).path("score"), result.path("score"));
            assertEquals(expected.score(), result.path("rerank_score").floatValue());
            CrossEncoder.Score score = scores.get(expected.index());
            assertEquals(
                    Math.exp((double) score.value() / score.tokens()),
                    result.path("relevance_score").doubleValue(),
                    1e-12);
        }
        for (int i = 9; i < 12; i++) {
            assertEquals(before.get(i), after.get(i));
        }
    }

    private static String joined(JsonNode result) {
        return new Document(
                        "",
                        Optional.of(result.path("title").asText()),
                        result.path("text").asText())
                .joined();
    }

    @Test
    void reranksMoreThanItReturns() throws Exception {
        String few = "{\"query\":\"able\",\"k\":3,\"rerank\":30}";
        String many = "{\"query\":\"able\",\"k\":30,\"rerank\":30}";
        JsonNode three = server.post("/search", few).body().path("results");
        JsonNode thirty = server.post("/search", many).body().path("results");
        assertEquals(3, three.size());
        assertEquals(30, thirty.size());
        for (int i = 0; i < 3; i++) {
            assertEquals(thirty.get(i), three.get(i));
        }
        List<Float> scores = new ArrayList<>();
        thirty.forEach(result -> scores.add(result.path("rerank_score").floatValue()));
        assertEquals(scores.stream().sorted(Comparator.reverseOrder()).toList(), scores);
        assertFalse(server.post("/search", "{\"query\":\"able\",\"rerank\":false}")
                .body()
                .path("results")
                .get(0)
                .has("rerank_score"));
        assertTrue(server.post("/search", "{\"query\":\"able\",\"rerank\":true}")
                .body()
                .path("results")
                .get(0)
                .has("rerank_score"));
    }

    @Test
    void textsComeBackAsTheyAre() throws Exception {
        JsonNode first = server.post("/search", "{\"query\":\"owls quoted script\",\"mode\":\"words\"}")
                .body()
                .path("results")
                .get(0);
        assertEquals("hostile \"id\"", first.path("id").asText());
        assertEquals("<b>title</b>", first.path("title").asText());
        assertEquals(HOSTILE, first.path("text").asText());
    }

    @ParameterizedTest
    @ValueSource(strings = {"words", "meaning", "both"})
    void findsOnlyWhatTheFilterAccepts(String mode) throws Exception {
        String body = "{\"query\":\"able to do something\",\"mode\":\"%s\",\"k\":1000,\"rerank\":%d,\"where\":\"%s\"}";
        Set<Integer> all = new HashSet<>();
        for (int rerank : new int[] {0, 3}) {
            DemoServer.Answer answer =
                    server.post("/search", body.formatted(mode, rerank, "number < 40 and tags = \\\"even\\\""));
            assertEquals(200, answer.status(), answer.body().toString());
            List<Integer> numbers = new ArrayList<>();
            answer.body()
                    .path("results")
                    .forEach(hit ->
                            numbers.add(hit.path("metadata").path("number").asInt(-1)));
            assertFalse(numbers.isEmpty());
            assertTrue(numbers.stream().allMatch(i -> i >= 0 && i < 40 && i % 2 == 0), numbers::toString);
            all.addAll(numbers);
        }
        assertTrue(mode.equals("words") ? all.size() < 20 : all.size() == 20, all::toString);
        JsonNode none =
                server.post("/search", body.formatted(mode, 3, "number < 0")).body();
        assertEquals(0, none.path("results").size());
        JsonNode without = server.post(
                        "/search", body.formatted(mode, 0, "not number >= 0").replace("able", "owls"))
                .body();
        assertEquals(1, without.path("results").size());
        assertFalse(without.path("results").get(0).has("metadata"));
    }

    @Test
    void warnsOfFiltersThatFitNoDocument() throws Exception {
        String body = "{\"query\":\"able\",\"mode\":\"words\",\"where\":\"%s\"}";
        JsonNode mistaken = server.post("/search", body.formatted("number = '7' or nubmer = 7"))
                .body();
        assertEquals(0, mistaken.path("results").size());
        assertEquals(2, mistaken.path("warnings").size(), mistaken.toString());
        assertEquals(
                "no document has metadata named \"nubmer\"",
                mistaken.path("warnings").get(0).asText());
        assertEquals(
                "metadata \"number\": expected a number, as documents have, got a string in the filter;"
                        + " numbers stand without quotes",
                mistaken.path("warnings").get(1).asText());
        assertFalse(server.post("/search", body.formatted("number = -1")).body().has("warnings"));
        assertFalse(server.post("/search", "{\"query\":\"able\"}").body().has("warnings"));
    }

    @Test
    void metadataComeBackExactly() throws Exception {
        String answer = server.post(
                        "/search", "{\"query\":\"a\",\"mode\":\"meaning\",\"k\":1,\"where\":\"number = 7\"}")
                .response()
                .body();
        String expected = "\"metadata\":" + documents.get(7).metadata().toJson() + ",\"score\":";
        assertTrue(answer.contains(expected), answer);
        assertTrue(expected.contains("\"large\":9007199254740993") && expected.contains("\"part\":1.0"), expected);
    }

    @Test
    void whatIsNoFilterIsToldInTheParsersWords() throws Exception {
        String message = assertThrows(IllegalArgumentException.class, () -> Filter.parse("year => 2020"))
                .getMessage();
        DemoServer.Answer answer = server.post("/search", "{\"query\":\"a\",\"where\":\"year => 2020\"}");
        assertEquals(400, answer.status());
        assertEquals("where: " + message, answer.body().path("message").asText());
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        Map<String, String> bodies = Map.ofEntries(
                Map.entry("{}", "query invalid_value"),
                Map.entry("{\"query\":3}", "query invalid_value"),
                Map.entry("{\"query\":\"\"}", "query empty_input"),
                Map.entry("{\"query\":\"a\",\"k\":0}", "k invalid_value"),
                Map.entry("{\"query\":\"a\",\"k\":1001}", "k invalid_value"),
                Map.entry("{\"query\":\"a\",\"k\":1.5}", "k invalid_value"),
                Map.entry("{\"query\":\"a\",\"mode\":\"x\"}", "mode invalid_value"),
                Map.entry("{\"query\":\"a\",\"where\":\"\"}", "where invalid_value"),
                Map.entry("{\"query\":\"a\",\"where\":\"year >\"}", "where invalid_value"),
                Map.entry("{\"query\":\"a\",\"where\":{\"year\":1}}", "where invalid_value"),
                Map.entry("{\"query\":\"a\",\"where\":null}", "none"),
                Map.entry("{\"query\":\"a\",\"where\":\"a=1%s\"}".formatted(" ".repeat(65534)), "where input_too_long"),
                Map.entry("{\"query\":\"a\",\"rerank\":-1}", "rerank invalid_value"),
                Map.entry("{\"query\":\"a\",\"rerank\":1001}", "rerank invalid_value"),
                Map.entry("{\"query\":\"a\",\"rerank\":\"5\"}", "rerank invalid_value"),
                Map.entry("{\"query\":\"a\",\"truncate\":false,\"mode\":\"meaning\"}", "none"),
                Map.entry(
                        "{\"query\":\"%s\",\"truncate\":false,\"mode\":\"meaning\"}".formatted("long ".repeat(400)),
                        "query input_too_long"));
        for (Map.Entry<String, String> body : bodies.entrySet()) {
            DemoServer.Answer answer = server.post("/search", body.getKey());
            JsonNode error = answer.body().path("error");
            String got = answer.status() == 200
                    ? "none"
                    : error.path("param").asText() + " " + error.path("code").asText();
            assertEquals(body.getValue(), got, body.getKey() + " " + answer.body());
            assertEquals(body.getValue().equals("none") ? 200 : 400, answer.status());
        }
        DemoServer.Answer unknown = server.post("/search", "{\"query\":\"a\",\"rerank\":2,\"model\":\"other\"}");
        assertEquals(404, unknown.status());
        assertEquals(
                "model_not_found", unknown.body().path("error").path("code").asText());
    }

    @Test
    void aServerWithoutDocumentsSaysSo() throws Exception {
        try (DemoServer without =
                new DemoServer(ServerOptions.DEFAULT, DemoServer.Use.BOTH, encoder -> Optional.empty())) {
            DemoServer.Answer answer = without.post("/search", "{\"query\":\"a\"}");
            assertEquals(404, answer.status());
            assertEquals("not_found", answer.body().path("error").path("code").asText());
            assertTrue(
                    answer.body().path("message").asText().contains("no documents"),
                    answer.body().toString());
            assertFalse(without.get("/info").body().has("collection"));
        }
    }

    @Test
    void queriesHaveALimit() throws Exception {
        String body = "{\"query\":\"%s\",\"mode\":\"words\",\"k\":1}";
        assertEquals(
                200,
                server.post("/search", body.formatted("ab ".repeat(21845) + "a"))
                        .status());
        DemoServer.Answer refused = server.post("/search", body.formatted("a".repeat(65537)));
        assertEquals(400, refused.status());
        assertEquals("input_too_long", refused.body().path("error").path("code").asText());
        assertEquals(
                "query has 65537 characters, a search takes at most 65536",
                refused.body().path("message").asText());
    }

    @Test
    void documentsThatAreBeingPreparedAreWaitedFor() throws Exception {
        String body = "{\"query\":\"fear\",\"mode\":\"words\"}";
        try (RunningServer preparing = RunningServer.loading(options -> options)) {
            preparing.server().awaitDocuments();
            ServedModel served = RunningServer.served("nano", List.of(), true, true);
            preparing.server().serve(new ServedModels(List.of(served)));
            HttpResponse<String> early = preparing.post("/search", body);
            assertEquals(503, early.statusCode());
            assertEquals("1", early.headers().firstValue("retry-after").orElseThrow());
            assertTrue(early.body().contains("the documents are being prepared"), early.body());
            assertTrue(preparing.get("/info").body().contains("\"collection_pending\":true"));
            preparing
                    .server()
                    .search(MemoryCollection.of(
                            "some words", documents, vectors, served.encoder().orElseThrow()));
            assertEquals(200, preparing.post("/search", body).statusCode());
            assertFalse(preparing.get("/info").body().contains("collection_pending"));
        }
        try (RunningServer without = RunningServer.loading(options -> options)) {
            without.server().awaitDocuments();
            without.server().serve(new ServedModels(List.of(RunningServer.served("nano", List.of(), true, true))));
            assertEquals(503, without.post("/search", body).statusCode());
            without.server().searchNothing();
            assertEquals(404, without.post("/search", body).statusCode());
            assertFalse(without.get("/info").body().contains("collection_pending"));
        }
    }

    @Test
    void tellsWhatItSearches() throws Exception {
        JsonNode info = server.get("/info").body();
        assertEquals(
                "{\"name\":\"some words\",\"documents\":401,\"modes\":[\"words\",\"meaning\",\"both\"]}",
                info.path("collection").toString());
        assertEquals(
                "[\"embed\",\"rerank\",\"search\"]", info.path("capabilities").toString());
    }

    @Test
    void searchesAnIndexOnDiskWithAndWithoutAModel(@TempDir Path folder) throws Exception {
        Path path = folder.resolve("shelf");
        try (SemanticIndex disk = SemanticIndex.open(path, server.encoder)) {
            disk.add(documents, vectors);
            disk.commit();
        }
        String query = "feeling fear of something";
        String body = "{\"query\":\"%s\",\"mode\":\"%s\",\"rerank\":5}";
        try (DemoServer with = new DemoServer(
                        ServerOptions.DEFAULT,
                        DemoServer.Use.BOTH,
                        encoder -> Optional.of(open(path, Optional.of(encoder))));
                DemoServer without = new DemoServer(
                        ServerOptions.DEFAULT,
                        DemoServer.Use.RANKING,
                        encoder -> Optional.of(open(path, Optional.empty())))) {
            for (String mode : List.of("words", "both", "meaning")) {
                JsonNode expected =
                        server.post("/search", body.formatted(query, mode)).body();
                assertEquals(
                        expected.path("results"),
                        with.post("/search", body.formatted(query, mode)).body().path("results"),
                        mode);
            }
            DemoServer.Answer words = without.post("/search", "{\"query\":\"%s\",\"rerank\":5}".formatted(query));
            assertEquals("words", words.body().path("mode").asText());
            assertEquals(
                    server.post("/search", body.formatted(query, "words"))
                            .body()
                            .path("results"),
                    words.body().path("results"));
            DemoServer.Answer refused = without.post("/search", body.formatted(query, "both"));
            assertEquals(400, refused.status());
            assertEquals("model_type", refused.body().path("error").path("code").asText());
            assertEquals(
                    "{\"name\":\"shelf\",\"documents\":401,\"modes\":[\"words\"]}",
                    without.get("/info").body().path("collection").toString());
        }
    }

    private static IndexCollection open(Path path, Optional<BiEncoder> encoder) {
        try {
            return IndexCollection.open(path, encoder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
