package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.Expected.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.server.models.ServedModel;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `/openapi.json` against the server: it has the same routes, and real answers of each kind are as it says.
class OpenApiTest {
    private static final String FOUR = "[\"a\",\"b\",\"c\",\"d\"]";
    private static final String LONG = "many words of a long text ".repeat(40);

    private static final List<Document> DOCUMENTS = List.of(
            Document.of("1", "a cat")
                    .withMetadata(
                            Metadata.of(Map.of("year", 2020, "share", 0.5, "free", true, "tags", List.of("a", "b")))),
            new Document("2", Optional.of("bird"), "an animal that flies b c"));

    /// Bodies that a path answers with 200; `%s` stands for an array of texts.
    private static final Map<String, List<String>> BODIES = bodies();

    private static RunningServer server;

    @BeforeAll
    static void start() {
        server = RunningServer.searching(OpenApiTest::options, DOCUMENTS);
    }

    @AfterAll
    static void end() {
        server.close();
    }

    private static ServerOptions options(ServerOptions usual) {
        return usual.withLimits(Limits.DEFAULT.withClientBatchSize(3).withBodyBytes(20_000));
    }

    private static Map<String, List<String>> bodies() {
        String texts = "{\"query\":\"a b\",\"texts\":%s}";
        String documents = "{\"query\":\"a b\",\"documents\":%s}";
        List<String> openAi = List.of(
                "{\"input\":%s}",
                "{\"input\":\"a\",\"model\":\"nano:query\",\"encoding_format\":\"base64\",\"dimensions\":8,\"user\":\"u\"}",
                "{\"input\":[[5,6],[7]],\"input_type\":\"document\",\"truncate\":null,\"normalize\":false}",
                "{\"input\":[5,6],\"task\":\"retrieval.query\"}",
                "{\"input\":\"a\",\"embedding_type\":\"ubinary\",\"encoding_format\":\"base64\"}",
                "{\"input\":\"a\",\"embedding_type\":\"binary\"}",
                "{\"input\":\"" + "long text ".repeat(300) + "\"}");
        List<String> tei = List.of(
                "{\"inputs\":%s}",
                "{\"inputs\":\"a\",\"truncate\":true,\"truncation_direction\":\"left\",\"prompt_name\":\"query\"}",
                "{\"inputs\":[5,6],\"normalize\":true,\"dimensions\":8}",
                "{\"inputs\":\"" + "long text ".repeat(300) + "\"}");
        List<String> reranking = List.of(
                documents,
                "{\"model\":\"small\",\"query\":\"a\",\"documents\":[\"b\",{\"text\":\"c\"}],\"top_n\":1,"
                        + "\"return_documents\":true,\"raw_scores\":true,\"max_tokens_per_doc\":9,\"rank_fields\":[\"text\"]}");
        Map<String, List<String>> bodies = new LinkedHashMap<>();
        bodies.put("/v1/embeddings", openAi);
        bodies.put("/embeddings", openAi);
        List<String> cohere = List.of(
                "{\"texts\":%s}",
                "{\"model\":\"nano\",\"texts\":[\"a\"],\"input_type\":\"search_query\",\"output_dimension\":8,"
                        + "\"embedding_types\":[\"float\",\"base64\",\"binary\",\"ubinary\"],\"truncate\":\"END\"}");
        bodies.put("/v1/embed", cohere);
        bodies.put("/v2/embed", cohere);
        bodies.put("/embed", tei);
        bodies.put("/", tei);
        bodies.put("/invocations", tei);
        bodies.put(
                "/similarity",
                List.of(
                        "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":%s}}",
                        "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":[\"b\"]},\"parameters\":{\"truncate\":true}}"));
        bodies.put(
                "/tokenize",
                List.of("{\"inputs\":%s}", "{\"inputs\":\"a 🐦\",\"add_special_tokens\":false}", "{\"inputs\":\"\"}"));
        bodies.put("/decode", List.of("{\"ids\":[[5],[6,7],[]]}", "{\"ids\":[5,6],\"skip_special_tokens\":false}"));
        bodies.put("/rerank", List.of(texts, "{\"query\":\"a\",\"texts\":[\"b\"],\"return_text\":true}", documents));
        bodies.put("/v1/rerank", reranking);
        bodies.put("/v2/rerank", reranking);
        bodies.put(
                "/search",
                List.of(
                        "{\"query\":\"cat\"}",
                        "{\"query\":\"cat\",\"k\":1,\"mode\":\"words\"}",
                        "{\"query\":\"cat\",\"mode\":\"meaning\",\"rerank\":true,\"model\":\"nano\",\"truncate\":true}",
                        "{\"query\":\"cat\",\"mode\":\"hybrid\",\"rerank\":2}",
                        "{\"query\":\"cat\",\"where\":\"year >= 2020 and not tags = 'c'\"}",
                        "{\"query\":\"nothingofthesort\",\"mode\":\"bm25\",\"rerank\":false}"));
        bodies.put(
                "/explain",
                List.of(
                        "{\"query\":\"a cat\",\"document\":\"a feline\"}",
                        "{\"query\":\"a cat\",\"document\":\"\",\"model\":\"small\"}"));
        return bodies;
    }

    private static OpenApiDocument document() {
        HttpResponse<String> response = server.get("/openapi.json");
        assertEquals(200, response.statusCode());
        assertEquals(
                "application/json",
                response.headers().firstValue("content-type").orElseThrow());
        return new OpenApiDocument(response.body());
    }

    @Test
    void hasTheRoutesOfTheServer() {
        Set<String> routes = server.server().routes().stream()
                .map(route -> route.method() + " " + route.path().replace("*", "{}"))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> documented = document().operations().keySet().stream()
                .map(operation -> operation.replaceAll("\\{[a-z]+}", "{}"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(routes, documented);
    }

    @Test
    void isSound() {
        document().check();
    }

    @Test
    void needsTheKeyWhereItSaysSo() {
        OpenApiDocument document = document();
        try (RunningServer closed = RunningServer.loading(options -> options.withApiKey("k"))) {
            document.operations().forEach((name, operation) -> {
                String[] parts = name.split(" ");
                boolean open =
                        operation.has("security") && operation.get("security").isEmpty();
                HttpRequest.Builder request = closed.request(parts[1].replaceAll("\\{[a-z]+}", "x"))
                        .header("content-type", "application/json")
                        .method(parts[0], BodyPublishers.ofString("{}"));
                assertEquals(open, closed.send(request).statusCode() != 401, name);
            });
        }
    }

    /// Real answers, checked against the document.
    private static final class Answers {
        private final OpenApiDocument document = document();
        /// Operations with the statuses that were seen.
        private final Set<String> seen = new TreeSet<>();

        void check(String operation, HttpResponse<String> response) {
            document.checkAnswer(operation, response);
            seen.add(operation + " " + response.statusCode());
        }

        void get(RunningServer of, String template, String path) {
            check("GET " + template, of.get(path));
        }

        int post(RunningServer of, String path, String body) {
            HttpResponse<String> response = of.post(path, body);
            check("POST " + path, response);
            if (response.statusCode() == 200) {
                document.checkRequest("POST " + path, body);
            }
            return response.statusCode();
        }
    }

    private static String texts(String body) {
        return body.replace("%s", "[\"a\",\"b c\"]");
    }

    private static void succeed(Answers answers) {
        BODIES.forEach((path, bodies) -> {
            for (String body : bodies) {
                assertEquals(200, answers.post(server, path, texts(body)), () -> path + " " + body);
            }
        });
    }

    private static void ask(Answers answers) {
        for (String path : List.of("/health", "/ping", "/metrics", "/info", "/openapi.json", "/v1/models")) {
            answers.get(server, path, path);
        }
        answers.get(server, "/v1/models/{id}", "/v1/models/nano");
        answers.get(server, "/v1/models/{id}", "/v1/models/nothing");
        look(answers);
        try (RunningServer closed = RunningServer.loading(options -> options.withApiKey("k"))) {
            for (String path : List.of("/info", "/openapi.json", "/v1/models")) {
                answers.get(closed, path, path);
            }
            answers.get(closed, "/v1/models/{id}", "/v1/models/nano");
            BODIES.forEach((path, bodies) -> answers.post(closed, path, texts(bodies.getFirst())));
        }
        try (RunningServer loading = RunningServer.loading(options -> options)) {
            for (String path : List.of("/", "/health", "/ping", "/info", "/v1/models")) {
                answers.get(loading, path, path);
            }
            answers.get(loading, "/v1/models/{id}", "/v1/models/nano");
            BODIES.forEach((path, bodies) -> answers.post(loading, path, texts(bodies.getFirst())));
        }
    }

    private static void look(Answers answers) {
        answers.get(server, "/", "/");
        HttpResponse<String> page = server.send(server.request("/").header("accept", "text/html"));
        answers.check("GET /", page);
        String tag = page.headers().firstValue("etag").orElseThrow();
        answers.check(
                "GET /",
                server.send(server.request("/").header("accept", "text/html").header("if-none-match", tag)));
        for (String file : List.of("page.js", "style.css", "icon.svg", "nothing.js")) {
            answers.get(server, "/page/{file}", "/page/" + file);
        }
        String script = server.get("/page/page.js").headers().firstValue("etag").orElseThrow();
        answers.check(
                "GET /page/{file}", server.send(server.request("/page/page.js").header("if-none-match", script)));
    }

    private static void askWrongly(Answers answers) {
        BODIES.forEach((path, bodies) -> {
            String body = bodies.getFirst();
            String usual = texts(body);
            answers.post(server, path, "{");
            answers.post(server, path, "{\"a\":1}");
            answers.post(server, path, usual.replace("[", "[{},"));
            answers.post(server, path, body.replace("%s", "[]").replaceAll("\\[\\[.*", "[]}"));
            answers.post(server, path, body.replace("%s", FOUR).replace("[[5]", "[[5],[5],[5]"));
            answers.post(
                    server,
                    path,
                    body.replace("%s", "[\"%s\"]".formatted("a".repeat(20_000))).replace("6", "6".repeat(20_000)));
            answers.post(server, path, usual.replace("{\"", "{\"model\":\"nothing\",\""));
            answers.post(server, path, body.replace("%s", "[[9999999]]").replace("6", "9999999"));
            String tooLong = body.replace("%s", "[\"%s\"]".formatted(LONG.repeat(3)));
            answers.post(server, path, tooLong.replaceFirst("\\{", "{\"truncate\":false,"));
            answers.check("POST " + path, server.send(server.request(path).POST(BodyPublishers.ofString(usual))));
        });
        answers.post(server, "/rerank", "{\"query\":\"a\",\"documents\":[\"b\"],\"top_n\":-1}");
        String large = "{\"query\":\"%s\",\"document\":\"\"}".formatted("a".repeat(20_000));
        answers.post(server, "/search", large);
        answers.post(server, "/explain", large);
        try (RunningServer without = RunningServer.serving(RunningServer.served("m", List.of(), true, false))) {
            answers.post(without, "/search", "{\"query\":\"a\"}");
            answers.post(without, "/explain", "{\"query\":\"a\",\"document\":\"b\"}");
        }
    }

    private static void overload(Answers answers) {
        try (Overload overload = Overload.lasting(options -> options)) {
            BODIES.forEach((path, bodies) -> answers.post(overload.server(), path, texts(bodies.getFirst())));
        }
    }

    private static void runOutOfTime(Answers answers) {
        UnaryOperator<ServerOptions> hasty =
                options -> options.withLimits(Limits.DEFAULT.withRequestTimeout(Duration.ofMillis(1)));
        String many = RunningServer.json(java.util.Collections.nCopies(48, LONG));
        List<Document> documents = List.of(Document.of("1", "cat " + LONG));
        try (RunningServer slow = RunningServer.searching(hasty, documents)) {
            answers.post(slow, "/search", "{\"query\":\"cat %s\",\"rerank\":1}".formatted(LONG));
            answers.post(slow, "/explain", "{\"query\":\"cat %s\",\"document\":\"%s\"}".formatted(LONG, LONG));
            BODIES.forEach((path, bodies) -> {
                if (bodies.getFirst().contains("%s") && !path.equals("/tokenize")) {
                    answers.post(slow, path, bodies.getFirst().replace("%s", many));
                }
            });
        }
    }

    private static void fail(Answers answers, Path directory) throws java.io.IOException {
        Path broken = BrokenModel.in(directory.resolve("model"));
        ServedModel model = RunningServer.served(broken, "nano", List.of(), true, true);
        try (RunningServer failing = RunningServer.searching(RunningServer::silent, DOCUMENTS, model)) {
            BODIES.forEach((path, bodies) -> bodies.stream()
                    .filter(body -> body.contains("%s") || path.equals("/search") || path.equals("/explain"))
                    .forEach(body -> answers.post(failing, path, texts(body))));
        }
        try (RunningServer failing = RunningServer.serving(
                RunningServer::silent, RunningServer.served(broken, "m", List.of(), false, true))) {
            for (String path : List.of("/", "/invocations")) {
                for (String body : BODIES.get("/rerank")) {
                    answers.post(failing, path, texts(body));
                }
            }
        }
    }

    private static void rankOnly(Answers answers) {
        try (RunningServer ranker = RunningServer.serving(RunningServer.served("m", List.of(), false, true))) {
            answers.get(ranker, "/info", "/info");
            for (String path : List.of("/", "/invocations")) {
                for (String body : BODIES.get("/rerank")) {
                    assertEquals(200, answers.post(ranker, path, texts(body)));
                }
            }
            answers.post(ranker, "/embed", "{\"inputs\":\"a\"}");
            answers.post(ranker, "/v1/embeddings", "{\"input\":\"a\"}");
        }
    }

    @Test
    void describesRealAnswers(@TempDir Path directory) throws java.io.IOException {
        Answers answers = new Answers();
        succeed(answers);
        ask(answers);
        askWrongly(answers);
        overload(answers);
        runOutOfTime(answers);
        fail(answers, directory);
        rankOnly(answers);
        Set<String> unseen = new TreeSet<>();
        answers.document
                .operations()
                .forEach((name, operation) -> operation
                        .get("responses")
                        .fieldNames()
                        .forEachRemaining(status -> unseen.add(name + " " + status)));
        unseen.removeAll(answers.seen);
        assertEquals(Set.of(), unseen, "documented, but no request of this test gets it");
    }

    /// The checks above are able to fail.
    @Test
    void refusesOtherAnswers() {
        OpenApiDocument document = document();
        List<String> wrong = new ArrayList<>();
        for (String answer : List.of("[]", "[[]]", "[[\"a\"]]", "{\"a\":1}", "[[1,2],null]")) {
            if (document.errors("POST", "/embed", 200, answer).isEmpty()) {
                wrong.add(answer);
            }
        }
        assertEquals(List.of(), wrong);
        assertEquals(List.of(), document.errors("POST", "/embed", 200, "[[1,2.5]]"));
        JsonNode embeddings = document.operations().get("POST /v1/embeddings");
        assertTrue(rows(embeddings.get("tags")).stream()
                .anyMatch(tag -> tag.textValue().equals("OpenAI")));
        assertFalse(document.errors("POST", "/v1/embeddings", 400, "{\"error\":\"a\",\"error_type\":\"Empty\"}")
                .isEmpty());
    }
}
