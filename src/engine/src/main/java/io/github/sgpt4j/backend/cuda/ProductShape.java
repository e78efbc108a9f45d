package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.tensor.ElementType;

/// Everything that a choice of algorithm for a product depends on, apart from device and arithmetic.
///
/// @param formula what is multiplied
/// @param rows tokens
/// @param in columns of the weights `[out, in]`
/// @param out rows of the weights
/// @param type of the operands
/// @param result type of the result
/// @param stride elements between rows of the result
/// @param epilogue `cublasLtEpilogue_t`
/// @param add whether the result is added to what is there
/// @param alignments as of [#alignments]
record ProductShape(
        Formula formula,
        int rows,
        int in,
        int out,
        ElementType type,
        ElementType result,
        long stride,
        int epilogue,
        boolean add,
        int alignments) {
    private static final int MAX_ALIGNMENT = 256;
    private static final int BITS = 10;
    private static final int MASK = (1 << BITS) - 1;

    /// Columns of the input.
    int inputColumns() {
        return formula.inputColumns(in, out);
    }

    /// Bytes that addresses are multiples of, 256 at most, in one number.
    static int alignments(long weight, long x, long result) {
        return alignment(weight) << 2 * BITS | alignment(x) << BITS | alignment(result);
    }

    private static int alignment(long address) {
        return (int) Math.min(MAX_ALIGNMENT, Long.lowestOneBit(address));
    }

    /// Of weights, `x`, and twice the result.
    int[] eachAlignment() {
        int c = alignments & MASK;
        return new int[] {alignments >> 2 * BITS, alignments >> BITS & MASK, c, c};
    }

    /// The shape that stands for this one in the choice of an algorithm: with its rows rounded up.
    ProductShape rounded() {
        return new ProductShape(formula, bucket(rows), in, out, type, result, stride, epilogue, add, alignments);
    }

    /// Rounds a number of rows up: to 1, 2, 3, 4, 6, 8, 12, 16, … 128, then to multiples of 64, above
    /// 1024 of 128, above 8192 of 256. Algorithms work on tiles of 64 to 256 rows, so what suits one
    /// number of tiles is not chosen for half as many again.
    static int bucket(int rows) {
        if (rows > 1 << 30) {
            return rows;
        }
        if (rows <= 128) {
            int power = Integer.highestOneBit(rows);
            int middle = power + power / 2;
            return power == rows ? rows : rows <= middle ? middle : 2 * power;
        }
        int step = rows <= 1024 ? 64 : rows <= 8192 ? 128 : 256;
        return Math.ceilDiv(rows, step) * step;
    }
}
