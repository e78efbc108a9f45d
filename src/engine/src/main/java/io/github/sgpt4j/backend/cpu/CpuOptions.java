package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.tensor.ElementType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// How the CPU backend is set up.
///
/// @param threads threads that compute, including the calling one
/// @param weights how weights are held in memory
/// @param workInPlace multiply-adds that each weight matrix computes in place, from the stored
///     weights, before it is packed; ignored with the matrix unit
/// @param machineCode whether to run the engine's own machine code, [Amx] or [VectorCode], where it
///     is available; otherwise the Vector API computes everything
public record CpuOptions(int threads, Precision weights, long workInPlace, boolean machineCode) {
    /// System property that overrides the default of [#workInPlace]: 0 packs every matrix at its
    /// first use.
    public static final String WORK_IN_PLACE = "sgpt4j.cpu.workInPlace";

    /// Most threads of a backend.
    public static final int MAX_THREADS = 1024;

    /// The precisions that the CPU has.
    public static final List<Precision> PRECISIONS =
            List.of(Precision.AUTO, Precision.FP32, Precision.BF16, Precision.FP16);

    public CpuOptions {
        if (threads < 1 || threads > MAX_THREADS) {
            throw new IllegalArgumentException("threads: expected 1 to %d, got %d".formatted(MAX_THREADS, threads));
        }
        if (!PRECISIONS.contains(weights)) {
            throw new IllegalArgumentException("weights: expected one of %s, got %s".formatted(PRECISIONS, weights));
        }
    }

    /// With machine code.
    public CpuOptions(int threads, Precision weights, long workInPlace) {
        this(threads, weights, workInPlace, true);
    }

    /// With the default work in place, and machine code.
    public CpuOptions(int threads, Precision weights) {
        this(threads, weights, Long.getLong(WORK_IN_PLACE, DirectProduct.MAX_WORK));
    }

    /// Whether products run on the matrix unit. That takes the widest vectors: only then do panels
    /// fit its tiles.
    public boolean usesMatrixUnit() {
        return machineCode && Simd.LANES == Amx.TILE && Amx.problem().isEmpty();
    }

    /// The machine code that computes products on vector units; empty if the Vector API does. It
    /// uses vectors of [Simd]'s width, and always fused multiply-adds (one rounding). With the
    /// matrix unit, the little work that remains stays with the Vector API.
    public Optional<VectorCode> vectorCode() {
        return machineCode && Simd.FMA && !usesMatrixUnit()
                ? VectorCode.of(Simd.BITS).filter(code -> code.problem().isEmpty())
                : Optional.empty();
    }

    /// Whether matrices of `in` input features are held as tiles for the matrix unit, whatever
    /// their stored type.
    boolean holdsTiles(int in) {
        return allowsTiles() && in <= Amx.MAX_FEATURES && usesMatrixUnit();
    }

    /// Whether matrices may be held as tiles for a matrix unit, which have the precision of 32-bit floats.
    boolean allowsTiles() {
        return weights == Precision.AUTO || weights == Precision.FP32;
    }

    /// The type to hold a matrix in for the vector units whose parts are stored as `stored` (F32 stands for
    /// mixed ones).
    ElementType heldAs(ElementType stored) {
        return switch (weights) {
            case AUTO -> stored;
            case FP32, TF32 -> ElementType.F32;
            case BF16, FP8 -> ElementType.BF16;
            case FP16 -> ElementType.F16;
        };
    }

    /// Bytes that a matrix `[out, in]` takes on this machine once it is packed.
    ///
    /// @param stored the type of all its parts; F32 if they differ
    public long matrixBytes(ElementType stored, int in, int out) {
        if (!CpuBackend.hasVectorModule()) {
            // Without the Vector API there is no CPU backend, and no vector width to round up to.
            return Math.multiplyExact((long) in * out, heldAs(stored).bytes());
        }
        return holdsTiles(in) ? TiledMatrix.bytes(in, out) : PackedMatrix.bytes(in, out, heldAs(stored));
    }

    /// With one thread per processor.
    public static CpuOptions of(Precision weights) {
        return new CpuOptions(processors(), weights);
    }

    private static int processors() {
        return Math.min(Runtime.getRuntime().availableProcessors(), MAX_THREADS);
    }

    /// With the given threads, or one per processor.
    public static CpuOptions of(OptionalInt threads, Precision weights) {
        return new CpuOptions(threads.orElseGet(CpuOptions::processors), weights);
    }
}
