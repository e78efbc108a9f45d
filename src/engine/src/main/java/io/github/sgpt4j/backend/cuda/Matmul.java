package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.backend.cuda.launch.KernelCache;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Products by cuBLASLt, with its epilogues. The algorithm is chosen once per shape with rounded rows
/// ([ProductShape], [ProductTuning]); layouts of the last shapes are kept. One thread at a time.
final class Matmul implements AutoCloseable {
    private static final int MAX_PLANS = 512;

    /// What cuBLASLt's documentation recommends for Hopper; older devices need less.
    private static final long WORKSPACE_BYTES = 32L << 20;

    private static final long SMALL_WORKSPACE_BYTES = 4L << 20;

    private record Kind(Formula formula, ElementType result, int epilogue) {}

    /// How products of a shape are computed, and the last of them.
    private static final class Plan {
        private final List<byte[]> offered;
        private final Optional<MemorySegment> algorithm;
        private long uses;
        private long weight;
        private long bias;

        /// @param offered algorithms, none if the library has none
        /// @param algorithm the chosen one
        Plan(List<byte[]> offered, Optional<MemorySegment> algorithm) {
            this.offered = offered;
            this.algorithm = algorithm;
        }
    }

    /// A product to compute.
    ///
    /// @param type of the operands
    /// @param x address of the input
    /// @param weight address of the weights
    /// @param target address of the result
    /// @param bias address of `[out]` in the result's type, or 0
    record Product(
            Formula formula,
            int rows,
            int in,
            int out,
            ElementType type,
            long x,
            long weight,
            long target,
            ElementType result,
            long stride,
            long bias) {
        /// `[rows, out] = x · Wᵀ`
        Product(
                int rows,
                int in,
                int out,
                ElementType type,
                long x,
                long weight,
                long target,
                ElementType result,
                long stride,
                long bias) {
            this(Formula.OUTPUT, rows, in, out, type, x, weight, target, result, stride, bias);
        }
    }

    private final CudaEngine engine;
    private final int computeType;
    private final long handle;
    private final DeviceBuffer workspace;
    private final Arena arena;
    private final MemorySegment one;
    private final MemorySegment zero;
    private final MemorySegment biasPointer;
    private final Map<Kind, Long> descriptions = new HashMap<>();
    private final Map<ProductShape, Plan> plans = new HashMap<>();
    private final LinkedHashMap<ProductShape, CublasLt.Layouts> layouts = new LinkedHashMap<>(64, 0.75f, true);
    private final ProductTuning tuning;
    private int refusal = CublasLt.SUCCESS;

    Matmul(CudaEngine engine, Arena arena, KernelCache kept) {
        this.engine = engine;
        this.arena = arena;
        this.tuning = new ProductTuning(engine, kept);
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
        ProductShape shape = new ProductShape(
                p.formula,
                p.rows,
                p.in,
                p.out,
                p.type,
                p.result,
                p.stride,
                whole,
                add,
                ProductShape.alignments(p.weight, p.x, p.target));
        long description = description(shape, p.bias);
        // What suits the rounded number of rows may not suit this one.
        ProductShape rounded = shape.rounded();
        return run(rounded, shape, description, p) || rounded.rows() != p.rows && run(shape, shape, description, p);
    }

    /// Queues a product with the algorithm of a shape that may have more rows; returns false if there is none for it.
    private boolean run(ProductShape chosenFor, ProductShape shape, long description, Product p) {
        Plan plan = plan(chosenFor, description);
        if (plan.algorithm.isEmpty()) {
            return false;
        }
        int status = multiply(shape, description, p, plan.algorithm.get());
        if (CublasLt.isRefusal(status)) {
            refusal = status;
            return false;
        }
        if (status != CublasLt.SUCCESS) {
            CublasLt.check(
                    status, "cublasLtMatmul, %s of %d rows and [%d, %d]".formatted(p.formula, p.rows, p.out, p.in));
        }
        plan.uses++;
        plan.weight = p.weight;
        plan.bias = p.bias;
        return true;
    }

    /// The last status with which the library refused a product.
    String refusal() {
        return CublasLt.describe(refusal);
    }

    private int multiply(ProductShape shape, long description, Product p, MemorySegment algorithm) {
        return CublasLt.multiply(
                handle,
                description,
                layouts(shape),
                one,
                p.weight,
                p.x,
                shape.add() ? one : zero,
                p.target,
                algorithm,
                workspace.address(),
                workspace.bytes(),
                engine.pass().stream());
    }

