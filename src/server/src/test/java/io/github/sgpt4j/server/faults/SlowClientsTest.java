package io.github.sgpt4j.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Clients that are slow, too many, or gone. The server has a process of its own, with two seconds to read a request,
/// eight to send an answer, and 40 connections.
@Timeout(180)
class SlowClientsTest {
    private static final int CONNECTIONS = 40;
    private static final byte[] GOOD = RawConnection.post("/v1/embeddings", "{\"input\":\"a good request\"}");
    private static final byte[] LARGE =
            RawConnection.post("/embed", "{\"inputs\":[%s\"a\"]}".formatted("\"a\",".repeat(800)));

    private static final byte[] HUGE =
            RawConnection.post("/embed", "{\"inputs\":[%s\"a\"]}".formatted("\"a\",".repeat(2040)));
    private static final byte[] MEDIUM =
            RawConnection.post("/embed", "{\"inputs\":[%s\"a\"]}".formatted("\"a\",".repeat(40)));

    private static ServerProcess server;

    @BeforeAll
    static void start() {
        server = new ServerProcess(
                0, 2, CONNECTIONS, "sun.net.httpserver.maxRspTime=8", "sun.net.httpserver.clockTick=1000");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static RawConnection connect() throws IOException {
        return new RawConnection(server.address());
    }

    private static void assertAnswers() throws IOException {
        try (RawConnection connection = connect()) {
            assertEquals(200, connection.ask(GOOD).status());
        }
    }

    /// Sends a byte now and then until the server closes the connection.
    private static long trickle(String beginning) throws IOException, InterruptedException {
        long start = System.nanoTime();
        try (RawConnection connection = connect()) {
            connection.send(beginning);
            for (int i = 0; i < 600; i++) {
                connection.send("x");
                TimeUnit.MILLISECONDS.sleep(100);
            }
        } catch (SocketException e) {
            return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        }
        throw new AssertionError("the connection is still open");
    }

    @Test
    void slowRequestsAreCutOffAndDisturbNobody() throws Exception {
        List<String> beginnings = List.of(
                "",
                "POST /v1/embe",
                "POST /v1/embeddings HTTP/1.1\r\nX-Slow: ",
                "POST /v1/embeddings HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
                "POST /v1/embeddings HTTP/1.1\r\nContent-Type: application/json\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\nffff\r\n",
                // Nobody wants this one, and yet it is read for a while.
                "POST /nowhere HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Long>> slow = beginnings.stream()
                    .map(beginning -> threads.submit(() -> trickle(beginning)))
                    .toList();
            assertAnswers();
            for (Future<Long> each : slow) {
                assertTrue(each.get() >= 2000);
            }
        }
        assertAnswers();
    }

    @Test
    void silentConnectionsAreClosed() throws IOException {
        try (RawConnection never = connect();
                RawConnection once = connect()) {
            assertEquals(200, once.ask(GOOD).status());
            assertEquals(0, never.untilClosed());
            assertEquals(0, once.untilClosed());
        }
    }

    @Test
    void slowReadersAreCutOff() throws Exception {
        List<RawConnection> readers = new ArrayList<>();
        long start = System.nanoTime();
        for (int i = 0; i < 2; i++) {
            RawConnection reader = new RawConnection(server.address(), 4096);
            // More than the system keeps for a connection.
            reader.send(HUGE);
            readers.add(reader);
        }
        assertAnswers();
        for (RawConnection reader : readers) {
            // Nothing is read; that sending fails tells that the server has closed the connection.
            assertThrows(SocketException.class, () -> {
                for (int i = 0; i < 600; i++) {
                    reader.send("x");
                    TimeUnit.MILLISECONDS.sleep(100);
                }
            });
            reader.close();
        }
        // Not because of the time for the next request, which is two seconds.
        assertTrue(System.nanoTime() - start > TimeUnit.SECONDS.toNanos(6), "the answer was sent");
        assertAnswers();
    }

    @Test
    void connectionsBeyondTheLimitAreRefused() throws IOException {
        List<RawConnection> open = new ArrayList<>();
        int answered = 0;
        int refused = 0;
        try {
            for (int i = 0; i < 4 * CONNECTIONS; i++) {
                open.add(connect());
            }
            for (RawConnection connection : open) {
                try {
                    assertEquals(200, connection.ask(GOOD).status());
                    answered++;
                } catch (EOFException | SocketException e) {
                    refused++;
                }
            }
        } finally {
            for (RawConnection connection : open) {
                connection.close();
            }
        }
        assertTrue(answered >= 1 && answered <= CONNECTIONS, answered + " were answered");
        assertTrue(refused >= 3 * CONNECTIONS, refused + " were refused");
        eventuallyAnswers();
    }

    /// The server sees that connections are closed a little later.
    private static void eventuallyAnswers() throws IOException {
        for (int i = 0; i < 600; i++) {
            try {
                assertAnswers();
                return;
            } catch (EOFException | SocketException e) {
                Thread.onSpinWait();
            }
            try {
                TimeUnit.MILLISECONDS.sleep(100);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        throw new AssertionError("no connection is taken any more");
    }

    @Test
    void abortedRequestsDoNotCountAsConnections() throws IOException {
        assertAnswers();
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < CONNECTIONS / 2; i++) {
                try (RawConnection connection = connect()) {
                    connection.send(i % 2 == 0 ? MEDIUM : GOOD);
                    connection.abort();
                } catch (SocketException e) {
                    // Refused, as others are still being noticed.
                    continue;
                }
            }
            long start = System.nanoTime();
            eventuallyAnswers();
            // Otherwise they count until the time of an answer is over.
            assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(7), "aborted requests count");
        }
    }

    @Test
    void memoryAndThreadsStayTheSame() throws IOException {
        assertAnswers();
        ServerProcess.State before = server.state();
        for (int i = 0; i < 150; i++) {
            try (RawConnection connection = connect()) {
                if (i % 10 == 0) {
                    connection.ask(LARGE);
                } else if (i % 10 == 1) {
                    connection.send(MEDIUM);
                    connection.abort();
                } else {
                    connection.ask(GOOD);
                }
            }
        }
        eventuallyAnswers();
        ServerProcess.State after = server.state();
        assertTrue(after.heap() - before.heap() < 24 << 20, before + " became " + after);
        assertTrue(after.threads() - before.threads() <= 4, before + " became " + after);
    }
}
