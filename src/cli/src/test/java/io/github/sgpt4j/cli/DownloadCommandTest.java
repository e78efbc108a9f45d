package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.cli.console.Console;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `sgpt download`, and hub models that are downloaded on first use.
class DownloadCommandTest {
    private static final String NAME = "gptneo-be-bin";
    private static final Path PICKLES =
            Path.of("../../weights-tools/src/test/resources/checkpoints", NAME, "pytorch_model.bin");

    @TempDir
    Path folder;

    private ModelServer server;
    private Path snapshot;

    @BeforeEach
    void start() throws IOException {
        server = new ModelServer(Cli.GOLDENS.resolve(NAME));
        server.files.put("README.md", "Hello".getBytes(StandardCharsets.UTF_8));
        snapshot = folder.resolve("hf/hub/models--owner--tiny/snapshots/" + ModelServer.COMMIT);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Map<String, String> environment() {
        return new HashMap<>(Map.of(
                "HF_ENDPOINT",
                server.endpoint(),
                "HF_HOME",
                folder.resolve("hf").toString(),
                "XDG_CACHE_HOME",
                folder.resolve("cache").toString()));
    }

    private Cli.Result run(String... arguments) {
        return Cli.runWithEnvironment(environment(), arguments);
    }

    private Cli.Result embed(String model, String... more) {
        String text = Cli.expected(NAME).get("texts").get(0).textValue();
        List<String> arguments = new ArrayList<>(List.of("embed", "-m", model, "--pooling", "weightedmean"));
        arguments.addAll(List.of(more));
        arguments.add(text);
        return run(arguments.toArray(String[]::new));
    }

    private static void checkEmbedding(Cli.Result result) {
        JsonNode expected = Cli.expected(NAME).get("pooled").get("weightedmean").get(0);
        Cli.assertClose(expected, result.lines().getFirst().get("embedding"), "embedding");
    }

    /// Replaces the weights on the server by pickled ones.
    private void publishPickles() throws IOException {
        server.files.remove("model.safetensors");
        server.files.put("pytorch_model.bin", Files.readAllBytes(PICKLES));
    }

    @Test
    void printsTheSnapshotAndTellsWhatItFetches() {
        Cli.Result result = run("download", "owner/tiny");
        assertEquals(0, result.code(), result.err());
        assertEquals(snapshot + "\n", result.text());
        assertTrue(result.err().contains("sgpt: fetched model.safetensors, 1,"), result.err());
        assertTrue(
                result.err().matches("(?s).*sgpt: owner/tiny: fetching \\d+ files, [0-9,]+ bytes\n.*"), result.err());
        assertTrue(Files.exists(snapshot.resolve("tokenizer.json")));
        assertFalse(Files.exists(snapshot.resolve("README.md")));
        Cli.Result again = run("download", "owner/tiny");
        assertEquals(snapshot + "\n", again.text());
        assertEquals("", again.err());
    }

    @Test
    void saysNothingWhenQuiet() {
        Cli.Result result = run("download", "owner/tiny", "--quiet");
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.err());
    }

