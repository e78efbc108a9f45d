package io.github.sgpt4j.backend.cuda.launch;

import io.github.sgpt4j.backend.cuda.device.DeviceInfo;
import io.github.sgpt4j.backend.cuda.ffi.CudaFailure;
import io.github.sgpt4j.backend.cuda.ffi.CudaLibraries;
import io.github.sgpt4j.backend.cuda.ffi.Driver;
import io.github.sgpt4j.backend.cuda.ffi.Nvrtc;
import io.github.sgpt4j.error.BackendException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds kernels by name: in the image that the build made if it has code for the device, otherwise compiled now, a
/// file at a time, and kept on disk. The device's context must be current; one thread at a time.
public final class Kernels implements AutoCloseable {
    // CUresult
    private static final int INVALID_IMAGE = 200;
    private static final int NO_BINARY_FOR_GPU = 209;
    private static final int UNSUPPORTED_PTX_VERSION = 222;

    /// Dynamic shared memory that a kernel may have without being asked for.
    private static final int COMMON_SHARED_BYTES = 48 * 1024;

    private final DeviceInfo device;
    private final KernelCache cache;
    private final List<Long> modules = new ArrayList<>();
    private final Map<KernelFile, Long> compiled = new EnumMap<>(KernelFile.class);
    private final Map<String, Long> functions = new HashMap<>();
    private final Map<String, Integer> sharedBytes = new HashMap<>();
    private final Optional<Long> prebuilt;

    public Kernels(DeviceInfo device, KernelCache cache) {
        this.device = device;
        this.cache = cache;
        this.prebuilt = KernelSources.compiled().flatMap(this::load);
    }

    /// An image without code for this device, built or kept, is no failure as long as there is a compiler.
    private Optional<Long> load(byte[] image) {
        try {
            long module = Driver.loadModule(image);
            modules.add(module);
            return Optional.of(module);
        } catch (BackendException e) {
            int status = CudaFailure.statusOf(e).orElse(0);
            boolean other = status == NO_BINARY_FOR_GPU || status == UNSUPPORTED_PTX_VERSION || status == INVALID_IMAGE;
            if (!other) {
                throw e;
            }
            if (!CudaLibraries.nvrtc().isOpen()) {
                throw new BackendException(
                        "cuda:%d: the kernels built into this version have no code for compute capability %s, and cannot be compiled: %s"
                                .formatted(
                                        device.ordinal(),
                                        device.capability(),
                                        CudaLibraries.nvrtc().place()),
                        e);
            }
            return Optional.empty();
        }
    }

    /// The function handle of a kernel, allowed to have `shared` bytes of dynamic shared memory.
    long function(String name, int shared) {
        Long known = functions.get(name);
        long function = known != null ? known : find(name);
        if (shared > COMMON_SHARED_BYTES && sharedBytes.getOrDefault(name, 0) < shared) {
            Driver.setFunctionAttribute(function, Driver.FUNCTION_DYNAMIC_SHARED_BYTES, shared);
            sharedBytes.put(name, shared);
        }
        return function;
    }

    private long find(String name) {
        KernelFile file = KernelFile.of(name);
        long module = prebuilt.isPresent() ? prebuilt.get() : compiled.computeIfAbsent(file, this::compile);
        long function = Driver.function(module, name);
        functions.put(name, function);
        return function;
    }

    private long compile(KernelFile file) {
        if (!CudaLibraries.nvrtc().isOpen()) {
            throw new BackendException(
                    "cuda:%d: kernels were not compiled when this version was built, and cannot be now: %s"
                            .formatted(device.ordinal(), CudaLibraries.nvrtc().place()));
        }
        KernelSources.Source source = KernelSources.source(file);
        int[] architectures = Nvrtc.architectures();
        boolean known = Arrays.stream(architectures).anyMatch(a -> a == device.computeCapability());
        List<String> options = List.of("--std=c++17", architecture(architectures, known), "--fmad=true");
        String key = KernelCache.key("nvrtc " + Nvrtc.version(), source.text(), source.headers(), options);
        Optional<Long> kept = cache.get(key).flatMap(this::load);
        if (kept.isPresent()) {
            return kept.get();
        }
        byte[] image = Nvrtc.compile(file.file(), source.text(), source.headers(), options, known);
        cache.put(key, image);
        long module = Driver.loadModule(image);
        modules.add(module);
        return module;
    }

    /// Machine code for an architecture that the compiler knows, otherwise PTX for the newest before it.
    private String architecture(int[] architectures, boolean known) {
        if (known) {
            return "--gpu-architecture=sm_" + device.computeCapability();
        }
        int newest = Arrays.stream(architectures)
                .filter(a -> a <= device.computeCapability())
                .max()
                .orElseThrow(() -> new BackendException(
                        "cuda:%d: NVRTC %s (%s) cannot compile for compute capability %s, it begins at %d"
                                .formatted(
                                        device.ordinal(),
                                        Nvrtc.version(),
                                        CudaLibraries.nvrtc().place(),
                                        device.capability(),
                                        Arrays.stream(architectures).min().orElse(0))));
        return "--gpu-architecture=compute_" + newest;
    }

    /// Unloads everything. Errors do not matter: a lost device has lost its modules as well.
    @Override
    public void close() {
        modules.forEach(Driver::unloadModule);
        modules.clear();
        functions.clear();
        compiled.clear();
    }
}
