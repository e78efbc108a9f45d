package io.github.sgpt4j.backend;

import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.backend.cpu.WeightFormat;
import io.github.sgpt4j.tensor.DType;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The backends that the contract runs for. A new backend adds its entries here.
final class BackendsUnderTest {
    private BackendsUnderTest() {}

    /// For operations without weight matrices: on the calling thread alone, and divided unevenly.
    static Stream<BackendUnderTest> plain() {
        return Stream.of(cpu(1, WeightFormat.AS_STORED), cpu(3, WeightFormat.AS_STORED));
    }

    /// For operations with weight matrices: also every type that they can be kept as.
    static Stream<BackendUnderTest> withWeightTypes() {
        return Stream.concat(
                Stream.concat(plain(), Stream.of(inPlace())),
                Stream.of(WeightFormat.F32, WeightFormat.BF16, WeightFormat.F16).map(format -> cpu(2, format)));
    }

    /// Groups of configurations whose results must be equal.
    static Stream<List<BackendUnderTest>> sameResults() {
        return Stream.of(WeightFormat.AS_STORED, WeightFormat.BF16)
                .map(format -> IntStream.of(1, 2, 3, 7)
                        .mapToObj(threads -> cpu(threads, format))
                        .toList());
    }

    private static BackendUnderTest cpu(int threads, WeightFormat format) {
        Optional<DType> keptAs = switch (format) {
            case AS_STORED -> Optional.empty();
            case F32 -> Optional.of(DType.F32);
            case BF16 -> Optional.of(DType.BF16);
            case F16 -> Optional.of(DType.F16);
        };
        String name = "cpu with %d threads, weights %s".formatted(threads, format);
        return new BackendUnderTest(
                name, () -> new CpuBackend(new CpuOptions(threads, format, 0)), keptAs, Tolerance.FLOAT32);
    }

    /// Weights that are never packed.
    private static BackendUnderTest inPlace() {
        return new BackendUnderTest(
                "cpu with weights in place",
                () -> new CpuBackend(new CpuOptions(2, WeightFormat.AS_STORED, Long.MAX_VALUE)),
                Optional.empty(),
                Tolerance.FLOAT32);
    }
}
