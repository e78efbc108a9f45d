package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.ExpectedTensor.Use;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The stated bytes equal those that loading hands to the backend, matrix by matrix.
@Tag("vector")
class MemoryEstimateTest {
    /// Matrices of whole panels are counted exactly.
    private static final int MAX_PANEL_WIDTH = 32;

    static Stream<Path> checkpoints() {
        return Stream.concat(
                Goldens.models().stream().map(Goldens::model),
                Variants.decoders().stream().map(Variants::model));
    }

    /// Adds up the bytes that a backend would hold.
    private static final class Adder {
        private final CpuOptions options;
        private final Backend backend;
        private long bytes;
        /// Maximum bytes by which the estimate may be too high, where stacked matrices end within a
        /// tile.
        private long slack;

        Adder(Backend real, CpuOptions options) {
            this.options = options;
            backend = (Backend) Proxy.newProxyInstance(
                    Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (self, method, given) -> {
                        switch (method.getName()) {
                            case "linear" -> linear(parts(given[0]), parts(given[1]));
                            case "norm" -> norm((NormParameters) given[0]);
                            case "table" -> take((WeightTensor) given[0]);
                            default -> {}
                        }
                        try {
                            return method.invoke(real, given);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }

        private static List<MatrixRows> parts(Object list) {
            return ((List<?>) list).stream().map(MatrixRows.class::cast).toList();
        }

        private void linear(List<MatrixRows> weight, List<MatrixRows> bias) {
            int in = weight.getFirst().in();
            int out = weight.stream().mapToInt(MatrixRows::count).sum();
            ElementType first = weight.getFirst().tensor().dtype();
            boolean same = weight.stream().allMatch(part -> part.tensor().dtype() == first);
            bytes += options.matrixBytes(same ? first : ElementType.F32, in, out);
            long uneven = weight.stream()
                    .filter(part -> part.count() % MAX_PANEL_WIDTH != 0)
                    .count();
            slack += uneven * options.matrixBytes(ElementType.F32, in, 1);
            bytes += bias.stream().mapToLong(part -> 4L * part.count()).sum();
        }

        private void norm(NormParameters parameters) {
            parameters.gain().ifPresent(t -> bytes += 4 * t.shape().elements());
            parameters.bias().ifPresent(t -> bytes += 4 * t.shape().elements());
        }

        private void take(WeightTensor table) {
            bytes += table.data().byteSize();
        }
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void theCpuIsToldToNeedWhatItHolds(Path checkpoint) {
        Path directory = checkpoint.resolve("0_Transformer").toFile().isDirectory()
                ? checkpoint.resolve("0_Transformer")
                : checkpoint;
        for (Precision format : CpuOptions.PRECISIONS) {
            for (boolean matrixUnit : new boolean[] {true, false}) {
                CpuOptions options = new CpuOptions(1, format, 0, matrixUnit);
                try (Weights weights = Weights.open(directory);
                        Backend real = new CpuBackend(options)) {
                    DecoderLayout layout = DecoderLayout.read(directory, weights.names());
                    Adder adder = new Adder(real, options);
                    Decoder decoder = Decoder.load(directory, weights, adder.backend);
                    check(adder, MemoryEstimate.cpuBytes(layout.decoder(), weights, options));
                    if (layout.head().stream().allMatch(tensor -> weights.contains(tensor.name()))) {
                        adder.bytes = 0;
                        adder.slack = 0;
                        decoder.requireHead();
                        check(adder, MemoryEstimate.cpuBytes(layout.head(), weights, options));
                    }
                }
            }
        }
    }

    private static long onGpu(Dtype dtype, Use use, long... shape) {
        return MemoryEstimate.gpuBytes(List.of(new ExpectedTensor("t", use, shape)), dtype);
    }

    @Test
    void aGpuHoldsOnlySomeMatricesIn8Bits() {
        assertEquals(32 * 48 + 4 * 32, onGpu(Dtype.FP8, Use.MATRIX, 32, 48));
        assertEquals(32 * 48 + 4 * 48, onGpu(Dtype.FP8, Use.TRANSPOSED_MATRIX, 32, 48));
        assertEquals(2 * 32 * 40, onGpu(Dtype.FP8, Use.MATRIX, 32, 40));
        assertEquals(2 * 32 * 48, onGpu(Dtype.FP8, Use.TABLE, 32, 48));
        assertEquals(2 * 32 * 48, onGpu(Dtype.BF16, Use.MATRIX, 32, 48));
    }

    private static void check(Adder held, long stated) {
        assertTrue(stated >= held.bytes, "%d stated, %d held".formatted(stated, held.bytes));
        assertTrue(stated <= held.bytes + held.slack, "%d stated, %d held".formatted(stated, held.bytes));
    }
}
