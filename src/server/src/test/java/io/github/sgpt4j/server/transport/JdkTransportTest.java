package io.github.sgpt4j.server.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.server.Limits;
import io.github.sgpt4j.server.faults.RawConnection;
import io.github.sgpt4j.server.http.Body;
import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.http.Response;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What arrives at the handler, and how its answers are sent.
@Timeout(120)
class JdkTransportTest {
    private final ConcurrentLinkedQueue<Request> seen = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final AtomicInteger sent = new AtomicInteger();
    private final CountDownLatch inside = new CountDownLatch(1);
    private final CountDownLatch leave = new CountDownLatch(1);
    private JdkTransport transport;
    private Set<Thread> before;

    @BeforeEach
    void start() throws IOException {
        before = Thread.getAllStackTraces().keySet();
        transport = new JdkTransport(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Limits.DEFAULT, this::handle);
        transport.start();
    }

    @AfterEach
    void stop() {
        leave.countDown();
        transport.close();
    }

    private Response handle(Request request) throws IOException {
        seen.add(request);
        try {
            return answer(request).whenSent(sent::incrementAndGet);
        } catch (IOException | RuntimeException e) {
            failures.add(e);
            throw e;
        }
    }

    private Response answer(Request request) throws IOException {
        return switch (request.path()) {
            case "/echo" ->
                new Response(200, Map.of(), new Body.Bytes("x/y", request.body().readAllBytes()));
            case "/unread" -> Response.text(401, "text/plain", "no");
            case "/empty" -> Response.text(200, "text/plain", "");
            case "/none" -> Response.text(204, "text/plain", "");
            case "/large" -> new Response(200, Map.of(), new Body.Bytes("x/y", large()));
            case "/stream" ->
                new Response(200, Map.of(), new Body.Stream("x/y", out -> {
                    for (int i = 0; i < 3; i++) {
                        out.write(("part " + i + "\n").getBytes(StandardCharsets.UTF_8));
                    }
                }));
            case "/wait" -> {
                inside.countDown();
                try {
                    leave.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                yield Response.text(200, "text/plain", "waited");
            }
            case "/broken" -> throw new IllegalStateException("of the test");
            default -> Response.text(404, "text/plain", request.path());
        };
    }

    private static byte[] large() {
        byte[] bytes = new byte[3_000_001];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31 >> 3);
        }
        return bytes;
    }

    private RawConnection connect() throws IOException {
        return new RawConnection(transport.address());
    }

    private static String get(String path) {
        return "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n".formatted(path);
    }

    @Test
    void oneConnectionTakesManyRequests() throws IOException {
        try (RawConnection connection = connect()) {
            for (int i = 0; i < 3; i++) {
                assertEquals(
                        "body" + i,
                        connection.ask(RawConnection.post("/echo", "body" + i)).text());
                connection.send(get("/empty"));
                assertEquals(0, connection.answer().body().length);
                connection.send(get("/none"));
                assertEquals(204, connection.answer().status());
                connection.send(get("/stream"));
                assertEquals("part 0\npart 1\npart 2\n", connection.answer().text());
                connection.send(get("/large"));
                assertArrayEquals(large(), connection.answer().body());
                connection.send("HEAD /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
                RawConnection.Answer head = connection.answer(true);
                assertEquals("3000001", head.headers().get("content-length"));
                assertEquals("x/y", head.headers().get("content-type"));
                assertEquals("nosniff", head.headers().get("x-content-type-options"));
                connection.send("HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
                connection.answer(true);
            }
        }
        assertTrue(transport.address().getAddress().isLoopbackAddress());
    }

    @Test
    void everyAnswerIsClosedOnceItIsSent() throws Exception {
        try (RawConnection connection = connect()) {
            connection.send(get("/large") + get("/empty") + get("/stream"));
            for (int i = 0; i < 3; i++) {
                connection.answer();
            }
        }
        assertTrue(transport.awaitIdle(Duration.ofSeconds(60)));
        assertEquals(3, sent.get());
        try (RawConnection connection = new RawConnection(transport.address(), 4096)) {
            connection.send(get("/large"));
            connection.send(get("/large"));
            connection.abort();
        }
        // The server reads the second request, or finds the connection closed, some time after the first.
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (sent.get() != handled("/large") + 2 && System.nanoTime() < end) {
            assertTrue(transport.awaitIdle(Duration.ofSeconds(60)));
            Thread.sleep(10);
        }
        assertEquals(handled("/large") + 2, sent.get());
    }

    private long handled(String path) {
        return seen.stream().filter(request -> request.path().equals(path)).count();
    }

    @Test
    void requestsMayFollowEachOtherAtOnce() throws IOException {
        StringBuilder requests = new StringBuilder();
        for (int i = 0; i < 50; i++) {
            requests.append("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%d"
                    .formatted(i < 10 ? 1 : 2, i));
        }
        try (RawConnection connection = connect()) {
            connection.send(requests.toString());
            for (int i = 0; i < 50; i++) {
                assertEquals(String.valueOf(i), connection.answer().text());
            }
        }
    }

    @Test
    void aBodyNobodyReadsDoesNotCostTheAnswer() throws IOException {
        try (RawConnection connection = connect()) {
            for (int i = 0; i < 3; i++) {
                assertEquals(
                        401,
                        connection
                                .ask(RawConnection.post("/unread", new byte[5 << 20]))
                                .status());
            }
        }
    }

    @Test
    void chunksAreJoined() throws IOException {
        try (RawConnection connection = connect()) {
            connection.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n" + get("/empty"));
            assertEquals("abcdefg", connection.answer().text());
            assertEquals(200, connection.answer().status());
        }
    }

    @Test
    void expectationsAreMet() throws IOException {
        try (RawConnection connection = connect()) {
            connection.send(
                    "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
            assertEquals(100, connection.answer().status());
            connection.send("ok");
            assertEquals("ok", connection.answer().text());
        }
    }

    /// Requests whose end two servers could see at different places.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
                "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
                "Content-Length: -1\r\n\r\n",
                "Content-Length: 5, 5\r\n\r\nhello",
                "Content-Length: 0x5\r\n\r\nhello",
                "Content-Length: 99999999999999999999\r\n\r\n",
                "Content-Length : 5\r\n\r\nhello",
                "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: gzip\r\n\r\n",
                "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"
            })
    void ambiguousLengthsAreRefused(String rest) throws IOException {
        try (RawConnection connection = connect()) {
            connection.send("POST /echo HTTP/1.1\r\nHost: localhost\r\n" + rest + get("/smuggled"));
            int status = connection.answer().status();
            assertTrue(status == 400 || status == 501, "got " + status);
            connection.untilClosed();
        }
        assertEquals(List.of(), List.copyOf(seen));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ffffffff\r\n",
                "80000000\r\n",
                "-1\r\n",
                "x\r\n",
                "\r\n1\r\na",
                "1\r\nab\r\n",
                "1234567890abcdef\r\n"
            })
    void brokenChunksEndTheConnection(String chunks) throws IOException {
        try (RawConnection connection = connect()) {
            connection.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
                    + get("/smuggled"));
            connection.finish();
            assertEquals(0, connection.untilClosed());
        }
        assertEquals(List.of("/echo"), seen.stream().map(Request::path).toList());
        assertEquals(IOException.class, failures.element().getClass());
    }

    @Test
    void aBodyThatIsTooShortIsNoBody() throws IOException {
        try (RawConnection connection = connect()) {
            connection.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{}");
            connection.finish();
            assertEquals(0, connection.untilClosed());
        }
        assertEquals(IOException.class, failures.element().getClass());
    }

    @Test
    void idsAreEchoedIfTheyAreHarmless() throws IOException {
        String evil = "x".repeat(129);
        try (RawConnection connection = connect()) {
            connection.ask(RawConnection.post("/echo", "", "X-Request-Id: abc-1"));
            connection.ask(RawConnection.post("/echo", "", "X-Request-Id: " + evil));
            connection.ask(RawConnection.post("/echo", "", "X-Request-Id: a b"));
            connection.ask(RawConnection.post("/echo", ""));
        }
        List<String> ids = seen.stream().map(Request::id).toList();
        assertEquals("abc-1", ids.getFirst());
        assertEquals(4, ids.stream().distinct().count());
        assertTrue(ids.stream().noneMatch(id -> id.equals(evil) || id.contains(" ")));
    }

    @Test
    void pathsAreDecodedAndQueriesAreNoPartOfThem() throws IOException {
        try (RawConnection connection = connect()) {
            for (String path : List.of("/a%20b%C3%A9?q=1", "/a/../b", "//a/b", "/%2e%2e/c")) {
                connection.send(get(path));
                connection.answer();
            }
        }
        assertEquals(
                List.of("/a b\u00e9", "/a/../b", "/b", "/../c"),
                seen.stream().map(Request::path).toList());
    }

    @Test
    void headersHaveLowerCaseNamesAndAllTheirValues() throws IOException {
        try (RawConnection connection = connect()) {
            connection.ask(RawConnection.post("/echo", "", "X-ONE: 1", "x-one: 2"));
        }
        assertEquals(List.of("1", "2"), seen.element().headers().get("x-one"));
        assertEquals("1", seen.element().header("X-One").orElseThrow());
        assertTrue(seen.element().header("x-two").isEmpty());
    }

    @Test
    void aFailureOfTheHandlerEndsOnlyItsConnection() throws IOException {
        try (RawConnection connection = connect();
                RawConnection other = connect()) {
            connection.send(get("/broken"));
            assertEquals(0, connection.untilClosed());
            assertEquals("a", other.ask(RawConnection.post("/echo", "a")).text());
        }
    }

    @Test
    void knowsWhenNoRequestRuns() throws Exception {
        assertTrue(transport.awaitIdle(Duration.ZERO));
        try (RawConnection connection = connect()) {
            connection.send(get("/wait"));
            inside.await();
            assertFalse(transport.awaitIdle(Duration.ofMillis(10)));
            leave.countDown();
            assertTrue(transport.awaitIdle(Duration.ofSeconds(60)));
            // Idle means sent.
            assertEquals("waited", connection.answer().text());
        }
    }

    @Test
    void closingEndsConnectionsAndThreads() throws Exception {
        List<RawConnection> connections = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            connections.add(connect());
        }
        connections.getFirst().send(get("/wait"));
        inside.await();
        Thread dispatcher = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("HTTP-Dispatcher") && !before.contains(thread))
                .findFirst()
                .orElseThrow();
        InetSocketAddress address = transport.address();
        transport.close();
        for (RawConnection connection : connections) {
            assertEquals(0, connection.untilClosed());
            connection.close();
        }
        assertTrue(dispatcher.join(Duration.ofSeconds(60)));
        assertTrue(failures.stream().anyMatch(thrown -> thrown.getCause() instanceof InterruptedException));
        try (JdkTransport again = new JdkTransport(address, Limits.DEFAULT, this::handle)) {
            again.start();
            assertEquals(address, again.address());
            assertNotEquals(0, address.getPort());
        }
    }
}
