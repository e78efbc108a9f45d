package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.weightstools.LockedFolder;
import io.github.sgpt4j.weightstools.hub.FakeHub.Request;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Failing servers and connections, and interrupted downloads.
class HubFailureTest extends HubFixture {
    private static final String WEIGHTS = "model.safetensors";

    /// The name of the weights' blob, which is also their path on the second server.
    private String tag;

    private byte[] content;

    @BeforeEach
    void know() {
        tag = server.tag(WEIGHTS);
        content = server.files.get(WEIGHTS);
    }

    private void checkComplete(Path snapshot) throws IOException {
        assertEquals(FakeHub.NEEDED, HubTest.filesIn(snapshot));
        assertArrayEquals(content, Files.readAllBytes(snapshot.resolve(WEIGHTS)));
        assertFalse(
                HubTest.filesIn(repository().resolve("blobs")).stream().anyMatch(name -> name.endsWith("incomplete")));
    }

    private String fails() {
        String message = assertThrows(HubException.class, () -> download(MODEL)).getMessage();
        assertFalse(message.contains("signature"), message);
        assertFalse(Files.exists(repository().resolve("snapshots")), "no half snapshot");
        assertFalse(Files.exists(repository().resolve("refs")));
        return message;
    }

    private List<String> ranges() {
        return server.requests.stream()
                .filter(request -> request.isFor(tag))
                .map(Request::range)
                .map(range -> range.orElse("all"))
                .toList();
    }

    @Test
    void goesOnWhereADroppedConnectionStopped() throws IOException {
        server.next(tag, FakeHub.dropped(content, 40_000));
        checkComplete(download(MODEL));
        assertEquals(List.of("all", "bytes=40000-"), ranges());
        assertTrue(
                listener.notices.stream()
                        .anyMatch(text -> text.contains("after 40000 of 100000 bytes the connection broke")),
                listener.notices.toString());
    }

    @Test
    void goesOnInALaterRun() throws IOException {
        server.always(tag, FakeHub.dropped(content, 30_000));
        String message = fails();
        assertTrue(message.contains("model.safetensors: "), message);
        server.asUsual(tag);
        server.requests.clear();
        listener.notices.clear();
        checkComplete(download(MODEL));
        assertEquals(1, ranges().size());
        assertTrue(ranges().getFirst().matches("bytes=\\d+-"), ranges().toString());
        assertTrue(
                listener.notices.getFirst().endsWith("of them from an earlier attempt"), listener.notices.toString());
    }

    @Test
    void startsOverWhereTheServerKnowsNoRanges() throws IOException {
        server.ranges = false;
        server.next(tag, FakeHub.dropped(content, 40_000));
        checkComplete(download(MODEL));
        assertEquals(List.of("all", "bytes=40000-"), ranges());
        long most = listener.steps.stream().mapToLong(Map.Entry::getKey).max().orElseThrow();
        assertEquals(listener.steps.getLast().getValue(), most, "bytes in vain are not counted");
    }

    @Test
    void startsOverWhereWhatWasThereIsNotTheBeginning() throws IOException {
        Files.createDirectories(repository().resolve("blobs"));
        Files.write(repository().resolve("blobs").resolve(tag + ".sgpt4j.incomplete"), new byte[50_000]);
        checkComplete(download(MODEL));
        assertEquals(List.of("bytes=50000-", "all"), ranges());
    }

    @Test
    void startsOverWhereWhatWasThereIsTooLong() throws IOException {
        Files.createDirectories(repository().resolve("blobs"));
        Files.write(repository().resolve("blobs").resolve(tag + ".sgpt4j.incomplete"), new byte[100_001]);
        checkComplete(download(MODEL));
        assertEquals(List.of("all"), ranges());
    }

    @Test
    void fetchesNothingOfAFileThatOnlyLacksItsName() throws IOException {
        Files.createDirectories(repository().resolve("blobs"));
        Files.write(repository().resolve("blobs").resolve(tag + ".sgpt4j.incomplete"), content);
        checkComplete(download(MODEL));
        assertEquals(List.of(), ranges());
    }

    @Test
    void startsOverAfterAnotherRangeThanAskedFor() throws IOException {
        server.next(tag, FakeHub.dropped(content, 40_000), exchange -> {
            exchange.getResponseHeaders().set("Content-Range", "bytes 10-99999/100000");
            exchange.sendResponseHeaders(206, 99_990);
            exchange.getResponseBody().write(content, 10, 99_990);
        });
        checkComplete(download(MODEL));
        assertEquals(List.of("all", "bytes=40000-", "all"), ranges());
    }

