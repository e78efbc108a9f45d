package io.github.sgpt4j.backend.cuda.launch;

import io.github.sgpt4j.backend.cuda.device.DeviceInfo;
import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.error.BackendException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.LongSupplier;

/// Collects a kernel's arguments and starts it on a stream. The argument buffers are reused: the driver has copied them
/// when a launch returns. One thread at a time.
public final class Launcher {
    private static final int MAX_ARGUMENTS = 32;

    private final DeviceInfo device;
    private final Kernels kernels;
    private final LongSupplier stream;
    private final boolean synchronizeEach;
    /// One 8-byte slot per argument.
    private final MemorySegment values;
    /// The slots' addresses, in order; written once.
    private final MemorySegment pointers;

    private String name = "";
    private int count;

    /// @param stream the stream that a kernel is queued on
    /// @param arena must live as long as this
    /// @param synchronizeEach whether to wait for each kernel, so that a failure names it
    public Launcher(DeviceInfo device, Kernels kernels, LongSupplier stream, Arena arena, boolean synchronizeEach) {
        this.device = device;
        this.kernels = kernels;
        this.stream = stream;
        this.synchronizeEach = synchronizeEach;
        values = arena.allocate(ValueLayout.JAVA_LONG, MAX_ARGUMENTS);
        pointers = arena.allocate(ValueLayout.JAVA_LONG, MAX_ARGUMENTS);
        for (int i = 0; i < MAX_ARGUMENTS; i++) {
            pointers.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + (long) i * Long.BYTES);
        }
    }

    /// Begins with a kernel's name; its arguments follow in order. Until [#run], nothing else may be launched: weights
    /// that a launch needs are asked for before.
    public Launcher kernel(String kernel) {
        if (!name.isEmpty()) {
            String unfinished = name;
            name = "";
            throw new IllegalStateException("kernel %s begun within the arguments of %s".formatted(kernel, unfinished));
        }
        name = kernel;
        count = 0;
        return this;
    }

    /// Forgets a kernel that was begun.
    public void reset() {
        name = "";
    }

    /// A device address, or 0.
    public Launcher pointer(long address) {
        return int64(address);
    }

    public Launcher int64(long value) {
        values.setAtIndex(ValueLayout.JAVA_LONG, count++, value);
        return this;
    }

    public Launcher int32(int value) {
        values.set(ValueLayout.JAVA_INT, (long) count++ * Long.BYTES, value);
        return this;
    }

    public Launcher float32(float value) {
        values.set(ValueLayout.JAVA_FLOAT, (long) count++ * Long.BYTES, value);
        return this;
    }

    /// Queues the kernel.
    public void run(Launch launch) {
        String kernel = name;
        name = "";
        long function = kernels.function(kernel, launch.sharedBytes());
        int status = Driver.launch(
                function,
                launch.gridX(),
                launch.gridY(),
                1,
                launch.blockX(),
                launch.blockY(),
                1,
                launch.sharedBytes(),
                stream.getAsLong(),
                pointers);
        if (status != Driver.SUCCESS) {
            Driver.check(status, "cuLaunchKernel of %s on cuda:%d".formatted(kernel, device.ordinal()));
        }
        if (synchronizeEach) {
            awaitKernel(kernel, launch);
        }
    }

    private void awaitKernel(String kernel, Launch launch) {
        try {
            Streams.synchronizeStream(stream.getAsLong());
        } catch (BackendException e) {
            throw new BackendException(
                    "cuda:%d: kernel %s with %s failed: %s".formatted(device.ordinal(), kernel, launch, e.getMessage()),
                    e.getCause() == null ? e : e.getCause());
        }
    }
}
