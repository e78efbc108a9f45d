package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.weightstools.ModelsListener;
import io.github.sgpt4j.weightstools.store.DatasetStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Datasets: the hub's other addresses, other files, the same checks.
class HubDatasetTest extends HubFixture {
    private static final HubDataset SCIFACT = new HubDataset("BeIR", "scifact", "main");
    private static final HubDataset QRELS = new HubDataset("BeIR", "scifact-qrels", "main");

    @BeforeEach
    void publish() {
        dataset("BeIR/scifact", "corpus.jsonl.gz", "queries.jsonl.gz", "README.md", "scifact.py", ".gitattributes");
        dataset("BeIR/scifact-qrels", "test.tsv", "train.tsv", "README.md", ".gitattributes");
        dataset("mteb/scifact", "corpus.jsonl", "queries.jsonl", "qrels/test.tsv", "qrels/train.tsv", "x/y/z.tsv");
    }

    private Map<String, byte[]> dataset(String id, String... paths) {
        Map<String, byte[]> files = new TreeMap<>();
        for (String path : paths) {
            files.put(path, (id + " " + path).getBytes(StandardCharsets.UTF_8));
        }
        server.datasets.put(id, files);
        return files;
    }

    private Path get(HubDataset dataset) throws IOException {
        return hub().get(dataset, listener);
    }

    @Test
    void fetchesTheCollectionIntoTheLayoutOfThePythonClient() throws IOException {
        Path snapshot = get(SCIFACT);
        assertEquals(cache.resolve("datasets--BeIR--scifact/snapshots/" + FakeHub.COMMIT), snapshot);
        assertEquals(List.of("corpus.jsonl.gz", "queries.jsonl.gz"), HubTest.filesIn(snapshot));
        byte[] corpus = server.datasets.get("BeIR/scifact").get("corpus.jsonl.gz");
        assertArrayEquals(corpus, Files.readAllBytes(snapshot.resolve("corpus.jsonl.gz")));
        assertEquals(
                "../../blobs/" + FakeHub.sha256(corpus),
                Files.readSymbolicLink(snapshot.resolve("corpus.jsonl.gz")).toString());
        assertEquals(List.of("test.tsv", "train.tsv"), HubTest.filesIn(get(QRELS)));
        assertTrue(server.requests.stream()
                .filter(request -> request.server().equals("hub"))
                .allMatch(request -> request.uri().getPath().matches("(/api)?/datasets/BeIR/scifact(-qrels)?/.*")));
        server.requests.clear();
        assertEquals(snapshot, get(SCIFACT));
        assertEquals(List.of(), server.requests, "the second time it is in the cache");
    }

    @Test
    void oneRepositoryMayHoldAllParts() throws IOException {
        assertEquals(
                List.of("corpus.jsonl", "qrels/test.tsv", "qrels/train.tsv", "queries.jsonl"),
                HubTest.filesIn(get(new HubDataset("mteb", "scifact", "main"))));
    }

    @Test
    void aModelOfTheSameNameIsSomethingElse() throws IOException {
        dataset(FakeHub.ID, "test.tsv");
        Path model = hub().get(MODEL, listener);
        Path dataset = get(new HubDataset("owner", "some-model", "main"));
        assertEquals(List.of("test.tsv"), HubTest.filesIn(dataset));
        assertEquals(FakeHub.NEEDED, HubTest.filesIn(model));
    }