    @Test
    void fetchesAnewOnceAfterAWrongHashAndThenGivesUp() throws IOException {
        byte[] wrong = content.clone();
        wrong[99_999]++;
        server.next(tag, FakeHub.whole(wrong));
        checkComplete(download(MODEL));
        assertTrue(listener.notices.stream().anyMatch(text -> text.endsWith("; downloading it again")));

        LockedFolder.remove(cache);
        server.always(tag, FakeHub.whole(wrong));
        String message = fails();
        assertEquals(
                "owner/some-model: model.safetensors: expected content with SHA-256 %s, got %s"
                        .formatted(tag, FakeHub.sha256(wrong)),
                message);
        assertFalse(
                HubTest.filesIn(repository().resolve("blobs")).stream().anyMatch(name -> name.startsWith(tag)),
                "nothing of it is kept");
    }

    @Test
    void checksGitHashesOfSmallFiles() {
        server.always("resolve/" + FakeHub.COMMIT + "/tokenizer.json", FakeHub.whole(new byte[] {'[', ']'}));
        String message = fails();
        assertTrue(message.startsWith("owner/some-model: tokenizer.json: expected content with git's SHA-1"), message);
    }

    @Test
    void refusesContentOfAnotherLength() {
        server.always(tag, FakeHub.whole(Arrays.copyOf(content, 99_999)));
        String message = fails();
        assertTrue(message.matches(".*model.safetensors: expected 100000 bytes.*"), message);
        server.always(tag, FakeHub.whole(Arrays.copyOf(content, 100_001)));
        assertEquals("owner/some-model: model.safetensors: expected 100000 bytes, got more", fails());
    }

    @Test
    void refusesABodyWithoutEnd() {
        byte[] block = new byte[1 << 16];
        server.always(tag, exchange -> {
            exchange.sendResponseHeaders(200, 0);
            while (true) {
                exchange.getResponseBody().write(block);
            }
        });
        assertEquals("owner/some-model: model.safetensors: expected 100000 bytes, got more", fails());
    }

    @Test
    void refusesACompressedBody() {
        server.always(tag, exchange -> {
            exchange.getResponseHeaders().set("Content-Encoding", "gzip");
            FakeHub.whole(content).give(exchange);
        });
        assertTrue(fails().endsWith("expected a body without encoding, got encoding \"gzip\""));
    }

