package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.BiEncoder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `sgpt serve` in a process of its own.
class ServeCommandTest {
    private static final Pattern READY = Pattern.compile("ready in .* s: (http://[^,]+), (.*)");
    private static final long MAX_SECONDS = 120;

    @TempDir
    Path folder;

    /// A server in another process; killed when it is closed.
    private final class Serving implements AutoCloseable {
        private final Process process;
        private final HttpClient client = HttpClient.newHttpClient();
        private final String address;
        final String described;

        Serving(Map<String, String> environment, String... options) throws IOException, InterruptedException {
            List<String> command = ChildCommand.java(Main.class, "-Xmx512m");
            command.addAll(List.of("serve", "--port", "0", "--device", "cpu"));
            command.addAll(List.of(options));
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectError(folder.resolve("serve.err").toFile())
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD);
            builder.environment().putAll(environment);
            process = builder.start();
            Matcher ready = awaitReady();
            address = ready.group(1);
            described = ready.group(2);
        }

        private Matcher awaitReady() throws IOException, InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(MAX_SECONDS);
            Matcher ready = READY.matcher(said());
            while (!ready.find()) {
                assertTrue(process.isAlive() && System.nanoTime() < end, "it is not ready: " + said());
                Thread.sleep(20);
                ready = READY.matcher(said());
            }
            return ready;
        }

        String said() throws IOException {
            return Files.readString(folder.resolve("serve.err"), StandardCharsets.UTF_8);
        }

        HttpResponse<String> post(String path, String body, String... headers)
                throws IOException, InterruptedException {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address + path))
                    .timeout(Duration.ofSeconds(MAX_SECONDS))
                    .header("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(body));
            if (headers.length > 0) {
                request.headers(headers);
            }
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }

        /// The status of `/health`, asked for under a name.
        int health(String host) throws IOException {
            URI uri = URI.create(address);
            try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
                socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(MAX_SECONDS));
                socket.getOutputStream()
                        .write("GET /health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
                                .formatted(host)
                                .getBytes(StandardCharsets.US_ASCII));
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
                return Integer.parseInt(answer.split(" ")[1]);
            }
        }

        JsonNode answer(String path, String body) throws IOException, InterruptedException {
            HttpResponse<String> response = post(path, body);
            assertEquals(200, response.statusCode(), response.body());
            return Cli.parse(response.body());
        }

        int end() throws InterruptedException {
            process.destroy();
            assertTrue(process.waitFor(MAX_SECONDS, TimeUnit.SECONDS), "it does not end");
            return process.exitValue();
        }

        @Override
        public void close() {
            client.shutdownNow();
            process.destroyForcibly();
        }
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "has no SIGTERM")
    void answersAsTheEngineUnderAllNamesAndEndsWhenAsked() throws IOException, InterruptedException {
        String name = "gptneo-be";
        try (Serving serving = new Serving(
                Map.of(),
                "-m",
                Cli.model(name),
                "-m",
                Cli.model("bloom-be"),
                "--alias",
                "first",
                "--alias",
                "b=bloom-be")) {
            assertTrue(serving.described.startsWith("gptneo-be on cpu ("), serving.described);
            try (BiEncoder encoder = BiEncoder.open(Path.of(Cli.model(name)))) {
                JsonNode expected = Cli.array(unit(encoder.embedQuery("fear of spiders")));
                for (String model : List.of("gptneo-be", "first")) {
                    JsonNode answer = serving.answer(
                            "/v1/embeddings",
                            "{\"model\":\"%s:query\",\"input\":\"fear of spiders\"}".formatted(model));
                    Cli.assertClose(expected, answer.get("data").get(0).get("embedding"), model);
                }
            }
            assertEquals(
                    "b",
                    serving.answer("/v1/embeddings", "{\"model\":\"b\",\"input\":\"x\"}")
                            .get("model")
                            .asText());
            assertEquals(
                    404,
                    serving.post("/v1/embeddings", "{\"model\":\"c\",\"input\":\"x\"}")
                            .statusCode());
            assertEquals(0, serving.end(), serving.said());
        }
    }

    @Test
    void aModelThatEmbedsAndRanksIsOpenedOnceAndHostsAreChecked() throws IOException, InterruptedException {
        String model = Cli.model("gptneo-be");
        String same = Path.of(model).resolveSibling("bloom-be").toString() + "/../gptneo-be";
        try (Serving serving = new Serving(
                Map.of(),
                "-m",
                Cli.model("bloom-be"),
                "-m",
                model,
                "--rerank-model",
                same,
                "--allowed-hosts",
                "api.example.org")) {
            assertTrue(
                    serving.described.matches(
                            "bloom-be on cpu \\(\\d+ dimensions\\), gptneo-be on cpu \\(\\d+ dimensions\\)"),
                    serving.described);
            JsonNode ranked = serving.answer("/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\",\"c\"]}");
            assertEquals("gptneo-be", ranked.get("model").asText());
            assertEquals(
                    400,
                    serving.post("/v1/rerank", "{\"model\":\"bloom-be\",\"query\":\"a\",\"documents\":[\"b\"]}")
                            .statusCode());
            assertEquals(200, serving.health("localhost"));
            assertEquals(200, serving.health("API.example.org:8080"));
            assertEquals(403, serving.health("evil.example.org"));
        }
    }

    /// Requests that name no model get the re-ranker's scores, although the built-in model comes first.
    @Test
    void theReRankerScoresBesideTheBuiltInModel() throws IOException, InterruptedException {
        String ranker = Path.of("../engine/src/test/resources/goldens-decoders/models/qwen3-rr-st")
                .toAbsolutePath()
                .toString();
        try (Serving serving = new Serving(Map.of(), "--rerank-model", ranker)) {
            JsonNode ranked = serving.answer("/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\",\"c\"]}");
            assertEquals("qwen3-rr-st", ranked.get("model").asText());
            assertEquals(0, serving.end(), serving.said());
        }
    }

    private static float[] unit(float[] vector) {
        double sum = 0;
        for (float x : vector) {
            sum += (double) x * x;
        }
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (vector[i] / Math.sqrt(sum));
        }
        return vector;
    }

    @Test
    void searchesAnIndexWritesALogWithoutTextsAndAsksForTheKey() throws IOException, InterruptedException {
        Path corpus =
                Files.writeString(folder.resolve("corpus.txt"), "a morbid fear of spiders\na body of salt water\n");
        String index = folder.resolve("index").toString();
        String model = Cli.model("gptneo-be");
        Cli.Result made = Cli.run("index", "-m", model, "--corpus", corpus.toString(), "--index", index);
        assertEquals(0, made.code(), made.err());
        try (Serving serving =
                new Serving(Map.of("SGPT_API_KEY", "secret"), "-m", model, "--index", index, "--log-requests")) {
            String body = "{\"query\":\"spiders\",\"mode\":\"words\"}";
            assertEquals(401, serving.post("/search", body).statusCode());
            HttpResponse<String> found = serving.post("/search", body, "authorization", "Bearer secret");
            assertEquals(200, found.statusCode(), found.body());
            JsonNode results = Cli.parse(found.body()).get("results");
            assertEquals(1, results.size());
            assertEquals("a morbid fear of spiders", results.get(0).get("text").asText());
            List<String> lines = awaitLog(serving, 2);
            assertEquals(401, Cli.parse(lines.get(0)).get("status").asInt());
            assertEquals("POST /search", Cli.parse(lines.get(1)).get("route").asText());
            assertFalse(serving.said().contains("spiders"), serving.said());
        }
    }

    private static List<String> awaitLog(Serving serving, int count) throws IOException, InterruptedException {
        List<String> lines = new ArrayList<>();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(MAX_SECONDS);
        while (lines.size() < count) {
            assertTrue(System.nanoTime() < end, serving.said());
            Thread.sleep(20);
            lines = serving.said()
                    .lines()
                    .filter(line -> line.startsWith("{") && line.endsWith("}"))
                    .toList();
        }
        return lines;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "serve --log-texts|--log-texts has no effect without --log-requests",
                "serve --port 70000|port: expected 0 to 65535, got 70000",
                "serve --port x|expected 0 to 65535, got \"x\"",
                "serve --input-type z|expected text, query or document, got \"z\"",
                "serve --max-body 4000|expected at most 1024 MiB, got 4000",
                "serve --max-body 0|expected a whole number from 1",
                "serve --port 0 --alias =a|--alias: expected NAME or NAME=MODEL",
                "serve --port 0 --alias a=nothing|one of the models sgpt4j-nano, got a=nothing",
                "serve --port 0 --alias sgpt4j-nano|two models are named sgpt4j-nano, or one twice",
                "serve --port 0 --alias a --alias a|two models are named a, or one twice",
                "serve --port 0 --allowed-hosts api.example.org:80|allowed host: expected * or a name such as",
                "serve --port 0 --allowed-hosts a,b/c|without a port, got \"b/c\"",
                "serve --port 0 --cors-allow-origin https://\u00e4.example|origin: expected * or one such as",
            })
    void refusesWrongUsage(String command, String complaint) {
        String line = Cli.run(command.split(" ")).failure(2);
        assertTrue(line.contains(complaint), line);
    }

    @Test
    void saysInOneSentenceWhyItCannotServe() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = String.valueOf(taken.getLocalPort());
            String line = Cli.run("serve", "--port", port).failure(1);
            assertTrue(line.startsWith("cannot listen at 127.0.0.1:%s: ".formatted(port)), line);
        }
        String missing = folder.resolve("missing").toString();
        String line = Cli.run("serve", "--port", "0", "-m", missing).failure(1);
        assertTrue(line.contains("missing"), line);
        line = Cli.run("serve", "--port", "0", "--index", missing).failure(1);
        assertTrue(line.contains("missing"), line);
        line = Cli.run("serve", "--port", "0", "--host", "no.such.host.invalid").failure(1);
        assertTrue(line.startsWith("cannot listen at no.such.host.invalid:0: "), line);
    }
}
