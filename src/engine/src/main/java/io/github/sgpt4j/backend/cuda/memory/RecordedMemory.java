package io.github.sgpt4j.backend.cuda.memory;

import io.github.sgpt4j.backend.cuda.ffi.Driver;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/// Device memory that the repetitions of one pass have for themselves, taken from a pool. What is given back is reused
/// within the pass, for equal sizes: so a pass that takes and gives back as an earlier one did needs no more than that
/// one. Closing gives all of it to the pool.
public final class RecordedMemory implements DeviceMemory, AutoCloseable {
    private final DevicePool pool;
    private final long compute;
    private final LongSupplier stream;
    private final List<DeviceBuffer> all = new ArrayList<>();
    private final Map<Long, ArrayDeque<Long>> free = new HashMap<>();
    private boolean closed;

    /// @param compute the stream that the pass is first computed on
    /// @param stream the stream that its operations are given to at the moment
    public RecordedMemory(DevicePool pool, long compute, LongSupplier stream) {
        this.pool = pool;
        this.compute = compute;
        this.stream = stream;
    }

    public synchronized DeviceBuffer take(long bytes) {
        long size = DevicePool.rounded(bytes);
        ArrayDeque<Long> fitting = free.get(size);
        if (fitting != null && !fitting.isEmpty()) {
            return new DeviceBuffer(this, fitting.removeLast(), size);
        }
        DeviceBuffer more = pool.take(size, compute);
        all.add(more);
        return new DeviceBuffer(this, more.address(), size);
    }

    @Override
    public synchronized void give(long address, long bytes) {
        if (!closed) {
            Driver.givenBack(address, bytes, stream.getAsLong());
            free.computeIfAbsent(bytes, size -> new ArrayDeque<>()).addLast(address);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        all.forEach(DeviceBuffer::close);
        all.clear();
        free.clear();
    }
}
