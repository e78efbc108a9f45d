package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/// Another process serves, and is asked to end while it has work.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "no signals")
@Timeout(180)
class EndedServerTest {
    private static final int CLIENTS = 6;
    private static final Pattern READY = Pattern.compile(".*ready in .*http://127\\.0\\.0\\.1:(\\d+),.*");

    /// When the process was asked to end; before that, "never".
    private final AtomicLong asked = new AtomicLong(Long.MAX_VALUE);

    @Test
    void everyRequestBeforeTheSignalIsAnsweredAndTheExitCodeIsZero() throws Exception {
        List<String> command = ChildCommand.java(Main.class, "-Xmx512m");
        command.addAll(List.of("serve", "--port", "0"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            URI address = URI.create("http://127.0.0.1:%d/v1/embeddings".formatted(port(output)));
            CountDownLatch warm = new CountDownLatch(4 * CLIENTS);
            long start = System.nanoTime();
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                List<Future<Integer>> clients = new ArrayList<>();
                for (int i = 0; i < CLIENTS; i++) {
                    clients.add(threads.submit(() -> ask(address, warm, start)));
                }
                assertTrue(warm.await(120, TimeUnit.SECONDS), "no answers");
                asked.set(System.nanoTime() - start);
                process.destroy();
                int answered = 0;
                for (Future<Integer> client : clients) {
                    answered += client.get();
                }
                assertTrue(answered >= 4 * CLIENTS, answered + " were answered");
            }
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it does not end");
            assertEquals(0, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
    }

    private static int port(BufferedReader output) throws IOException {
        String line = output.readLine();
        while (line != null) {
            Matcher ready = READY.matcher(line);
            if (ready.matches()) {
                return Integer.parseInt(ready.group(1));
            }
            line = output.readLine();
        }
        throw new IOException("the server has ended");
    }

    /// Asks until the server is gone or refuses.
    ///
    /// @return number of answers
    private int ask(URI address, CountDownLatch warm, long start) throws IOException, InterruptedException {
        int answered = 0;
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            HttpRequest request = HttpRequest.newBuilder(address)
                    .timeout(Duration.ofSeconds(60))
                    .header("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"input\":[\"a good request\",\"and another text\"]}"))
                    .build();
            for (int i = 0; i < 1_000_000; i++) {
                long sent = System.nanoTime() - start;
                try {
                    int status = client.send(request, HttpResponse.BodyHandlers.ofString())
                            .statusCode();
                    if (status == 503) {
                        return answered;
                    }
                    assertEquals(200, status);
                    answered++;
                    warm.countDown();
                } catch (IOException e) {
                    // The signal came first, so the server may have been gone.
                    assertTrue(sent >= asked.get(), "a request of before the signal was cut off: " + e);
                    return answered;
                }
            }
        }
        throw new IOException("the server does not end");
    }
}
