package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;

/// Stored weights W `[outputs, inputs]`, or their transpose, copied at the first use into the form that products read:
/// tiles for the matrix unit, whatever the stored type, or else panels.
final class PackedWeights {
    private final List<MatrixRows> parts;
    private final boolean transposed;
    private final int in;
    private final int out;
    private final Supplier<Floats> bias;
    private final CpuOptions options;
    private final Arena arena;
    private final Workers workers;
    private final boolean onMatrixUnit;
    private final Lazy<PackedMatrix> panels = new Lazy<>(this::packPanels);
    private final Lazy<TiledMatrix> tiles = new Lazy<>(this::packTiles);

    /// @param parts stacked parts of W
    /// @param transposed whether products are with W, `[rows, outputs] → [rows, inputs]`, instead of Wᵀ
    /// @param bias of the products, `[panels · TILE_COLUMNS]`
    PackedWeights(
            List<MatrixRows> parts,
            boolean transposed,
            Supplier<Floats> bias,
            CpuOptions options,
            Arena arena,
            Workers workers) {
        int outputs = MatrixRows.features(parts, List.of());
        int inputs = parts.getFirst().in();
        this.parts = parts;
        this.transposed = transposed;
        this.in = transposed ? outputs : inputs;
        this.out = transposed ? inputs : outputs;
        this.bias = bias;
        this.options = options;
        this.arena = arena;
        this.workers = workers;
        this.onMatrixUnit = options.holdsTiles(in);
    }

    /// Whether products run on the matrix unit.
    boolean onMatrixUnit() {
        return onMatrixUnit;
    }

    /// Whether there is a copy.
    boolean isPacked() {
        return panels.isMade() || tiles.isMade();
    }

    /// The type that panels hold.
    ElementType held() {
        return options.heldAs(storedType());
    }

    /// `out = activation(x · Wᵀ + b)`, or `out += x · Wᵀ + b`; W instead of Wᵀ if transposed.
    void apply(CpuTensor x, Activation activation, boolean add, CpuTensor out) {
        if (onMatrixUnit) {
            TiledProduct.run(workers, x, tiles(), activation, add, out);
        } else {
            MatrixProduct.run(workers, x, panels(), activation, add, out);
        }
    }

    /// The panels; packs them first if necessary.
    PackedMatrix panels() {
        return panels.get();
    }

    /// The tiles; packs them first if necessary. Only if products run on the matrix unit.
    TiledMatrix tiles() {
        return tiles.get();
    }

    /// Copies the stored weights again, into the same memory, if there is a copy. No product may be running.
    void refill() {
        if (panels.isMade()) {
            fill(panels.get());
        }
        if (tiles.isMade()) {
            fill(tiles.get());
        }
    }

    private PackedMatrix packPanels() {
        ElementType dtype = held();
        MemorySegment memory = allocate(PackedMatrix.bytes(in, out, dtype), dtype);
        VectorCode code = options.vectorCode().orElse(null);
        PackedMatrix matrix = new PackedMatrix(in, out, dtype, memory, bias.get(), code);
        fill(matrix);
        return matrix;
    }

    private TiledMatrix packTiles() {
        MemorySegment memory = allocate(TiledMatrix.bytes(in, out), ElementType.F32);
        TiledMatrix matrix = new TiledMatrix(in, out, memory, bias.get().array());
        fill(matrix);
        return matrix;
    }

    /// Threads that need this matrix wait for it, so they are free to help.
    private void fill(PackedMatrix matrix) {
        MatrixPacker packer = packer(PackedMatrix.width(matrix.byCode()));
        workers.parallelForAll(
                matrix.panelCount(), (panel, scratch) -> packer.pack(panel, matrix.dtype(), matrix.panels(), scratch));
    }

    private void fill(TiledMatrix matrix) {
        MatrixPacker packer = packer(Amx.TILE);
        workers.parallelForAll(PackedMatrix.panelCount(out), (panel, scratch) -> packer.pack(panel, matrix, scratch));
    }

    private MatrixPacker packer(int width) {
        return new MatrixPacker(parts, transposed, in, out, width);
    }

    private ElementType storedType() {
        ElementType first = parts.getFirst().tensor().dtype();
        return parts.stream().allMatch(part -> part.tensor().dtype() == first) ? first : ElementType.F32;
    }

    private MemorySegment allocate(long bytes, ElementType dtype) {
        try {
            return arena.allocate(bytes, 64);
        } catch (OutOfMemoryError e) {
            throw new BackendException(
                    "cpu: no room for %,d bytes of weights, packing tensor %s%s%s"
                            .formatted(
                                    bytes,
                                    parts.getFirst().tensor().name(),
                                    transposed ? " for its gradient" : "",
                                    dtype == ElementType.F32 ? "; dtype bf16 needs less" : ""),
                    e);
        }
    }

    /// The bias of products without one.
    static Floats noBias(int out) {
        return new Floats(PackedMatrix.panelCount(out) * Simd.TILE_COLUMNS);
    }
}
