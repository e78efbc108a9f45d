package io.github.sgpt4j.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.Goldens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Files written by the reference implementation.
class GoldenWeightsTest {
    @TempDir
    Path directory;

    static List<String> models() {
        return Goldens.models();
    }

    @Test
    void allGoldensAreThere() {
        assertEquals(19, Goldens.models().size());
        assertEquals(10, Goldens.biEncoders().size());
        assertEquals(9, Goldens.crossEncoders().size());
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyGoldenOpensAndIsFinite(String model) {
        try (Weights weights = Weights.open(Goldens.model(model))) {
            assertEquals("pt", weights.metadata().get("format"));
            assertTrue(weights.names().size() >= 20, () -> weights.names().toString());
            for (String name : weights.names()) {
                assertEquals(OptionalLong.empty(), WeightScan.firstNonFinite(weights.get(name)), name);
            }
            Map<ElementType, WeightScan.Totals> totals = WeightScan.totals(weights);
            String stored = Goldens.expected(model).path("stored").asText().split(" ", 2)[0];
            ElementType dtype = switch (stored) {
                case "float32" -> ElementType.F32;
                case "float16" -> ElementType.F16;
                case "bfloat16" -> ElementType.BF16;
                default -> throw new IllegalStateException(stored);
            };
            assertTrue(totals.containsKey(dtype), () -> model + ": " + totals);
            assertEquals(
                    weights.totalBytes(),
                    totals.values().stream().mapToLong(WeightScan.Totals::bytes).sum());
            assertEquals(
                    weights.names().size(),
                    totals.values().stream()
                            .mapToLong(WeightScan.Totals::tensors)
                            .sum());
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void writingAgainGivesTheBytesOfTheReference(String model) throws IOException {
        try (Weights weights = Weights.open(Goldens.model(model))) {
            for (Path file : weights.files()) {
                Path copy = directory.resolve(file.getFileName().toString());
                try (Weights one = Weights.openFile(file)) {
                    SafetensorsWriter writer = new SafetensorsWriter();
                    one.metadata().forEach(writer::metadata);
                    one.names().forEach(name -> writer.add(one.get(name)));
                    writer.write(copy);
                }
                assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(copy));
            }
        }
    }
}
