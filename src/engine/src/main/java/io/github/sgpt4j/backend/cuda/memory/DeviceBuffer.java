package io.github.sgpt4j.backend.cuda.memory;

/// Device memory, given back to where it came from when the last owner closes it. The address means nothing to the
/// host.
public final class DeviceBuffer implements AutoCloseable {
    private final DeviceMemory memory;
    private final long address;
    private final long bytes;
    private int owners = 1;

    DeviceBuffer(DeviceMemory memory, long address, long bytes) {
        this.memory = memory;
        this.address = address;
        this.bytes = bytes;
    }

    public long address() {
        return address;
    }

    public long bytes() {
        return bytes;
    }

    /// One more owner that will close it.
    public DeviceBuffer retain() {
        synchronized (memory) {
            if (owners == 0) {
                throw new IllegalStateException("device memory was given back");
            }
            owners++;
        }
        return this;
    }

    @Override
    public void close() {
        synchronized (memory) {
            if (owners > 0 && --owners == 0) {
                memory.give(address, bytes);
            }
        }
    }
}
