package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.kernel.Simd;

/// How the CPU backend is set up.
///
/// @param threads threads that compute, the calling one included; 0 for the available processors
/// @param weights how weights are held in memory
/// @param workInPlace multiply-adds that each weight matrix does from where it is stored before it is packed;
///     none with the matrix unit
/// @param matrixUnit whether to use [Amx] where it is
public record CpuOptions(int threads, WeightFormat weights, long workInPlace, boolean matrixUnit) {
    /// System property for another [#workInPlace] than the usual one: 0 packs every matrix at its first use.
    public static final String WORK_IN_PLACE = "sgpt4j.cpu.workInPlace";

    public CpuOptions {
        if (threads < 0 || threads > 1024) {
            throw new IllegalArgumentException("threads: expected 0 to 1024, got " + threads);
        }
    }

    /// With the matrix unit.
    public CpuOptions(int threads, WeightFormat weights, long workInPlace) {
        this(threads, weights, workInPlace, true);
    }

    /// The usual work before packing, and the matrix unit.
    public CpuOptions(int threads, WeightFormat weights) {
        this(threads, weights, Long.getLong(WORK_IN_PLACE, DirectProduct.MOST_WORK));
    }

    /// Whether products go to the matrix unit. Panels are as wide as its tiles only with the widest vectors.
    boolean usesMatrixUnit() {
        return matrixUnit && Simd.LANES == Amx.TILE && Amx.problem().isEmpty();
    }

    /// All processors, weights as they are stored.
    public static CpuOptions defaults() {
        return new CpuOptions(0, WeightFormat.AS_STORED);
    }
}
