package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;

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

    private static final int MIN_TOOLKIT = 12;
    private static final int NEWEST_TOOLKIT = 13;
    private static final int MAX_NAME_LENGTH = 256;
    private static final int LOG_BYTES = 8192;

    static final NativeLibrary LIBRARY = CudaLibraries.driver();
    private static final NativeFunction INIT = function("cuInit", JAVA_INT);
    private static final NativeFunction VERSION = function("cuDriverGetVersion", ADDRESS);
    private static final NativeFunction ERROR_NAME = function("cuGetErrorName", JAVA_INT, ADDRESS);
    private static final NativeFunction ERROR_TEXT = function("cuGetErrorString", JAVA_INT, ADDRESS);
    private static final NativeFunction DEVICE_COUNT = function("cuDeviceGetCount", ADDRESS);
    private static final NativeFunction DEVICE_GET = function("cuDeviceGet", ADDRESS, JAVA_INT);
    private static final NativeFunction DEVICE_NAME = function("cuDeviceGetName", ADDRESS, JAVA_INT, JAVA_INT);
    private static final NativeFunction DEVICE_MEMORY = function("cuDeviceTotalMem_v2", ADDRESS, JAVA_INT);
    private static final NativeFunction DEVICE_ATTRIBUTE =
            function("cuDeviceGetAttribute", ADDRESS, JAVA_INT, JAVA_INT);
    private static final NativeFunction RETAIN = function("cuDevicePrimaryCtxRetain", ADDRESS, JAVA_INT);
    private static final NativeFunction RELEASE = function("cuDevicePrimaryCtxRelease_v2", JAVA_INT);
    private static final NativeFunction SET_CURRENT = function("cuCtxSetCurrent", JAVA_LONG);
    private static final NativeFunction SYNCHRONIZE = function("cuCtxSynchronize");
    private static final NativeFunction MEMORY_INFO = function("cuMemGetInfo_v2", ADDRESS, ADDRESS);
    private static final NativeFunction ALLOCATE = function("cuMemAlloc_v2", ADDRESS, JAVA_LONG);
    private static final NativeFunction FREE = function("cuMemFree_v2", JAVA_LONG);
    private static final NativeFunction ALLOCATE_HOST = function("cuMemHostAlloc", ADDRESS, JAVA_LONG, JAVA_INT);
    private static final NativeFunction FREE_HOST = function("cuMemFreeHost", ADDRESS);
    private static final NativeFunction MODULE_LOAD =
            function("cuModuleLoadDataEx", ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    private static final NativeFunction MODULE_FUNCTION = function("cuModuleGetFunction", ADDRESS, JAVA_LONG, ADDRESS);
    private static final NativeFunction MODULE_UNLOAD = function("cuModuleUnload", JAVA_LONG);
    private static final NativeFunction FUNCTION_SET = function("cuFuncSetAttribute", JAVA_LONG, JAVA_INT, JAVA_INT);
    private static final NativeFunction LAUNCH = function(
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

    /// What a status of [#endsProcess] means, as the end of a sentence.
    public static final String START_AGAIN = "; this process has lost the device and must be started again to use it";

    /// The stand-in of the tests has it, no real driver.
    private static final NativeFunction GIVEN_BACK =
            function("sgpt_standin_given_back", JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private static final boolean WATCHES_POOLS = LIBRARY.has(GIVEN_BACK.name());

    private Driver() {}

    static NativeFunction function(String symbol, MemoryLayout... parameters) {
        return LIBRARY.function(symbol, Driver::check, parameters);
    }

    /// Bytes of a device's memory.
    public record MemoryInfo(long free, long total) {}

    /// Initialises the driver; must come first. Returns the status: without a device it is [#NO_DEVICE].
    public static int init() {
        return INIT.status(handle -> (int) handle.invokeExact(0));
    }

    /// The newest CUDA version that the driver supports, 1000 · major + 10 · minor.
    public static int version() {
        return (int) VERSION.result((handle, out) -> (int) handle.invokeExact(out));
    }

    /// Major version of the newest toolkit whose libraries work with this driver; without one, the newest known.
    static int newestToolkit() {
        return LIBRARY.isOpen() ? Math.max(version() / 1000, MIN_TOOLKIT) : NEWEST_TOOLKIT;
    }

    /// `CUDA_ERROR_OUT_OF_MEMORY` and the like.
    public static String errorName(int status) {
        return describe(ERROR_NAME, status);
    }

    /// The driver's sentence about a status.
    public static String errorText(int status) {
        return describe(ERROR_TEXT, status);
    }

    private static String describe(NativeFunction function, int status) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            int known = function.status(handle -> (int) handle.invokeExact(status, out));
            return known == SUCCESS ? NativeLibrary.text(out.get(ADDRESS, 0)) : "unknown error";
        }
    }

    /// Throws what a status other than 0 means.
    public static void check(int status, String call) {
        if (status != SUCCESS) {
            throw CudaFailure.of(call, status, errorName(status), errorText(status), advice(status));
        }
    }

    /// What can be done about a status, as the end of a sentence.
    private static String advice(int status) {
        if (endsProcess(status)) {
            return START_AGAIN;
        }
        return endsContext(status)
                ? "; what this process had on the device is lost, close the model and open it again"
                : "";
    }

    /// Whether every later call of this process fails as well, in a new context too: of these statuses `cuda.h` says
    /// that "the process must be terminated and relaunched".
    public static boolean endsProcess(int status) {
        return switch (status) {
            case 226, 700, 702, 714, 715, 716, 717, 718, 719, 721, 810, 911 -> true;
            default -> false;
        };
    }

    /// Whether nothing more can be done in this context after a status.
    public static boolean isFinal(int status) {
        return endsProcess(status) || endsContext(status);
    }

    /// Whether a status leaves the context unusable, but not the process: ECC and NVLink errors, a destroyed context,
    /// an assertion, the unknown.
    private static boolean endsContext(int status) {
        return switch (status) {
            case 214, 220, 709, 710, 999 -> true;
            default -> false;
        };
    }

    public static int deviceCount() {
        return (int) DEVICE_COUNT.result((handle, out) -> (int) handle.invokeExact(out));
    }

    public static int device(int ordinal) {
        return (int) DEVICE_GET.result((handle, out) -> (int) handle.invokeExact(out, ordinal));
    }

    public static String deviceName(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(MAX_NAME_LENGTH);
            DEVICE_NAME.call(handle -> (int) handle.invokeExact(out, MAX_NAME_LENGTH, device));
            return out.getString(0);
        }
    }

    /// Bytes of memory that a device has.
    public static long deviceMemory(int device) {
        return DEVICE_MEMORY.result((handle, out) -> (int) handle.invokeExact(out, device));
    }

    public static int deviceAttribute(int attribute, int device) {
        return (int) DEVICE_ATTRIBUTE.result((handle, out) -> (int) handle.invokeExact(out, attribute, device));
    }

    /// The device's primary context, to be given back by [#releaseContext].
    public static long retainContext(int device) {
        return RETAIN.result((handle, out) -> (int) handle.invokeExact(out, device));
    }

    public static int releaseContext(int device) {
        return RELEASE.status(handle -> (int) handle.invokeExact(device));
    }

    /// Makes a context the calling thread's.
    public static void setCurrent(long context) {
        SET_CURRENT.call(handle -> (int) handle.invokeExact(context));
    }

    /// Waits for all work of the context, this process's other backends included.
    public static void synchronizeContext() {
        Graphs.whileNoneIsCaptured(() -> SYNCHRONIZE.call(handle -> (int) handle.invokeExact()));
    }

    /// Memory of the current context's device.
    public static MemoryInfo memoryInfo() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG, 2);
            MemorySegment total = out.asSlice(Long.BYTES);
            MEMORY_INFO.call(handle -> (int) handle.invokeExact(out, total));
            return new MemoryInfo(out.getAtIndex(JAVA_LONG, 0), out.getAtIndex(JAVA_LONG, 1));
        }
    }

    /// Device memory; 0 if there is not enough.
    public static long tryAllocate(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status = ALLOCATE.status(handle -> (int) handle.invokeExact(out, bytes));
            if (status == OUT_OF_MEMORY) {
                return 0;
            }
            check(status, ALLOCATE.name());
            return out.get(JAVA_LONG, 0);
        }
    }

    public static int free(long address) {
        return FREE.status(handle -> (int) handle.invokeExact(address));
    }

    /// Tells the stand-in of the tests that a pool has memory back, behind what is queued on a stream: who reads
    /// it before writing it, or uses it on another stream without waiting, makes a mistake. With a real driver
    /// this does nothing.
    public static void givenBack(long address, long bytes, long stream) {
        if (WATCHES_POOLS) {
            GIVEN_BACK.status(handle -> (int) handle.invokeExact(address, bytes, stream));
        }
    }

    /// Host memory that copies reach without the processor; whoever asks gives it back by [#freeHost].
    public static MemorySegment allocateHost(long bytes) {
        long address = ALLOCATE_HOST.result((handle, out) -> (int) handle.invokeExact(out, bytes, HOST_PORTABLE));
        return NativeLibrary.memory(MemorySegment.ofAddress(address), bytes);
    }

    public static int freeHost(MemorySegment memory) {
        return FREE_HOST.status(handle -> (int) handle.invokeExact(memory));
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
            int status = MODULE_LOAD.status(handle -> (int) handle.invokeExact(out, copy, 2, options, values));
            if (status != SUCCESS) {
                String text = log.getString(0).strip();
                throw CudaFailure.of(
                        MODULE_LOAD.name(),
                        status,
                        errorName(status),
                        errorText(status),
                        (text.isEmpty() ? "" : "; " + text) + advice(status));
            }
            return out.get(JAVA_LONG, 0);
        }
    }

    public static int unloadModule(long module) {
        return MODULE_UNLOAD.status(handle -> (int) handle.invokeExact(module));
    }

    /// A kernel by its name.
    public static long function(long module, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            MemorySegment text = arena.allocateFrom(name);
            int status = MODULE_FUNCTION.status(handle -> (int) handle.invokeExact(out, module, text));
            check(status, "cuModuleGetFunction of kernel " + name);
            return out.get(JAVA_LONG, 0);
        }
    }

    public static void setFunctionAttribute(long function, int attribute, int value) {
        FUNCTION_SET.call(handle -> (int) handle.invokeExact(function, attribute, value));
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
        return LAUNCH.status(handle -> (int) handle.invokeExact(
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
                MemorySegment.NULL));
    }
}
