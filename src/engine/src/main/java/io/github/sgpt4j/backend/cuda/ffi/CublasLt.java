package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/// Matrix products by cuBLASLt, as far as they are used (cuBLAS library reference, chapter cuBLASLt; `cublasLt.h`).
/// Handles are `long`. Methods that fail throw as those of [Driver] do. Matrices are column-major.
public final class CublasLt {
    public static final int SUCCESS = 0;
    public static final int INVALID_VALUE = 7;
    public static final int NOT_SUPPORTED = 15;

    // cudaDataType
    public static final int R_32F = 0;
    public static final int R_16F = 2;
    public static final int R_16BF = 14;

    // cublasComputeType_t
    public static final int COMPUTE_32F = 68;
    public static final int COMPUTE_32F_FAST_TF32 = 77;

    // cublasLtMatmulDescAttributes_t
    public static final int TRANSPOSE_A = 3;
    public static final int TRANSPOSE_B = 4;
    public static final int EPILOGUE = 7;
    public static final int BIAS_POINTER = 8;
    public static final int BIAS_TYPE = 26;

    // cublasLtEpilogue_t
    public static final int EPILOGUE_DEFAULT = 1;
    public static final int EPILOGUE_RELU = 2;
    public static final int EPILOGUE_BIAS = 4;
    public static final int EPILOGUE_GELU = 32;

    // cublasLtMatmulPreferenceAttributes_t
    public static final int MAX_WORKSPACE_BYTES = 1;
    public static final int MIN_ALIGNMENT_A_BYTES = 5;

    /// `cublasLtMatmulAlgo_t`
    public static final long ALGORITHM_BYTES = 64;

    /// `cublasLtMatmulHeuristicResult_t`
    static final StructLayout HEURISTIC_RESULT = MemoryLayout.structLayout(
            MemoryLayout.sequenceLayout(ALGORITHM_BYTES / Long.BYTES, JAVA_LONG).withName("algo"),
            JAVA_LONG.withName("workspaceSize"),
            JAVA_INT.withName("state"),
            JAVA_FLOAT.withName("wavesCount"),
            MemoryLayout.sequenceLayout(4, JAVA_INT).withName("reserved"));

    private static final long RESULT_WORKSPACE =
            HEURISTIC_RESULT.byteOffset(MemoryLayout.PathElement.groupElement("workspaceSize"));
    private static final long RESULT_STATE =
            HEURISTIC_RESULT.byteOffset(MemoryLayout.PathElement.groupElement("state"));

