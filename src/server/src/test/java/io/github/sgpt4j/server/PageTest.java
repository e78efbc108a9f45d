package io.github.sgpt4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.retrieval.MemoryIndex;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.server.search.MemoryCollection;
import io.github.sgpt4j.server.search.SearchCollection;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The page in a browser (`src/test/page`). Pictures of each view are left in `target/page`.
class PageTest {
    private static final Duration LIMIT = Duration.ofMinutes(4);
    private static final Path PICTURES = Path.of("target", "page").toAbsolutePath();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String KEY = "correct horse";
    private static final List<Document> HOSTILE = List.of(
            new Document(
                            "<i>hostile</i>",
                            Optional.of("<img src=x onerror=\"window.struck='title'\"> zyxwv"),
                            "<script>window.struck='text'</script><svg onload=\"window.struck='svg'\"> zyxwv"
                                    + " <a href=\"javascript:window.struck='link'\">link</a> {{7*7}} &lt;b&gt;")
                    .withMetadata(Metadata.of(
                            Map.of("<i>tags</i>", List.of("<img src=x onerror=\"window.struck='metadata'\">", "b")))),
            Document.of("untitled", "zyxwv without a title"));

    private static NodeProject project;
    private static String browser;
    private static List<Document> documents;
    private static float[][] vectors = new float[0][];

    @BeforeAll
    static void prepare() throws IOException {
        project = NodeProject.of("page");
        Optional<String> found = browser();
        if (found.isEmpty()) {
            NodeProject.missing("needs Chromium on the PATH (Debian: apt-get install chromium), found none");
        }
        browser = found.orElseThrow();
        Files.createDirectories(PICTURES);
        documents = DemoServer.documents(Integer.MAX_VALUE);
        documents.addAll(HOSTILE);
    }

    @AfterAll
    static void forget() {
        vectors = new float[0][];
    }

    private static Optional<String> browser() {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Stream.of("chromium", "chromium-browser", "google-chrome")
                .flatMap(name -> Arrays.stream(path.split(File.pathSeparator)).map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst();
    }

    private static Optional<SearchCollection> demo(BiEncoder encoder) {
        if (vectors.length == 0) {
            vectors = DemoServer.vectors(encoder, documents);
        }
        return Optional.of(MemoryCollection.of("demo corpus", documents, vectors, encoder));
    }

    private static JsonNode run(String script, Map<String, String> task) throws IOException {
        Map<String, String> all = new LinkedHashMap<>(task);
        all.put("browser", browser);
        all.put("pictures", PICTURES.toString());
        return JSON.readTree(project.run(LIMIT, Map.of(), script, JSON.writeValueAsString(all)));
    }

    @Test
    void showsWhatTheEngineFinds() throws IOException {
        try (DemoServer server = new DemoServer(ServerOptions.DEFAULT, DemoServer.Use.BOTH, PageTest::demo);
                MemoryIndex index =
                        new MemoryIndex(server.encoder.dimension(), server.encoder.similarity(), documents, vectors)) {
            JsonNode seen = run("search.js", Map.of("url", server.uri("/").toString()));
            String query = seen.path("query").asText();
            float[] vector = server.encoder.embedQueries(List.of(query))[0];
            Map<String, SearchMode> columns =
                    Map.of("words", SearchMode.BM25, "meaning", SearchMode.DENSE, "both", SearchMode.HYBRID);
            for (Map.Entry<String, SearchMode> column : columns.entrySet()) {
                List<String> expected =
                        index.search(query, vector, SearchOptions.DEFAULT.withMode(column.getValue())).stream()
                                .map(hit -> hit.document().id())
                                .toList();
                assertEquals(expected, texts(seen.path("columns").path(column.getKey())), column.getKey());
            }
            assertEquals(10, seen.path("columns").path("reranked").size());
            assertHeat(seen.path("heat"), server.encoder);
        }
    }

    private static List<String> texts(JsonNode array) {
        return JSON.convertValue(array, JSON.getTypeFactory().constructCollectionType(List.class, String.class));
    }

    /// The table of similarities shows what the engine computes, to its two digits.
    private static void assertHeat(JsonNode heat, BiEncoder encoder) {
        List<String> rows = texts(heat.path("rows"));
        List<String> columns = texts(heat.path("columns"));
        assertTrue(rows.size() > 1 && columns.size() > 1);
        float[][] expected = encoder.similarity().matrix(encoder.embed(rows), encoder.embed(columns));
        for (int i = 0; i < rows.size(); i++) {
            for (int j = 0; j < columns.size(); j++) {
                assertEquals(expected[i][j], heat.path("values").get(i).get(j).asDouble(), 0.00501, rows.get(i));
            }
        }
    }

    @Test
    void asksForTheKeyAndKeepsItForTheTab() throws IOException {
        try (DemoServer server =
                new DemoServer(ServerOptions.DEFAULT.withApiKey(KEY), DemoServer.Use.BOTH, PageTest::demo)) {
            run("key.js", Map.of("url", server.uri("/").toString(), "key", KEY));
        }
    }

    @Test
    void saysWhatTheServerCannotDo() throws IOException {
        try (DemoServer ranking =
                        new DemoServer(ServerOptions.DEFAULT, DemoServer.Use.RANKING, encoder -> Optional.empty());
                DemoServer embedding =
                        new DemoServer(ServerOptions.DEFAULT, DemoServer.Use.EMBEDDING, PageTest::demo)) {
            run(
                    "limits.js",
                    Map.of(
                            "ranking", ranking.uri("/").toString(),
                            "embedding", embedding.uri("/").toString()));
        }
    }
}
