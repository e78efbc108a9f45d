package io.github.sgpt4j.backend.cpu;

/// How the CPU backend is set up.
///
/// @param threads threads that compute, the calling one included; 0 for the available processors
/// @param weights how weights are held in memory
/// @param workInPlace multiply-adds that each weight matrix does from where it is stored before it is packed
public record CpuOptions(int threads, WeightFormat weights, long workInPlace) {
    /// System property for another [#workInPlace] than the usual one: 0 packs every matrix at its first use.
    public static final String WORK_IN_PLACE = "sgpt4j.cpu.workInPlace";

    public CpuOptions {
        if (threads < 0 || threads > 1024) {
            throw new IllegalArgumentException("threads: expected 0 to 1024, got " + threads);
        }
    }

    /// The usual work before packing.
    public CpuOptions(int threads, WeightFormat weights) {
        this(threads, weights, Long.getLong(WORK_IN_PLACE, DirectProduct.MOST_WORK));
    }

    /// All processors, weights as they are stored.
    public static CpuOptions defaults() {
        return new CpuOptions(0, WeightFormat.AS_STORED);
    }
}
