package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The CUDA driver API, as far as it is used (CUDA Driver API reference manual; `cuda.h`). Handles and device addresses
/// are `long`: Java never dereferences them.
///
/// Every method that fails throws a `BackendException` with a [CudaFailure] as its cause, but for those that return a
/// status. Without the library, all throw the reason. [Streams] has the part about streams, events and copies.
public final class Driver {
    public static final int SUCCESS = 0;
    public static final int OUT_OF_MEMORY = 2;
    public static final int NO_DEVICE = 100;

    // CUdevice_attribute
    public static final int THREADS_PER_BLOCK = 1;
    public static final int GRID_X = 5;
    public static final int GRID_Y = 6;
    public static final int GRID_Z = 7;
    public static final int MULTIPROCESSORS = 16;
    public static final int COMPUTE_MAJOR = 75;
    public static final int COMPUTE_MINOR = 76;
    public static final int SHARED_BYTES_OPT_IN = 97;

    // CUfunction_attribute
    public static final int FUNCTION_DYNAMIC_SHARED_BYTES = 8;

    // Flags
    private static final int HOST_PORTABLE = 1;
    private static final int JIT_ERROR_LOG = 5;
    private static final int JIT_ERROR_LOG_BYTES = 6;

    private static final int OLDEST_TOOLKIT = 12;
    private static final int NEWEST_TOOLKIT = 13;
    private static final int LONGEST_NAME = 256;
    private static final int LOG_BYTES = 8192;