    private long description(ProductShape shape, long bias) {
        Kind kind = new Kind(shape.formula(), shape.result(), shape.epilogue());
        Long known = descriptions.get(kind);
        if (known == null) {
            known = CublasLt.createDescription(computeType);
            descriptions.put(kind, known);
            CublasLt.set(known, CublasLt.TRANSPOSE_A, shape.formula().transposesWeight() ? 1 : 0);
            CublasLt.set(known, CublasLt.TRANSPOSE_B, shape.formula().transposesInput() ? 1 : 0);
            CublasLt.set(known, CublasLt.EPILOGUE, shape.epilogue());
            if (bias != 0) {
                CublasLt.set(known, CublasLt.BIAS_TYPE, DeviceTypes.cublasType(shape.result()));
            }
        }
        if (bias != 0) {
            biasPointer.set(ValueLayout.JAVA_LONG, 0, bias);
            CublasLt.setPointer(known, CublasLt.BIAS_POINTER, biasPointer);
        }
        return known;
    }

    private Plan plan(ProductShape shape, long description) {
        Plan known = plans.get(shape);
        if (known == null) {
            CublasLt.Layouts made = shape.formula().layouts(shape);
            try {
                known = plan(
                        shape,
                        CublasLt.algorithms(handle, description, made, workspace.bytes(), shape.eachAlignment()));
            } finally {
                destroy(made);
            }
            plans.put(shape, known);
        }
        return known;
    }

    private Plan plan(ProductShape shape, CublasLt.Heuristic heuristic) {
        List<byte[]> offered = heuristic.algorithms();
        if (offered.isEmpty()) {
            refusal = heuristic.status();
            return new Plan(offered, Optional.empty());
        }
        return new Plan(offered, Optional.of(copied(tuning.choose(shape, offered))));
    }

    private MemorySegment copied(byte[] algorithm) {
        MemorySegment copy = arena.allocate(CublasLt.ALGORITHM_BYTES, Long.BYTES);
        return copy.copyFrom(MemorySegment.ofArray(algorithm));
    }

    private CublasLt.Layouts layouts(ProductShape shape) {
        CublasLt.Layouts known = layouts.get(shape);
        if (known == null) {
            known = shape.formula().layouts(shape);
            layouts.put(shape, known);
            if (layouts.size() > MAX_PLANS) {
                destroy(layouts.pollFirstEntry().getValue());
            }
        }
        return known;
    }

    private static void destroy(CublasLt.Layouts layouts) {
        CublasLt.destroyLayout(layouts.a());
        CublasLt.destroyLayout(layouts.b());
        CublasLt.destroyLayout(layouts.c());
    }

    /// Measures what was used most, as long as there is time; not the gradients of weights, whose second operand is
    /// gone.
    private void measure() {
        ProductChoices measured = new ProductChoices();
        long end = System.nanoTime() + tuning.time().toNanos();
        try {
            List<Map.Entry<ProductShape, Plan>> open = plans.entrySet().stream()
                    .filter(e -> e.getValue().uses > 0
                            && e.getKey().formula() != Formula.WEIGHT_GRADIENT
                            && !tuning.knows(e.getKey()))
                    .sorted(Comparator.comparingDouble(e -> -operations(e.getKey(), e.getValue())))
                    .toList();
            for (Map.Entry<ProductShape, Plan> e : open) {
                if (System.nanoTime() >= end) {
                    break;
                }
                Plan plan = e.getValue();
                int best = plan.offered.size() == 1 ? 0 : best(e.getKey(), plan);
                measured.choose(e.getKey(), plan.offered.get(best));
            }
        } finally {
            tuning.keep(measured);
        }
    }

    private static double operations(ProductShape shape, Plan plan) {
        return (double) plan.uses * shape.rows() * shape.in() * shape.out();
    }

    /// Which of the algorithms offered is the best.
    private int best(ProductShape shape, Plan plan) {
        List<MemorySegment> algorithms = plan.offered.stream().map(this::copied).toList();
        long description = description(shape, plan.bias);
        return new ProductTimer(engine, shape).best(algorithms.size(), (i, x, target) -> {
            Product product = new Product(
                    shape.formula(),
                    shape.rows(),
                    shape.in(),
                    shape.out(),
                    shape.type(),
                    x,
                    plan.weight,
                    target,
                    shape.result(),
                    shape.stride(),
                    plan.bias);
            return multiply(shape, description, product, algorithms.get(i));
        });
    }

    /// Measures products if that was asked for. The first failure ends it, and what could not be measured stays
    /// as it is. Queued work may still be running afterwards.
    ///
    /// @throws BackendException if the device fails
    void tune() {
        if (tuning.isOn()) {
            measure();
        }
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
