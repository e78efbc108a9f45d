package io.github.sgpt4j.model;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.stream.IntStream;

/// The sum of a weight and a low-rank product: W + scale · B·A.
final class LowRankProduct {
    private LowRankProduct() {}

    /// Adds in 64-bit floats and rounds once, to 32 bits, whatever the type of the stored weight.
    ///
    /// @param weight `[out, in]`, or `[in, out]` if transposed
    /// @param a `[rank, in]`
    /// @param b `[out, rank]`
    /// @param transposed whether to transpose the product
    /// @param memory allocates the sum
    static WeightTensor add(
            WeightTensor weight,
            WeightTensor a,
            WeightTensor b,
            boolean transposed,
            double scale,
            SegmentAllocator memory) {
        int rows = Math.toIntExact(weight.shape().dimension(0));
        int columns = Math.toIntExact(weight.shape().dimension(1));
        int rank = Math.toIntExact(a.shape().dimension(0));
        float[] left = (transposed ? a : b).toFloats();
        float[] right = (transposed ? b : a).toFloats();
        MemorySegment sum = memory.allocate(ElementType.F32.bytes(weight.shape().elements()), 64);
        IntStream.range(0, rows).parallel().forEach(r -> {
            double[] row = new double[columns];
            for (int k = 0; k < rank; k++) {
                // A row of B times A, or a column of A times B transposed.
                double factor = transposed ? left[k * rows + r] : left[r * rank + k];
                if (transposed) {
                    for (int c = 0; c < columns; c++) {
                        row[c] += factor * right[c * rank + k];
                    }
                } else {
                    for (int c = 0; c < columns; c++) {
                        row[c] += factor * right[k * columns + c];
                    }
                }
            }
            float[] stored = new float[columns];
            long first = (long) r * columns;
            weight.copyTo(first, stored, 0, columns);
            for (int c = 0; c < columns; c++) {
                stored[c] = (float) (stored[c] + scale * row[c]);
            }
            MemorySegment.copy(stored, 0, sum, LittleEndian.F32, first * Float.BYTES, columns);
        });
        return new WeightTensor(weight.name(), weight.file(), ElementType.F32, weight.shape(), sum.asReadOnly());
    }
}
