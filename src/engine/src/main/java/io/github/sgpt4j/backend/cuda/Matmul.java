package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.tensor.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Products `out = x · Wᵀ` by cuBLASLt, with its epilogues. The algorithm is chosen once per shape, row counts in steps
/// of half a doubling, by the library's heuristic; layouts of the last shapes are kept. One thread at a time.
final class Matmul implements AutoCloseable {
    private static final int MAX_PLANS = 512;

    /// What cuBLASLt's documentation recommends for Hopper; older devices need less.
    private static final long WORKSPACE_BYTES = 32L << 20;

    private static final long SMALL_WORKSPACE_BYTES = 4L << 20;
    private static final int MAX_ALIGNMENT = 256;

    /// Everything that a choice of algorithm depends on.
    ///
    /// @param rows rows of `x` and `out`
    /// @param in columns of `x` and of the weights `[out, in]`
    /// @param out columns of the result
    /// @param type of `x` and the weights
    /// @param result type of the result
    /// @param stride elements between rows of the result
    /// @param epilogue `cublasLtEpilogue_t`
    /// @param add whether the result is added to what is there
    /// @param alignments bytes that the addresses of weights, `x` and result are multiples of, 256 at most
    private record Shape(
            int rows,
            int in,
            int out,
            ElementType type,
            ElementType result,
            long stride,
            int epilogue,
            boolean add,
            int alignments) {
        Shape withRows(int count) {
            return new Shape(count, in, out, type, result, stride, epilogue, add, alignments);
        }

        int[] each() {
            int a = alignments >> 20 & 0x3ff;
            int b = alignments >> 10 & 0x3ff;
            int c = alignments & 0x3ff;
            return new int[] {a, b, c, c};
        }
    }

    private record Kind(ElementType result, int epilogue) {}

    /// A product to compute.
    ///
    /// @param type of `x` and the weights
    /// @param x address of `[rows, in]`
    /// @param weight address of `[out, in]`
    /// @param target address of the result
    /// @param bias address of `[out]` in the result's type, or 0
    record Product(
            int rows,
            int in,
            int out,
            ElementType type,
            long x,
            long weight,
            long target,
            ElementType result,
            long stride,
            long bias) {}

    private final CudaEngine engine;
    private final int computeType;
    private final long handle;
    private final DeviceBuffer workspace;
    private final Arena arena;
    private final MemorySegment one;
    private final MemorySegment zero;
    private final MemorySegment biasPointer;
    private final Map<Kind, Long> descriptions = new HashMap<>();
    private final Map<Shape, Optional<MemorySegment>> algorithms = new HashMap<>();
    private final LinkedHashMap<Shape, CublasLt.Layouts> layouts = new LinkedHashMap<>(64, 0.75f, true);

