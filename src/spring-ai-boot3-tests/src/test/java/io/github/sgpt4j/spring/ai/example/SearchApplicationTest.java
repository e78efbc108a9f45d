package io.github.sgpt4j.spring.ai.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import example.SearchApplication;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/// The example, started and used over HTTP.
class SearchApplicationTest {
    private static final String DOCUMENTS = """
            [
              {"id": "arachnophobia", "text": "a morbid fear of spiders", "metadata": {"kind": "fear"}},
              {"id": "bakery", "text": "a place where bread is made", "metadata": {"kind": "place"}},
              {"id": "zoo", "text": "a place where wild animals are kept", "metadata": {"kind": "place"}}
            ]
            """;
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder;

    private static ConfigurableApplicationContext application;
    private static HttpClient client;

    @BeforeAll
    static void start() throws Exception {
        application = SpringApplication.run(
                SearchApplication.class,
                "--server.port=0",
                "--spring.ai.sgpt4j.vectorstore.path=" + folder.resolve("index"));
        client = HttpClient.newHttpClient();
        HttpRequest add = HttpRequest.newBuilder(uri("/documents"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(DOCUMENTS))
                .build();
        assertEquals(200, client.send(add, HttpResponse.BodyHandlers.ofString()).statusCode());
    }

    @AfterAll
    static void stop() {
        client.close();
        application.close();
    }

    private static URI uri(String path) {
        return URI.create("http://localhost:" + application.getEnvironment().getProperty("local.server.port") + path);
    }

    private static JsonNode get(String path) throws Exception {
        HttpResponse<String> answer =
                client.send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer::body);
        return JSON.readTree(answer.body());
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    @Test
    void documentsAreFoundByMeaning() throws Exception {
        JsonNode found = get("/search?query=" + encoded("spiders"));
        assertEquals(3, found.size());
        assertEquals("arachnophobia", found.get(0).get("id").asText());
        assertTrue(found.get(0).get("score").asDouble() < 0, "a cross-encoder's score");
    }

    @Test
    void filtersApply() throws Exception {
        JsonNode found = get("/search?query=" + encoded("bread") + "&filter=" + encoded("kind == 'place'"));
        assertEquals(2, found.size());
        assertEquals("bakery", found.get(0).get("id").asText());
    }

    @Test
    void mistakesAreAnsweredWith400() throws Exception {
        for (String filter : List.of("kind = 'place'", "kind == ", "active > true")) {
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(uri("/search?query=bread&filter=" + encoded(filter)))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertEquals(400, answer.statusCode(), answer::body);
            assertFalse(JSON.readTree(answer.body()).path("detail").asText().isBlank(), answer::body);
        }
        HttpRequest list = HttpRequest.newBuilder(uri("/documents"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(
                        "[{\"id\": \"x\", \"text\": \"text\", \"metadata\": {\"place\": {\"town\": \"a\"}}}]"))
                .build();
        HttpResponse<String> answer = client.send(list, HttpResponse.BodyHandlers.ofString());
        assertEquals(400, answer.statusCode(), answer::body);
        assertTrue(
                JSON.readTree(answer.body())
                        .path("detail")
                        .asText()
                        .startsWith("document x: metadata \"place\": expected"),
                answer::body);
    }

    @Test
    void healthIsReported() throws Exception {
        JsonNode health = get("/actuator/health").path("components").path("sgpt4j");
        assertEquals("UP", health.path("status").asText());
        assertEquals(3, health.path("details").path("documents").asInt());
        assertEquals("cpu", health.path("details").path("device").asText());
    }

    /// The example's own pom is not part of the build, so that it can stand alone.
    @Test
    void itsPomNamesTheVersionsThatAreTestedHere() throws IOException {
        Path root = Path.of("..", "..");
        String example = Files.readString(root.resolve("src/examples/spring-boot/pom.xml"));
        String parent = Files.readString(root.resolve("pom.xml"));
        assertEquals(value(parent, "spring.ai2.version"), value(example, "spring-ai.version"));
        assertEquals(value(parent, "jdk.release"), value(example, "java.version"));
        assertTrue(example.contains("<version>%s</version>".formatted(value(parent, "spring.boot4.version"))));
        assertEquals(value(parent, "version"), value(example, "sgpt4j.version"));
    }

    private static String value(String pom, String element) {
        Matcher matcher = Pattern.compile("<%1$s>([^<]+)</%1$s>".formatted(Pattern.quote(element)))
                .matcher(pom);
        assertTrue(matcher.find(), element);
        return matcher.group(1);
    }
}
