package io.github.sgpt4j.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.server.Limits;
import io.github.sgpt4j.server.SgptServer;
import io.github.sgpt4j.server.faults.RawConnection.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Requests that nobody should send: each is answered or its connection closed, and the next request works.
@Timeout(180)
class BrokenRequestsTest {
    private static final int MAX_BODY = 1 << 20;
    private static final byte[] GOOD = RawConnection.post("/v1/embeddings", "{\"input\":\"a good request\"}");

    private static SgptServer server;
    private static String expected;

    /// A request, and the status of its answer.
    private record Case(int status, byte[] request) {}

    @BeforeAll
    static void start() throws IOException {
        server = FaultServer.start(Limits.DEFAULT.withBodyBytes(MAX_BODY).withClientBatchSize(100), 0);
        try (RawConnection connection = new RawConnection(server.address())) {
            expected = connection.ask(GOOD).text();
        }
        assertTrue(expected.contains("embedding"), expected);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static RawConnection connect() throws IOException {
        return new RawConnection(server.address());
    }

    @AfterEach
    void theNextRequestWorks() throws IOException {
        try (RawConnection connection = connect()) {
            assertEquals(expected, connection.ask(GOOD).text());
        }
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    private static byte[] body(byte[] body, String... headers) {
        return RawConnection.post("/v1/embeddings", body, headers);
    }

    private static byte[] body(String body, String... headers) {
        return body(body.getBytes(StandardCharsets.ISO_8859_1), headers);
    }

    private static List<Case> cases() throws IOException {
        String large = "{\"input\":\"%s\"}".formatted("a ".repeat(5 << 19));
        return List.of(
                new Case(400, body("")),
                new Case(400, body("{")),
                new Case(400, body("not JSON")),
                new Case(400, body("{\"input\":\"\u00c3\u0028\"}")),
                new Case(400, body("{\"input\":\"\u00ed\u00a0\u0080\"}")),
                new Case(400, body("{\"input\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}")),
                new Case(400, body("{\"a\":".repeat(100_000))),
                new Case(400, body("{\"input\":%s}".formatted("1".repeat(100_000)))),
                new Case(400, body("{\"input\":1e400}")),
                new Case(400, body("{\"input\":NaN}")),
                new Case(400, body("{\"input\":\"a\",\"input\":\"b\"}")),
                new Case(400, body("{\"input\":[2147483647]}")),
                new Case(400, body("{\"input\":[-1]}")),
                new Case(413, body("{\"input\":[%s\"a\"]}".formatted("\"a\",".repeat(100)))),
                new Case(413, body("{\"x\":[%s1.5]}".formatted("1.5,".repeat(100_000)))),
                new Case(413, body(large)),
                new Case(413, body(gzip(new byte[50 << 20]), "Content-Encoding: gzip")),
                new Case(413, body(gzip(large.getBytes(StandardCharsets.UTF_8)), "Content-Encoding: gzip")),
                new Case(400, body("{\"input\":\"a\"}", "Content-Encoding: gzip")),
                new Case(
                        400,
                        body(
                                Arrays.copyOf(gzip(large.getBytes(StandardCharsets.UTF_8)), 100),
                                "Content-Encoding: gzip")),
                new Case(415, body("{\"input\":\"a\"}", "Content-Encoding: br")),
                new Case(413, body(large, "Content-Encoding: br")),
                new Case(404, RawConnection.post("/nowhere", large)),
                new Case(405, RawConnection.post("/health", large)),
                new Case(422, RawConnection.post("/embed", "{\"inputs\":{}}")));
    }

    @Test
    void theConnectionStaysUsableAfterEachError() throws IOException {
        try (RawConnection connection = connect()) {
            int number = 0;
            for (Case each : cases()) {
                Answer answer = connection.ask(each.request());
                assertEquals(each.status(), answer.status(), "case " + number + ": " + answer.text());
                assertTrue(answer.body().length < 1000, answer.text());
                assertEquals(expected, connection.ask(GOOD).text(), "after case " + number);
                number++;
            }
        }
    }

    @Test
    void errorsMayFollowEachOtherAtOnce() throws IOException {
        List<Case> cases =
                cases().stream().filter(each -> each.request().length < 10_000).toList();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Case each : cases) {
            all.writeBytes(each.request());
            all.writeBytes(GOOD);
        }
        try (RawConnection connection = connect()) {
            connection.send(all.toByteArray());
            for (Case each : cases) {
                assertEquals(each.status(), connection.answer().status());
                assertEquals(200, connection.answer().status());
            }
        }
    }

    @Test
    void aGigabyteIsRefusedAndNotHeld() throws IOException {
        byte[] block = new byte[1 << 20];
        Runtime runtime = Runtime.getRuntime();
        System.gc();
        long before = runtime.totalMemory() - runtime.freeMemory();
        int sent = 0;
        boolean answered = false;
        try (RawConnection connection = connect()) {
            connection.send("POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 1073741824\r\n\r\n");
            while (sent < 1024) {
                connection.send(block);
                sent++;
            }
        } catch (SocketException e) {
            answered = true;
        }
        assertTrue(answered, "all of it was taken");
        assertTrue(sent < 300, sent + " MiB were taken");
        System.gc();
        long after = runtime.totalMemory() - runtime.freeMemory();
        assertTrue(after - before < 32 << 20, "%d bytes more".formatted(after - before));
        // A client that waits for the answer to its headers gets it.
        try (RawConnection connection = connect()) {
            connection.send("POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 1073741824\r\n\r\n");
            for (int i = 0; i < 64; i++) {
                connection.send(block);
            }
            assertEquals(413, connection.answer().status());
        }
    }

    @Test
    void whatIsNoHttpEndsItsConnection() throws IOException {
        List<byte[]> nonsense = new ArrayList<>();
        for (String text : List.of(
                "\r\n",
                "GET\r\n\r\n",
                "GET /\r\n\r\n",
                "GET  / HTTP/1.1\r\n\r\n",
                "GET http://[ HTTP/1.1\r\n\r\n",
                "GET /%zz HTTP/1.1\r\n\r\n",
                "GET /\u0000 HTTP/1.1\r\n\r\n",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "GET * HTTP/1.1\r\n\r\n",
                "GET /health HTTP/1.1\r\nBad Header: x\r\n\r\n",
                "GET /health HTTP/1.1\r\n: x\r\n\r\n",
                "GET /health HTTP/1.1\r\nX: " + "x".repeat(40_000) + "\r\n\r\n",
                "GET /" + "x".repeat(40_000) + " HTTP/1.1\r\n\r\n",
                "GET /health HTTP/1.1\r\n" + "X: y\r\n".repeat(2000) + "\r\n",
                "POST /embed HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"inputs\":\"a\"}",
                "POST /embed HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n{",
                "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003")) {
            nonsense.add(text.getBytes(StandardCharsets.ISO_8859_1));
        }
        Random random = new Random(1);
        for (int i = 0; i < 30; i++) {
            byte[] bytes = new byte[1 + random.nextInt(5000)];
            random.nextBytes(bytes);
            nonsense.add(bytes);
        }
        for (byte[] bytes : nonsense) {
            try (RawConnection connection = connect()) {
                connection.send(bytes);
                connection.finish();
                long answer = connection.untilClosed();
                assertTrue(answer < 2000, answer + " bytes of answer to " + new String(bytes, StandardCharsets.UTF_8));
            } catch (SocketException e) {
                // Closed while it was sent.
                continue;
            }
        }
    }

    @Test
    void abortedRequestsHarmNobody() throws IOException {
        byte[] many = RawConnection.post(
                "/embed", "{\"inputs\":[%s\"a\"]}".formatted("\"some words of a text\",".repeat(99)));
        for (int i = 0; i < 40; i++) {
            try (RawConnection connection = connect()) {
                // In the middle of the body, then while it waits, then with several of them.
                connection.send(i % 3 == 0 ? Arrays.copyOf(many, many.length / 2) : many);
                if (i % 3 == 2) {
                    connection.send(many);
                }
                if (i % 2 == 0) {
                    connection.abort();
                }
            }
        }
    }
}
