package io.github.sgpt4j.backend.cuda.memory;

/// Device memory, given back to its pool when the last owner closes it. The address means nothing to the host.
public final class DeviceBuffer implements AutoCloseable {
    private final DevicePool pool;
    private final long address;
    private final long bytes;
    private int owners = 1;

    DeviceBuffer(DevicePool pool, long address, long bytes) {
        this.pool = pool;
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
        synchronized (pool) {
            if (owners == 0) {
                throw new IllegalStateException("device memory was given back");
            }
            owners++;
        }
        return this;
    }

    @Override
    public void close() {
        synchronized (pool) {
            if (owners > 0 && --owners == 0) {
                pool.give(address, bytes);
            }
        }
    }
}
