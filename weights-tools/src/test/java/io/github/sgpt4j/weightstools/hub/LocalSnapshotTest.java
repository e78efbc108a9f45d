package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.weightstools.LockedFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Snapshots made by the Python client, and what is known about them.
class LocalSnapshotTest extends HubFixture {
    private Path snapshot() {
        return repository().resolve("snapshots").resolve(FakeHub.COMMIT);
    }

    /// Makes what the Python client leaves after downloading these files one by one.
    private void pythonFetched(List<String> paths) throws IOException {
        write(repository().resolve("refs/main"), FakeHub.COMMIT);
        for (String path : paths) {
            Path link = snapshot().resolve(path);
            if (!server.files.containsKey(path)) {
                write(repository().resolve(".no_exist").resolve(FakeHub.COMMIT).resolve(path), "");
                continue;
            }
            Path blob = repository().resolve("blobs").resolve(server.tag(path));
            Files.createDirectories(blob.getParent());
            Files.write(blob, server.files.get(path));
            Files.createDirectories(link.getParent());
            Files.createSymbolicLink(link, link.getParent().relativize(blob));
        }
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private void writeTree() throws IOException {
        ObjectNode tree = new ObjectMapper().createObjectNode().put("format_version", 1);
        ObjectNode files = tree.putObject("files");
        server.files.forEach((path, content) ->
                files.putObject(path).put("size", content.length).put("blob_id", "x"));
        write(repository().resolve("trees/" + FakeHub.COMMIT + ".json"), tree.toString());
    }

    @Test
    void aSnapshotWithAllFilesIsFoundWithoutTheHub() throws IOException {
        pythonFetched(FakeHub.NEEDED);
        assertEquals(Optional.of(snapshot()), hub().find(MODEL));
        assertEquals(snapshot(), hub().get(MODEL, listener));
        assertEquals(List.of(), server.requests);
        assertEquals(List.of(), listener.notices);
    }

    @Test
    void aSnapshotOfAPlainModelIsFoundWithoutTheHub() throws IOException {
        server.files.keySet().removeAll(List.of("modules.json", "1_Pooling/config.json"));
        pythonFetched(
                List.of("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors", "modules.json"));
        assertEquals(snapshot(), hub().get(MODEL, listener));
        assertEquals(List.of(), server.requests);
    }

    @Test
    void theListOfThePythonClientTellsThatNothingIsMissing() throws IOException {
        server.files.remove("config_sentence_transformers.json");
        pythonFetched(FakeHub.NEEDED.stream().filter(server.files::containsKey).toList());
        assertEquals(Optional.empty(), hub().find(MODEL));
        writeTree();
        assertEquals(Optional.of(snapshot()), hub().find(MODEL));
    }

    @Test
    void aSnapshotThatMayLackFilesIsCompletedOnce() throws IOException {
        pythonFetched(List.of("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"));
        server.revisions.put("main", "4".repeat(40));
        server.revisions.put("older", FakeHub.COMMIT);
        assertEquals(Optional.empty(), hub().find(MODEL));
        assertEquals(snapshot(), hub().get(MODEL, listener), "the same commit, though there is a newer one");
        assertEquals(FakeHub.NEEDED, HubTest.filesIn(snapshot()));
        assertEquals(0, server.count("model.safetensors"), "what is there is not fetched again");
        assertEquals(FakeHub.COMMIT, Files.readString(repository().resolve("refs/main")));
        assertTrue(listener.notices.getFirst().contains("perhaps incomplete"), listener.notices.getFirst());
        server.requests.clear();
        assertEquals(snapshot(), hub().get(MODEL, listener));
        assertEquals(List.of(), server.requests);
    }

    @Test
    void aSnapshotThatMayLackFilesIsUsedWhereTheHubCannotBeAsked() throws IOException {
        pythonFetched(List.of("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"));
        assertEquals(snapshot(), hub(settings().offline(true).build()).get(MODEL, listener));
        assertEquals(List.of(), server.requests);
        server.always("/revision/" + FakeHub.COMMIT, FakeHub.status(403, Map.of()));
        assertEquals(snapshot(), hub().get(MODEL, listener));
        assertTrue(listener.notices.getLast().endsWith("; using the cached files of owner/some-model"));
    }

    @Test
    void aSnapshotThatLacksFilesIsCompleted() throws IOException {
        pythonFetched(List.of("config.json", "modules.json", "1_Pooling/config.json"));
        HubException failure = assertThrows(
                HubException.class, () -> hub(settings().offline(true).build()).get(MODEL, listener));
        assertTrue(failure.getMessage().contains("incomplete in"), failure.getMessage());
        assertEquals(snapshot(), hub().get(MODEL, listener));
        assertEquals(FakeHub.NEEDED, HubTest.filesIn(snapshot()));
    }

    @Test
    void aBlobWithoutASnapshotIsNotFetchedAgain() throws IOException {
        pythonFetched(List.of("model.safetensors"));
        LockedFolder.remove(repository().resolve("snapshots"));
        assertEquals(snapshot(), hub().get(MODEL, listener));
        assertEquals(0, server.count(server.tag("model.safetensors")));
    }

    @Test
    void aLinkToAnotherBlobIsReplaced() throws IOException {
        pythonFetched(FakeHub.NEEDED);
        Path config = snapshot().resolve("config.json");
        Files.delete(config);
        Files.createSymbolicLink(config, Path.of("../../blobs", server.tag("tokenizer.json")));
        download(MODEL);
        assertEquals(Path.of("../../blobs", server.tag("config.json")), Files.readSymbolicLink(config));
    }

    @Test
    void brokenNotesCountAsNone() throws IOException {
        pythonFetched(FakeHub.NEEDED);
        Path notes = repository().resolve(".sgpt4j").resolve(FakeHub.COMMIT + ".json");
        for (String text : List.of("", "[", "1", "{}", "{\"version\": 3}", "{\"version\": 0, \"files\": {}}")) {
            write(notes, text);
            assertEquals(Optional.of(snapshot()), hub().find(MODEL), text);
        }
        for (String files : List.of("1", "{}", "{\"a\\u0000\": 1}", "{\"config.json\": -1}", "{\"none\": 1}")) {
            write(notes, "{\"version\": 2, \"files\": " + files + "}");
            assertEquals(Optional.empty(), hub().find(MODEL), files);
        }
    }

    @Test
    void brokenReferencesCountAsNone() throws IOException {
        pythonFetched(FakeHub.NEEDED);
        for (String text : List.of("", "../../etc", "/etc", "a/b", ".", "x".repeat(2000), FakeHub.COMMIT + "\nx")) {
            write(repository().resolve("refs/main"), text);
            assertEquals(Optional.empty(), hub().find(MODEL), text);
        }
        write(repository().resolve("refs/main"), FakeHub.COMMIT + "\n");
        assertEquals(Optional.of(snapshot()), hub().find(MODEL));
        write(repository().resolve("refs/main"), "../../etc");
        assertEquals(snapshot(), hub().get(MODEL, listener));
        assertEquals(FakeHub.COMMIT, Files.readString(repository().resolve("refs/main")), "mended");
    }

    @Test
    void aRemovedBlobMakesTheSnapshotIncomplete() throws IOException {
        download(MODEL);
        Files.delete(repository().resolve("blobs").resolve(server.tag("model.safetensors")));
        assertEquals(Optional.empty(), hub().find(MODEL));
        assertFalse(Files.exists(snapshot().resolve("model.safetensors")));
        hub().get(MODEL, listener);
        assertEquals(Optional.of(snapshot()), hub().find(MODEL));
    }
}
