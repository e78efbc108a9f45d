package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// A weight matrix that is packed once it has been used for enough work; for the matrix unit at its
/// first use, whatever its type.
final class CpuLinear implements Linear {
    private final List<MatrixRows> weight;
    private final List<MatrixRows> bias;
    private final Workers workers;
    private final int in;
    private final int out;
    private final long maxWorkInPlace;
    private final boolean readableInPlace;
    private final AtomicLong workInPlace = new AtomicLong();
    private volatile @Nullable Floats biasValues;
    private final PackedWeights packed;
    private final PackedWeights transposed;

    CpuLinear(List<MatrixRows> weight, List<MatrixRows> bias, CpuOptions options, Arena arena, Workers workers) {
        this.weight = List.copyOf(weight);
        this.bias = List.copyOf(bias);
        this.maxWorkInPlace = options.workInPlace();
        this.workers = workers;
        weight.forEach(part -> CpuTable.requireWeight(part.tensor()));
        bias.forEach(part -> CpuTable.requireWeight(part.tensor()));
        this.out = MatrixRows.features(weight, bias);
        this.in = weight.getFirst().in();
        this.packed = new PackedWeights(this.weight, false, this::biasValues, options, arena, workers);
        this.transposed = new PackedWeights(this.weight, true, () -> PackedWeights.noBias(in), options, arena, workers);
        ElementType held = packed.held();
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
        if (!packed.onMatrixUnit()
                && !packed.isPacked()
                && readableInPlace
                && workInPlace.addAndGet((long) x.rows() * in * this.out) <= maxWorkInPlace) {
            DirectProduct.run(workers, x, weight, biasValues().array(), activation, add, out);
        } else {
            packed.apply(x, activation, add, out);
        }
    }

    /// The gradient of `x` in [#apply] without activation: `dX = dOut · W`, or `dX += dOut · W`. The first call packs W
    /// once more, transposed.
    void gradient(CpuTensor dOut, boolean add, CpuTensor dX) {
        transposed.apply(dOut, Activation.NONE, add, dX);
    }

    /// Reads the stored bias again.
    void reloadBias() {
        Floats values = biasValues;
        if (values != null) {
            readBias(values.array());
        }
    }

    /// Reads the stored weights and bias again, into the memory that holds them.
    void reload() {
        reloadBias();
        packed.refill();
        transposed.refill();
    }

    /// The most rows of [#logits] at a time.
    int maxLogitRows() {
        return packed.onMatrixUnit() ? RowTiles.maxRows(in) : Integer.MAX_VALUE;
    }

    /// `x · Wᵀ + b` of rows `[first, first + count)`, to be computed panel by panel.
    ///
    /// @param own the caller's scratch, which no task uses; the result is valid until it is reused
    Logits logits(CpuTensor x, int first, int count, Scratch own) {
        return packed.onMatrixUnit()
                ? new Logits.OfTiles(RowTiles.split(workers, x.data(), x.offset(first), count, in, own), packed.tiles())
                : new Logits.OfPanels(x.values(), x.offset(first), count, packed());
    }

    /// The packed form; packs it first if necessary.
    PackedMatrix packed() {
        return packed.panels();
    }

    /// The packed transpose; packs it first if necessary.
    PackedMatrix packedTransposed() {
        return transposed.panels();
    }

    /// `[panels · TILE_COLUMNS]`, zeros where there is no bias.
    private Floats biasValues() {
        Floats values = biasValues;
        if (values == null) {
            values = PackedWeights.noBias(out);
            readBias(values.array());
            biasValues = values;
        }
        return values;
    }

    private void readBias(float[] values) {
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
    }
}
