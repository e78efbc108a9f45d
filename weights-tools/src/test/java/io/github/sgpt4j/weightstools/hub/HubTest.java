package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.weightstools.hub.FakeHub.Request;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What a download leaves in the cache, and what it requests.
class HubTest extends HubFixture {
    @Test
    void fetchesWhatTheEngineNeedsIntoTheLayoutOfThePythonClient() throws IOException {
        Path snapshot = download(MODEL);
        assertEquals(repository().resolve("snapshots").resolve(FakeHub.COMMIT), snapshot);
        assertEquals(FakeHub.NEEDED, filesIn(snapshot));
        for (String path : FakeHub.NEEDED) {
            Path link = snapshot.resolve(path);
            String up = path.contains("/") ? "../../../blobs/" : "../../blobs/";
            assertEquals(up + server.tag(path), Files.readSymbolicLink(link).toString(), path);
            assertArrayEquals(server.files.get(path), Files.readAllBytes(link), path);
        }
        assertEquals(FakeHub.COMMIT, Files.readString(repository().resolve("refs/main")));
        assertEquals(
                FakeHub.NEEDED.stream().map(server::tag).collect(Collectors.toCollection(TreeSet::new)),
                new TreeSet<>(filesIn(repository().resolve("blobs"))));
        assertTrue(Files.readString(cache.resolve("CACHEDIR.TAG"))
                .startsWith("Signature: 8a477f597d28d172789f06886806bc55"));
    }

    /// Without it, a re-ranker would score other prompts.
    @Test
    void fetchesTheChatTemplateOfARerankerAndItsTokens() throws IOException {
        String type = "sentence_transformers.";
        server.with("chat_template.jinja", "{{ messages }}")
                .with("1_LogitScore/config.json", "{\"true_token_id\": 1}")
                .with("modules.json", """
                        [{"idx": 0, "name": "0", "path": "", "type": "TYPEbase.modules.transformer.Transformer"},
                         {"idx": 1, "name": "1", "path": "1_LogitScore",
                          "type": "TYPEcross_encoder.modules.logit_score.LogitScore"}]
                        """.replace("TYPE", type));
        List<String> files = filesIn(download(MODEL));
        assertTrue(files.containsAll(List.of("chat_template.jinja", "1_LogitScore/config.json")), files.toString());
    }

    @Test
    void sendsTheTokenToTheHubOnly() throws IOException {
        hub(settings().token(Optional.of("hf_secret")).build()).download(MODEL, HubOptions.DEFAULT, listener);
        for (Request request : server.requests) {
            Optional<String> expected =
                    request.server().equals("hub") ? Optional.of("Bearer hf_secret") : Optional.empty();
            assertEquals(expected, request.token(), request.toString());
        }
        assertTrue(server.requests.stream().anyMatch(request -> request.server().equals("cdn")));
    }

    @Test
    void keepsTheTokenAcrossRedirectionsWithinTheHub() throws IOException {
        server.always(
                "/api/models/old/name/revision/main", FakeHub.redirect("/api/models/" + FakeHub.ID + "/revision/main"));
        FakeHub.Answer file = exchange -> FakeHub.redirect(
                        exchange.getRequestURI().toString().replace("/old/name/", "/" + FakeHub.ID + "/"))
                .give(exchange);
        FakeHub.NEEDED.forEach(path -> server.next("old/name/resolve/" + FakeHub.COMMIT + "/" + path, file));
        HubModel old = new HubModel("old", "name", "main");
        Path snapshot =
                hub(settings().token(Optional.of("hf_secret")).build()).download(old, HubOptions.DEFAULT, listener);
        assertEquals(FakeHub.NEEDED, filesIn(snapshot));
        assertTrue(server.requests.stream()
                .filter(request -> request.server().equals("hub"))
                .allMatch(request -> request.token().isPresent()));
    }

    @Test
    void neverSendsTheTokenAgainOnceARedirectionHasLedElsewhere() throws IOException {
        String back = server.endpoint() + "/back";
        server.next(server.tag("model.safetensors"), FakeHub.redirect(back));
        server.next("/back", FakeHub.whole(server.files.get("model.safetensors")));
        hub(settings().token(Optional.of("hf_secret")).build()).download(MODEL, HubOptions.DEFAULT, listener);
        Request there = server.requests.stream()
                .filter(request -> request.isFor("/back"))
                .findFirst()
                .orElseThrow();
        assertEquals(Optional.empty(), there.token());
    }

    @Test
    void takesTheTokenFromTheFileOfALogIn() throws IOException {
        Path file = cache.resolveSibling("token");
        Files.writeString(file, "hf_from_file\n");
        hub(settings().tokenFile(Optional.of(file)).build()).download(MODEL, HubOptions.DEFAULT, listener);
        assertEquals(
                Optional.of("Bearer hf_from_file"), server.requests.getFirst().token());
    }

