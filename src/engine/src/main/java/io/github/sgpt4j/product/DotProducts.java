package io.github.sgpt4j.product;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.backend.cpu.CpuBackend;
import io.github.sgpt4j.backend.cpu.CpuOptions;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// Dot products of some vectors with blocks of others, on the CPU with the engine's matrix products
/// (machine code where there is some). The others are packed once, which takes as much memory as they
/// do, outside the heap.
///
/// Results are those of 32-bit arithmetic in an order that depends on the processor: within about 1e-6
/// of the product of the lengths. Not safe to share between threads; uses several itself.
public final class DotProducts implements AutoCloseable {
    private final CpuBackend backend;
    private final List<Linear> blocks = new ArrayList<>();
    private final int columns;
    private final int size;
    private final int count;

    private DotProducts(CpuBackend backend, int columns, int size, int count) {
        this.backend = backend;
        this.columns = columns;
        this.size = size;
        this.count = count;
    }

    /// Packs vectors.
    ///
    /// @param vectors `[count][columns]`, at least one, of equal lengths of at least 1; copied
    /// @param size vectors of a block
    /// @param threads empty for one per processor
    /// @throws io.github.sgpt4j.error.BackendException if the Vector API is missing, or there is no
    ///     memory
    public static DotProducts of(float[][] vectors, int size, OptionalInt threads) {
        CpuOptions options =
                new CpuOptions(CpuOptions.of(threads, Precision.FP32).threads(), Precision.FP32, 0);
        DotProducts products = new DotProducts(new CpuBackend(options), vectors[0].length, size, vectors.length);
        try {
            for (int from = 0; from < vectors.length; from += size) {
                products.pack(vectors, from, Math.min(from + size, vectors.length));
            }
            return products;
        } catch (RuntimeException | Error e) {
            products.close();
            throw e;
        }
    }

    private void pack(float[][] vectors, int from, int to) {
        Shape shape = Shape.of(to - from, columns);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment copy = arena.allocate(ElementType.F32.bytes(shape.elements()), Float.BYTES);
            for (int i = from; i < to; i++) {
                MemorySegment.copy(
                        vectors[i], 0, copy, LittleEndian.F32, (long) (i - from) * columns * Float.BYTES, columns);
            }
            WeightTensor tensor = new WeightTensor("vectors", "memory", ElementType.F32, shape, copy);
            Linear block = backend.linear(List.of(MatrixRows.all(tensor)), List.of());
            // The first product packs the block; the copy is not read after that.
            try (Tensor x = backend.upload(new float[columns], 1, columns);
                    Tensor y = backend.allocate(1, to - from)) {
                backend.linear(x, block, Activation.NONE, y);
                backend.synchronize();
            }
            blocks.add(block);
        }
    }

    /// Number of blocks.
    public int blocks() {
        return blocks.size();
    }

    /// The first vector of a block; the number of vectors for the block after the last.
    public int start(int block) {
        return (int) Math.min((long) block * size, count);
    }

    /// Products with the vectors of a block.
    ///
    /// @param rows `[count][columns]`, at least one
    /// @param from the first row to use
    /// @param to the row after the last
    /// @return `[to - from, start(block + 1) - start(block)]`, row-major
    public float[] with(float[][] rows, int from, int to, int block) {
        float[] flat = new float[Math.multiplyExact(to - from, columns)];
        for (int i = from; i < to; i++) {
            System.arraycopy(rows[i], 0, flat, (i - from) * columns, columns);
        }
        try (Tensor x = backend.upload(flat, to - from, columns);
                Tensor y = backend.allocate(to - from, start(block + 1) - start(block))) {
            backend.linear(x, blocks.get(block), Activation.NONE, y);
            return backend.download(y);
        }
    }

    @Override
    public void close() {
        backend.close();
    }
}
