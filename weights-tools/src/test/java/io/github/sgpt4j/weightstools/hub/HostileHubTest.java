package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.SgptException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Malicious servers.
class HostileHubTest extends HubFixture {
    private static final String LISTING = "/revision/main";

    private String fails() {
        Exception failure = assertThrows(Exception.class, () -> download(MODEL));
        assertTrue(
                failure instanceof HubException || failure instanceof SgptException,
                () -> failure.getClass() + ": " + failure.getMessage());
        assertFalse(Files.exists(repository().resolve("snapshots")));
        assertTrue(failure.getMessage().startsWith("owner/some-model"), failure.getMessage());
        assertTrue(failure.getMessage().length() < 600, failure.getMessage());
        return failure.getMessage();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../config.json",
                "/etc/passwd",
                "1_Pooling/../../x",
                "a//b",
                "..",
                "./config.json",
                "a/",
                "config.json\0.png",
                ""
            })
    void refusesNamesOutsideTheRepository(String name) {
        server.files.put(name, new byte[1]);
        assertTrue(fails().contains("list of files: expected paths below the repository"));
        assertEquals(1, server.requests.size());
    }

    @Test
    void passesOverNamesThatOnlyOtherSystemsMisunderstand() throws IOException {
        server.with("..\\..\\config.json", "x").with("C:\\config.json", "x").with("con\nfig.json", "x");
        assertEquals(FakeHub.NEEDED, HubTest.filesIn(download(MODEL)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "null",
                "\"text\"",
                "{\"sha\": 1}",
                "{\"sha\": \"main\", \"siblings\": []}",
                "{\"sha\": \"../../../../../../../../../../../etc/pass\", \"siblings\": []}",
                "{\"sha\": \"COMMIT\"}",
                "{\"sha\": \"COMMIT\", \"siblings\": {}}",
                "{\"sha\": \"COMMIT\", \"siblings\": [1]}",
                "{\"sha\": \"COMMIT\", \"siblings\": [{\"rfilename\": 1}]}",
                "{\"sha\": \"COMMIT\", \"siblings\": [{\"rfilename\": \"a\"}, {\"rfilename\": \"a\"}]}",
                "{\"sha\": \"COMMIT\", \"siblings\": [{\"rfilename\": \"a\", \"size\": 1e3}]}",
                "{\"sha\": \"COMMIT\", \"siblings\": [{\"rfilename\": \"a\", \"size\": 99999999999999999999}]}",
                "<html>Log in</html>"
            })
    void refusesWhatIsNoList(String text) {
        server.always(LISTING, FakeHub.json(text.replace("COMMIT", FakeHub.COMMIT)));
        fails();
        assertEquals(1, server.requests.size());
    }

    @Test
    void refusesAListCutAnywhere() throws IOException {
        String whole = server.listing(FakeHub.COMMIT).toString();
        for (int length = 0; length < whole.length(); length++) {
            byte[] cut = whole.substring(0, length).getBytes(StandardCharsets.UTF_8);
            assertThrows(
                    HubException.class,
                    () -> Listing.read(MODEL, new ByteArrayInputStream(cut)),
                    () -> new String(cut, StandardCharsets.UTF_8));
        }
    }

    @Test
    void refusesAListWithoutEnd() {
        server.always(LISTING, exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write("{\"junk\": [".getBytes(StandardCharsets.UTF_8));
            byte[] block = "[],".repeat(20_000).getBytes(StandardCharsets.UTF_8);
            while (true) {
                exchange.getResponseBody().write(block);
            }
        });
        assertTrue(fails().endsWith("list of files: expected at most 67108864 bytes, got more"));
    }

    @Test
    void refusesADeepList() {
        server.always(LISTING, FakeHub.json("{\"a\": " + "[".repeat(1_000_000)));
        fails();
    }

    @Test
    void refusesTooManyFiles() {
        StringBuilder text = new StringBuilder("{\"siblings\": [");
        for (int i = 0; i <= 100_000; i++) {
            text.append("{\"rfilename\": \"").append(i).append("\"},");
        }
        server.always(LISTING, FakeHub.json(text.toString()));
        assertTrue(fails().endsWith("expected at most 100,000 files, got more"));
    }

    private void edit(Consumer<ObjectNode> change) {
        ObjectNode listing = server.listing(FakeHub.COMMIT);
        for (var file : listing.get("siblings")) {
            if (file.get("rfilename").asText().equals("config.json")) {
                change.accept((ObjectNode) file);
            }
        }
        server.always(LISTING, FakeHub.json(listing.toString()));
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40})
    void refusesAbsurdLengths(long length) {
        edit(file -> file.put("size", length));
        assertTrue(fails().contains("config.json: expected a length of 0 to 268435456 bytes, the hub says " + length));
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../../x", "/etc/x", "a/b", "a\\b", "..", ".", ".x", "a..b", "x\0", "C:x"})
    void refusesTagsThatAreNoNamesOfBlobs(String tag) {
        edit(file -> file.put("blobId", tag));
        assertTrue(fails().contains("config.json: expected a hash as its tag, the hub says"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"../../x\"", "W/\"../x\"", "\"", "\"\"", "a/b"})
    void refusesSuchTagsInHeadersToo(String tag) {
        server.blobs = false;
        server.always("/modules.json", FakeHub.status(200, Map.of("ETag", tag, "Content-Length", "10")));
        assertTrue(fails().contains("modules.json: expected a hash as its tag"));
    }

    @Test
    void aTagThatIsNoHashIsTakenWithTheLength() throws IOException {
        edit(file -> file.put("blobId", "v1-abc"));
        assertTrue(HubTest.filesIn(download(MODEL)).contains("config.json"));
        assertTrue(Files.exists(repository().resolve("blobs/v1-abc")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "ftp://127.0.0.1/x", "http://", "file:///etc/passwd", "http://a b/", "//u:p@h/x"})
    void refusesBadRedirections(String location) {
        server.always(LISTING, FakeHub.redirect(location));
        assertTrue(fails().contains("expected an http address in the redirection"));
    }

    @Test
    void refusesRedirectionsInACircle() {
        server.always(LISTING, FakeHub.redirect("/api/models/owner/some-model/revision/main"));
        assertTrue(fails().endsWith("expected at most 10 redirections, got more"));
        assertEquals(11, server.requests.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", "../..", "/etc", "a/../b", "a\\\\b", "1_Pooling/", ".hidden", "a/b/c/d/e"})
    void refusesModulesElsewhere(String path) {
        server.with("modules.json", FakeHub.modules(path));
        assertTrue(fails().contains("modules.json: expected a folder of the repository as a module's path"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "[]", "1", "[", "{\"a\":"})
    void refusesBrokenModules(String text) {
        server.with("modules.json", text);
        String message = fails();
        assertTrue(
                message.matches(
                        "owner/some-model: modules.json: (not valid JSON at line 1, column \\d+: )?expected [^`]*, got [^`]*"),
                message);
    }

    @Test
    void tellsBrokenListingsWithoutWordsOfTheParser() {
        server.always(LISTING, FakeHub.json("{\"sha\": \""));
        assertEquals("owner/some-model: list of files: not valid JSON: expected more, got the end", fails());
        server.always(LISTING, FakeHub.json("[]"));
        assertEquals("owner/some-model: list of files: expected an object, got an array", fails());
    }

    @ParameterizedTest
    @ValueSource(strings = {"../model.safetensors", "missing.safetensors", "config.json", "/model.safetensors"})
    void refusesShardsElsewhere(String shard) {
        server.files.remove("model.safetensors");
        server.with("model.safetensors.index.json", "{\"weight_map\": {\"a\": \"%s\"}}".formatted(shard));
        assertTrue(fails().startsWith("owner/some-model: model.safetensors.index.json: "));
    }

    @Test
    void refusesARepositoryWithoutAModel() {
        server.files.remove("config.json");
        assertTrue(fails().startsWith("owner/some-model: expected a model with config.json, found none; it has \"1_"));
    }

    @Test
    void refusesARepositoryWithoutWeightsOrTokenizerBeforeFetchingAny() {
        server.files.keySet().removeAll(List.of("model.safetensors", "pytorch_model.bin"));
        assertTrue(fails().contains("expected weights (model.safetensors or pytorch_model.bin), found none"));
        server.withModel().files.remove("tokenizer.json");
        assertTrue(fails().contains("expected a tokenizer (tokenizer.json, or vocab.json with merges.txt)"));
        assertEquals(0, server.count("model.safetensors"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "huggingface.co", "ftp://huggingface.co", "https://", "http://u:p@h", "http://h?x", "::"})
    void refusesABadEndpoint(String endpoint) {
        HubSettings settings =
                settings().endpoint(endpoint).token(Optional.of("hf_secret")).build();
        String message = assertThrows(
                        HubException.class, () -> hub(settings).download(MODEL, HubOptions.DEFAULT, listener))
                .getMessage();
        assertTrue(message.startsWith("HF_ENDPOINT: expected an address"), message);
    }
}
