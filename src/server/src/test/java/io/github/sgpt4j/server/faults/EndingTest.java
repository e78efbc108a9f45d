package io.github.sgpt4j.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.server.Limits;
import io.github.sgpt4j.server.SgptServer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Servers that end, on purpose or not.
@Timeout(180)
class EndingTest {
    private static final int CLIENTS = 8;
    private static final byte[] GOOD = RawConnection.post("/v1/embeddings", "{\"input\":\"a good request\"}");
    private static final byte[] LARGE = RawConnection.post(
            "/embed", "{\"inputs\":[%s\"a\"]}".formatted("\"some words that take a while\",".repeat(500)));

    @Test
    void everyRequestThatWasTakenIsAnswered() throws Exception {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        SgptServer server = FaultServer.start(Limits.DEFAULT.withDrain(Duration.ofSeconds(60)), 0);
        InetSocketAddress address = server.address();
        AtomicInteger answered = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        AtomicInteger closed = new AtomicInteger();
        CountDownLatch warm = new CountDownLatch(5 * CLIENTS);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                byte[] request = i == 0 ? LARGE : GOOD;
                clients.add(threads.submit(() -> {
                    ask(address, request, answered, refused, closed, warm);
                    return null;
                }));
            }
            warm.await();
            assertTrue(server.drain());
            for (Future<?> client : clients) {
                // No request was cut off.
                client.get();
            }
        } finally {
            server.close();
        }
        assertTrue(answered.get() >= 5 * CLIENTS, answered + " were answered");
        assertEquals(CLIENTS, refused.get() + closed.get());
        assertThrows(ConnectException.class, () -> new RawConnection(address));
        FaultServer.start(Limits.DEFAULT, address.getPort()).close();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (!before.contains(thread)
                    && (thread.getName().startsWith("HTTP-") || thread.getName().startsWith("sgpt4j-batches"))) {
                assertTrue(thread.join(Duration.ofSeconds(60)), thread.getName());
            }
        }
    }

    /// Asks until the server refuses.
    private static void ask(
            InetSocketAddress address,
            byte[] request,
            AtomicInteger answered,
            AtomicInteger refused,
            AtomicInteger closed,
            CountDownLatch warm)
            throws IOException {
        try (RawConnection connection = new RawConnection(address)) {
            for (int i = 0; i < 100_000; i++) {
                RawConnection.Answer answer = connection.ask(request);
                if (answer.status() == 503) {
                    assertEquals("1", answer.headers().get("retry-after"));
                    refused.incrementAndGet();
                    return;
                }
                assertEquals(200, answer.status());
                answered.incrementAndGet();
                warm.countDown();
                if ("close".equals(answer.headers().get("connection"))) {
                    closed.incrementAndGet();
                    return;
                }
            }
        }
    }

    @Test
    void closingCutsOffWhatStillRuns() throws Exception {
        SgptServer server = FaultServer.start(Limits.DEFAULT.withDrain(Duration.ZERO), 0);
        try (RawConnection connection = new RawConnection(server.address());
                RawConnection idle = new RawConnection(server.address())) {
            assertEquals(200, idle.ask(GOOD).status());
            connection.send(LARGE);
            connection.send(LARGE);
            connection.send(LARGE);
            server.close();
            connection.untilClosed();
            assertEquals(0, idle.untilClosed());
        }
        // Closing again does nothing.
        server.close();
        assertTrue(server.drain());
    }

    @Test
    void aServerThatEndsStaysSo() throws Exception {
        SgptServer server = FaultServer.start(Limits.DEFAULT, 0);
        assertTrue(server.drain());
        server.fail();
        try (RawConnection connection = new RawConnection(server.address());
                RawConnection health = new RawConnection(server.address())) {
            RawConnection.Answer answer = connection.ask(GOOD);
            assertEquals(503, answer.status());
            assertTrue(answer.text().contains("the server is ending"), answer.text());
            assertEquals("close", answer.headers().get("connection"));
            assertEquals(0, connection.untilClosed());
            health.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assertEquals(503, health.answer().status());
        } finally {
            server.close();
        }
    }

    @Test
    void aKilledServerCanBeStartedAgainAtOnce() throws Exception {
        ServerProcess first = new ServerProcess(0, 30, 100);
        List<RawConnection> open = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            RawConnection connection = new RawConnection(first.address());
            connection.send(i < 2 ? LARGE : GOOD);
            open.add(connection);
        }
        first.kill();
        for (RawConnection connection : open) {
            assertFalse(connection.untilClosed() > 1 << 24);
            connection.close();
        }
        assertThrows(SocketException.class, () -> new RawConnection(first.address()));
        try (ServerProcess second = new ServerProcess(first.address().getPort(), 30, 100);
                RawConnection connection = new RawConnection(second.address())) {
            assertEquals(200, connection.ask(GOOD).status());
        }
    }
}
