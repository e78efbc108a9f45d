package io.github.sgpt4j.backend;

import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.backend.cuda.CudaBackend;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.backend.reference.ReferenceBackend;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.testing.CudaTests;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The backends that the contract runs on. A new backend adds its entries here.
final class BackendsUnderTest {
    private static final String FUSE = "sgpt4j.cuda.fuseActivations";

    private BackendsUnderTest() {}

    /// For operations without weight matrices: on the calling thread alone, and divided unevenly.
    static Stream<BackendUnderTest> plain() {
        if (CudaTests.active()) {
            return Stream.of(cuda(Precision.FP32));
        }
        return Stream.of(cpu(1, Precision.AUTO), cpu(3, Precision.AUTO));
    }

    /// For results of another implementation: the reference, too.
    static Stream<BackendUnderTest> againstGoldens() {
        Tolerance tolerance = new Tolerance(1e-7, 1e-6, "results in double, goldens stored in 32 bits");
        BackendUnderTest reference =
                new BackendUnderTest("reference", ReferenceBackend::new, Optional.empty(), tolerance);
        return CudaTests.active() ? withInnerTypes() : Stream.concat(Stream.of(reference), plain());
    }

    /// For operations with weight matrices: also every type that they can be kept as.
    static Stream<BackendUnderTest> withWeightTypes() {
        if (CudaTests.active()) {
            return Stream.concat(withInnerTypes(), Stream.of(cudaUnfused(Precision.BF16), cuda(Precision.FP8)));
        }
        return Stream.concat(
                Stream.concat(plain(), Stream.of(inPlace(), onVectors())),
                Stream.of(Precision.FP32, Precision.BF16, Precision.FP16).map(format -> cpu(2, format)));
    }

    /// For gradients of operations with weight matrices: the types that weights can be kept as for training.
    static Stream<BackendUnderTest> forTraining() {
        if (CudaTests.active()) {
            return withInnerTypes();
        }
        return Stream.concat(
                Stream.concat(plain(), Stream.of(inPlace(), onVectors())),
                Stream.of(Precision.FP32, Precision.BF16).map(format -> cpu(2, format)));
    }

    /// Groups of configurations whose gradients must be equal bit for bit.
    static Stream<List<BackendUnderTest>> sameGradients() {
        return Stream.of(Precision.AUTO, Precision.BF16)
                .map(format -> IntStream.of(1, 2, 3, 5)
                        .mapToObj(threads -> cpu(threads, format))
                        .toList());
    }

    /// For operations on values between products: also the types that these can have.
    static Stream<BackendUnderTest> withInnerTypes() {
        return CudaTests.active()
                ? Stream.of(cuda(Precision.FP32), cuda(Precision.BF16), cuda(Precision.FP16))
                : plain();
    }

    /// Groups of configurations whose results must be equal.
    static Stream<List<BackendUnderTest>> sameResults() {
        return Stream.of(Precision.AUTO, Precision.BF16)
                .map(format -> IntStream.of(1, 2, 3, 7)
                        .mapToObj(threads -> cpu(threads, format))
                        .toList());
    }

    private static BackendUnderTest cuda(Precision precision) {
        CudaTests.require();
        CudaOptions options = new CudaOptions(0, precision);
        Optional<ElementType> kept = switch (precision) {
            case AUTO, FP32, TF32 -> Optional.empty();
            case BF16, FP8 -> Optional.of(ElementType.BF16);
            case FP16 -> Optional.of(ElementType.F16);
        };
        Tolerance tolerance = switch (precision) {
            case AUTO, FP32, TF32 -> Tolerance.FLOAT32;
            case BF16 -> Tolerance.BFLOAT16;
            case FP16 -> Tolerance.FLOAT16;
            case FP8 -> Tolerance.FLOAT8;
        };
        return new BackendUnderTest("cuda in " + precision, () -> new CudaBackend(options), kept, kept, tolerance);
    }

    /// With activations in kernels of their own, as on devices where products do not compute them well.
    private static BackendUnderTest cudaUnfused(Precision precision) {
        BackendUnderTest fused = cuda(precision);
        return new BackendUnderTest(
                fused.name() + ", activations apart",
                () -> {
                    System.setProperty(FUSE, "false");
                    try {
                        return fused.open().get();
                    } finally {
                        System.clearProperty(FUSE);
                    }
                },
                fused.keptAs(),
                fused.inner(),
                fused.tolerance());
    }

    private static BackendUnderTest cpu(int threads, Precision format) {
        Optional<ElementType> keptAs = switch (format) {
            case AUTO, TF32 -> Optional.empty();
            case FP32 -> Optional.of(ElementType.F32);
            case BF16, FP8 -> Optional.of(ElementType.BF16);
            case FP16 -> Optional.of(ElementType.F16);
        };
        String name = "cpu with %d threads, weights %s".formatted(threads, format);
        return new BackendUnderTest(
                name, () -> new CpuBackend(new CpuOptions(threads, format, 0)), keptAs, Tolerance.FLOAT32);
    }

    /// Weights that are never packed.
    private static BackendUnderTest inPlace() {
        return new BackendUnderTest(
                "cpu with weights in place",
                () -> new CpuBackend(new CpuOptions(2, Precision.AUTO, Long.MAX_VALUE, false)),
                Optional.empty(),
                Tolerance.FLOAT32);
    }

    /// Only the processor's vector units; the others use its matrix unit if there is one.
    private static BackendUnderTest onVectors() {
        return new BackendUnderTest(
                "cpu without matrix unit",
                () -> new CpuBackend(new CpuOptions(2, Precision.AUTO, 0, false)),
                Optional.empty(),
                Tolerance.FLOAT32);
    }
}
