package io.github.sgpt4j.backend.cuda.memory;

import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.error.BackendException;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/// Device memory that is kept for reuse, so that batches of similar sizes allocate nothing after the first.
///
/// Memory that is given back may still be in use by work queued on the compute stream, but on no other. So who takes
/// memory names the stream that uses it first: one other than the compute stream is made to wait for what is queued
/// there. The device's context must be current. Closing frees everything.
public final class DevicePool implements DeviceMemory, AutoCloseable {
    private static final long GRANULE = 512;
    private static final int CLASSES_PER_DOUBLING = 8;

    private final String device;
    private final long compute;
    private final BooleanSupplier relief;
    private final TreeMap<Long, ArrayDeque<Long>> free = new TreeMap<>();
    private final Set<Long> all = new HashSet<>();
    /// Orders other streams behind the compute stream; 0 until one has to be.
    private long computed;

    private long held;
    private long allocations;

    /// @param device its name in messages
    /// @param compute the compute stream
    /// @param relief gives back what can be done without, when the device has no memory left; returns
    ///     whether there was any
    public DevicePool(String device, long compute, BooleanSupplier relief) {
        this.device = device;
        this.compute = compute;
        this.relief = relief;
    }

    /// Memory for activations: sizes are rounded up to one of eight in each doubling.
    ///
    /// @param stream the stream that uses it first
    public DeviceBuffer take(long bytes, long stream) {
        return find(rounded(bytes), stream);
    }

    /// Memory that is kept for good: next to nothing is rounded.
    ///
    /// @param stream the stream that uses it first
    public DeviceBuffer takeExactly(long bytes, long stream) {
        long size = Math.ceilDiv(Math.max(bytes, 1), GRANULE) * GRANULE;
        return find(size, stream);
    }

    public static long rounded(long bytes) {
        long octave = Long.highestOneBit(Math.max(bytes, GRANULE));
        long step = Math.max(GRANULE, octave / CLASSES_PER_DOUBLING);
        return Math.multiplyExact(Math.ceilDiv(Math.max(bytes, 1), step), step);
    }

    private synchronized DeviceBuffer find(long size, long stream) {
        // A block up to a quarter larger will do.
        Map.Entry<Long, ArrayDeque<Long>> fitting = free.ceilingEntry(size);
        if (fitting != null && fitting.getKey() - size <= size / 4) {
            if (stream != compute) {
                waitForCompute(stream);
            }
            long address = fitting.getValue().removeLast();
            if (fitting.getValue().isEmpty()) {
                free.remove(fitting.getKey());
            }
            return new DeviceBuffer(this, address, fitting.getKey());
        }
        long address = Driver.tryAllocate(size);
        if (address == 0 && trim()) {
            address = Driver.tryAllocate(size);
        }
        if (address == 0 && relief.getAsBoolean() && trim()) {
            address = Driver.tryAllocate(size);
        }
        if (address == 0) {
            Driver.MemoryInfo memory = Driver.memoryInfo();
            throw new BackendException(
                    "%s: out of device memory: %,d bytes needed, %,d free of %,d; smaller batches (--batch-tokens) or a smaller dtype need less"
                            .formatted(device, size, memory.free(), memory.total()));
        }
        allocations++;
        held += size;
        all.add(address);
        return new DeviceBuffer(this, address, size);
    }

    private void waitForCompute(long stream) {
        if (computed == 0) {
            computed = Streams.createEvent();
        }
        Streams.recordEvent(computed, compute);
        Streams.streamWait(stream, computed);
    }

    /// Frees what nobody holds; returns whether there was any.
    private boolean trim() {
        if (free.isEmpty()) {
            return false;
        }
        Driver.synchronizeContext();
        free.forEach((size, addresses) -> {
            for (long address : addresses) {
                Driver.check(Driver.free(address), "cuMemFree_v2");
                all.remove(address);
                held -= size;
            }
        });
        free.clear();
        return true;
    }

    @Override
    public synchronized void give(long address, long bytes) {
        if (all.contains(address)) {
            Driver.givenBack(address, bytes, compute);
            free.computeIfAbsent(bytes, size -> new ArrayDeque<>()).addLast(address);
        }
    }

    /// Allocations asked of the driver so far.
    public synchronized long allocations() {
        return allocations;
    }

    /// Bytes held, in use or kept for reuse.
    synchronized long held() {
        return held;
    }

    /// Frees everything; nothing may be running. Errors do not matter: a lost device has lost its memory as well.
    @Override
    public synchronized void close() {
        all.forEach(Driver::free);
        all.clear();
        free.clear();
        held = 0;
        if (computed != 0) {
            Streams.destroyEvent(computed);
            computed = 0;
        }
    }
}
