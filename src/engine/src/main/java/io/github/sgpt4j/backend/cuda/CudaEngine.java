package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.cuda.device.Arithmetic;
import io.github.sgpt4j.backend.cuda.device.CudaDevices;
import io.github.sgpt4j.backend.cuda.device.CudaOptions;
import io.github.sgpt4j.backend.cuda.device.DeviceInfo;
import io.github.sgpt4j.backend.cuda.device.LostDevices;
import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.backend.cuda.launch.Geometry;
import io.github.sgpt4j.backend.cuda.launch.KernelCache;
import io.github.sgpt4j.backend.cuda.launch.Kernels;
import io.github.sgpt4j.backend.cuda.launch.Launcher;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.backend.cuda.memory.DevicePool;
import io.github.sgpt4j.backend.cuda.memory.PinnedPool;
import io.github.sgpt4j.error.BackendException;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// One device as one backend uses it: its context, streams, memory, kernels and products.
///
/// Work is queued on one compute stream by one thread at a time; index arrays come in and results go out on streams of
/// their own. Closing waits for what is queued, then frees everything. After the process has lost the device
/// ([LostDevices]) the driver is not called any more: every use fails at once, and closing frees what is the process's
/// own.
final class CudaEngine implements AutoCloseable {
    private final ReentrantLock lock = new ReentrantLock();
    private final DeviceInfo device;
    private final Arithmetic arithmetic;
    private final Geometry geometry;
    /// What the driver made, last first.
    private final Deque<AutoCloseable> made = new ArrayDeque<>();

    /// Arguments of native calls; no driver is needed to free it.
    private final Arena arena = Arena.ofShared();

    private final int deviceHandle;
    private final long context;
    private final long compute;
    private final long uploads;
    private final long downloads;
    private final KernelCache kept = KernelCache.ofUser();
    private final DevicePool memory;
    private final PinnedPool pinned;
    private final Launcher launcher;
    private final Matmul matmul;
    private final IndexSlots slots;
    private final WeightStore weights;
    private final Recordings recordings;
    /// Under the lock.
    private PassContext pass = new Shared();

    private final Set<String> notices = Collections.synchronizedSet(new LinkedHashSet<>());
    private volatile boolean closed;

    /// @throws BackendException if the device cannot be used
    CudaEngine(CudaOptions options) {
        device = CudaDevices.usable(options.ordinal());
        arithmetic = Arithmetic.of(options.precision(), device, options.fitsHalf());
        if (!arithmetic.isOn(device)) {
            throw new BackendException("%s: %s needs compute capability %s, this device (%s) has %s"
                    .formatted(
                            name(),
                            arithmetic,
                            DeviceInfo.dotted(arithmetic.capability()),
                            device.name(),
                            device.capability()));
        }
        geometry = new Geometry(device);
        try {
            deviceHandle = Driver.device(device.ordinal());
            context = Driver.retainContext(deviceHandle);
        } catch (BackendException e) {
            LostDevices.note(device.ordinal(), e);
            throw e;
        }
        made.push(() -> Driver.releaseContext(deviceHandle));
        try {
            Driver.setCurrent(context);
            compute = stream();
            uploads = stream();
            downloads = stream();
            recordings = new Recordings(this, !options.synchronizeEach());
            memory = keep(new DevicePool(name(), compute, recordings::giveUp));
            pinned = keep(new PinnedPool());
            slots = new IndexSlots(this);
            made.push(slots::destroyEvents);
            Kernels kernels = keep(new Kernels(device, kept));
            launcher = new Launcher(device, kernels, () -> pass.stream(), arena, options.synchronizeEach());
            matmul = keep(new Matmul(this, arena, kept));
            weights = new WeightStore(this);
            keep(recordings);
        } catch (RuntimeException | Error e) {
            if (e instanceof BackendException failure) {
                LostDevices.note(device.ordinal(), failure);
            }
            release();
            throw e;
        }
    }

    /// A pass as most are: on the compute stream, in memory that all share.
    private final class Shared implements PassContext {
        @Override
        public long stream() {
            return compute;
        }

        @Override
        public DeviceBuffer take(long bytes) {
            return memory.take(bytes, compute);
        }

        @Override
        public IndexArrays.Memory upload(int[] data) {
            return slots.upload(data);
        }

        @Override
        public Download startDownload(CudaTensor x) {
            return CudaDownload.beside(CudaEngine.this, x);
        }

        @Override
        public void uses(DeviceBuffer buffer) {}

        @Override
        public boolean isRecording() {
            return false;
        }
    }

    private long stream() {
        long stream = Streams.createStream();
        made.push(() -> Streams.destroyStream(stream));
        return stream;
    }

