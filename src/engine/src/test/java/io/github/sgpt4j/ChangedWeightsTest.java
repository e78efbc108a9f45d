package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.StoredAs;
import io.github.sgpt4j.testing.Variants;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Weight files that other programs change while a model uses them: no result is computed from the new
/// contents, and the error names the file. `HotTruncationTest` does the same for compiled code.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "mapped files cannot be changed there")
class ChangedWeightsTest {
    private static final String WEIGHTS = "model.safetensors";
    private static final FileTime EARLIER = FileTime.fromMillis(1_500_000_000_000L);
    private static final List<String> TEXTS =
            IntStream.range(0, 40).mapToObj(i -> "text number " + i).toList();

    @TempDir
    private Path folder;

    /// What another program does to a file.
    private interface Change {
        void apply(Path file) throws IOException;
    }

    private static Change cutTo(long size) {
        return file -> {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(size);
            }
        };
    }

    /// Other contents of the same size.
    private static void overwrite(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        for (int i = bytes.length / 2; i < bytes.length; i += 8) {
            bytes[i] ^= 2;
        }
        Files.write(file, bytes);
    }

    private static void append(Path file) throws IOException {
        Files.write(file, new byte[100], StandardOpenOption.APPEND);
    }

    /// Only changes the time, so it is unknown whether contents were written.
    private static void touch(Path file) throws IOException {
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_600_000_000_000L));
    }

    private static void delete(Path file) throws IOException {
        Files.delete(file);
    }

    private static void replace(Path file) throws IOException {
        Path other = file.resolveSibling("other");
        Files.copy(file, other);
        overwrite(other);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private static long headerBytes(Path file) throws IOException {
        return 8
                + ByteBuffer.wrap(Files.readAllBytes(file))
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .getLong();
    }

    static Map<String, Change> refused(Path file) {
        try {
            long size = Files.size(file);
            Map<String, Change> changes = new TreeMap<>();
            changes.put("empty", cutTo(0));
            changes.put("header only", cutTo(headerBytes(file)));
            changes.put("half", cutTo(size / 2));
            changes.put("just before a page ends", cutTo(size / 2 / 65536 * 65536 - 1));
            changes.put("one byte fewer", cutTo(size - 1));
            changes.put("overwritten", ChangedWeightsTest::overwrite);
            changes.put("appended to", ChangedWeightsTest::append);
            changes.put("touched", ChangedWeightsTest::touch);
            return changes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A bi-encoder that is a cross-encoder as well.
    private CheckpointFolder checkpoint(ElementType dtype) {
        CheckpointFolder copy = CheckpointFolder.copy("gptneo-ce", folder);
        StoredAs.write(Goldens.model("gptneo-ce"), dtype, copy.file(WEIGHTS));
        return aged(copy);
    }

    /// Sets the modification time to long ago, so that the next change has another time even with a
    /// coarse clock.
    private static CheckpointFolder aged(CheckpointFolder checkpoint) {
        try (Stream<Path> files = Files.walk(checkpoint.directory())) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.setLastModifiedTime(file, EARLIER);
            }
            return checkpoint;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String refusal(Path file, Executable call) {
        String message =
                String.valueOf(assertThrowsExactly(FormatException.class, call).getMessage());
        assertTrue(message.startsWith(file + ": expected the file as it was opened ("), message);
        assertTrue(message.contains("modified " + EARLIER + "), got "), message);
        assertTrue(message.contains("changed while in use"), message);
        return message;
    }

    private static void refused(Path file, Callable<?> call, String reason) {
        assertEquals(reason, refusal(file, call::call));
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void betweenCallsTheNextOneAndAllAfterItAreRefused(ElementType dtype) throws IOException {
        for (Map.Entry<String, Change> change :
                refused(checkpoint(dtype).file(WEIGHTS)).entrySet()) {
            Path file = checkpoint(dtype).file(WEIGHTS);
            try (Model model = Model.open(file.getParent())) {
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
                encoder.embed(TEXTS);
                scorer.score("query", TEXTS);
                change.getValue().apply(file);
                String reason = refusal(file, () -> encoder.embed("another text"));
                assertTrue(
                        reason.contains("got %d bytes, modified %s: "
                                .formatted(Files.size(file), Files.getLastModifiedTime(file))),
                        reason);
                refused(file, () -> encoder.embed("another text"), reason);
                refused(file, () -> scorer.score("query", List.of("document")), reason);
                refused(file, model::fingerprint, reason);
                refused(file, model::scan, reason);
                refused(
                        file,
                        () -> BiEncoder.of(model, BiEncoderOptions.DEFAULT).embed("text"),
                        reason);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void beforeTheFirstCallItIsRefused(ElementType dtype) throws IOException {
        for (Change change : refused(checkpoint(dtype).file(WEIGHTS)).values()) {
            Path file = checkpoint(dtype).file(WEIGHTS);
            try (Model model = Model.open(file.getParent())) {
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
                change.apply(file);
                refusal(file, () -> scorer.score("query", TEXTS));
            }
            file = checkpoint(dtype).file(WEIGHTS);
            Path other = file;
            try (Model model = Model.open(file.getParent())) {
                change.apply(other);
                refusal(other, model::scan);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void duringACallThatCallIsRefused(ElementType dtype) throws IOException {
        for (Change change : refused(checkpoint(dtype).file(WEIGHTS)).values()) {
            Path file = checkpoint(dtype).file(WEIGHTS);
            try (Model model = Model.open(file.getParent(), ModelOptions.DEFAULT.withThreads(2))) {
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withBatchTokens(16));
                refusal(file, () -> encoder.embed(TEXTS, TextKind.TEXT, once(change, file)));
            }
            Path second = checkpoint(dtype).file(WEIGHTS);
            try (Model model = Model.open(second.getParent(), ModelOptions.DEFAULT.withThreads(2))) {
                CrossEncoder scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT.withBatchTokens(16));
                refusal(second, () -> scorer.score(TEXTS, TEXTS, once(change, second)));
            }
        }
    }

    private static ProgressListener once(Change change, Path file) {
        boolean[] done = new boolean[1];
        return (finished, total) -> {
            if (!done[0]) {
                done[0] = true;
                try {
                    change.apply(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
    }

    static List<Change> harmless() {
        return List.of(ChangedWeightsTest::delete, ChangedWeightsTest::replace);
    }

    @ParameterizedTest
    @MethodSource("harmless")
    void whoDeletesOrReplacesTheFileIsNotNoticed(Change change) throws IOException {
        for (ElementType dtype : List.of(ElementType.F32, ElementType.F16, ElementType.BF16)) {
            Path file = checkpoint(dtype).file(WEIGHTS);
            float[][] expected;
            String fingerprint;
            try (BiEncoder encoder = BiEncoder.open(file.getParent())) {
                expected = encoder.embed(TEXTS);
                fingerprint = encoder.fingerprint();
            }
            try (BiEncoder encoder = BiEncoder.open(file.getParent())) {
                assertArrayEquals(expected, encoder.embed(TEXTS, TextKind.TEXT, once(change, file)));
                assertArrayEquals(expected, encoder.embed(TEXTS));
                assertEquals(fingerprint, encoder.fingerprint());
            }
        }
    }

    @Test
    void aModelOpenedAgainIsTheNewOne() throws IOException {
        Path file = checkpoint(ElementType.F32).file(WEIGHTS);
        try (Model before = Model.open(file.getParent())) {
            BiEncoder encoder = BiEncoder.of(before, BiEncoderOptions.DEFAULT);
            overwrite(file);
            refusal(file, () -> encoder.embed("text"));
            try (BiEncoder after = BiEncoder.open(file.getParent())) {
                assertEquals(after.dimension(), after.embed("text").length);
            }
        }
    }

    @Test
    void aFileThatIsAsItWasAgainIsStillRefused() throws IOException {
        Path file = checkpoint(ElementType.F32).file(WEIGHTS);
        byte[] content = Files.readAllBytes(file);
        try (Model model = Model.open(file.getParent())) {
            BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
            overwrite(file);
            String reason = refusal(file, () -> encoder.embed("text"));
            Files.write(file, content);
            Files.setLastModifiedTime(file, EARLIER);
            refused(file, () -> encoder.embed("text"), reason);
        }
    }

    @Test
    void aFileThatIsCutUnderAnotherNameIsAFault() throws IOException {
        Path file = checkpoint(ElementType.BF16).file(WEIGHTS);
        try (Model model = Model.open(file.getParent())) {
            BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
            Path moved = Files.move(file, file.resolveSibling("moved"));
            encoder.embed("text");
            cutTo(8).apply(moved);
            String expected =
                    file + ": expected to read the mapped file, got a fault: a file was cut short after it was"
                            + " renamed, or its device failed; open it again";
            for (int i = 0; i < 2; i++) {
                FormatException e = assertThrowsExactly(FormatException.class, () -> encoder.embed("other words"));
                assertEquals(expected, e.getMessage());
            }
        }
    }

    @Test
    void aShardIsNamed() throws IOException {
        CheckpointFolder copy = aged(CheckpointFolder.copy("gptj-be", folder));
        Path shard = copy.file("model-00002-of-00003.safetensors");
        try (BiEncoder encoder = BiEncoder.open(copy.directory())) {
            encoder.embed("text");
            cutTo(100).apply(shard);
            refusal(shard, () -> encoder.embed("text"));
        }
    }

    /// Variants of a bi-encoder with a module that has weights.
    static List<String> modules() {
        return List.of("st-two-dense-f16", "st-dense-tanh", "st-token-dense-mean", "st-token-dense-position-weights");
    }

    @ParameterizedTest
    @MethodSource("modules")
    void aModuleThatChangesIsNamedAndTheModelGoesOn(String variant) throws IOException {
        for (Change change : List.<Change>of(cutTo(0), ChangedWeightsTest::overwrite)) {
            CheckpointFolder copy = copied(Variants.model(variant));
            Path file = moduleWeights(copy.directory());
            try (Model model = Model.open(copy.directory())) {
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
                change.apply(file);
                refusal(file, () -> encoder.embed("some text"));
                model.fingerprint();
            }
        }
    }

    private static Path moduleWeights(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> file.endsWith(WEIGHTS)
                            && file.getParent().toString().endsWith("_Dense"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
    }

    private CheckpointFolder copied(Path source) throws IOException {
        Path target = Files.createTempDirectory(folder, "copy-");
        try (Stream<Path> files = Files.walk(source)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (!file.equals(source)) {
                    Files.copy(file, target.resolve(source.relativize(file).toString()));
                }
            }
        }
        return aged(new CheckpointFolder("", target));
    }

    @Test
    void anAdapterAndItsBaseAreNamed() throws IOException {
        for (String changed : List.of(WEIGHTS, "adapter_model.safetensors")) {
            Path adapter = Goldens.root().resolveSibling("adapters").resolve("llama-bias-all");
            CheckpointFolder copy = copied(Variants.model(
                    Goldens.json(adapter.resolve("expected.json")).get("base").textValue()));
            for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
                Files.copy(adapter.resolve(name), copy.file(name));
            }
            aged(copy);
            Files.copy(Goldens.model("llama-be").resolve("tokenizer.json"), copy.file("tokenizer.json"));
            try (Model model = Model.open(copy.directory())) {
                model.scan();
                cutTo(20).apply(copy.file(changed));
                refusal(copy.file(changed), model::scan);
            }
        }
    }

    @Test
    void aSpeedTestIsRefusedToo() throws IOException {
        Path file = checkpoint(ElementType.F32).file(WEIGHTS);
        try (SpeedTest test = SpeedTest.of(file.getParent(), ModelOptions.DEFAULT)) {
            touch(file);
            refusal(file, () -> test.plan(1, 4, 2, 64, 0));
        }
    }
}