    Matmul(CudaEngine engine, Arena arena) {
        this.engine = engine;
        this.arena = arena;
        this.computeType = engine.arithmetic().computeType();
        boolean large = engine.device().computeCapability() >= 90;
        workspace = engine.memory().takeExactly(large ? WORKSPACE_BYTES : SMALL_WORKSPACE_BYTES, engine.compute());
        handle = CublasLt.create();
        one = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1f);
        zero = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0f);
        biasPointer = arena.allocate(ValueLayout.JAVA_LONG);
    }

    /// Queues a product.
    ///
    /// @param epilogue `cublasLtEpilogue_t` without the bias, which comes in if the product has one
    /// @param add whether to add to what is there
    /// @return false if the library has no algorithm for this, which can happen with an epilogue
    boolean run(Product p, int epilogue, boolean add) {
        int whole = p.bias == 0
                ? epilogue
                : epilogue == CublasLt.EPILOGUE_DEFAULT ? CublasLt.EPILOGUE_BIAS : epilogue | CublasLt.EPILOGUE_BIAS;
        int alignments = alignment(p.weight) << 20 | alignment(p.x) << 10 | alignment(p.target);
        Shape shape = new Shape(p.rows, p.in, p.out, p.type, p.result, p.stride, whole, add, alignments);
        long description = description(shape, p.bias);
        Optional<MemorySegment> algorithm = algorithm(shape.withRows(bucket(p.rows)), description);
        if (algorithm.isEmpty()) {
            algorithm = algorithm(shape, description);
            if (algorithm.isEmpty()) {
                return false;
            }
        }
        int status = multiply(shape, description, p, algorithm.get());
        if (status == CublasLt.NOT_SUPPORTED || status == CublasLt.INVALID_VALUE) {
            // What suits the rounded number of rows does not suit this one.
            Optional<MemorySegment> exact = algorithm(shape, description);
            if (exact.isEmpty()) {
                return false;
            }
            status = multiply(shape, description, p, exact.get());
        }
        CublasLt.check(status, "cublasLtMatmul of [%d, %d] and [%d, %d]".formatted(p.rows, p.in, p.out, p.in));
        return true;
    }

    private int multiply(Shape shape, long description, Product p, MemorySegment algorithm) {
        return CublasLt.multiply(
                handle,
                description,
                layouts(shape),
                one,
                p.weight,
                p.x,
                shape.add ? one : zero,
                p.target,
                algorithm,
                workspace.address(),
                workspace.bytes(),
                engine.compute());
    }

    private long description(Shape shape, long bias) {
        Kind kind = new Kind(shape.result, shape.epilogue);
        Long known = descriptions.get(kind);
        if (known == null) {
            known = CublasLt.createDescription(computeType);
            descriptions.put(kind, known);
            CublasLt.set(known, CublasLt.TRANSPOSE_A, 1);
            CublasLt.set(known, CublasLt.TRANSPOSE_B, 0);
            CublasLt.set(known, CublasLt.EPILOGUE, shape.epilogue);
            if (bias != 0) {
                CublasLt.set(known, CublasLt.BIAS_TYPE, DeviceTypes.cublasType(shape.result));
            }
        }
        if (bias != 0) {
            biasPointer.set(ValueLayout.JAVA_LONG, 0, bias);
            CublasLt.setPointer(known, CublasLt.BIAS_POINTER, biasPointer);
        }
        return known;
    }

    /// Empty if the library has none.
    private Optional<MemorySegment> algorithm(Shape shape, long description) {
        Optional<MemorySegment> known = algorithms.get(shape);
        if (known == null) {
            MemorySegment algorithm = arena.allocate(CublasLt.ALGORITHM_BYTES, Long.BYTES);
            CublasLt.Layouts made = newLayouts(shape);
            try {
                int status =
                        CublasLt.chooseAlgorithm(handle, description, made, workspace.bytes(), shape.each(), algorithm);
                known = status == CublasLt.SUCCESS ? Optional.of(algorithm) : Optional.empty();
            } finally {
                destroy(made);
            }
            algorithms.put(shape, known);
        }
        return known;
    }

    private CublasLt.Layouts layouts(Shape shape) {
        CublasLt.Layouts known = layouts.get(shape);
        if (known == null) {
            known = newLayouts(shape);
            layouts.put(shape, known);
            if (layouts.size() > MAX_PLANS) {
                destroy(layouts.pollFirstEntry().getValue());
            }
        }
        return known;
    }

    /// Row-major `[r, c]` is column-major `[c, r]`: weights come first, transposed.
    private static CublasLt.Layouts newLayouts(Shape s) {
        long a = CublasLt.createLayout(DeviceTypes.cublasType(s.type), s.in, s.out, s.in);
        long b = CublasLt.createLayout(DeviceTypes.cublasType(s.type), s.in, s.rows, s.in);
        long c = CublasLt.createLayout(DeviceTypes.cublasType(s.result), s.out, s.rows, s.stride);
        return new CublasLt.Layouts(a, b, c);
    }

    private static void destroy(CublasLt.Layouts layouts) {
        CublasLt.destroyLayout(layouts.a());
        CublasLt.destroyLayout(layouts.b());
        CublasLt.destroyLayout(layouts.c());
    }

    /// Rounds a number of rows up to 1, 2, 3, 4, 6, 8, 12, 16, …
    static int bucket(int rows) {
        int power = Integer.highestOneBit(rows);
        if (power == rows || power >= 1 << 30) {
            return rows;
        }
        int middle = power + power / 2;
        return rows <= middle ? middle : 2 * power;
    }

    private static int alignment(long address) {
        return (int) Math.min(MAX_ALIGNMENT, Long.lowestOneBit(address));
    }

    /// Shapes for which an algorithm was looked for, for tests.
    int choices() {
        return algorithms.size();
    }

    /// Errors do not matter: a lost device has lost its handles as well.
    @Override
    public void close() {
        layouts.values().forEach(Matmul::destroy);
        layouts.clear();
        descriptions.values().forEach(CublasLt::destroyDescription);
        descriptions.clear();
        CublasLt.destroy(handle);
        workspace.close();
    }
}