    @Test
    void triesAgainAfterSilence() throws IOException {
        server.next(tag, exchange -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 40_000);
            exchange.getResponseBody().flush();
            sleep(Duration.ofSeconds(20));
        });
        HubSettings settings = settings().timeout(Duration.ofMillis(500)).build();
        checkComplete(hub(settings).download(MODEL, HubOptions.DEFAULT, listener));
        assertEquals(List.of("all", "bytes=40000-"), ranges());
    }

    @Test
    void givesUpAfterLongSilence() {
        server.always("/revision/main", exchange -> sleep(Duration.ofSeconds(20)));
        HubSettings settings = settings().timeout(Duration.ofMillis(200)).build();
        HubException failure =
                assertThrows(HubException.class, () -> hub(settings).download(MODEL, HubOptions.DEFAULT, listener));
        assertTrue(failure.getMessage().contains("no answer from " + server.endpoint()), failure.getMessage());
        assertEquals(4, server.requests.size());
    }

    /// Ends early when the server is stopped.
    private static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 502, 503, 504})
    void triesAgainAfterAStatusThatMayPass(int status) throws IOException {
        server.next("/revision/main", FakeHub.status(status, Map.of()));
        server.next(tag, FakeHub.status(status, Map.of()), FakeHub.status(status, Map.of()));
        checkComplete(download(MODEL));
        assertEquals(
                3,
                listener.notices.stream()
                        .filter(text -> text.contains("got status " + status))
                        .count());
    }

    @Test
    void triesAgainSeveralTimesAndThenGivesUp() {
        server.always(tag, FakeHub.status(500, Map.of()));
        assertTrue(fails().contains("model.safetensors: got status 500"));
        assertEquals(FAST.attempts(), server.count(tag));
    }

    @Test
    void waitsAsLongAsTheServerAsks() throws IOException {
        server.next("/revision/main", FakeHub.status(429, Map.of("Retry-After", "1")));
        server.next(tag, FakeHub.status(429, Map.of("RateLimit", "\"resolvers\";r=0;t=1")));
        long start = System.nanoTime();
        checkComplete(download(MODEL));
        assertTrue(Duration.ofNanos(System.nanoTime() - start).toMillis() >= 2000);
        assertEquals(
                2,
                listener.notices.stream()
                        .filter(text -> text.endsWith("; trying again in 1 s"))
                        .count());
    }

    @Test
    void doesNotWaitForever() {
        server.always("/revision/main", FakeHub.status(429, Map.of("Retry-After", "3600")));
        assertEquals(
                "owner/some-model: got status 429 from %s, too many requests, which asks to retry in 3600 s"
                        .formatted(server.endpoint()),
                fails());
        assertEquals(1, server.requests.size());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    401 |              | false | there is no such model, or it is not public (then HF_TOKEN must be set)
                    401 |              | true  | REJECTED
                    401 | GatedRepo    | false | RESTRICTED
                    403 | GatedRepo    | true  | RESTRICTED
                    403 |              | true  | RESTRICTED
                    404 | RepoNotFound | false | there is no such model
                    404 |              | false | there is no such model, revision or file
                    418 |              | false | expected an answer
                    """)
    void saysWhyTheHubRefuses(int status, String code, boolean identified, String reason) {
        server.always("/revision/main", FakeHub.status(status, code == null ? Map.of() : Map.of("X-Error-Code", code)));
        String text = reason.replace(
                        "RESTRICTED",
                        "access is restricted: accept the model's licence at %s/owner/some-model,"
                                        .formatted(server.endpoint())
                                + " and set HF_TOKEN to a token of that account")
                .replace(
                        "REJECTED", "the token is not accepted, or may not read this model, or there is no such model");
        HubSettings settings = settings()
                .token(identified ? Optional.of("hf_secret") : Optional.empty())
                .build();
        HubException failure =
                assertThrows(HubException.class, () -> hub(settings).download(MODEL, HubOptions.DEFAULT, listener));
        assertEquals(
                "owner/some-model: status %d from %s: %s".formatted(status, server.endpoint(), text),
                failure.getMessage());
        assertEquals(1, server.requests.size(), "no second try");
    }

    @Test
    void passesOnWhatTheHubSays() {
        server.always("/revision/main", FakeHub.status(403, Map.of("X-Error-Message", "Access denied,\"by\" owner")));
        assertTrue(fails().endsWith(" (it says \"Access denied,\\\"by\\\" owner\")"));
    }

    @Test
    void saysThatThereIsNoSuchRevision() {
        HubException failure = assertThrows(HubException.class, () -> download(MODEL.withRevision("v9")));
        assertEquals(
                "owner/some-model@v9: status 404 from %s: there is no revision \"v9\"".formatted(server.endpoint()),
                failure.getMessage());
    }

    @Test
    void saysWhichFileIsRefused() {
        server.always(
                "resolve/" + FakeHub.COMMIT + "/" + WEIGHTS, FakeHub.status(403, Map.of("X-Error-Code", "GatedRepo")));
        assertTrue(fails().startsWith("owner/some-model: model.safetensors: status 403"));
    }

    @Test
    void stopsTheOtherFilesWhenOneFails() {
        server.always(tag, exchange -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 100);
            exchange.getResponseBody().flush();
            sleep(Duration.ofSeconds(20));
        });
        server.always("resolve/" + FakeHub.COMMIT + "/tokenizer.json", FakeHub.status(403, Map.of()));
        long start = System.nanoTime();
        assertTrue(fails().contains("tokenizer.json"));
        assertTrue(Duration.ofNanos(System.nanoTime() - start).toSeconds() < 9, "silence is not waited out");
    }

    @Test
    void anInterruptedDownloadLeavesNoSnapshotAndTheNextOneCompletesIt() throws Exception {
        server.next(tag, exchange -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 40_000);
            exchange.getResponseBody().flush();
            sleep(Duration.ofSeconds(20));
        });
        Thread thread = Thread.ofPlatform().start(() -> assertThrows(CancelledException.class, () -> download(MODEL)));
        Path partial = repository().resolve("blobs").resolve(tag + ".sgpt4j.incomplete");
        while (!Files.exists(partial) || Files.size(partial) < 40_000) {
            Thread.sleep(5);
        }
        thread.interrupt();
        thread.join();
        assertEquals(Optional.empty(), hub().find(MODEL));
        assertFalse(Files.exists(repository().resolve("snapshots")));
        checkComplete(hub().get(MODEL, listener));
        assertEquals(List.of("all", "bytes=40000-"), ranges());
    }

    @Test
    void whatAnInterruptedPublicationLeftIsRemoved() throws IOException {
        Path stage = Files.createDirectories(repository().resolve(".sgpt4j/stage-1"));
        Files.createSymbolicLink(stage.resolve("config.json"), Path.of("../../blobs/x"));
        Path written = Files.writeString(repository().resolve(".sgpt4j/writing-1"), "x");
        checkComplete(download(MODEL));
        assertFalse(Files.exists(stage));
        assertFalse(Files.exists(written));
    }

    @Test
    void saysThatTheDiskIsTooSmall() {
        server.always("/revision/main", exchange -> {
            String listing = server.listing(FakeHub.COMMIT).toString();
            FakeHub.json(listing.replace("100000", "" + (RemoteFile.MAX_BYTES - 1)))
                    .give(exchange);
        });
        FileSystemException failure = assertThrows(FileSystemException.class, () -> download(MODEL));
        assertTrue(failure.getReason().matches("needs \\d+ bytes, has \\d+ free"), failure.getReason());
        assertEquals(0, server.count(tag));
    }
}
