package io.github.sgpt4j.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightsTest {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    @TempDir
    Path directory;

    private void writeSingle() throws IOException {
        new SafetensorsWriter()
                .metadata("made-by", "test")
                .add("transformer.h.0.mlp.weight", Shape.of(2, 3), 1, 2, 3, 4, 5, 6)
                .add("transformer.h.0.mlp.bias", Shape.of(3), 7, 8, 9)
                .add("mask", ElementType.BOOL, Shape.of(2), MemorySegment.ofArray(new byte[] {0, 1}))
                .write(directory.resolve(SINGLE));
    }

    private void writeShards(String weightMap) throws IOException {
        new SafetensorsWriter()
                .metadata("first", "1")
                .add("a", Shape.of(1), 1)
                .add("extra", Shape.of(1), 0)
                .write(directory.resolve("one.safetensors"));
        new SafetensorsWriter()
                .metadata("second", "2")
                .add("b", Shape.of(2), 2, 3)
                .write(directory.resolve("two.safetensors"));
        writeIndex("{\"metadata\":{\"total_size\":12},\"weight_map\":" + weightMap + "}");
    }

    private void writeIndex(String json) throws IOException {
        Hostile.write(directory, INDEX, json);
    }

    private void open() {
        Weights.open(directory).close();
    }

    @Test
    void aSingleFileOpensWithNamesShapesAndMetadata() throws IOException {
        writeSingle();
        try (Weights weights = Weights.open(directory)) {
            assertEquals(
                    List.of("mask", "transformer.h.0.mlp.bias", "transformer.h.0.mlp.weight"),
                    List.copyOf(weights.names()));
            assertTrue(weights.contains("mask"));
            assertFalse(weights.contains("mlp"));
            assertArrayEquals(
                    new float[] {1, 2, 3, 4, 5, 6},
                    weights.get("transformer.h.0.mlp.weight", 2, 3).toFloats());
            assertEquals(Map.of("format", "pt", "made-by", "test"), weights.metadata());
            assertEquals(List.of(directory.resolve(SINGLE)), weights.files());
            assertEquals(9 * 4 + 2, weights.totalBytes());
        }
    }

    @Test
    void aFileOfAnyNameOpens() throws IOException {
        Path file = directory.resolve("dense.safetensors");
        new SafetensorsWriter().add("linear.weight", Shape.of(1, 1), 0.5f).write(file);
        try (Weights weights = Weights.openFile(file)) {
            assertEquals(0.5f, weights.get("linear.weight", 1, 1).element(0));
        }
    }

    @Test
    void shardsOpenAsOneAndLeaveOutWhatTheIndexDoesNotName() throws IOException {
        writeShards("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}");
        try (Weights weights = Weights.open(directory)) {
            assertEquals(List.of("a", "b"), List.copyOf(weights.names()));
            assertEquals(3f, weights.get("b", 2).element(1));
            assertEquals(
                    directory.resolve("two.safetensors").toString(),
                    weights.get("b").file());
            assertEquals(Map.of("format", "pt", "first", "1", "second", "2"), weights.metadata());
            assertEquals(
                    List.of(directory.resolve("one.safetensors"), directory.resolve("two.safetensors")),
                    weights.files());
            assertEquals(12, weights.totalBytes());
        }
    }

    @Test
    void theSingleFileWinsOverAnIndex() throws IOException {
        writeShards("{\"a\":\"one.safetensors\"}");
        writeSingle();
        try (Weights weights = Weights.open(directory)) {
            assertTrue(weights.contains("mask"));
        }
    }

    @Test
    void aMissingTensorIsNamedWithItsNearest() throws IOException {
        writeSingle();
        try (Weights weights = Weights.open(directory)) {
            Hostile.assertRefused(
                    () -> weights.get("h.0.mlp.bias"),
                    directory,
                    "\"h.0.mlp.bias\"",
                    "3 others",
                    "such as \"transformer.h.0.mlp.bias\"");
            Hostile.assertRefused(() -> weights.get("transformer.h.1.mlp.bias", 3), "\"transformer.h.0.mlp.bias\"");
            Hostile.assertRefused(() -> weights.get("zzz"), "\"zzz\"", "\"mask\"");
        }
    }

    @Test
    void anotherShapeIsRefused() throws IOException {
        writeSingle();
        try (Weights weights = Weights.open(directory)) {
            Hostile.assertRefused(
                    () -> weights.get("transformer.h.0.mlp.weight", 3, 2),
                    directory.resolve(SINGLE),
                    "transformer.h.0.mlp.weight",
                    "expected shape [3, 2]",
                    "got [2, 3]");
            Hostile.assertRefused(() -> weights.get("transformer.h.0.mlp.bias", new long[0]), "expected shape []");
        }
    }

    @Test
    void aTypeNotToComputeWithIsUnsupportedWhenAShapeIsExpected() throws IOException {
        writeSingle();
        try (Weights weights = Weights.open(directory)) {
            assertEquals(ElementType.BOOL, weights.get("mask").dtype());
            String message = String.valueOf(assertThrows(UnsupportedModelException.class, () -> weights.get("mask", 2))
                    .getMessage());
            assertTrue(
                    message.contains("\"mask\"") && message.contains("got BOOL") && message.contains(SINGLE), message);
        }
    }

    @Test
    void nothingIsReadAfterClosing() throws IOException {
        writeSingle();
        Weights weights = Weights.open(directory);
        WeightTensor tensor = weights.get("transformer.h.0.mlp.bias");
        weights.close();
        weights.close();
        assertThrows(IllegalStateException.class, () -> weights.get("mask"));
        assertThrows(IllegalStateException.class, () -> weights.get("transformer.h.0.mlp.bias", 3));
        assertThrows(IllegalStateException.class, () -> tensor.element(0));
    }

    @Test
    void anyThreadMayRead() throws Exception {
        writeSingle();
        try (Weights weights = Weights.open(directory)) {
            float[] read = new float[1];
            Thread reader = Thread.ofVirtual()
                    .start(() ->
                            read[0] = weights.get("transformer.h.0.mlp.bias").element(2));
            reader.join();
            assertEquals(9f, read[0]);
        }
    }

    @Test
    void aMissingDirectoryIsRefused() {
        Path missing = directory.resolve("missing");
        Hostile.assertRefused(() -> Weights.open(missing), missing, "a model directory", "found nothing there");
    }

    @Test
    void aFileInPlaceOfADirectoryIsRefused() throws IOException {
        Path file = Hostile.write(directory, "model", "");
        Hostile.assertRefused(() -> Weights.open(file), file, "a model directory", "got a file");
    }

    @Test
    void anEmptyDirectoryIsRefused() {
        Hostile.assertRefused(this::open, directory, SINGLE, INDEX, "an empty directory");
        assertFalse(Weights.hasSafetensors(directory));
    }

    @Test
    void aDirectoryWithoutWeightsIsRefused() throws IOException {
        Hostile.write(directory, "config.json", "{}");
        Hostile.assertRefused(this::open, directory, SINGLE, "no weights", "config.json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pytorch_model.bin", "pytorch_model-00001-of-00002.bin"})
    void pickledWeightsPointToTheConverter(String name) throws IOException {
        Hostile.write(directory, name, "");
        assertFalse(Weights.hasSafetensors(directory));
        Hostile.assertRefused(this::open, directory, name, "pickled", "Models.open");
    }

    @Test
    void shardsWithoutAnIndexAreRefused() throws IOException {
        writeSingle();
        Files.move(directory.resolve(SINGLE), directory.resolve("model-00001-of-00002.safetensors"));
        Hostile.assertRefused(this::open, directory, INDEX, "got only model-00001-of-00002.safetensors");
    }

    @Test
    void aLinkToNowhereIsRefused() throws IOException {
        assumeTrue(
                FileSystems.getDefault().supportedFileAttributeViews().contains("posix"),
                "needs a POSIX file system for symbolic links");
        Path link = Files.createSymbolicLink(directory.resolve(SINGLE), Path.of("gone"));
        assertTrue(Weights.hasSafetensors(directory));
        Hostile.assertRefused(this::open, link, "symbolic link", "gone");
    }

    @Test
    void presentWeightsAreSeen() throws IOException {
        writeShards("{\"a\":\"one.safetensors\"}");
        assertTrue(Weights.hasSafetensors(directory));
        writeSingle();
        Files.delete(directory.resolve(INDEX));
        assertTrue(Weights.hasSafetensors(directory));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../one.safetensors",
                "/one.safetensors",
                "sub/one.safetensors",
                "sub\\\\one.safetensors",
                "..",
                ".",
                "",
                " ",
                "C:one.safetensors",
                "one\\u0000.safetensors"
            })
    void anIndexThatLeavesItsDirectoryIsRefused(String file) throws IOException {
        writeShards("{\"a\":\"" + file + "\"}");
        Hostile.assertRefused(this::open, directory.resolve(INDEX), "byte 48", "without directories", "tensor \"a\"");
    }

    @Test
    void aMissingShardIsRefused() throws IOException {
        writeShards("{\"a\":\"one.safetensors\",\"b\":\"three.safetensors\"}");
        Hostile.assertRefused(this::open, directory.resolve(INDEX), "\"three.safetensors\"", "found nothing there");
    }

    @Test
    void aTensorMissingFromItsShardIsRefused() throws IOException {
        writeShards("{\"a\":\"one.safetensors\",\"b\":\"one.safetensors\"}");
        Hostile.assertRefused(this::open, directory.resolve(INDEX), "tensor \"b\" in shard \"one.safetensors\"");
    }

    @Test
    void aTensorInTwoShardsIsRefused() throws IOException {
        writeShards("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}");
        new SafetensorsWriter()
                .add("a", Shape.of(1), 5)
                .add("b", Shape.of(1), 5)
                .write(directory.resolve("two.safetensors"));
        Hostile.assertRefused(
                this::open, directory.resolve("two.safetensors"), "tensor \"a\" in one shard", "one.safetensors");
    }

    @Test
    void aShardThatIsADirectoryIsRefused() throws IOException {
        writeShards("{\"a\":\"sub\"}");
        Files.createDirectory(directory.resolve("sub"));
        Hostile.assertRefused(this::open, directory.resolve("sub"), "a directory");
    }

    @Test
    void aBrokenIndexIsRefused() throws IOException {
        Path index = directory.resolve(INDEX);
        writeIndex("");
        Hostile.assertRefused(this::open, index, "an empty file");
        writeIndex("[]");
        Hostile.assertRefused(this::open, index, "byte 0", "an object with weight_map", "an array");
        writeIndex("{}");
        Hostile.assertRefused(this::open, index, "tensors in weight_map", "no such key");
        writeIndex("{\"weight_map\":{}}");
        Hostile.assertRefused(this::open, index, "tensors in weight_map", "none");
        writeIndex("{\"weight_map\":[]}");
        Hostile.assertRefused(this::open, index, "byte 14", "an object as weight_map", "an array");
        writeIndex("{\"weight_map\":{\"a\":1}}");
        Hostile.assertRefused(this::open, index, "byte 19", "file name for tensor \"a\"", "the number 1");
        writeIndex("{\"weight_map\":{\"a\":\"x\",\"a\":\"y\"}}");
        Hostile.assertRefused(this::open, index, "byte 23", "tensor \"a\" once");
        writeIndex("{\"weight_map\":{\"a\":\"x\"},\"weight_map\":{\"a\":\"x\"}}");
        Hostile.assertRefused(this::open, index, "byte 24", "one weight_map");
        writeIndex("{\"weight_map\":{\"a\":\"x\"}} {}");
        Hostile.assertRefused(this::open, index, "byte 25", "the end of the index");
        writeIndex("{\"weight_map\":{\"a\":\"x\"}");
        Hostile.assertRefused(this::open, index, "byte");
        writeIndex("{\"metadata\":" + "[".repeat(100_000));
        Hostile.assertRefused(this::open, index, "depth");
    }

    @Test
    void aFailedOpeningReleasesItsFiles() throws IOException {
        writeShards("{\"a\":\"one.safetensors\",\"b\":\"three.safetensors\"}");
        for (int i = 0; i < 2_000; i++) {
            assertThrows(FormatException.class, this::open);
        }
        Path maps = Path.of("/proc/self/maps");
        assumeTrue(Files.exists(maps), "needs /proc/self/maps to count mappings");
        assertEquals(
                0,
                Files.readAllLines(maps).stream()
                        .filter(line -> line.contains(directory.toString()))
                        .count());
    }
}
