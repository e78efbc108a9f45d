package io.github.sgpt4j.backend.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/// Matrix products by cuBLASLt, as far as they are used (cuBLAS library reference, chapter cuBLASLt; `cublasLt.h`).
/// Handles are `long`. Methods that fail throw as those of [Driver] do. Matrices are column-major.
public final class CublasLt {
    public static final int SUCCESS = 0;
    public static final int INVALID_VALUE = 7;
    public static final int ARCH_MISMATCH = 8;
    public static final int NOT_SUPPORTED = 15;

    // cudaDataType
    public static final int R_32F = 0;
    public static final int R_16F = 2;
    public static final int R_16BF = 14;
    public static final int R_8F_E4M3 = 28;

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
    public static final int REDUCTION_SCHEMES = 3;
    public static final int MIN_ALIGNMENT_A_BYTES = 5;

    /// `cublasLtReductionScheme_t`: parts of a sum are added in the type they are computed in. The others
    /// round them to the result's type, or (in place) add them in the order in which they are ready, so
    /// that bits differ from run to run. Algorithms that do not divide sums are never left out.
    private static final int REDUCTION_COMPUTE_TYPE = 2;

    /// `cublasLtMatmulAlgo_t`
    public static final long ALGORITHM_BYTES = 64;

    /// Algorithms that [#algorithms] gives at most.
    public static final int MAX_ALGORITHMS = 8;

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
    private static final NativeFunction CREATE = function("cublasLtCreate", ADDRESS);
    private static final NativeFunction DESTROY = function("cublasLtDestroy", JAVA_LONG);
    private static final MethodHandle VERSION =
            LIBRARY.function("cublasLtGetVersion", FunctionDescriptor.of(JAVA_LONG));
    private static final StatusText STATUS_NAME = StatusText.of(LIBRARY, "cublasLtGetStatusName");
    private static final StatusText STATUS_TEXT = StatusText.of(LIBRARY, "cublasLtGetStatusString");
    private static final NativeFunction DESCRIPTION_CREATE =
            function("cublasLtMatmulDescCreate", ADDRESS, JAVA_INT, JAVA_INT);
    private static final NativeFunction DESCRIPTION_SET =
            function("cublasLtMatmulDescSetAttribute", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final NativeFunction DESCRIPTION_DESTROY = function("cublasLtMatmulDescDestroy", JAVA_LONG);
    private static final NativeFunction LAYOUT_CREATE =
            function("cublasLtMatrixLayoutCreate", ADDRESS, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final NativeFunction LAYOUT_DESTROY = function("cublasLtMatrixLayoutDestroy", JAVA_LONG);
    private static final NativeFunction PREFERENCE_CREATE = function("cublasLtMatmulPreferenceCreate", ADDRESS);
    private static final NativeFunction PREFERENCE_SET =
            function("cublasLtMatmulPreferenceSetAttribute", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final NativeFunction PREFERENCE_DESTROY = function("cublasLtMatmulPreferenceDestroy", JAVA_LONG);
    private static final NativeFunction HEURISTIC = function(
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
    private static final NativeFunction MATMUL = function(
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

    private static NativeFunction function(String symbol, MemoryLayout... parameters) {
        return LIBRARY.function(symbol, CublasLt::check, parameters);
    }

    /// The layouts of the matrices of a product `d = alpha · op(a) · op(b) + beta · c`; `d` is laid out as `c`.
    public record Layouts(long a, long b, long c) {}

    /// A handle on the current context, to be given back by [#destroy].
    public static long create() {
        return CREATE.result((handle, out) -> (int) handle.invokeExact(out));
    }

    public static int destroy(long handle) {
        return DESTROY.status(function -> (int) function.invokeExact(handle));
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
            throw CudaFailure.of(call, status, STATUS_NAME.of(status), STATUS_TEXT.of(status), "");
        }
    }

    /// A product's description with 32-bit alpha and beta in host memory.
    public static long createDescription(int computeType) {
        return DESCRIPTION_CREATE.result((handle, out) -> (int) handle.invokeExact(out, computeType, R_32F));
    }

    public static void set(long description, int attribute, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment at = arena.allocateFrom(JAVA_INT, value);
            DESCRIPTION_SET.call(handle -> (int) handle.invokeExact(description, attribute, at, (long) Integer.BYTES));
        }
    }

    /// @param value holds the 64 bits of a device address
    public static void setPointer(long description, int attribute, MemorySegment value) {
        DESCRIPTION_SET.call(handle -> (int) handle.invokeExact(description, attribute, value, (long) Long.BYTES));
    }

    public static int destroyDescription(long description) {
        return DESCRIPTION_DESTROY.status(handle -> (int) handle.invokeExact(description));
    }

    public static long createLayout(int type, long rows, long columns, long leadingDimension) {
        return LAYOUT_CREATE.result(
                (handle, out) -> (int) handle.invokeExact(out, type, rows, columns, leadingDimension));
    }

    public static int destroyLayout(long layout) {
        return LAYOUT_DESTROY.status(handle -> (int) handle.invokeExact(layout));
    }

    /// Whether a status says that the library cannot do this in this way, so that another should be tried.
    public static boolean isRefusal(int status) {
        return status == NOT_SUPPORTED || status == INVALID_VALUE || status == ARCH_MISMATCH;
    }

    /// What the heuristic says about a product.
    ///
    /// @param status [#SUCCESS], or a refusal
    /// @param algorithms of [#ALGORITHM_BYTES] each, best first as the library guesses; none if it cannot do this
    public record Heuristic(int status, List<byte[]> algorithms) {}

    /// `CUBLAS_STATUS_NOT_SUPPORTED (15)`
    public static String describe(int status) {
        return "%s (%d)".formatted(STATUS_NAME.of(status), status);
    }

    /// Asks for algorithms for a product, [#MAX_ALGORITHMS] at most.
    ///
    /// @param alignments bytes that the addresses of a, b, c and d are multiples of
    public static Heuristic algorithms(
            long handle, long description, Layouts layouts, long workspaceBytes, int[] alignments) {
        long preference = PREFERENCE_CREATE.result((function, out) -> (int) function.invokeExact(out));
        try (Arena arena = Arena.ofConfined()) {
            prefer(preference, MAX_WORKSPACE_BYTES, arena.allocateFrom(JAVA_LONG, workspaceBytes));
            prefer(preference, REDUCTION_SCHEMES, arena.allocateFrom(JAVA_INT, REDUCTION_COMPUTE_TYPE));
            for (int i = 0; i < alignments.length; i++) {
                prefer(preference, MIN_ALIGNMENT_A_BYTES + i, arena.allocateFrom(JAVA_INT, alignments[i]));
            }
            MemorySegment results = arena.allocate(HEURISTIC_RESULT, MAX_ALGORITHMS);
            MemorySegment count = arena.allocate(JAVA_INT);
            int status = HEURISTIC.status(function -> (int) function.invokeExact(
                    handle,
                    description,
                    layouts.a,
                    layouts.b,
                    layouts.c,
                    layouts.c,
                    preference,
                    MAX_ALGORITHMS,
                    results,
                    count));
            if (isRefusal(status)) {
                return new Heuristic(status, List.of());
            }
            check(status, HEURISTIC.name());
            List<byte[]> usable = results.asSlice(0, HEURISTIC_RESULT.byteSize() * count.get(JAVA_INT, 0))
                    .elements(HEURISTIC_RESULT)
                    .filter(result -> result.get(JAVA_INT, RESULT_STATE) == SUCCESS
                            && result.get(JAVA_LONG, RESULT_WORKSPACE) <= workspaceBytes)
                    .map(result -> result.asSlice(0, ALGORITHM_BYTES).toArray(JAVA_BYTE))
                    .toList();
            return new Heuristic(usable.isEmpty() ? NOT_SUPPORTED : SUCCESS, usable);
        } finally {
            destroyPreference(preference);
        }
    }

    private static void prefer(long preference, int attribute, MemorySegment value) {
        PREFERENCE_SET.call(handle -> (int) handle.invokeExact(preference, attribute, value, value.byteSize()));
    }

    private static void destroyPreference(long preference) {
        PREFERENCE_DESTROY.call(handle -> (int) handle.invokeExact(preference));
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
        return MATMUL.status(function -> (int) function.invokeExact(
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
                stream));
    }
}
