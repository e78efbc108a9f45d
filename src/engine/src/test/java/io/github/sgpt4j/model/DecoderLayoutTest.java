package io.github.sgpt4j.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The layout names exactly the tensors that loading uses, for every family and option with a
/// checkpoint, and the stated activations equal those that a forward pass allocates.
class DecoderLayoutTest {
    static Stream<Path> checkpoints() {
        return Stream.concat(
                Goldens.models().stream().map(Goldens::model),
                Variants.decoders().stream().map(Variants::model));
    }

    /// A backend that records its inputs and allocations.
    private static final class Recorder {
        final Map<String, String> tensors = new TreeMap<>();
        final List<Long> allocated = new ArrayList<>();
        final Backend backend;

        Recorder(Backend real) {
            backend = (Backend) Proxy.newProxyInstance(
                    Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (self, method, given) -> {
                        switch (method.getName()) {
                            case "linear" -> linear(given);
                            case "norm" -> norm(given);
                            case "table" -> take((WeightTensor) given[0]);
                            // There may be several allocation methods, since a device may keep values
                            // in other types.
                            case "allocate", "allocateInner" -> allocated.add((long) (int) given[0] * (int) given[1]);
                            default -> {}
                        }
                        try {
                            return method.invoke(real, given);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }

        private void linear(Object[] given) {
            for (Object parts : given) {
                if (parts instanceof List<?> list) {
                    list.forEach(part -> take(((MatrixRows) part).tensor()));
                }
            }
        }

        private void norm(Object[] given) {
            if (given[0] instanceof NormParameters parameters) {
                parameters.gain().ifPresent(this::take);
                parameters.bias().ifPresent(this::take);
            }
        }

        private void take(WeightTensor tensor) {
            tensors.put(tensor.name(), tensor.shape().toString());
        }
    }

    private static Map<String, String> names(List<ExpectedTensor> tensors) {
        Map<String, String> names = new TreeMap<>();
        tensors.forEach(t -> names.put(t.name(), t.shape().toString()));
        return names;
    }

    private static Path folder(Path checkpoint) {
        return checkpoint.resolve("0_Transformer").toFile().isDirectory()
                ? checkpoint.resolve("0_Transformer")
                : checkpoint;
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void theLayoutNamesWhatLoadingTakes(Path checkpoint) {
        Path directory = folder(checkpoint);
        try (Weights weights = Weights.open(directory);
                Backend real = new CpuBackend(CpuOptions.of(Precision.AUTO))) {
            DecoderLayout layout = DecoderLayout.read(directory, weights.names());
            Recorder recorder = new Recorder(real);
            Decoder decoder = Decoder.load(directory, weights, recorder.backend);
            assertEquals(recorder.tensors, names(layout.decoder()));
            assertEquals(names(layout.decoder()).size(), layout.decoder().size(), "each once");
            Map<String, String> head = names(layout.head());
            if (weights.names().containsAll(head.keySet())) {
                recorder.tensors.clear();
                decoder.requireHead();
                assertEquals(recorder.tensors, head);
            }
            assertTrue(layout.decoder().stream().anyMatch(t -> t.name().startsWith(layout.layerPrefix() + "0.")));
        }
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void theStatedActivationsAreAllocated(Path checkpoint) {
        Path directory = folder(checkpoint);
        try (Weights weights = Weights.open(directory);
                Backend real = new CpuBackend(CpuOptions.of(Precision.AUTO))) {
            Recorder recorder = new Recorder(real);
            Decoder decoder = Decoder.load(directory, weights, recorder.backend);
            DecoderConfig c = decoder.config();
            decoder.hiddenStates(PackedBatch.of(List.of(new int[] {1, 2, 3}, new int[] {4, 5})));
            // A gated feed-forward allocates and releases in every layer; the last tensor is the
            // result.
            long peak = recorder.allocated.stream().mapToLong(Long::longValue).sum() - 5L * decoder.width();
            peak -= c.gated() ? 5L * 2 * c.feedForward() * (c.layers() - 1) : 0;
            // The embedding is projected at the start and at the end.
            peak -= c.hasEmbeddingProjection() ? 5L * c.embeddingWidth() : 0;
            assertEquals(peak, Decoder.activationValues(c, 5));
        }
    }

    @Test
    void withoutWeightsTheFirstNamesAreExpected() {
        DecoderLayout layout = DecoderLayout.read(Goldens.model("gptneo-be"), Set.of());
        assertEquals("h.", layout.layerPrefix());
        assertEquals("wte.weight", layout.decoder().getFirst().name());
        DecoderLayout own = DecoderLayout.read(Goldens.model("gptj-ce"), Set.of());
        assertEquals(
                List.of("lm_head.weight", "lm_head.bias"),
                names(own.head()).keySet().stream()
                        .sorted((a, b) -> b.compareTo(a))
                        .toList());
    }
}
