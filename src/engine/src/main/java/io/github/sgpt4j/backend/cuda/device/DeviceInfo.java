package io.github.sgpt4j.backend.cuda.device;

/// A device and its limits, as the driver tells them.
///
/// @param ordinal its number, from 0
/// @param name the maker's name
/// @param memory bytes
/// @param computeCapability 10 · major + minor
/// @param multiprocessors streaming multiprocessors
/// @param threadsPerBlock most threads of a block
/// @param gridX most blocks along x
/// @param gridY most blocks along y
/// @param gridZ most blocks along z
/// @param sharedBytes most shared memory of a block, after opting in
public record DeviceInfo(
        int ordinal,
        String name,
        long memory,
        int computeCapability,
        int multiprocessors,
        int threadsPerBlock,
        int gridX,
        int gridY,
        int gridZ,
        int sharedBytes) {
    /// `9.0`
    public String capability() {
        return dotted(computeCapability);
    }

    /// As [#capability], of any compute capability.
    public static String dotted(int computeCapability) {
        return computeCapability / 10 + "." + computeCapability % 10;
    }
}
