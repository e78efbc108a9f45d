package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Servers that delay a download, models larger than a user allows, and files without length or hash.
@Timeout(60)
class HubLimitsTest extends HubFixture {
    private static final String WEIGHTS = "model.safetensors";

    private String tag;
    private byte[] content;

    @BeforeEach
    void know() {
        tag = server.tag(WEIGHTS);
        content = server.files.get(WEIGHTS);
    }

    private String fails(HubOptions options) {
        String message = assertThrows(HubException.class, () -> hub().download(MODEL, options, listener))
                .getMessage();
        assertFalse(Files.exists(repository().resolve("snapshots")), "no half snapshot");
        return message;
    }

    @Test
    void aDownloadThatIsTooSlowEndsAndTheNextOneGoesOn() throws IOException {
        // 100 bytes every 10 ms are at most 10,000 per second.
        server.always(tag, FakeHub.trickle(content.length, Arrays.copyOf(content, 100)));
        String message = fails(HubOptions.DEFAULT.withMinRate(15_000));
        assertTrue(
                message.matches("owner/some-model: model.safetensors: after \\d+ of 100000 bytes"
                        + " fewer than 15,000 bytes a second arrived over 100 ms"),
                message);
        assertEquals(FAST.attempts(), server.count(tag));
        assertTrue(
                listener.notices.stream().anyMatch(text -> text.matches(".*over 100 ms; trying again in .*")),
                listener.notices.toString());
        server.asUsual(tag);
        Path partial = repository().resolve("blobs").resolve(tag + ".sgpt4j.incomplete");
        assertTrue(Files.size(partial) > 0);
        download(MODEL);
        assertTrue(server.requests.getLast().range().isPresent()
                || server.requests.stream().anyMatch(request -> request.range().isPresent()));
        assertFalse(Files.exists(partial));
    }

    @Test
    void aSlowDownloadIsLeftAloneWhereAnyRateWillDo() throws IOException {
        server.next(tag, exchange -> {
            exchange.sendResponseHeaders(200, content.length);
            for (int i = 0; i < 40; i++) {
                exchange.getResponseBody().write(content, 2500 * i, 2500);
                exchange.getResponseBody().flush();
                sleep(Duration.ofMillis(10));
            }
        });
        hub().download(MODEL, HubOptions.DEFAULT.withMinRate(0), listener);
        assertEquals(1, server.count(tag));
    }

    @Test
    void aListThatTricklesEnds() {
        byte[] spaces = " ".repeat(10).getBytes(StandardCharsets.UTF_8);
        server.always("/revision/main", FakeHub.trickle(0, spaces));
        assertEquals(
                "owner/some-model: list of files: fewer than 10,000 bytes a second arrived over 100 ms",
                fails(HubOptions.DEFAULT));
    }

    @Test
    void theBodyOfARedirectionIsNotWaitedFor() throws IOException {
        server.next("/revision/main", exchange -> {
            exchange.getResponseHeaders().set("Location", "/api/models/owner/some-model/revision/" + FakeHub.COMMIT);
            exchange.sendResponseHeaders(302, 60_000);
            while (!Thread.currentThread().isInterrupted()) {
                exchange.getResponseBody().write(' ');
                exchange.getResponseBody().flush();
                sleep(Duration.ofMillis(10));
            }
        });
        HubSettings settings = settings().timeout(Duration.ofMillis(300)).build();
        hub(settings).download(MODEL, HubOptions.DEFAULT.withMinRate(0), listener);
    }

    /// Writes a response directly, without a server's rules.
    private interface Raw {
        void answer(OutputStream out) throws IOException;
    }