    @Test
    void refusesATokenThatWouldChangeTheRequestWithoutShowingIt() {
        HubSettings settings = settings().token(Optional.of("hf_a\u0001b")).build();
        String message = assertThrows(
                        HubException.class, () -> hub(settings).download(MODEL, HubOptions.DEFAULT, listener))
                .getMessage();
        assertEquals("HF_TOKEN: expected a token of printable ASCII characters, got something else", message);
        assertFalse(
                settings().token(Optional.of("hf_secret")).build().toString().contains("hf_secret"));
    }

    @Test
    void asksForNothingButTheListWhenAllIsThere() throws IOException {
        Path snapshot = download(MODEL);
        server.requests.clear();
        listener.notices.clear();
        assertEquals(snapshot, download(MODEL));
        assertEquals(1, server.requests.size());
        assertEquals(List.of(), listener.notices);
    }

    @Test
    void getAsksForNothingAtAllWhenAllIsThere() throws IOException {
        assertEquals(Optional.empty(), hub().find(MODEL));
        Path snapshot = hub().get(MODEL, listener);
        assertEquals(
                "owner/some-model is not in the cache: downloading it from " + server.endpoint(),
                listener.notices.getFirst());
        server.requests.clear();
        assertEquals(snapshot, hub().get(MODEL, listener));
        assertEquals(Optional.of(snapshot), hub().find(MODEL));
        assertEquals(List.of(), server.requests);
    }

    @Test
    void fetchesANewCommitOfABranchAndSharesWhatDidNotChange() throws IOException {
        Path first = download(MODEL);
        String second = "1".repeat(40);
        server.with("config.json", "{\"model_type\": \"gpt_neo\"}").revisions.put("main", second);
        server.requests.clear();
        Path updated = download(MODEL);
        assertEquals(second, updated.getFileName().toString());
        assertEquals(second, Files.readString(repository().resolve("refs/main")));
        assertEquals(1, server.fetches().size());
        assertEquals("{\"model_type\": \"gpt2\"}", Files.readString(first.resolve("config.json")));
        assertEquals("{\"model_type\": \"gpt_neo\"}", Files.readString(updated.resolve("config.json")));
    }

    @Test
    void takesABranchATagOrACommitAsRevision() throws IOException {
        String tagged = "2".repeat(40);
        server.revisions.put("v1.0", tagged);
        server.revisions.put("refs/pr/1", "3".repeat(40));
        assertEquals(tagged, download(MODEL.withRevision("v1.0")).getFileName().toString());
        assertEquals(tagged, Files.readString(repository().resolve("refs/v1.0")));
        assertEquals(
                "3".repeat(40),
                download(MODEL.withRevision("refs/pr/1")).getFileName().toString());
        assertEquals("3".repeat(40), Files.readString(repository().resolve("refs/refs/pr/1")));
        server.requests.clear();
        assertEquals(
                tagged,
                hub().get(MODEL.withRevision(tagged), listener).getFileName().toString());
        assertEquals(List.of(), server.requests, "the commit is there already");
        download(MODEL.withRevision(FakeHub.COMMIT));
        assertEquals(List.of("refs/pr/1", "v1.0"), filesIn(repository().resolve("refs")), "no reference for a commit");
    }

    @Test
    void fetchesPicklesWhereThereAreNoSafetensors() throws IOException {
        server.files.remove("model.safetensors");
        List<String> files = filesIn(download(MODEL));
        assertTrue(files.contains("pytorch_model.bin"));
        assertEquals(FakeHub.NEEDED.size(), files.size());
    }

    @Test
    void fetchesTheShardsThatAnIndexNames() throws IOException {
        server.files.remove("model.safetensors");
        server.with("model-00001-of-00002.safetensors", FakeHub.random(10, 1))
                .with("model-00002-of-00002.safetensors", FakeHub.random(20, 2))
                .with("model-other.safetensors", FakeHub.random(30, 3))
                .with("model.safetensors.index.json", """
                        {"weight_map": {"a": "model-00001-of-00002.safetensors",
                         "b": "model-00002-of-00002.safetensors", "c": "model-00001-of-00002.safetensors"}}""");
        List<String> files = filesIn(download(MODEL));
        assertEquals(FakeHub.NEEDED.size() + 2, files.size(), files.toString());
        assertFalse(files.contains("model-other.safetensors"));
        assertFalse(files.contains("pytorch_model.bin"));
    }

    @Test
    void asksForHeadersWhereTheListSaysNoHashes() throws IOException {
        server.blobs = false;
        Path snapshot = download(MODEL);
        assertEquals(FakeHub.NEEDED, filesIn(snapshot));
        assertEquals(
                server.tag("model.safetensors"),
                Files.readSymbolicLink(snapshot.resolve("model.safetensors"))
                        .getFileName()
                        .toString());
        assertEquals(
                FakeHub.NEEDED.size(),
                server.requests.stream().filter(r -> r.method().equals("HEAD")).count());
    }

