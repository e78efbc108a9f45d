package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.sgpt4j.error.BackendException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Map;

/// The run-time compiler for CUDA C++ (NVRTC user guide; `nvrtc.h`). Methods that fail throw as those of [Driver] do.
public final class Nvrtc {
    private static final int SUCCESS = 0;
    private static final int COMPILATION = 6;
    private static final int LONGEST_LOG = 2000;

    private static final NativeLibrary LIBRARY = CudaLibraries.nvrtc();
    private static final MethodHandle VERSION = LIBRARY.function("nvrtcVersion", ADDRESS, ADDRESS);
    private static final MethodHandle ERROR_TEXT =
            LIBRARY.function("nvrtcGetErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    private static final MethodHandle ARCHITECTURE_COUNT = LIBRARY.function("nvrtcGetNumSupportedArchs", ADDRESS);
    private static final MethodHandle ARCHITECTURES = LIBRARY.function("nvrtcGetSupportedArchs", ADDRESS);
    private static final MethodHandle CREATE =
            LIBRARY.function("nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle COMPILE = LIBRARY.function("nvrtcCompileProgram", JAVA_LONG, JAVA_INT, ADDRESS);
    private static final MethodHandle LOG_SIZE = LIBRARY.function("nvrtcGetProgramLogSize", JAVA_LONG, ADDRESS);
    private static final MethodHandle LOG = LIBRARY.function("nvrtcGetProgramLog", JAVA_LONG, ADDRESS);
    private static final MethodHandle CUBIN_SIZE = LIBRARY.function("nvrtcGetCUBINSize", JAVA_LONG, ADDRESS);
    private static final MethodHandle CUBIN = LIBRARY.function("nvrtcGetCUBIN", JAVA_LONG, ADDRESS);
    private static final MethodHandle PTX_SIZE = LIBRARY.function("nvrtcGetPTXSize", JAVA_LONG, ADDRESS);
    private static final MethodHandle PTX = LIBRARY.function("nvrtcGetPTX", JAVA_LONG, ADDRESS);
    private static final MethodHandle DESTROY = LIBRARY.function("nvrtcDestroyProgram", ADDRESS);

    private Nvrtc() {}

    /// `major.minor`
    public static String version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_INT, 2);
            check((int) VERSION.invokeExact(out, out.asSlice(Integer.BYTES)), "nvrtcVersion");
            return "%d.%d".formatted(out.getAtIndex(JAVA_INT, 0), out.getAtIndex(JAVA_INT, 1));
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Compute capabilities that it compiles for, 10 · major + minor, ascending.
    public static int[] architectures() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(JAVA_INT);
            check((int) ARCHITECTURE_COUNT.invokeExact(count), "nvrtcGetNumSupportedArchs");
            MemorySegment out = arena.allocate(JAVA_INT, Math.max(1, count.get(JAVA_INT, 0)));
            check((int) ARCHITECTURES.invokeExact(out), "nvrtcGetSupportedArchs");
            return out.asSlice(0, (long) count.get(JAVA_INT, 0) * Integer.BYTES).toArray(JAVA_INT);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
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
            int status = (int) CREATE.invokeExact(
                    program,
                    arena.allocateFrom(source),
                    arena.allocateFrom(name),
                    names.size(),
                    strings(texts, arena),
                    strings(names, arena));
            check(status, "nvrtcCreateProgram");
            try {
                long handle = program.get(JAVA_LONG, 0);
                status = (int) COMPILE.invokeExact(handle, options.size(), strings(options, arena));
                if (status == COMPILATION) {
                    throw new BackendException("cuda: nvrtcCompileProgram of %s with %s failed: %s"
                            .formatted(name, String.join(" ", options), log(handle, arena)));
                }
                check(status, "nvrtcCompileProgram of " + name);
                return machineCode ? image(CUBIN_SIZE, CUBIN, handle) : image(PTX_SIZE, PTX, handle);
            } finally {
                int ignored = (int) DESTROY.invokeExact(program);
                assert ignored == SUCCESS;
            }
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    private static MemorySegment strings(List<String> texts, Arena arena) {
        MemorySegment pointers = arena.allocate(ADDRESS, Math.max(1, texts.size()));
        for (int i = 0; i < texts.size(); i++) {
            pointers.setAtIndex(ADDRESS, i, arena.allocateFrom(texts.get(i)));
        }
        return pointers;
    }

    private static String log(long program, Arena arena) throws Throwable {
        MemorySegment size = arena.allocate(JAVA_LONG);
        check((int) LOG_SIZE.invokeExact(program, size), "nvrtcGetProgramLogSize");
        MemorySegment log = arena.allocate(size.get(JAVA_LONG, 0) + 1);
        check((int) LOG.invokeExact(program, log), "nvrtcGetProgramLog");
        String text = log.getString(0).strip().replace("\n", "; ");
        return text.length() <= LONGEST_LOG ? text : text.substring(0, LONGEST_LOG) + " ...";
    }

    private static byte[] image(MethodHandle sizeOf, MethodHandle get, long program) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(JAVA_LONG);
            check((int) sizeOf.invokeExact(program, size), "nvrtcGet…Size");
            MemorySegment image = arena.allocate(Math.max(1, size.get(JAVA_LONG, 0)));
            check((int) get.invokeExact(program, image), "nvrtcGet…");
            return image.asSlice(0, size.get(JAVA_LONG, 0)).toArray(JAVA_BYTE);
        }
    }

    private static void check(int status, String call) {
        if (status != SUCCESS) {
            throw CudaFailure.of(call, status, "NVRTC_ERROR", text(status), "");
        }
    }

    private static String text(int status) {
        try {
            return NativeLibrary.text((MemorySegment) ERROR_TEXT.invokeExact(status));
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }
}
