package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.model.AdaptedModel;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import io.github.sgpt4j.weightstools.ConvertListener;
import io.github.sgpt4j.weightstools.ConvertOptions;
import io.github.sgpt4j.weightstools.ConvertReport;
import io.github.sgpt4j.weightstools.Converter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Merged checkpoints of the engine's test adapters compute what peft computes without merging. This
/// test is in the engine's package because these models have no tokenizers, and decoders are not public
/// API.
class MergedGoldensTest {
    private static final Path RESOURCES = Path.of("../src/engine/src/test/resources");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    static List<Path> adapters() throws IOException {
        try (Stream<Path> folders = Files.list(RESOURCES.resolve("adapters"))) {
            return folders.filter(Files::isDirectory).sorted().toList();
        }
    }

    private static JsonNode expected(Path adapter) throws IOException {
        return JSON.readTree(adapter.resolve("expected.json").toFile());
    }

    private static Path base(Path adapter) throws IOException {
        return RESOURCES
                .resolve("variants")
                .resolve(expected(adapter).get("base").textValue());
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void theMergedCheckpointAgrees(Path adapter) throws IOException {
        Path target = folder.resolve("merged");
        ConvertReport report = Converter.merge(
                adapter,
                Optional.of(base(adapter)),
                target,
                ConvertOptions.DEFAULT.withDtype(Dtype.FP32),
                ConvertListener.NONE);
        assertEquals(List.of(), report.notices());
        try (Stream<Path> files = Files.list(target)) {
            assertEquals(
                    List.of("config.json", "expected.json", "model.safetensors"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
        try (Weights merged = AdaptedModel.of(target, Optional.empty()).openWeights();
                Weights opened =
                        AdaptedModel.of(adapter, Optional.of(base(adapter))).openWeights();
                Backend backend = Devices.open(ModelOptions.DEFAULT)) {
            TreeSet<String> names = new TreeSet<>(merged.names());
            names.addAll(report.droppedBuffers());
            assertEquals(opened.names(), names);
            for (String name : merged.names()) {
                assertEquals(ElementType.F32, merged.get(name).dtype(), name);
                assertArrayEquals(opened.get(name).toFloats(), merged.get(name).toFloats(), name);
            }
            Decoder decoder = Decoder.load(target, merged, backend);
            check(decoder, expected(adapter));
            assertEquals(List.of(), decoder.headNotices());
        }
    }

    private static void check(Decoder decoder, JsonNode expected) {
        for (int s = 0; s < expected.get("ids").size(); s++) {
            int[] ids = ints(expected.get("ids").get(s));
            float[][] states = decoder.hiddenStates(PackedBatch.of(List.of(ids)));
            for (int i = 0; i < ids.length; i++) {
                check(expected.get("hidden_states").get(s).get(i), states[i]);
            }
            if (!expected.get("log_probs").isEmpty()) {
                check(
                        expected.get("log_probs").get(s),
                        decoder.logProbabilities(
                                PackedBatch.of(List.of(Arrays.copyOf(ids, ids.length - 1))),
                                Optional.empty(),
                                IntStream.range(0, ids.length - 1).toArray(),
                                Arrays.copyOfRange(ids, 1, ids.length)));
            }
        }
    }

    private static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size())
                .map(i -> array.get(i).intValue())
                .toArray();
    }

    private static void check(JsonNode expected, float[] actual) {
        assertEquals(expected.size(), actual.length);
        for (int i = 0; i < actual.length; i++) {
            double reference = expected.get(i).doubleValue();
            assertEquals(reference, actual[i], 5e-5 + 5e-5 * Math.abs(reference));
        }
    }

    @Test
    void aHeadThatIsNoLongerTheTableIsUntied() throws IOException {
        Path adapter = RESOURCES.resolve("adapters/neox-regex-tied-table");
        Path target = folder.resolve("merged");
        Converter.merge(adapter, Optional.of(base(adapter)), target, ConvertOptions.DEFAULT, ConvertListener.NONE);
        JsonNode config = JSON.readTree(target.resolve("config.json").toFile());
        assertFalse(config.get("tie_word_embeddings").booleanValue());
    }

    @Test
    void mergedTensorsAreRoundedToTheTypeOfTheBase() throws IOException {
        Path adapter = RESOURCES.resolve("adapters/llama-rslora-patterns");
        Path base = base(adapter);
        Path target = folder.resolve("merged");
        Converter.merge(adapter, Optional.of(base), target, ConvertOptions.DEFAULT, ConvertListener.NONE);
        try (Weights merged = Weights.open(target);
                Weights opened = AdaptedModel.of(adapter, Optional.of(base)).openWeights()) {
            for (String name : merged.names()) {
                assertEquals(ElementType.BF16, merged.get(name).dtype(), name);
                assertEquals(
                        -1, rounded(opened.get(name)).mismatch(merged.get(name).data()), name);
            }
        }
    }

    private static MemorySegment rounded(WeightTensor tensor) {
        float[] values = tensor.toFloats();
        MemorySegment data = MemorySegment.ofArray(new byte[2 * values.length]);
        for (int i = 0; i < values.length; i++) {
            data.set(LittleEndian.I16, 2L * i, Half.floatToBf16(values[i]));
        }
        return data;
    }
}
