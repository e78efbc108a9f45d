package io.github.sgpt4j.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.server.faults.RawConnection;
import java.io.IOException;
import java.net.Socket;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Answers of every kind reserve memory before they are computed: those that would take up more than there is are
/// refused, and so are those that find it taken, until it is given back. There is room for answers of a MiB.
@Timeout(180)
class AnswerMemoryTest {
    private static final long MEMORY = 4 << 20;
    private static final int MAX_BATCH = 10_000;
    private static final int TRIES = 10_000;
    /// An answer of about two thirds of the room has so many times a little; one that has no room, eight times that.
    private static final int TOO_MANY = 8;

    private static RunningServer server;

    @BeforeAll
    static void start() {
        server = RunningServer.small(usual -> usual.withLimits(Limits.DEFAULT.withClientBatchSize(MAX_BATCH)), MEMORY);
    }

    @AfterAll
    static void end() {
        server.close();
    }

    private static List<String> copies(int count) {
        return Collections.nCopies(count, "a");
    }

    private static String words(int count) {
        return "a ".repeat(count).strip();
    }

    /// A body whose answer needs about two thirds of the room, or a multiple of that.
    private static String body(String path, int times) {
        return RunningServer.json(
                switch (path) {
                    case "/v1/embeddings" -> Map.of("input", copies(90 * times));
                    case "/embed" -> Map.of("inputs", copies(90 * times));
                    case "/similarity" ->
                        Map.of("inputs", Map.of("source_sentence", "a", "sentences", copies(500 * times)));
                    case "/rerank texts" -> Map.of("query", words(60), "texts", copies(160 * times));
                    case "/rerank", "/v1/rerank" -> Map.of("query", words(60), "documents", copies(160 * times));
                    case "/tokenize" -> Map.of("inputs", words(2600 * times));
                    case "/explain" -> Map.of("query", words(2600 * times), "document", "b");
                    case "/decode" -> Map.of("ids", Collections.nCopies(times, ids()));
                    default -> throw new AssertionError(path);
                });
    }

    /// Of a text whose copies take up two thirds of the room.
    private static int[] ids() {
        return server.encoder().model().tokenize(words(35_000), false);
    }

    private static int status(String path, int times) {
        return server.post(path.split(" ")[0], body(path, times)).statusCode();
    }

    /// Lines of numbers that nobody reads: their memory stays taken.
    private static Socket unread() throws IOException {
        byte[] request = RawConnection.post(
                "/embed", RunningServer.json(Map.of("inputs", copies(20_000))), "Accept: application/x-ndjson");
        for (int i = 0; i < TRIES; i++) {
            Socket socket = new Socket();
            socket.setReceiveBufferSize(1 << 12);
            socket.connect(server.server().address());
            socket.getOutputStream().write(request);
            String status = new String(socket.getInputStream().readNBytes("HTTP/1.1 200".length()), US_ASCII);
            if (status.endsWith("200")) {
                return socket;
            }
            // What was answered before may not have been given back yet.
            socket.close();
        }
        throw new AssertionError("there is never room for lines");
    }

    private static void await(int expected, String path) {
        int status = status(path, 1);
        for (int i = 0; i < TRIES && status != expected; i++) {
            status = status(path, 1);
        }
        assertEquals(expected, status, path);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/embeddings",
                "/embed",
                "/similarity",
                "/rerank texts",
                "/rerank",
                "/v1/rerank",
                "/tokenize",
                "/explain",
                "/decode"
            })
    void isReservedAndGivenBack(String path) throws IOException {
        assertEquals(200, status(path, 1), "alone");
        assertEquals(413, status(path, TOO_MANY), "more than there is");
        assertTrue(server.post(path.split(" ")[0], body(path, TOO_MANY)).body().contains("ask for less at a time"));
        assertEquals(200, status(path, 1), "a refusal keeps nothing");
        try (Socket unread = unread()) {
            assertEquals(429, status(path, 1), "lines take up too much");
            // Lines need as much, too.
            String body = RunningServer.json(Map.of("inputs", copies(100)));
            try (RawConnection other = new RawConnection(server.server().address())) {
                RawConnection.Answer answer =
                        other.ask(RawConnection.post("/embed", body, "Accept: application/x-ndjson"));
                assertEquals(429, answer.status());
                assertTrue(answer.text().contains("\"error_type\":\"Overloaded\""), answer.text());
            }
            unread.setSoLinger(true, 0);
        }
        await(200, path);
    }
}
