package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;

/// What the operations of a pass are given to, and the memory they use. Runs under the engine's lock.
interface PassContext {
    /// The stream of kernels and products.
    long stream();

    /// Memory for activations.
    DeviceBuffer take(long bytes);

    /// Copies index arrays to the device; what follows on [#stream] sees them.
    IndexArrays.Memory upload(int[] data);

    /// Starts a copy of 32-bit floats to the host, behind what is on [#stream].
    Download startDownload(CudaTensor x);

    /// Operations read this memory, which may be given back between two passes.
    void uses(DeviceBuffer memory);

    /// Whether operations are only recorded, so that memory of the host is not what it will be when they run.
    boolean isRecording();
}