    private static final NativeLibrary LIBRARY = CudaLibraries.cublasLt();
    private static final MethodHandle CREATE = LIBRARY.function("cublasLtCreate", ADDRESS);
    private static final MethodHandle DESTROY = LIBRARY.function("cublasLtDestroy", JAVA_LONG);
    private static final MethodHandle VERSION =
            LIBRARY.function("cublasLtGetVersion", FunctionDescriptor.of(JAVA_LONG));
    private static final MethodHandle STATUS_NAME =
            LIBRARY.function("cublasLtGetStatusName", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    private static final MethodHandle STATUS_TEXT =
            LIBRARY.function("cublasLtGetStatusString", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    private static final MethodHandle DESCRIPTION_CREATE =
            LIBRARY.function("cublasLtMatmulDescCreate", ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle DESCRIPTION_SET =
            LIBRARY.function("cublasLtMatmulDescSetAttribute", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle DESCRIPTION_DESTROY = LIBRARY.function("cublasLtMatmulDescDestroy", JAVA_LONG);
    private static final MethodHandle LAYOUT_CREATE =
            LIBRARY.function("cublasLtMatrixLayoutCreate", ADDRESS, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle LAYOUT_DESTROY = LIBRARY.function("cublasLtMatrixLayoutDestroy", JAVA_LONG);
    private static final MethodHandle PREFERENCE_CREATE = LIBRARY.function("cublasLtMatmulPreferenceCreate", ADDRESS);
    private static final MethodHandle PREFERENCE_SET =
            LIBRARY.function("cublasLtMatmulPreferenceSetAttribute", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle PREFERENCE_DESTROY =
            LIBRARY.function("cublasLtMatmulPreferenceDestroy", JAVA_LONG);
    private static final MethodHandle HEURISTIC = LIBRARY.function(
            "cublasLtMatmulAlgoGetHeuristic",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            ADDRESS,
            ADDRESS);
    private static final MethodHandle MATMUL = LIBRARY.function(
            "cublasLtMatmul",
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG);

    private CublasLt() {}

    /// The layouts of the matrices of a product `d = alpha · op(a) · op(b) + beta · c`; `d` is laid out as `c`.
    public record Layouts(long a, long b, long c) {}

    /// A handle on the current context, to be given back by [#destroy].
    public static long create() {
        return handle("cublasLtCreate", out -> (int) CREATE.invokeExact(out));
    }

    public static int destroy(long handle) {
        try {
            return (int) DESTROY.invokeExact(handle);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// 10000 · major + 100 · minor + patch, such as 130101.
    public static long version() {
        try {
            return (long) VERSION.invokeExact();
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Throws what a status other than 0 means.
    public static void check(int status, String call) {
        if (status != SUCCESS) {
            throw CudaFailure.of(call, status, text(STATUS_NAME, status), text(STATUS_TEXT, status), "");
        }
    }

    private static String text(MethodHandle handle, int status) {
        try {
            return NativeLibrary.text((MemorySegment) handle.invokeExact(status));
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// A product's description with 32-bit alpha and beta in host memory.
    public static long createDescription(int computeType) {
        return handle("cublasLtMatmulDescCreate", out -> (int) DESCRIPTION_CREATE.invokeExact(out, computeType, R_32F));
    }

    public static void set(long description, int attribute, int value) {
        try (Arena arena = Arena.ofConfined()) {
            int status = (int) DESCRIPTION_SET.invokeExact(
                    description, attribute, arena.allocateFrom(JAVA_INT, value), (long) Integer.BYTES);
            check(status, "cublasLtMatmulDescSetAttribute");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// @param value holds the 64 bits of a device address
    public static void setPointer(long description, int attribute, MemorySegment value) {
        try {
            int status = (int) DESCRIPTION_SET.invokeExact(description, attribute, value, (long) Long.BYTES);
            check(status, "cublasLtMatmulDescSetAttribute");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    public static int destroyDescription(long description) {
        try {
            return (int) DESCRIPTION_DESTROY.invokeExact(description);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    public static long createLayout(int type, long rows, long columns, long leadingDimension) {
        return handle("cublasLtMatrixLayoutCreate", out ->
                (int) LAYOUT_CREATE.invokeExact(out, type, rows, columns, leadingDimension));
    }

    public static int destroyLayout(long layout) {
        try {
            return (int) LAYOUT_DESTROY.invokeExact(layout);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// The best algorithm for a product, as the library's own heuristic guesses.
    ///
    /// @param alignments bytes that the addresses of a, b, c and d are multiples of
    /// @param algorithm receives [#ALGORITHM_BYTES]
    /// @return [#SUCCESS], [#NOT_SUPPORTED] if there is none
    public static int chooseAlgorithm(
            long handle,
            long description,
            Layouts layouts,
            long workspaceBytes,
            int[] alignments,
            MemorySegment algorithm) {
        long preference = handle("cublasLtMatmulPreferenceCreate", out -> (int) PREFERENCE_CREATE.invokeExact(out));
        try (Arena arena = Arena.ofConfined()) {
            prefer(preference, MAX_WORKSPACE_BYTES, arena.allocateFrom(JAVA_LONG, workspaceBytes));
            for (int i = 0; i < alignments.length; i++) {
                prefer(preference, MIN_ALIGNMENT_A_BYTES + i, arena.allocateFrom(JAVA_INT, alignments[i]));
            }
            MemorySegment result = arena.allocate(HEURISTIC_RESULT);
            MemorySegment count = arena.allocate(JAVA_INT);
            int status = (int) HEURISTIC.invokeExact(
                    handle, description, layouts.a, layouts.b, layouts.c, layouts.c, preference, 1, result, count);
            if (status == NOT_SUPPORTED || status == SUCCESS && count.get(JAVA_INT, 0) == 0) {
                return NOT_SUPPORTED;
            }
            check(status, "cublasLtMatmulAlgoGetHeuristic");
            if (result.get(JAVA_INT, RESULT_STATE) != SUCCESS
                    || result.get(JAVA_LONG, RESULT_WORKSPACE) > workspaceBytes) {
                return NOT_SUPPORTED;
            }
            MemorySegment.copy(result, 0, algorithm, 0, ALGORITHM_BYTES);
            return SUCCESS;
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        } finally {
            destroyPreference(preference);
        }
    }

    private static void prefer(long preference, int attribute, MemorySegment value) throws Throwable {
        int status = (int) PREFERENCE_SET.invokeExact(preference, attribute, value, value.byteSize());
        check(status, "cublasLtMatmulPreferenceSetAttribute");
    }

    private static void destroyPreference(long preference) {
        try {
            check((int) PREFERENCE_DESTROY.invokeExact(preference), "cublasLtMatmulPreferenceDestroy");
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    /// Queues `c = op(a) · op(b) + beta · c` with the description's epilogue.
    ///
    /// @param one holds the float 1
    /// @param beta holds the float 0 or 1
    /// @return the status; the caller knows the shapes, and may try another algorithm
    public static int multiply(
            long handle,
            long description,
            Layouts layouts,
            MemorySegment one,
            long a,
            long b,
            MemorySegment beta,
            long c,
            MemorySegment algorithm,
            long workspace,
            long workspaceBytes,
            long stream) {
        try {
            return (int) MATMUL.invokeExact(
                    handle,
                    description,
                    one,
                    a,
                    layouts.a,
                    b,
                    layouts.b,
                    beta,
                    c,
                    layouts.c,
                    c,
                    layouts.c,
                    algorithm,
                    workspace,
                    workspaceBytes,
                    stream);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }

    private static long handle(String call, Driver.Call create) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            check(create.with(out), call);
            return out.get(JAVA_LONG, 0);
        } catch (Throwable e) {
            throw NativeLibrary.rethrown(e);
        }
    }
}
