package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.weightstools.hub.FakeHub.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A downloading thread is interrupted, wherever it waits.
@Timeout(60)
class HubInterruptTest extends HubFixture {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final CountDownLatch waiting = new CountDownLatch(1);

    /// Starts a response, and does not finish it.
    private Answer stuck(byte[] content, int sent) {
        return exchange -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, sent);
            exchange.getResponseBody().flush();
            waiting.countDown();
            sleep();
        };
    }

    private static void sleep() {
        try {
            Thread.sleep(LONG);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void interruptsOnce(Retries retries, HubListener heard) throws Exception {
        AtomicReference<Exception> failure = new AtomicReference<>();
        AtomicBoolean status = new AtomicBoolean();
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                new Hub(settings().build(), retries, WINDOW).get(MODEL, heard);
            } catch (IOException | RuntimeException e) {
                failure.set(e);
                status.set(Thread.currentThread().isInterrupted());
            }
        });
        assertTrue(waiting.await(20, TimeUnit.SECONDS));
        Thread.sleep(50);
        thread.interrupt();
        assertTrue(thread.join(Duration.ofSeconds(5)), "ends soon");
        CancelledException cancelled = assertInstanceOf(CancelledException.class, failure.get());
        assertEquals(
                "owner/some-model: the download was interrupted; what was received is kept", cancelled.getMessage());
        assertTrue(status.get(), "the thread is still interrupted");
    }

    private void goesOn() throws IOException {
        assertEquals(FakeHub.NEEDED, HubTest.filesIn(hub().get(MODEL, listener)));
    }

    @Test
    void whileTheHubIsSilent() throws Exception {
        server.next("/revision/main", exchange -> {
            waiting.countDown();
            sleep();
        });
        interruptsOnce(FAST, listener);
        assertFalse(Files.exists(repository()));
        goesOn();
    }

    @Test
    void whileASmallFileComes() throws Exception {
        server.next("modules.json", stuck(server.files.get("modules.json"), 5));
        interruptsOnce(FAST, listener);
        goesOn();
    }

    @Test
    void whileWeightsCome() throws Exception {
        String tag = server.tag("model.safetensors");
        server.next(tag, stuck(server.files.get("model.safetensors"), 40_000));
        interruptsOnce(FAST, listener);
        goesOn();
        assertTrue(server.requests.stream()
                .anyMatch(request -> request.isFor(tag) && request.range().isPresent()));
    }

    @Test
    void beforeTheNextTry() throws Exception {
        server.next("/revision/main", FakeHub.status(500, Map.of()));
        interruptsOnce(new Retries(4, LONG, LONG, LONG), new HubListener() {
            @Override
            public void notice(String sentence) {
                if (sentence.contains("trying again")) {
                    waiting.countDown();
                }
            }
        });
        goesOn();
    }

    @Test
    void whileAnotherThreadDownloads() throws Exception {
        RepositoryLock lock =
                RepositoryLock.take(RepositoryFolder.of(cache, MODEL).lockFile(), () -> {});
        try {
            interruptsOnce(FAST, new HubListener() {
                @Override
                public void notice(String sentence) {
                    if (sentence.startsWith("waiting for another process")) {
                        waiting.countDown();
                    }
                }
            });
        } finally {
            lock.close();
        }
        goesOn();
    }

    @Test
    void beforeItBegins() throws Exception {
        waiting.countDown();
        AtomicReference<Exception> failure = new AtomicReference<>();
        Thread thread = Thread.ofPlatform().start(() -> {
            Thread.currentThread().interrupt();
            try {
                hub().get(MODEL, listener);
            } catch (IOException | RuntimeException e) {
                failure.set(e);
            }
        });
        assertTrue(thread.join(Duration.ofSeconds(5)));
        assertInstanceOf(CancelledException.class, failure.get());
        goesOn();
    }
}