    @Test
    void showsABarOnATerminal() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream terminal = new PrintStream(err, true, StandardCharsets.UTF_8);
        Console console = new Console(
                InputStream.nullInputStream(), new ByteArrayOutputStream(), terminal, 80, false, environment());
        assertEquals(0, Main.run(console, "download", "owner/tiny"));
        String text = err.toString(StandardCharsets.UTF_8);
        assertTrue(text.contains("Downloading"), text);
        assertTrue(text.contains("MB/s"), text);
        assertFalse(text.contains("sgpt: fetched"), text);
    }

    @Test
    void takesARevisionAfterTheNameOrAsAnOption() {
        assertEquals(snapshot + "\n", run("download", "owner/tiny@v1").text());
        assertEquals(
                snapshot + "\n",
                run("download", "owner/tiny", "--revision", "v1").text());
        assertEquals(
                snapshot + "\n",
                run("download", "owner/tiny@v1", "--revision=v1").text());
        String line = run("download", "owner/tiny@v2", "--quiet").failure(1);
        assertTrue(line.startsWith("owner/tiny@v2: status 404"), line);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "download",
                "download tiny",
                "download ./tiny",
                "download owner/tiny@",
                "download owner/tiny@v1 --revision v2",
                "download owner/tiny --revision ..",
                "download owner/tiny --parallel 0",
                "download owner/tiny --parallel 65",
                "download owner/tiny --min-rate 10",
                "download owner/tiny --min-rate -1kB",
                "download owner/tiny --max-size 0",
                "download owner/tiny --max-size 0MB",
                "download owner/tiny other/tiny"
            })
    void wrongArgumentsAreUsageErrors(String line) {
        run(line.split(" ")).failure(2);
        assertEquals(List.of(), server.requests);
    }

    @Test
    void aModelThatIsTooLargeIsRefused() {
        String line =
                run("download", "owner/tiny", "--quiet", "--max-size", "1MB").failure(1);
        assertTrue(
                line.matches("owner/tiny: expected files of at most 1,000,000 bytes in total, the hub has 1,\\d+,\\d+"),
                line);
        assertFalse(Files.exists(snapshot));
        assertEquals(0, run("download", "owner/tiny", "--max-size", "2MB").code());
    }

    @Test
    void filesWithoutAHashAreToldOnceAndRefusedWhenStrict() {
        server.unhashed.add("config.json");
        String refused = "owner/tiny: expected a hash of each file's content, the hub gives none for \"config.json\"";
        assertEquals(
                refused, run("download", "owner/tiny", "--strict", "--quiet").failure(1));
        String line = embed("owner/tiny", "--strict", "--quiet").failure(1);
        assertTrue(line.startsWith(refused), line);
        Cli.Result told = embed("owner/tiny");
        checkEmbedding(told);
        assertEquals(
                1,
                told.err()
                        .lines()
                        .filter(text -> text.equals("sgpt: owner/tiny: unverified, since the hub gives no hash of their"
                                + " content: \"config.json\""))
                        .count(),
                told.err());
        assertEquals("", embed("owner/tiny").err());
    }

    @Test
    void theRateMayBeAny() {
        assertEquals(0, run("download", "owner/tiny", "--min-rate", "0").code());
        assertEquals(
                0,
                run("download", "owner/tiny", "--force", "--min-rate", "10kB").code());
    }

    @Test
    void aBadVariableIsAFailure() {
        Map<String, String> environment = environment();
        environment.put("HF_HUB_DOWNLOAD_TIMEOUT", "soon");
        assertEquals(
                "HF_HUB_DOWNLOAD_TIMEOUT: expected a number of seconds, got \"soon\"",
                Cli.runWithEnvironment(environment, "download", "owner/tiny").failure(1));
    }

    @Test
    void aModelIsDownloadedOnFirstUseAfterSayingSo() {
        Cli.Result first = embed("owner/tiny");
        checkEmbedding(first);
        assertEquals(
                "sgpt: owner/tiny is not in the cache: downloading it from " + server.endpoint(),
                first.err().lines().findFirst().orElseThrow());
        server.requests.clear();
        Cli.Result second = embed("owner/tiny");
        checkEmbedding(second);
        assertEquals("", second.err());
        assertEquals(List.of(), server.requests);
    }

    @Test
    void aRevisionOfAModelIsDownloadedOnFirstUse() {
        Cli.Result first = embed("owner/tiny@v1", "--quiet");
        checkEmbedding(first);
        assertEquals("", first.err());
        server.close();
        checkEmbedding(embed("owner/tiny@v1"));
        checkEmbedding(embed("owner/tiny@" + ModelServer.COMMIT));
    }

    @Test
    void aDirectoryOfThatNameIsPreferred() throws IOException {
        Path parent = Files.createDirectories(Path.of("target/owner"));
        assertEquals(2, parent.getNameCount());
        assertTrue(run("inspect", "-m", "target/owner").failure(1).contains("target/owner"));
        assertEquals(List.of(), server.requests);
    }

    @Test
    void aModelThatIsNowhereIsOneLine() {
        String line = run("embed", "-m", "owner/none", "--quiet", "x").failure(1);
        assertEquals(
                "owner/none: status 404 from %s: there is no such model, revision or file; nor is there a directory owner/none"
                        .formatted(server.endpoint()),
                line);
    }

    @Test
    void pickledWeightsAreConvertedWhenDownloaded() throws IOException {
        publishPickles();
        Cli.Result result = run("download", "owner/tiny");
        assertEquals(snapshot + "\n", result.text(), result.err());
        assertTrue(result.err().contains("has pickled weights only: converting them once"), result.err());
        server.close();
        Cli.Result use = embed("owner/tiny");
        checkEmbedding(use);
        assertEquals("", use.err());
    }

    @Test
    void pickledWeightsAreConvertedOnFirstUse() throws IOException {
        publishPickles();
        Cli.Result first = embed("owner/tiny");
        checkEmbedding(first);
        assertTrue(first.err().contains("has pickled weights only: converting them once"), first.err());
        Cli.Result second = embed("owner/tiny");
        checkEmbedding(second);
        assertEquals("", second.err());
    }

    @Test
    void offlineWorksWithWhatIsThere() {
        Map<String, String> offline = environment();
        offline.put("HF_HUB_OFFLINE", "1");
        String line = Cli.runWithEnvironment(offline, "download", "owner/tiny").failure(1);
        assertTrue(line.contains("HF_HUB_OFFLINE forbids downloading it"), line);
        assertEquals(List.of(), server.requests);
        assertEquals(0, run("download", "owner/tiny").code());
        Cli.Result there = Cli.runWithEnvironment(offline, "download", "owner/tiny");
        assertEquals(snapshot + "\n", there.text());
        assertEquals(0, there.code());
    }

    @Test
    void forcedFetchesAnew() throws IOException {
        assertEquals(0, run("download", "owner/tiny").code());
        server.requests.clear();
        Cli.Result forced = run("download", "owner/tiny", "--force", "--parallel", "2");
        assertEquals(0, forced.code(), forced.err());
        assertTrue(server.requests.stream().anyMatch(path -> path.endsWith("/model.safetensors")));
    }
}
