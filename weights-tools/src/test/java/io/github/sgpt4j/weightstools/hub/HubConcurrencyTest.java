package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// Several downloads of one model at once.
class HubConcurrencyTest extends HubFixture {
    /// A download in a separate process.
    static final class Downloader {
        private Downloader() {}

        /// @param arguments endpoint and cache
        public static void main(String... arguments) throws IOException {
            HubSettings settings = new Settings(arguments[0], Path.of(arguments[1])).build();
            HubListener listener = new HubListener() {
                @Override
                public void notice(String sentence) {
                    System.out.println(sentence);
                }
            };
            System.out.println("snapshot " + new Hub(settings).get(MODEL, listener));
        }
    }

    private void requireEachFetchedOnce() {
        List<String> paths = server.fetches().stream()
                .map(request -> request.uri().getPath())
                .toList();
        assertEquals(new HashSet<>(paths).size(), paths.size(), paths.toString());
    }

    @Test
    void threadsFetchEachFileOnce() throws Exception {
        int count = 4;
        CountDownLatch together = new CountDownLatch(count);
        Set<Path> snapshots = new HashSet<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(count)) {
            List<Future<Path>> results = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                Callable<Path> get = () -> {
                    together.countDown();
                    together.await();
                    return hub().get(MODEL, listener);
                };
                results.add(threads.submit(get));
            }
            for (Future<Path> result : results) {
                snapshots.add(result.get());
            }
        }
        assertEquals(1, snapshots.size());
        requireEachFetchedOnce();
    }

    @Test
    void aSecondProcessWaitsAndThenFindsTheModel() throws Exception {
        CountDownLatch fetching = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        server.next(server.tag("model.safetensors"), exchange -> {
            fetching.countDown();
            try {
                goOn.await(20, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            server.send(exchange, server.files.get("model.safetensors"));
        });
        Process first = launch();
        assertTrue(fetching.await(60, TimeUnit.SECONDS));
        Process second = launch();
        String waiting = "";
        while (!waiting.startsWith("waiting")) {
            waiting = second.inputReader(StandardCharsets.UTF_8).readLine();
        }
        assertEquals("waiting for another process that downloads owner/some-model", waiting);
        goOn.countDown();
        String result = "snapshot " + repository().resolve("snapshots").resolve(FakeHub.COMMIT);
        assertEquals(result, last(first));
        assertEquals(result, last(second));
        requireEachFetchedOnce();
    }

    private Process launch() throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-Xmx64m",
                        Downloader.class.getName(),
                        server.endpoint(),
                        cache.toString())
                .redirectErrorStream(true)
                .start();
    }

    private static String last(Process process) throws InterruptedException {
        List<String> lines = process.inputReader(StandardCharsets.UTF_8).lines().toList();
        assertEquals(0, process.waitFor(), lines.toString());
        return lines.getLast();
    }

    @Test
    void aKilledProcessLeavesNoSnapshotAndItsBytesAreUsed() throws Exception {
        byte[] content = server.files.get("model.safetensors");
        String tag = server.tag("model.safetensors");
        CountDownLatch sent = new CountDownLatch(1);
        server.next(tag, exchange -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 60_000);
            exchange.getResponseBody().flush();
            sent.countDown();
            try {
                Thread.sleep(Duration.ofSeconds(20));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Process process = launch();
        assertTrue(sent.await(60, TimeUnit.SECONDS));
        while (BlobDownload.partialBytes(repository().resolve("blobs").resolve(tag)) < 60_000) {
            Thread.sleep(5);
        }
        process.destroyForcibly().waitFor();
        assertEquals(Optional.empty(), hub().find(MODEL));
        hub().get(MODEL, listener);
        assertTrue(server.requests.stream().anyMatch(request -> request.range().equals(Optional.of("bytes=60000-"))));
    }

    @Test
    void fetchesSeveralFilesAtATimeButNoMoreThanAskedFor() throws IOException {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        for (String path : FakeHub.NEEDED) {
            if (!FakeHub.isLarge(path) && !path.equals("modules.json")) {
                server.always("/resolve/" + FakeHub.COMMIT + "/" + path, exchange -> {
                    most.accumulateAndGet(now.incrementAndGet(), Math::max);
                    try {
                        Thread.sleep(50);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    now.decrementAndGet();
                    server.send(exchange, server.files.get(path));
                });
            }
        }
        hub().download(MODEL, HubOptions.DEFAULT.withParallel(3), listener);
        assertTrue(most.get() > 1 && most.get() <= 3, "at a time: " + most);
    }

    @Test
    void listenersHearOfOneThingAtATime() throws IOException {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        HubListener counting = new HubListener() {
            @Override
            public void progress(long done, long total) {
                most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                inside.decrementAndGet();
            }

            @Override
            public void fetched(String path, long bytes) {
                progress(bytes, bytes);
            }
        };
        server.next(server.tag("model.safetensors"), FakeHub.status(500, Map.of()));
        hub().download(MODEL, HubOptions.DEFAULT, counting);
        assertEquals(1, most.get());
    }
}
