package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.weightstools.hub.FakeHub;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Opening models in one call, by a path or a hub name, with download and conversion.
class ModelsTest {
    private static final String PICKLED = "gptneo-be-bin";
    private static final Path RESOURCES = Path.of("../src/engine/src/test/resources");
    private static final ModelOptions CPU = ModelOptions.DEFAULT.withDevice("cpu");

    @TempDir
    private Path folder;

    private FakeHub hub;
    private final Heard heard = new Heard();

    private static final class Heard implements ModelsListener {
        private final List<String> notices = new ArrayList<>();
        private final List<String> fetched = new ArrayList<>();
        private long downloaded;
        private long converted;

        @Override
        public void notice(String sentence) {
            notices.add(sentence);
        }

        @Override
        public void fetched(String path, long bytes) {
            fetched.add(path);
        }

        @Override
        public void downloading(long done, long total) {
            downloaded = done;
        }

        @Override
        public void converting(long done, long total) {
            converted = done;
        }

        private void forget() {
            notices.clear();
            fetched.clear();
            downloaded = 0;
            converted = 0;
        }
    }

    @BeforeEach
    void start() throws IOException {
        hub = new FakeHub();
        hub.files.clear();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private void publish(Path checkpoint) throws IOException {
        try (Stream<Path> files = Files.walk(checkpoint)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                hub.files.put(checkpoint.relativize(file).toString().replace('\\', '/'), Files.readAllBytes(file));
            }
        }
    }

    /// Copies some of the engine's test files.
    private Path copy(String resources, String name) throws IOException {
        Path target = Files.createDirectory(folder.resolve(name));
        try (Stream<Path> files = Files.list(RESOURCES.resolve(resources))) {
            for (Path file : files.toList()) {
                Files.copy(file, target.resolve(file.getFileName().toString()));
            }
        }
        return target;
    }

    private Map<String, String> environment() {
        return Map.of(
                "HF_ENDPOINT",
                hub.endpoint(),
                "HF_HOME",
                folder.resolve("hf").toString(),
                "XDG_CACHE_HOME",
                folder.resolve("cache").toString());
    }

    private float[] embedded(String name, ModelOptions options) throws IOException {
        try (Model model = Models.open(environment(), name, options, heard)) {
            return embedded(model);
        }
    }

    private static float[] embedded(Model model) {
        try (BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            return encoder.embed(List.of("an animal"))[0];
        }
    }

    private String fingerprint(Path path, ModelOptions options) throws IOException {
        try (Model model = Models.open(environment(), path.toString(), options, heard)) {
            return model.fingerprint();
        }
    }

    private static float[] embedded(Path checkpoint) {
        try (Model model = Model.open(checkpoint, CPU)) {
            return embedded(model);
        }
    }

    @Test
    void aHubsModelIsDownloadedConvertedAndOpenedAndTheNextTimeOpened() throws IOException {
        publish(Checkpoints.pickled(PICKLED, folder));
        float[] expected = embedded(Checkpoints.twin(PICKLED));
        assertArrayEquals(expected, embedded(FakeHub.ID, CPU), 1e-6f);
        assertTrue(heard.fetched.contains("pytorch_model.bin"), heard.fetched.toString());
        assertTrue(heard.downloaded > 0 && heard.converted > 0);
        assertTrue(
                heard.notices.stream().anyMatch(notice -> notice.contains("has pickled weights only: converting them")),
                heard.notices.toString());
        heard.forget();
        hub.requests.clear();
        assertArrayEquals(expected, embedded(FakeHub.ID + "@main", CPU), 1e-6f);
        assertEquals(List.of(), heard.notices);
        assertEquals(0, heard.downloaded + heard.converted);
        assertEquals(List.of(), hub.requests);
    }

    @Test
    void whatIsAtAPathIsTakenFromThere() throws IOException {
        Path checkpoint = Checkpoints.copy(PICKLED, folder);
        assertEquals(checkpoint, Models.directory(checkpoint.toString()));
        try (Model model = Models.open(checkpoint.toString())) {
            assertEquals(checkpoint, model.directory());
        }
        assertEquals(List.of(), hub.requests);
    }

    @Test
    void aDamagedConversionIsMadeAgain() throws IOException {
        String source = Checkpoints.pickled(PICKLED, folder).toString();
        Path converted = Models.directory(environment(), source, heard);
        assertTrue(
                converted.startsWith(folder.resolve("cache").resolve("sgpt4j").resolve("converted")));
        float[] expected = embedded(converted);
        Path weights = converted.resolve("model.safetensors");
        Files.write(weights, new byte[10]);
        heard.forget();
        assertArrayEquals(expected, embedded(source, CPU));
        assertEquals(1, heard.notices.size(), heard.notices.toString());
        assertTrue(heard.notices.getFirst().startsWith(converted + " is damaged ("), heard.notices.toString());
    }

    @Test
    void threadsThatOpenTheSameModelConvertItOnce() throws Exception {
        String source = Checkpoints.pickled(PICKLED, folder).toString();
        CyclicBarrier together = new CyclicBarrier(4);
        AtomicInteger conversions = new AtomicInteger();
        ModelsListener listener = new ModelsListener() {
            @Override
            public void notice(String sentence) {
                if (sentence.contains("converting them once")) {
                    conversions.incrementAndGet();
                }
            }
        };
        Set<Path> found = new HashSet<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Path>> results = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                results.add(threads.submit(() -> {
                    together.await();
                    return Models.directory(environment(), source, listener);
                }));
            }
            for (Future<Path> result : results) {
                found.add(result.get());
            }
        }
        assertEquals(1, found.size(), found.toString());
        assertEquals(1, conversions.get());
    }

    @Test
    void theBaseModelThatAnAdapterNamesIsDownloadedUnlessAnotherIsGiven() throws IOException {
        Path base = copy("variants/llama-mqa", "base");
        Path adapter = copy("adapters/llama-rslora-patterns", "adapter");
        Files.copy(
                RESOURCES.resolve("variants/st-subfolder/0_Transformer/tokenizer.json"),
                base.resolve("tokenizer.json"));
        Path config = adapter.resolve("adapter_config.json");
        Files.writeString(
                config,
                Files.readString(config)
                        .replaceFirst(
                                "\"base_model_name_or_path\": *(\"[^\"]*\"|null)",
                                "\"base_model_name_or_path\": \"" + FakeHub.ID + "\""));
        publish(base);
        String given = fingerprint(adapter, CPU.withBaseModel(base));
        assertNotEquals(fingerprint(base, CPU), given);
        assertEquals(List.of(), hub.requests);
        assertEquals(List.of(), heard.notices);
        assertEquals(given, fingerprint(adapter, CPU));
        assertFalse(hub.requests.isEmpty());
        assertTrue(
                heard.notices.getLast().startsWith(adapter + ": the adapter is merged into "),
                heard.notices.toString());
    }

    @Test
    void whatIsNowhereIsOneSentence() {
        String message = assertThrows(IOException.class, () -> Models.directory(environment(), "owner/none", heard))
                .getMessage();
        assertTrue(message.startsWith("owner/none: status 404"), message);
        assertTrue(message.endsWith("; nor is there a directory owner/none"), message);
        message = assertThrows(IOException.class, () -> Models.directory(environment(), "a\0b", heard))
                .getMessage();
        assertTrue(message.startsWith("model \"a"), message);
    }
}
