package io.github.sgpt4j.backend.cpu;

/// How the CPU backend is set up.
///
/// @param threads threads that compute, the calling one included; 0 for the available processors
/// @param weights how weights are held in memory
public record CpuOptions(int threads, WeightFormat weights) {
    public CpuOptions {
        if (threads < 0 || threads > 1024) {
            throw new IllegalArgumentException("threads: expected 0 to 1024, got " + threads);
        }
    }

    /// All processors, weights as they are stored.
    public static CpuOptions defaults() {
        return new CpuOptions(0, WeightFormat.AS_STORED);
    }
}
