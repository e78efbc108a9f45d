package io.github.sgpt4j.backend.cuda.memory;

/// Where the memory of a [DeviceBuffer] comes from and returns to.
interface DeviceMemory {
    /// For [DeviceBuffer#close].
    void give(long address, long bytes);
}