    @Test
    void makesFilesWhereThereAreNoLinks() throws IOException {
        HubSettings settings = settings().symlinks(false).build();
        server.with("tokenizer_config.json", server.files.get("tokenizer.json"));
        Path snapshot = hub(settings).download(MODEL, HubOptions.DEFAULT, listener);
        for (String path : FakeHub.NEEDED) {
            assertTrue(Files.isRegularFile(snapshot.resolve(path), LinkOption.NOFOLLOW_LINKS), path);
            assertArrayEquals(server.files.get(path), Files.readAllBytes(snapshot.resolve(path)), path);
        }
        assertEquals(List.of(), filesIn(repository().resolve("blobs")), "contents are kept once");
        server.requests.clear();
        hub(settings).download(MODEL, HubOptions.DEFAULT, listener);
        assertEquals(1, server.requests.size());
        Files.delete(snapshot.resolve("config.json"));
        hub(settings).download(MODEL, HubOptions.DEFAULT, listener);
        assertEquals(3, server.requests.size());
        assertArrayEquals(server.files.get("config.json"), Files.readAllBytes(snapshot.resolve("config.json")));
    }

    @Test
    void fetchesAnewWhatIsThereWhenForced() throws IOException {
        Path snapshot = download(MODEL);
        Path blob = repository().resolve("blobs").resolve(server.tag("model.safetensors"));
        byte[] broken = server.files.get("model.safetensors").clone();
        broken[5]++;
        Files.write(blob, broken);
        assertEquals(snapshot, download(MODEL));
        assertArrayEquals(broken, Files.readAllBytes(snapshot.resolve("model.safetensors")));
        hub().download(MODEL, HubOptions.DEFAULT.withForce(true), listener);
        assertArrayEquals(
                server.files.get("model.safetensors"), Files.readAllBytes(snapshot.resolve("model.safetensors")));
    }

    @Test
    void fetchesAnewABlobOfAnotherLength() throws IOException {
        Path snapshot = download(MODEL);
        Files.write(repository().resolve("blobs").resolve(server.tag("config.json")), new byte[3]);
        assertEquals(Optional.empty(), hub().find(MODEL), "no longer complete");
        assertEquals(snapshot, hub().get(MODEL, listener));
        assertArrayEquals(server.files.get("config.json"), Files.readAllBytes(snapshot.resolve("config.json")));
    }

    @Test
    void tellsHowFarItIs() throws IOException {
        download(MODEL);
        long total = FakeHub.NEEDED.stream()
                .mapToLong(path -> server.files.get(path).length)
                .sum();
        assertEquals(Map.entry(total, total), listener.steps.getLast());
        assertEquals(Set.copyOf(FakeHub.NEEDED), Set.copyOf(listener.fetched));
        assertTrue(listener.notices.stream().anyMatch(text -> text.matches(".*fetching \\d files, [0-9,]+ bytes")));
    }

    @Test
    void worksOfflineWithWhatIsThere() throws IOException {
        HubSettings offline = settings().offline(true).build();
        HubException failure =
                assertThrows(HubException.class, () -> hub(offline).get(MODEL, listener));
        assertTrue(failure.getMessage().contains("HF_HUB_OFFLINE forbids downloading it"), failure.getMessage());
        assertThrows(HubException.class, () -> hub(offline).download(MODEL, HubOptions.DEFAULT, listener));
        assertEquals(List.of(), server.requests);
        Path snapshot = download(MODEL);
        server.requests.clear();
        assertEquals(snapshot, hub(offline).get(MODEL, listener));
        assertEquals(snapshot, hub(offline).download(MODEL, HubOptions.DEFAULT, listener));
        assertThrows(
                HubException.class, () -> hub(offline).download(MODEL, HubOptions.DEFAULT.withForce(true), listener));
        assertEquals(List.of(), server.requests);
    }

    @Test
    void usesWhatIsThereWhenTheHubDoesNotAnswer() throws IOException {
        Path snapshot = download(MODEL);
        server.always("/revision/main", FakeHub.status(503, Map.of()));
        assertEquals(snapshot, download(MODEL));
        assertTrue(listener.notices.getLast().endsWith("; using the cached version"), listener.notices.getLast());
        server.close();
        assertEquals(snapshot, download(MODEL));
        assertTrue(listener.notices.getLast().contains("cannot connect to"), listener.notices.getLast());
        HubException failure = assertThrows(HubException.class, () -> download(MODEL.withRevision("other")));
        assertTrue(failure.getMessage().contains("cannot connect to " + server.endpoint()), failure.getMessage());
    }

    @Test
    void leavesNothingOfATypingError() throws IOException {
        assertThrows(HubException.class, () -> download(new HubModel("owner", "no-such", "main")));
        assertFalse(Files.exists(cache));
    }

    static List<String> filesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(path -> !Files.isDirectory(path))
                    .map(path -> folder.relativize(path).toString().replace('\\', '/'))
                    .sorted()
                    .toList();
        }
    }
}
