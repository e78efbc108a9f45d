package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.sgpt4j.error.BackendException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/// The run-time compiler for CUDA C++ (NVRTC user guide; `nvrtc.h`). Methods that fail throw as those of [Driver] do.
public final class Nvrtc {
    private static final int SUCCESS = 0;
    private static final int COMPILATION = 6;
    private static final int MAX_LOG_LENGTH = 2000;

    private static final NativeLibrary LIBRARY = CudaLibraries.nvrtc();
    private static final NativeFunction VERSION = function("nvrtcVersion", ADDRESS, ADDRESS);
    private static final StatusText ERROR_TEXT = StatusText.of(LIBRARY, "nvrtcGetErrorString");
    private static final NativeFunction ARCHITECTURE_COUNT = function("nvrtcGetNumSupportedArchs", ADDRESS);
    private static final NativeFunction ARCHITECTURES = function("nvrtcGetSupportedArchs", ADDRESS);
    private static final NativeFunction CREATE =
            function("nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    private static final NativeFunction COMPILE = function("nvrtcCompileProgram", JAVA_LONG, JAVA_INT, ADDRESS);
    private static final NativeFunction LOG_SIZE = function("nvrtcGetProgramLogSize", JAVA_LONG, ADDRESS);
    private static final NativeFunction LOG = function("nvrtcGetProgramLog", JAVA_LONG, ADDRESS);
    private static final NativeFunction CUBIN_SIZE = function("nvrtcGetCUBINSize", JAVA_LONG, ADDRESS);
    private static final NativeFunction CUBIN = function("nvrtcGetCUBIN", JAVA_LONG, ADDRESS);
    private static final NativeFunction PTX_SIZE = function("nvrtcGetPTXSize", JAVA_LONG, ADDRESS);
    private static final NativeFunction PTX = function("nvrtcGetPTX", JAVA_LONG, ADDRESS);
    private static final NativeFunction DESTROY = function("nvrtcDestroyProgram", ADDRESS);

    private Nvrtc() {}

    private static NativeFunction function(String symbol, MemoryLayout... parameters) {
        return LIBRARY.function(symbol, Nvrtc::check, parameters);
    }

    /// `major.minor`
    public static String version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_INT, 2);
            MemorySegment minor = out.asSlice(Integer.BYTES);
            VERSION.call(handle -> (int) handle.invokeExact(out, minor));
            return "%d.%d".formatted(out.getAtIndex(JAVA_INT, 0), out.getAtIndex(JAVA_INT, 1));
        }
    }

    /// Compute capabilities that it compiles for, 10 · major + minor, ascending.
    public static int[] architectures() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(JAVA_INT);
            ARCHITECTURE_COUNT.call(handle -> (int) handle.invokeExact(count));
            MemorySegment out = arena.allocate(JAVA_INT, Math.max(1, count.get(JAVA_INT, 0)));
            ARCHITECTURES.call(handle -> (int) handle.invokeExact(out));
            return out.asSlice(0, (long) count.get(JAVA_INT, 0) * Integer.BYTES).toArray(JAVA_INT);
        }
    }

    /// Compiles a source with its headers, which `#include` finds by their names.
    ///
    /// @param machineCode whether to return machine code (for an option `--gpu-architecture=sm_…`) or PTX
    /// @throws BackendException if it does not compile; the message has the compiler's log
    public static byte[] compile(
            String name, String source, Map<String, String> headers, List<String> options, boolean machineCode) {
        try (Arena arena = Arena.ofConfined()) {
            List<String> names = List.copyOf(headers.keySet());
            List<String> texts = names.stream().map(headers::get).toList();
            MemorySegment program = arena.allocate(JAVA_LONG);
            CREATE.call(handle -> (int) handle.invokeExact(
                    program,
                    arena.allocateFrom(source),
                    arena.allocateFrom(name),
                    names.size(),
                    strings(texts, arena),
                    strings(names, arena)));
            try {
                long made = program.get(JAVA_LONG, 0);
                int status = COMPILE.status(
                        handle -> (int) handle.invokeExact(made, options.size(), strings(options, arena)));
                if (status == COMPILATION) {
                    throw new BackendException("cuda: nvrtcCompileProgram of %s with %s failed: %s"
                            .formatted(name, String.join(" ", options), log(made, arena)));
                }
                check(status, "nvrtcCompileProgram of " + name);
                return machineCode ? image(CUBIN_SIZE, CUBIN, made) : image(PTX_SIZE, PTX, made);
            } finally {
                int destroyed = DESTROY.status(handle -> (int) handle.invokeExact(program));
                assert destroyed == SUCCESS;
            }
        }
    }

    private static MemorySegment strings(List<String> texts, Arena arena) {
        MemorySegment pointers = arena.allocate(ADDRESS, Math.max(1, texts.size()));
        for (int i = 0; i < texts.size(); i++) {
            pointers.setAtIndex(ADDRESS, i, arena.allocateFrom(texts.get(i)));
        }
        return pointers;
    }

    private static String log(long program, Arena arena) {
        long size = LOG_SIZE.result((handle, out) -> (int) handle.invokeExact(program, out));
        MemorySegment log = arena.allocate(size + 1);
        LOG.call(handle -> (int) handle.invokeExact(program, log));
        String text = log.getString(0).strip().replace("\n", "; ");
        return text.length() <= MAX_LOG_LENGTH ? text : text.substring(0, MAX_LOG_LENGTH) + " ...";
    }

    private static byte[] image(NativeFunction sizeOf, NativeFunction get, long program) {
        try (Arena arena = Arena.ofConfined()) {
            long size = sizeOf.result((handle, out) -> (int) handle.invokeExact(program, out));
            MemorySegment image = arena.allocate(Math.max(1, size));
            get.call(handle -> (int) handle.invokeExact(program, image));
            return image.asSlice(0, size).toArray(JAVA_BYTE);
        }
    }

    private static void check(int status, String call) {
        if (status != SUCCESS) {
            throw CudaFailure.of(call, status, "NVRTC_ERROR", ERROR_TEXT.of(status), "");
        }
    }
}