    private String failsWith(Raw raw) throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                while (!socket.isClosed()) {
                    try {
                        Socket connection = socket.accept();
                        Thread.ofVirtual().start(() -> serve(connection, raw));
                    } catch (IOException e) {
                        return;
                    }
                }
            });
            HubSettings settings = settings()
                    .endpoint("http://127.0.0.1:" + socket.getLocalPort())
                    .timeout(Duration.ofMillis(100))
                    .build();
            long start = System.nanoTime();
            String message = assertThrows(
                            HubException.class, () -> hub(settings).download(MODEL, HubOptions.DEFAULT, listener))
                    .getMessage();
            assertTrue(Duration.ofNanos(System.nanoTime() - start).toSeconds() < 10);
            return message;
        }
    }

    private static void serve(Socket connection, Raw raw) {
        try (connection) {
            raw.answer(connection.getOutputStream());
        } catch (IOException e) {
            // The client has given up, as it should.
            assertTrue(connection.isClosed());
        }
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
        out.flush();
    }

    @Test
    void headersWithoutEndAreNotWaitedFor() throws IOException {
        String slow = failsWith(out -> {
            write(out, "HTTP/1.1 200 OK\r\n");
            for (int i = 0; ; i++) {
                write(out, "X-%d: y\r\n".formatted(i));
                sleep(Duration.ofMillis(10));
            }
        });
        assertTrue(slow.contains("no answer from http://127.0.0.1"), slow);
        String quick = failsWith(out -> {
            write(out, "HTTP/1.1 200 OK\r\n");
            for (int i = 0; ; i++) {
                write(out, "X-%d: %s\r\n".formatted(i, "y".repeat(8000)));
            }
        });
        assertTrue(quick.startsWith("owner/some-model: "), quick);
    }

    @Test
    void aServerThatAcceptsAndSaysNothingIsNotWaitedFor() throws IOException {
        String message = failsWith(out -> sleep(Duration.ofSeconds(20)));
        assertTrue(message.contains("no answer from http://127.0.0.1"), message);
    }

    /// Every second response sends over a megabyte more than the one before it, but never anything new.
    @Test
    void aServerThatSendsTheSameAgainAndAgainIsLeft() {
        byte[] large = FakeHub.random(4 << 20, 9);
        server.with(WEIGHTS, large);
        String path = server.tag(WEIGHTS);
        server.ranges = false;
        AtomicInteger count = new AtomicInteger();
        server.always(path, exchange -> {
            exchange.sendResponseHeaders(200, large.length);
            exchange.getResponseBody().write(large, 0, count.getAndIncrement() % 2 == 0 ? 3 << 20 : 1 << 20);
            exchange.getResponseBody().flush();
            sleep(Duration.ofMillis(100));
        });
        assertTrue(fails(HubOptions.DEFAULT).contains("model.safetensors: "));
        assertTrue(server.count(path) < 12, "asked " + server.count(path) + " times");
    }

    /// A limit on the size of files simulates a full disk.
    @Test
    void aFullDiskIsASentenceThatNamesTheFile() throws IOException, InterruptedException {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "needs limits on the size of files");
        Process process = new ProcessBuilder(
                        "bash",
                        "-c",
                        "ulimit -f 60; exec \"$@\"",
                        "bash",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        HubConcurrencyTest.Downloader.class.getName(),
                        server.endpoint(),
                        cache.toString())
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(1, process.waitFor(), out);
        assertTrue(out.contains(tag + ".sgpt4j.incomplete: File too large"), out);
        assertFalse(out.contains("trying again"), out);
        download(MODEL);
    }

    private long needed() {
        return FakeHub.NEEDED.stream()
                .mapToLong(path -> server.files.get(path).length)
                .sum();
    }

    @Test
    void aModelThatIsTooLargeIsRefusedBeforeItsWeightsAreFetched() throws IOException {
        HubOptions limited = HubOptions.DEFAULT.withMaxBytes(needed() - 1);
        assertEquals(
                "owner/some-model: expected files of at most %,d bytes in total, the hub has %,d"
                        .formatted(needed() - 1, needed()),
                fails(limited));
        assertEquals(0, server.count(tag));
        hub().download(MODEL, HubOptions.DEFAULT.withMaxBytes(needed()), listener);
        hub().download(MODEL, limited, listener);
        assertEquals(1, server.count(tag), "what is there is not refused");
    }

    @Test
    void aListOfShardsThatIsTooLargeIsNotFetched() {
        assertTrue(fails(HubOptions.DEFAULT.withMaxBytes(20)).contains("expected files of at most 20 bytes in total"));
        assertEquals(0, server.count("modules.json"));
    }

    private void editTag(String path, String value) {
        ObjectNode listing = server.listing(FakeHub.COMMIT);
        for (JsonNode file : listing.get("siblings")) {
            if (file.get("rfilename").asText().equals(path)) {
                ((ObjectNode) file).put("blobId", value).remove("lfs");
            }
        }
        server.always("/revision/main", FakeHub.json(listing.toString()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1-abc", "d41d8cd98f00b204e9800998ecf8427e", "0123456789abcdef0123456789abcdef0123456g"})
    void filesWithoutAHashAreToldAndRefusedWhenStrict(String value) throws IOException {
        editTag("tokenizer.json", value);
        assertEquals(
                "owner/some-model: expected a hash of each file's content, the hub gives none for"
                        + " \"tokenizer.json\"",
                fails(HubOptions.DEFAULT.withStrict(true)));
        assertEquals(0, server.count(tag));
        listener.notices.clear();
        download(MODEL);
        List<String> told = listener.notices.stream()
                .filter(text -> text.contains("unverified"))
                .toList();
        assertEquals(
                List.of(
                        "owner/some-model: unverified, since the hub gives no hash of their content: \"tokenizer.json\""),
                told);
        listener.notices.clear();
        download(MODEL);
        assertEquals(List.of(), listener.notices);
    }

    @Test
    void aFileThatTellsOfOthersAndHasNoHashIsToldOnceOrRefused() throws IOException {
        editTag("modules.json", "v1");
        assertTrue(fails(HubOptions.DEFAULT.withStrict(true)).endsWith("gives none for \"modules.json\""));
        assertEquals(0, server.count("modules.json"));
        listener.notices.clear();
        download(MODEL);
        assertEquals(
                1,
                listener.notices.stream()
                        .filter(text -> text.contains("unverified"))
                        .count());
    }

    @Test
    void hashesAreKnownThroughMarksAndCapitals() throws IOException {
        server.blobs = false;
        String path = "resolve/" + FakeHub.COMMIT + "/tokenizer.json";
        for (String header : List.of(
                "W/\"" + server.tag("tokenizer.json") + "\"",
                server.tag("tokenizer.json").toUpperCase(java.util.Locale.ROOT))) {
            server.next(path, FakeHub.status(200, Map.of("ETag", header, "Content-Length", "2")));
            server.next(path, FakeHub.whole("[]".getBytes(StandardCharsets.UTF_8)));
            server.next(path, FakeHub.whole("[]".getBytes(StandardCharsets.UTF_8)));
            assertTrue(fails(HubOptions.DEFAULT.withStrict(true)).contains("expected content with git's SHA-1"));
        }
        hub().download(MODEL, HubOptions.DEFAULT.withStrict(true), listener);
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new IOException(e));
        }
    }
}
