package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Models and encoders from opening to closing: sharing between threads, and release of resources.
class ModelLifecycleTest {
    private static final List<String> TEXTS = List.of(
            "deep learning",
            "",
            "artificial snow falls on the mountains of another planet",
            "a",
            "I'm searching for a planet not too far from Earth.",
            "naïve café 東京 🙂");

    private static final ModelOptions TWO_THREADS = ModelOptions.DEFAULT.withThreads(2);

    @TempDir
    Path folder;

    private static Model open(String golden) {
        return Model.open(Goldens.model(golden), TWO_THREADS);
    }

    private static void assertVectors(float[][] expected, float[][] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            Closeness.SAME.check("text " + i, expected[i], actual[i]);
        }
    }

    @Test
    void encodersSharedByManyThreadsGiveTheSameResults() throws InterruptedException, ExecutionException {
        try (Model model = open("gptneo-ce");
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withBatchTokens(20));
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT.withBatchTokens(60));
                ExecutorService threads = Executors.newFixedThreadPool(8)) {
            float[][] vectors;
            List<CrossEncoder.Score> scores;
            try (Model alone = open("gptneo-ce");
                    BiEncoder first = BiEncoder.of(alone, BiEncoderOptions.DEFAULT);
                    CrossEncoder second = CrossEncoder.of(alone, CrossEncoderOptions.DEFAULT)) {
                vectors = first.embed(TEXTS);
                scores = second.score("snow", TEXTS);
            }
            List<Callable<Void>> calls = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                Random random = new Random(i);
                calls.add(() -> {
                    List<Integer> order = new ArrayList<>(
                            IntStream.range(0, TEXTS.size()).boxed().toList());
                    Collections.shuffle(order, random);
                    List<String> shuffled = order.stream().map(TEXTS::get).toList();
                    float[][] embedded = encoder.embed(shuffled);
                    List<CrossEncoder.Score> scored = scorer.score("snow", shuffled);
                    for (int at = 0; at < order.size(); at++) {
                        Closeness.SAME.check("text", vectors[order.get(at)], embedded[at]);
                        double expected = scores.get(order.get(at)).value();
                        new Closeness(1e-4, 1e-5)
                                .check("score", expected, scored.get(at).value());
                    }
                    return null;
                });
            }
            for (Future<Void> done : threads.invokeAll(calls)) {
                done.get();
            }
        }
    }

    @Test
    void closingTwiceDoesNothing() {
        Model model = open("gptneo-ce");
        BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
        CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
        for (int i = 0; i < 2; i++) {
            encoder.close();
            scorer.close();
            model.close();
        }
        BiEncoder owner = BiEncoder.open(Goldens.model("gptneo-be"));
        owner.close();
        owner.close();
    }

    private static void assertClosed(BiEncoder encoder) {
        assertThrowsExactly(IllegalStateException.class, () -> encoder.embed("text"));
        assertThrowsExactly(IllegalStateException.class, () -> encoder.embed(List.of()));
        assertThrowsExactly(IllegalStateException.class, () -> encoder.embedQueries(List.of("")));
        assertThrowsExactly(IllegalStateException.class, () -> encoder.tokenize("text", TextKind.QUERY));
    }

    private static void assertClosed(CrossEncoder scorer) {
        assertThrowsExactly(IllegalStateException.class, () -> scorer.score("query", List.of("document")));
        assertThrowsExactly(IllegalStateException.class, () -> scorer.score("query", List.of()));
    }

    private static void assertClosed(Model model) {
        assertThrowsExactly(IllegalStateException.class, model::info);
        assertThrowsExactly(IllegalStateException.class, model::scan);
        assertThrowsExactly(IllegalStateException.class, model::tensors);
        assertThrowsExactly(IllegalStateException.class, model::fingerprint);
        assertThrowsExactly(IllegalStateException.class, () -> model.memoryNeeds(1));
        assertThrowsExactly(IllegalStateException.class, () -> model.tokenize("text", true));
        assertThrowsExactly(IllegalStateException.class, () -> model.detokenize(new int[] {1}));
        assertThrowsExactly(IllegalStateException.class, () -> BiEncoder.of(model, BiEncoderOptions.DEFAULT));
        assertThrowsExactly(IllegalStateException.class, () -> CrossEncoder.of(model, CrossEncoderOptions.DEFAULT));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nothingWorksOverAClosedModel(boolean usedBefore) {
        Model model = open("gptneo-ce");
        BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
        CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
        if (usedBefore) {
            encoder.embed("text");
            scorer.score("query", List.of("document"));
        }
        model.close();
        assertClosed(model);
        assertClosed(encoder);
        assertClosed(scorer);
    }

    /// Repeats a call until it is refused, and returns the refusal's message.
    private static String untilClosed(Runnable call) {
        while (true) {
            try {
                call.run();
            } catch (IllegalStateException e) {
                return e.getMessage();
            }
        }
    }

    @Test
    void closingWhileOthersComputeIsToldInTheCallersTerms() throws InterruptedException, ExecutionException {
        for (int round = 0; round < 12; round++) {
            Model model = open("gptneo-ce");
            BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
            CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
            List<Runnable> calls = List.of(
                    () -> encoder.embed(TEXTS),
                    () -> scorer.score("snow", TEXTS),
                    () -> encoder.tokenize("snow", TextKind.QUERY),
                    encoder::fingerprint,
                    scorer::fingerprint,
                    model::scan,
                    model::tensors,
                    model::info,
                    () -> model.memoryNeeds(100),
                    () -> BiEncoder.of(model, BiEncoderOptions.DEFAULT).close());
            try (ExecutorService threads = Executors.newFixedThreadPool(calls.size())) {
                List<Future<String>> messages = calls.stream()
                        .map(call -> threads.submit(() -> untilClosed(call)))
                        .toList();
                Thread.sleep(10 + 3 * round);
                model.close();
                for (Future<String> message : messages) {
                    assertEquals("model %s is closed".formatted(model.directory()), message.get());
                }
            }
        }
    }

    @Test
    void aClosedEncoderLeavesTheCallersModelOpen() {
        try (Model model = open("gptneo-ce")) {
            BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
            CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
            float[] vector = encoder.embed("text");
            encoder.close();
            scorer.close();
            assertClosed(encoder);
            assertClosed(scorer);
            try (BiEncoder again = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
                assertArrayEquals(vector, again.embed("text"));
            }
        }
    }

    @Test
    void encodersThatOpenedTheirModelCloseIt() {
        BiEncoder encoder = BiEncoder.open(Goldens.model("gptneo-be"), TWO_THREADS, BiEncoderOptions.DEFAULT);
        encoder.close();
        assertClosed(encoder);
        CrossEncoder scorer = CrossEncoder.open(Goldens.model("gptneo-ce"), TWO_THREADS, CrossEncoderOptions.DEFAULT);
        scorer.close();
        assertClosed(scorer);
    }

    /// Files under `directory` that this process has mapped.
    private static List<String> mapped(Path directory) throws IOException {
        Path maps = Path.of("/proc/self/maps");
        assumeTrue(Files.isReadable(maps), "needs /proc/self/maps");
        try (var lines = Files.lines(maps)) {
            return lines.filter(line -> line.contains(directory.toString())).toList();
        }
    }

    private static Set<Thread> workers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("sgpt4j"))
                .collect(Collectors.toSet());
    }

    /// Waits until all new workers have ended.
    private static void assertWorkersEnd(Set<Thread> before) throws InterruptedException {
        for (Thread thread : workers()) {
            if (!before.contains(thread)) {
                thread.join(20_000);
                assertFalse(thread.isAlive(), () -> thread + " still runs");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gptneo-ce", "gptj-ce"})
    void closingUnmapsTheWeightsAndEndsTheThreads(String golden) throws IOException, InterruptedException {
        CheckpointFolder checkpoint = CheckpointFolder.copy(golden, folder);
        Set<Thread> before = workers();
        try (Model model = Model.open(checkpoint.directory(), TWO_THREADS);
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            encoder.embed(TEXTS);
            assertFalse(mapped(checkpoint.directory()).isEmpty());
            assertFalse(before.containsAll(workers()));
        }
        assertEquals(List.of(), mapped(checkpoint.directory()));
        assertWorkersEnd(before);
        try (var files = Files.list(checkpoint.directory())) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(checkpoint.directory());
    }

    @Test
    void aFailureToOpenLeavesNothingBehind() throws IOException, InterruptedException {
        CheckpointFolder model = CheckpointFolder.copy("gptneo-ce", folder);
        Set<Thread> before = workers();
        model.write("tokenizer.json", "{}");
        assertLeavesNothing(model, before);
        model.write(
                "tokenizer.json",
                Goldens.json(Goldens.model("gptneo-ce").resolve("tokenizer.json"))
                        .toString());
        model.dropTensor("transformer.ln_f.bias");
        assertLeavesNothing(model, before);
        model.tensors(CheckpointFolder::keep).write("modules.json", """
                [{"path": "", "type": "sentence_transformers.models.Transformer"},
                 {"path": "1", "type": "sentence_transformers.models.Pooling"},
                 {"path": "2", "type": "sentence_transformers.models.Dense"}]""");
        model.write("1/config.json", "{}").write("2/config.json", "{\"in_features\": 64, \"out_features\": 3}");
        Files.copy(model.file("model.safetensors"), model.file("2").resolve("model.safetensors"));
        assertLeavesNothing(model, before);
        model.delete("modules.json").set("config.json", "tie_word_embeddings", "false");
        assertThrows(
                SgptException.class,
                () -> CrossEncoder.open(model.directory(), TWO_THREADS, CrossEncoderOptions.DEFAULT));
        assertEquals(List.of(), mapped(model.directory()));
        assertWorkersEnd(before);
    }

    private static void assertLeavesNothing(CheckpointFolder model, Set<Thread> before)
            throws IOException, InterruptedException {
        assertThrows(
                SgptException.class, () -> BiEncoder.open(model.directory(), TWO_THREADS, BiEncoderOptions.DEFAULT));
        assertEquals(List.of(), mapped(model.directory()));
        assertWorkersEnd(before);
    }

    @Test
    void optionsThatDoNotFitLeaveNothingBehind() throws IOException, InterruptedException {
        CheckpointFolder model = CheckpointFolder.copy("gptneo-be", folder);
        Set<Thread> before = workers();
        assertThrowsExactly(
                IllegalArgumentException.class,
                () -> BiEncoder.open(model.directory(), TWO_THREADS, BiEncoderOptions.DEFAULT.withMaxLength(100_000)));
        assertThrowsExactly(
                IllegalArgumentException.class,
                () -> CrossEncoder.open(
                        model.directory(), TWO_THREADS, CrossEncoderOptions.DEFAULT.withMaxLength(100_000)));
        assertEquals(List.of(), mapped(model.directory()));
        assertWorkersEnd(before);
    }
}