    @Test
    void aWrongHashIsRefused() {
        server.datasets.get("BeIR/scifact").put("corpus.jsonl.gz", FakeHub.random(5000, 1));
        byte[] wrong = FakeHub.random(5000, 2);
        server.always(FakeHub.sha256(FakeHub.random(5000, 1)), FakeHub.whole(wrong));
        HubException e = assertThrows(HubException.class, () -> get(SCIFACT));
        assertTrue(e.getMessage().contains("BeIR/scifact: corpus.jsonl.gz"), e.getMessage());
        assertFalse(Files.exists(cache.resolve("datasets--BeIR--scifact/snapshots")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"corpus.jsonl", "data/train-00000-of-00001.parquet", "qrels/test.tsv", "queries.jsonl.gz"})
    void whatIsNoCollectionIsRefusedByName(String path) {
        dataset("owner/other", path);
        FormatException e = assertThrows(FormatException.class, () -> get(new HubDataset("owner", "other", "main")));
        assertTrue(
                e.getMessage().startsWith("owner/other: expected a collection in BEIR's layout")
                        && e.getMessage().contains("it has \"" + path + "\""),
                e.getMessage());
    }

    @Test
    void thereIsNoSuchDataset() {
        HubException e = assertThrows(HubException.class, () -> get(new HubDataset("BeIR", "no-such", "main")));
        assertTrue(e.getMessage().contains("there is no such dataset"), e.getMessage());
        assertFalse(Files.exists(cache));
    }

    @Test
    void worksOfflineWithWhatIsThere() throws IOException {
        HubSettings offline = settings().offline(true).build();
        HubException e = assertThrows(HubException.class, () -> hub(offline).get(SCIFACT, listener));
        assertTrue(e.getMessage().contains("HF_HUB_OFFLINE forbids"), e.getMessage());
        Path snapshot = get(SCIFACT);
        assertEquals(snapshot, hub(offline).get(SCIFACT, listener));
    }

    /// The Python client puts the same files there, and this client's record is missing.
    @Test
    void whatThePythonClientFetchedIsUsed() throws IOException {
        Path snapshot = get(SCIFACT);
        Files.delete(cache.resolve("datasets--BeIR--scifact/.sgpt4j/" + FakeHub.COMMIT + ".json"));
        server.requests.clear();
        assertEquals(snapshot, get(SCIFACT));
        assertEquals(1, server.requests.size(), "asks once whether it is complete");
        Files.delete(cache.resolve("datasets--BeIR--scifact/.sgpt4j/" + FakeHub.COMMIT + ".json"));
        server.close();
        assertEquals(snapshot, get(SCIFACT));
        assertTrue(listener.notices.getLast().contains("using the cached version"), listener.notices.toString());
    }

    @Test
    void sendsTheTokenToTheHubOnly() throws IOException {
        hub(settings().token(Optional.of("hf_secret")).build()).get(SCIFACT, listener);
        for (FakeHub.Request request : server.requests) {
            assertEquals(request.server().equals("hub"), request.token().isPresent(), request.toString());
        }
    }

    private DatasetStore store() {
        return new DatasetStore(
                Map.of("HF_ENDPOINT", server.endpoint(), "HF_HUB_CACHE", cache.toString()),
                HubOptions.DEFAULT,
                ModelsListener.NONE);
    }

    @Test
    void judgementsAreFoundWhereTheyAre() throws IOException {
        DatasetStore.Collection separate = store().find(SCIFACT);
        assertEquals(cache.resolve("datasets--BeIR--scifact-qrels/snapshots/" + FakeHub.COMMIT), separate.qrels());
        assertEquals("BeIR/scifact@%1$s, BeIR/scifact-qrels@%1$s".formatted(FakeHub.COMMIT), separate.source());
        DatasetStore.Collection inside = store().find(new HubDataset("mteb", "scifact", "main"));
        assertEquals(inside.directory().resolve("qrels"), inside.qrels());
        assertEquals("mteb/scifact@" + FakeHub.COMMIT, inside.source());
        server.datasets.remove("BeIR/scifact-qrels");
        dataset("BeIR/other", "corpus.jsonl", "queries.jsonl");
        HubException e = assertThrows(HubException.class, () -> store().find(new HubDataset("BeIR", "other", "main")));
        assertTrue(
                e.getMessage()
                        .startsWith("BeIR/other has no folder qrels, and its judgements cannot be read from"
                                + " BeIR/other-qrels: "),
                e.getMessage());
    }

    @Test
    void namesAreThoseOfTheHub() {
        assertEquals(Optional.of(SCIFACT), HubDataset.parse("BeIR/scifact"));
        assertEquals(
                "BeIR/scifact@v1",
                HubDataset.parse("BeIR/scifact@v1").orElseThrow().toString());
        for (String other : List.of("scifact", "a/b/c", "../x", "a/..", "/a/b", "a/b@../c")) {
            assertEquals(Optional.empty(), HubDataset.parse(other), other);
        }
        String message = assertThrows(IllegalArgumentException.class, () -> new HubDataset("a", "..", "main"))
                .getMessage();
        assertEquals("expected OWNER/NAME of a hub dataset, got \"a/..\"", message);
    }
}