    private <T extends AutoCloseable> T keep(T part) {
        made.push(part);
        return part;
    }

    /// `cuda:0`
    String name() {
        return "cuda:" + device.ordinal();
    }

    DeviceInfo device() {
        return device;
    }

    Arithmetic arithmetic() {
        return arithmetic;
    }

    Geometry geometry() {
        return geometry;
    }

    /// What operations are given to now.
    PassContext pass() {
        return pass;
    }

    /// Does something whose operations are given to `context`.
    <T> T within(PassContext context, Supplier<T> work) {
        PassContext before = pass;
        pass = context;
        try {
            return work.get();
        } finally {
            pass = before;
        }
    }

    Recordings recordings() {
        return recordings;
    }

    /// The stream that work runs on.
    long compute() {
        return compute;
    }

    /// The stream that index arrays come in on.
    long uploads() {
        return uploads;
    }

    /// The stream that results go out on.
    long downloads() {
        return downloads;
    }

    DevicePool memory() {
        return memory;
    }

    /// @throws BackendException if this thread records operations: what a copy is to read or write is not
    ///     there when they run
    PinnedPool pinned() {
        // Downloads give their memory back on any thread, without the lock.
        if (lock.isHeldByCurrentThread() && pass.isRecording()) {
            throw new BackendException(name() + ": a copy from or to the host within a recorded pass");
        }
        return pinned;
    }

    Launcher launcher() {
        return launcher;
    }

    Matmul matmul() {
        return matmul;
    }

    WeightStore weights() {
        return weights;
    }

    /// As [io.github.sgpt4j.backend.Backend#notices].
    List<String> notices() {
        List<String> all = new ArrayList<>(kept.notices());
        synchronized (notices) {
            all.addAll(notices);
        }
        return all;
    }

    /// Adds one sentence to [#notices], once.
    void notice(String text) {
        notices.add(text);
    }

    /// Does something with the device's context current, no other thread in between.
    ///
    /// @throws IllegalStateException if the backend is closed
    /// @throws BackendException also if the device is lost, without calling the driver
    <T> T call(Supplier<T> work) {
        lock.lock();
        try {
            checkUsable();
            Driver.setCurrent(context);
            return work.get();
        } catch (BackendException e) {
            LostDevices.note(device.ordinal(), e);
            throw e;
        } finally {
            launcher.reset();
            lock.unlock();
        }
    }

    /// As [#call].
    void run(Runnable work) {
        call(() -> {
            work.run();
            return true;
        });
    }

    /// Waits for an event, without the lock.
    void await(long event) {
        await(() -> Streams.synchronizeEvent(event));
    }

    /// Waits for the compute stream, without the lock.
    void awaitCompute() {
        await(() -> Streams.synchronizeStream(compute));
    }

    private void await(Runnable wait) {
        checkUsable();
        try {
            Driver.setCurrent(context);
            wait.run();
        } catch (BackendException e) {
            LostDevices.note(device.ordinal(), e);
            throw e;
        }
    }

    boolean isClosed() {
        return closed;
    }

    /// Whether this process cannot use the device any more.
    boolean isLost() {
        return LostDevices.reason(device.ordinal()).isPresent();
    }

    private void checkUsable() {
        if (closed) {
            throw new IllegalStateException(name() + " backend is closed");
        }
        LostDevices.check(device.ordinal());
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            try {
                tune();
            } finally {
                release();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Measures products before anything is given back, so that [#release] waits for what this queued too.
    private void tune() {
        if (isLost()) {
            return;
        }
        try {
            Driver.setCurrent(context);
            matmul.tune();
        } catch (BackendException e) {
            // Measuring is no part of any result.
            LostDevices.note(device.ordinal(), e);
        }
    }

    /// Gives everything back, last made first. What a lost context answers does not matter: it goes at the end. A lost
    /// device is not asked for anything.
    private void release() {
        try {
            if (!isLost()) {
                Driver.setCurrent(context);
                Driver.synchronizeContext();
            }
        } catch (BackendException e) {
            // The work that failed has been reported where it was waited for.
            LostDevices.note(device.ordinal(), e);
        }
        try {
            closeAll();
        } finally {
            arena.close();
        }
    }

    /// Whatever a part's end throws, the others are closed too, unless the device is lost by it.
    private void closeAll() {
        if (isLost()) {
            made.clear();
        }
        if (!made.isEmpty()) {
            try {
                made.pop().close();
            } catch (BackendException e) {
                LostDevices.note(device.ordinal(), e);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            } finally {
                closeAll();
            }
        }
    }
}