    static final NativeLibrary LIBRARY = CudaLibraries.driver();
    private static final MethodHandle INIT = LIBRARY.function("cuInit", JAVA_INT);
    private static final MethodHandle VERSION = LIBRARY.function("cuDriverGetVersion", ADDRESS);
    private static final MethodHandle ERROR_NAME = LIBRARY.function("cuGetErrorName", JAVA_INT, ADDRESS);
    private static final MethodHandle ERROR_TEXT = LIBRARY.function("cuGetErrorString", JAVA_INT, ADDRESS);
    private static final MethodHandle DEVICE_COUNT = LIBRARY.function("cuDeviceGetCount", ADDRESS);
    private static final MethodHandle DEVICE_GET = LIBRARY.function("cuDeviceGet", ADDRESS, JAVA_INT);
    private static final MethodHandle DEVICE_NAME = LIBRARY.function("cuDeviceGetName", ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle DEVICE_MEMORY = LIBRARY.function("cuDeviceTotalMem_v2", ADDRESS, JAVA_INT);
    private static final MethodHandle DEVICE_ATTRIBUTE =
            LIBRARY.function("cuDeviceGetAttribute", ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle RETAIN = LIBRARY.function("cuDevicePrimaryCtxRetain", ADDRESS, JAVA_INT);
    private static final MethodHandle RELEASE = LIBRARY.function("cuDevicePrimaryCtxRelease_v2", JAVA_INT);
    private static final MethodHandle SET_CURRENT = LIBRARY.function("cuCtxSetCurrent", JAVA_LONG);
    private static final MethodHandle SYNCHRONIZE = LIBRARY.function("cuCtxSynchronize");
    private static final MethodHandle MEMORY_INFO = LIBRARY.function("cuMemGetInfo_v2", ADDRESS, ADDRESS);
    private static final MethodHandle ALLOCATE = LIBRARY.function("cuMemAlloc_v2", ADDRESS, JAVA_LONG);
    private static final MethodHandle FREE = LIBRARY.function("cuMemFree_v2", JAVA_LONG);
    private static final MethodHandle ALLOCATE_HOST = LIBRARY.function("cuMemHostAlloc", ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle FREE_HOST = LIBRARY.function("cuMemFreeHost", ADDRESS);
    private static final MethodHandle MODULE_LOAD =
            LIBRARY.function("cuModuleLoadDataEx", ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle MODULE_FUNCTION =
            LIBRARY.function("cuModuleGetFunction", ADDRESS, JAVA_LONG, ADDRESS);
    private static final MethodHandle MODULE_UNLOAD = LIBRARY.function("cuModuleUnload", JAVA_LONG);
    private static final MethodHandle FUNCTION_SET =
            LIBRARY.function("cuFuncSetAttribute", JAVA_LONG, JAVA_INT, JAVA_INT);
    private static final MethodHandle LAUNCH = LIBRARY.function(
            "cuLaunchKernel",
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            ADDRESS,
            ADDRESS);

    private Driver() {}

    /// Bytes of a device's memory.
    public record MemoryInfo(long free, long total) {}

    /// Initialises the driver; must come first. Returns the status: without a device it is [#NO_DEVICE].
    public static int init() {
        try {
            return (int) INIT.invokeExact(0);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// The newest CUDA version that the driver supports, 1000 · major + 10 · minor.
    public static int version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_INT);
            check((int) VERSION.invokeExact(out), "cuDriverGetVersion");
            return out.get(JAVA_INT, 0);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Major version of the newest toolkit whose libraries work with this driver; without one, the newest known.
    static int newestToolkit() {
        return LIBRARY.isOpen() ? Math.max(version() / 1000, OLDEST_TOOLKIT) : NEWEST_TOOLKIT;
    }

    /// `CUDA_ERROR_OUT_OF_MEMORY` and the like.
    public static String errorName(int status) {
        return describe(ERROR_NAME, status);
    }

    /// The driver's sentence about a status.
    public static String errorText(int status) {
        return describe(ERROR_TEXT, status);
    }

    private static String describe(MethodHandle handle, int status) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            int ignored = (int) handle.invokeExact(status, out);
            return ignored == SUCCESS ? NativeLibrary.text(out.get(ADDRESS, 0)) : "unknown error";
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Throws what a status other than 0 means.
    public static void check(int status, String call) {
        if (status != SUCCESS) {
            String advice = isLost(status)
                    ? "; what this process had on the device is lost, close the model and open it again"
                    : "";
            throw CudaFailure.of(call, status, errorName(status), errorText(status), advice);
        }
    }

    /// Whether a status leaves the context unusable: every later call fails as well.
    public static boolean isLost(int status) {
        return switch (status) {
            case 46, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 911, 999 -> true;
            default -> false;
        };
    }

    public static int deviceCount() {
        return intResult("cuDeviceGetCount", out -> (int) DEVICE_COUNT.invokeExact(out));
    }

    public static int device(int ordinal) {
        return intResult("cuDeviceGet", out -> (int) DEVICE_GET.invokeExact(out, ordinal));
    }

    public static String deviceName(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(LONGEST_NAME);
            check((int) DEVICE_NAME.invokeExact(out, LONGEST_NAME, device), "cuDeviceGetName");
            return out.getString(0);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Bytes of memory that a device has.
    public static long deviceMemory(int device) {
        return longResult("cuDeviceTotalMem_v2", out -> (int) DEVICE_MEMORY.invokeExact(out, device));
    }

    public static int deviceAttribute(int attribute, int device) {
        return intResult("cuDeviceGetAttribute", out -> (int) DEVICE_ATTRIBUTE.invokeExact(out, attribute, device));
    }

    /// The device's primary context, to be given back by [#releaseContext].
    public static long retainContext(int device) {
        return longResult("cuDevicePrimaryCtxRetain", out -> (int) RETAIN.invokeExact(out, device));
    }

    public static int releaseContext(int device) {
        try {
            return (int) RELEASE.invokeExact(device);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Makes a context the calling thread's.
    public static void setCurrent(long context) {
        try {
            check((int) SET_CURRENT.invokeExact(context), "cuCtxSetCurrent");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    public static void synchronizeContext() {
        try {
            check((int) SYNCHRONIZE.invokeExact(), "cuCtxSynchronize");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Memory of the current context's device.
    public static MemoryInfo memoryInfo() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG, 2);
            check((int) MEMORY_INFO.invokeExact(out, out.asSlice(Long.BYTES)), "cuMemGetInfo_v2");
            return new MemoryInfo(out.getAtIndex(JAVA_LONG, 0), out.getAtIndex(JAVA_LONG, 1));
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Device memory; 0 if there is not enough.
    public static long tryAllocate(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status = (int) ALLOCATE.invokeExact(out, bytes);
            if (status == OUT_OF_MEMORY) {
                return 0;
            }
            check(status, "cuMemAlloc_v2");
            return out.get(JAVA_LONG, 0);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    public static int free(long address) {
        try {
            return (int) FREE.invokeExact(address);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Host memory that copies reach without the processor; whoever asks gives it back by [#freeHost].
    public static MemorySegment allocateHost(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            check((int) ALLOCATE_HOST.invokeExact(out, bytes, HOST_PORTABLE), "cuMemHostAlloc");
            return NativeLibrary.memory(out.get(ADDRESS, 0), bytes);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    public static int freeHost(MemorySegment memory) {
        try {
            return (int) FREE_HOST.invokeExact(memory);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Loads a fatbin, cubin or PTX image.
    public static long loadModule(byte[] image) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(image.length + 1L, 64);
            MemorySegment.copy(image, 0, copy, JAVA_BYTE, 0, image.length);
            MemorySegment log = arena.allocate(LOG_BYTES);
            MemorySegment options = arena.allocateFrom(JAVA_INT, JIT_ERROR_LOG, JIT_ERROR_LOG_BYTES);
            MemorySegment values = arena.allocateFrom(JAVA_LONG, log.address(), LOG_BYTES);
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status = (int) MODULE_LOAD.invokeExact(out, copy, 2, options, values);
            if (status != SUCCESS) {
                String text = log.getString(0).strip();
                throw CudaFailure.of(
                        "cuModuleLoadDataEx",
                        status,
                        errorName(status),
                        errorText(status),
                        text.isEmpty() ? "" : "; " + text);
            }
            return out.get(JAVA_LONG, 0);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    public static int unloadModule(long module) {
        try {
            return (int) MODULE_UNLOAD.invokeExact(module);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// A kernel by its name.
    public static long function(long module, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status = (int) MODULE_FUNCTION.invokeExact(out, module, arena.allocateFrom(name));
            check(status, "cuModuleGetFunction of kernel " + name);
            return out.get(JAVA_LONG, 0);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    public static void setFunctionAttribute(long function, int attribute, int value) {
        try {
            check((int) FUNCTION_SET.invokeExact(function, attribute, value), "cuFuncSetAttribute");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Launches a kernel. `parameters` points to one pointer per parameter.
    ///
    /// @return the status; the caller knows the kernel's name
    public static int launch(
            long function,
            int gridX,
            int gridY,
            int gridZ,
            int blockX,
            int blockY,
            int blockZ,
            int sharedBytes,
            long stream,
            MemorySegment parameters) {
        try {
            return (int) LAUNCH.invokeExact(
                    function,
                    gridX,
                    gridY,
                    gridZ,
                    blockX,
                    blockY,
                    blockZ,
                    sharedBytes,
                    stream,
                    parameters,
                    MemorySegment.NULL);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    @FunctionalInterface
    interface Call {
        int with(MemorySegment out) throws Throwable;
    }

    static int intResult(String name, Call call) {
        return (int) longResult(name, call);
    }

    /// For calls that are not made in a batch's way: the result of one that writes an int or a 64-bit value.
    static long longResult(String name, Call call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            check(call.with(out), name);
            return out.get(JAVA_LONG, 0);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }
}
