package io.github.sgpt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is written is what is read.
class BiasesFileTest {
    private static final String BASE = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    private static WeightTensor tensor(String name, ElementType type, int elements) {
        MemorySegment data = MemorySegment.ofArray(new byte[elements * type.bytes()]);
        return new WeightTensor(name, "memory", type, Shape.of(elements), data);
    }

    @Test
    void settingsAndTensorsAreReadAsWritten() throws IOException {
        Path file = folder.resolve("biases.safetensors");
        List<TrainedSettings> all = List.of(
                new TrainedSettings(List.of(PoolMode.WEIGHTED_MEAN), true, 300),
                new TrainedSettings(List.of(PoolMode.LAST), false, 1),
                new TrainedSettings(
                        List.of(
                                PoolMode.FIRST,
                                PoolMode.MAX,
                                PoolMode.MEAN,
                                PoolMode.MEAN_SQRT_LENGTH,
                                PoolMode.WEIGHTED_MEAN,
                                PoolMode.LAST),
                        true,
                        999_999_999));
        for (TrainedSettings settings : all) {
            Biases.write(file, BASE, settings, "bitfit", List.of(tensor("a", ElementType.F32, 3)));
            Biases read = Biases.read(file);
            assertEquals(settings, read.settings());
            assertEquals(BASE, read.base());
            assertEquals("bitfit", read.metadata().get("method"));
            try (Weights weights = Weights.openFile(file)) {
                assertEquals(List.of("a"), List.copyOf(weights.names()));
            }
        }
    }

    @Test
    void whatWouldNotBeReadIsNotWritten() throws IOException {
        Path file = folder.resolve("biases.safetensors");
        Files.writeString(file, "old");
        TrainedSettings settings = new TrainedSettings(List.of(PoolMode.MEAN), false, 10);
        WeightTensor good = tensor("a", ElementType.F32, 3);
        for (List<WeightTensor> tensors :
                List.of(List.<WeightTensor>of(), List.of(tensor("a", ElementType.F16, 3)), List.of(good, good))) {
            assertThrows(IllegalArgumentException.class, () -> Biases.write(file, BASE, settings, "bitfit", tensors));
        }
        assertThrows(
                IllegalArgumentException.class, () -> Biases.write(file, "none", settings, "bitfit", List.of(good)));
        assertEquals("old", Files.readString(file));
        try (var files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void settingsAreChecked() {
        assertThrows(IllegalArgumentException.class, () -> new TrainedSettings(List.of(), true, 3));
        assertThrows(IllegalArgumentException.class, () -> new TrainedSettings(List.of(PoolMode.MEAN), true, 0));
        IllegalArgumentException order = assertThrows(
                IllegalArgumentException.class,
                () -> new TrainedSettings(List.of(PoolMode.LAST, PoolMode.MEAN), true, 3));
        assertTrue(order.getMessage().endsWith("in this order, got lasttoken, mean"), order.getMessage());
    }

    @Test
    void poolingHasTheFlagsOfEveryVersion() {
        assertEquals(
                Map.of(
                        "pooling_mode_cls_token", false,
                        "pooling_mode_max_tokens", false,
                        "pooling_mode_mean_tokens", false,
                        "pooling_mode_mean_sqrt_len_tokens", false,
                        "pooling_mode_weightedmean_tokens", true,
                        "pooling_mode_lasttoken", true),
                new TrainedSettings(List.of(PoolMode.WEIGHTED_MEAN, PoolMode.LAST), true, 3).poolingFlags());
    }
}
