package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// A weight matrix that is packed once it has been used for enough work; for the matrix unit at its
/// first use, whatever its type.
final class CpuLinear implements Linear {
    private final List<MatrixRows> weight;
    private final List<MatrixRows> bias;
    private final Arena arena;
    private final Workers workers;
    private final int in;
    private final int out;
    private final long maxWorkInPlace;
    private final boolean readableInPlace;
    private final boolean onMatrixUnit;
    private final CpuOptions options;
    private final AtomicLong workInPlace = new AtomicLong();
    private volatile @Nullable Floats biasValues;
    private final Lazy<PackedMatrix> packed = new Lazy<>(this::pack);
    private final Lazy<TiledMatrix> tiled = new Lazy<>(this::packTiles);

    CpuLinear(List<MatrixRows> weight, List<MatrixRows> bias, CpuOptions options, Arena arena, Workers workers) {
        this.weight = List.copyOf(weight);
        this.bias = List.copyOf(bias);
        this.options = options;
        this.maxWorkInPlace = options.workInPlace();
        this.arena = arena;
        this.workers = workers;
        weight.forEach(part -> CpuTable.requireWeight(part.tensor()));
        bias.forEach(part -> CpuTable.requireWeight(part.tensor()));
        this.out = MatrixRows.features(weight, bias);
        this.in = weight.getFirst().in();
        ElementType held = options.heldAs(storedType());
        this.onMatrixUnit = options.holdsTiles(in);
        this.readableInPlace = this.weight.stream()
                .allMatch(part -> !part.transposed()
                        && (held == ElementType.F32 || held == part.tensor().dtype()));
    }

    @Override
    public int in() {
        return in;
    }

    @Override
    public int out() {
        return out;
    }

    @Override
    public List<MatrixRows> weightParts() {
        return weight;
    }

    @Override
    public List<MatrixRows> biasParts() {
        return bias;
    }

    /// `out = activation(x · Wᵀ + b)`, or `out += x · Wᵀ + b`.
    void apply(CpuTensor x, Activation activation, boolean add, CpuTensor out) {
        if (onMatrixUnit) {
            TiledProduct.run(workers, x, tiled.get(), activation, add, out);
        } else if (!packed.isMade()
                && readableInPlace
                && workInPlace.addAndGet((long) x.rows() * in * this.out) <= maxWorkInPlace) {
            DirectProduct.run(workers, x, weight, biasValues().array(), activation, add, out);
        } else {
            MatrixProduct.run(workers, x, packed(), activation, add, out);
        }
    }

    /// The most rows of [#logits] at a time.
    int maxLogitRows() {
        return onMatrixUnit ? RowTiles.maxRows(in) : Integer.MAX_VALUE;
    }

    /// `x · Wᵀ + b` of rows `[first, first + count)`, to be computed panel by panel.
    ///
    /// @param own the caller's scratch, which no task uses; the result is valid until it is reused
    Logits logits(CpuTensor x, int first, int count, Scratch own) {
        return onMatrixUnit
                ? new Logits.OfTiles(RowTiles.split(workers, x.data(), x.offset(first), count, in, own), tiled.get())
                : new Logits.OfPanels(x.values(), x.offset(first), count, packed());
    }

    /// The packed form; packs it first if necessary.
    PackedMatrix packed() {
        return packed.get();
    }

    private PackedMatrix pack() {
        ElementType dtype = options.heldAs(storedType());
        MemorySegment panels = allocate(PackedMatrix.bytes(in, out, dtype), dtype);
        VectorCode code = options.vectorCode().orElse(null);
        MatrixPacker packer = new MatrixPacker(weight, in, out, PackedMatrix.width(code != null));
        // Threads that need this matrix wait for it, so they are free to help.
        workers.parallelForAll(
                PackedMatrix.panelCount(out), (panel, scratch) -> packer.pack(panel, dtype, panels, scratch));
        return new PackedMatrix(in, out, dtype, panels, biasValues(), code);
    }

    private TiledMatrix packTiles() {
        MemorySegment memory = allocate(TiledMatrix.bytes(in, out), ElementType.F32);
        TiledMatrix matrix = new TiledMatrix(in, out, memory, biasValues().array());
        MatrixPacker packer = new MatrixPacker(weight, in, out, Amx.TILE);
        workers.parallelForAll(PackedMatrix.panelCount(out), (panel, scratch) -> packer.pack(panel, matrix, scratch));
        return matrix;
    }

    private ElementType storedType() {
        ElementType first = weight.getFirst().tensor().dtype();
        return weight.stream().allMatch(part -> part.tensor().dtype() == first) ? first : ElementType.F32;
    }

    private MemorySegment allocate(long bytes, ElementType dtype) {
        try {
            return arena.allocate(bytes, 64);
        } catch (OutOfMemoryError e) {
            throw new BackendException(
                    "cpu: no room for %,d bytes of weights, packing tensor %s%s"
                            .formatted(
                                    bytes,
                                    weight.getFirst().tensor().name(),
                                    dtype == ElementType.F32 ? "; dtype bf16 needs less" : ""),
                    e);
        }
    }

    /// `[panels · TILE_COLUMNS]`, zeros where there is no bias.
    private Floats biasValues() {
        Floats values = biasValues;
        if (values == null) {
            values = new Floats(readBias());
            biasValues = values;
        }
        return values;
    }

    private float[] readBias() {
        float[] values = new float[PackedMatrix.panelCount(out) * Simd.TILE_COLUMNS];
        int at = 0;
        for (MatrixRows part : bias) {
            int bytes = part.tensor().dtype().bytes();
            for (int row = 0; row < part.count(); row += part.run()) {
                long from = (long) part.source(row) * bytes;
                Widening.widenMapped(part.tensor().data(), part.tensor().dtype(), from, values, at + row, part.run());
            }
            at += part.count();
        }
        WeightTensor.settle();
        return values;
    }
}
