package io.github.sgpt4j.backend.cpu.avx2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The machine code against the sums that it stands for, one multiply-add after the other, to the bit.
@Tag("avx2")
class Avx2Test {
    private static final int COLUMNS = Avx2.COLUMNS;
    private static final int[] ROWS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 17, 18, 19, 31};
    private static final int[] DEPTHS = {0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 100};

    private final Random random = new Random(5);

    private float[] random(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return values;
    }

    @Test
    void productsAreSumsInOrderAndTouchNothingElse() {
        for (int rows : ROWS) {
            for (int depth : DEPTHS) {
                for (boolean offHeap : new boolean[] {false, true}) {
                    check(rows, depth, offHeap, true);
                    check(rows, depth, offHeap, false);
                }
            }
        }
    }

    private void check(int rows, int depth, boolean offHeap, boolean add) {
        int aStride = depth + 3;
        int cStride = COLUMNS + 5;
        float[] a = random(2 + rows * aStride);
        float[] b = random(1 + depth * COLUMNS);
        float[] c = random(3 + rows * cStride);
        float[] bias = random(4 + COLUMNS);
        float[] expected = c.clone();
        for (int r = 0; r < rows; r++) {
            for (int n = 0; n < COLUMNS; n++) {
                float sum = add ? c[3 + r * cStride + n] : bias[4 + n];
                for (int p = 0; p < depth; p++) {
                    sum = Math.fma(a[2 + r * aStride + p], b[1 + p * COLUMNS + n], sum);
                }
                expected[3 + r * cStride + n] = sum;
            }
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment weights = offHeap ? arena.allocateFrom(ValueLayout.JAVA_FLOAT, b) : MemorySegment.ofArray(b);
            MemorySegment sums = MemorySegment.ofArray(c);
            MemorySegment start = add ? sums : MemorySegment.ofArray(bias);
            long next = offHeap ? 4 + 4L * depth * COLUMNS : 4;
            Avx2.multiply(
                    rows,
                    depth,
                    MemorySegment.ofArray(a),
                    8,
                    4L * aStride,
                    weights,
                    4,
                    next,
                    start,
                    add ? 12 : 16,
                    add ? 4L * cStride : 0,
                    sums,
                    12,
                    4L * cStride);
        }
        assertArrayEquals(expected, c, "%d rows, depth %d, off-heap %s, add %s".formatted(rows, depth, offHeap, add));
    }

    @Test
    void transposedProductsAreSumsInOrderAndTouchNothingElse() {
        for (int rows : ROWS) {
            for (int depth : DEPTHS) {
                int aStride = rows + 2;
                float[] a = random(1 + depth * aStride);
                float[] b = random(2 + depth * COLUMNS);
                float[] c = random(3 + rows * COLUMNS + 7);
                float[] expected = c.clone();
                for (int r = 0; r < rows; r++) {
                    for (int n = 0; n < COLUMNS; n++) {
                        for (int p = 0; p < depth; p++) {
                            int at = 3 + r * COLUMNS + n;
                            expected[at] = Math.fma(a[1 + p * aStride + r], b[2 + p * COLUMNS + n], expected[at]);
                        }
                    }
                }
                Avx2.multiplyTransposed(
                        rows,
                        depth,
                        MemorySegment.ofArray(a),
                        4,
                        4L * aStride,
                        MemorySegment.ofArray(b),
                        8,
                        MemorySegment.ofArray(c),
                        12);
                assertArrayEquals(expected, c, "%d rows, depth %d".formatted(rows, depth));
            }
        }
    }

    @Test
    void whatWouldReachBeyondASegmentIsRefused() {
        int rows = 7;
        int depth = 5;
        assertThrows(IndexOutOfBoundsException.class, () -> multiply(rows, depth, 1, 0, 0, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> multiply(rows, depth, 0, 1, 0, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> multiply(rows, depth, 0, 0, 1, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> multiply(rows, depth, 0, 0, 0, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> multiply(rows + 1, depth, 0, 0, 0, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> multiply(rows, depth + 1, 0, 0, 0, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> multiply(rows, depth, -4, 0, 0, 0));
        multiply(rows, depth, 0, 0, 0, 0);
    }

    /// Seven rows of five values fit.
    private static void multiply(int rows, int depth, long a, long b, long s, long c) {
        Avx2.multiply(
                rows,
                depth,
                MemorySegment.ofArray(new float[7 * 5]),
                a,
                20,
                MemorySegment.ofArray(new float[5 * COLUMNS]),
                b,
                b,
                MemorySegment.ofArray(new float[7 * COLUMNS]),
                s,
                64,
                MemorySegment.ofArray(new float[7 * COLUMNS]),
                c,
                64);
    }

    @Test
    void sizesBelowZeroAndReadOnlyResultsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> multiply(-1, 5, 0, 0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> multiply(2, -1, 0, 0, 0, 0));
        MemorySegment a = MemorySegment.ofArray(new float[7 * 5]);
        MemorySegment b = MemorySegment.ofArray(new float[5 * COLUMNS]);
        MemorySegment c = MemorySegment.ofArray(new float[7 * COLUMNS]);
        assertThrows(IllegalArgumentException.class, () -> Avx2.multiplyTransposed(-1, 5, a, 0, 28, b, 0, c, 0));
        assertThrows(IllegalArgumentException.class, () -> Avx2.multiplyTransposed(7, -1, a, 0, 28, b, 0, c, 0));
        assertThrows(
                IllegalArgumentException.class, () -> Avx2.multiplyTransposed(7, 5, a, 0, 28, b, 0, c.asReadOnly(), 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> Avx2.multiply(1, 5, a, 0, 20, b, 0, 0, c, 0, 64, c.asReadOnly(), 0, 64));
    }

    @Test
    void transposedRowsBeyondASegmentAreRefused() {
        MemorySegment a = MemorySegment.ofArray(new float[7 * 5]);
        MemorySegment b = MemorySegment.ofArray(new float[5 * COLUMNS]);
        MemorySegment c = MemorySegment.ofArray(new float[7 * COLUMNS]);
        assertThrows(IndexOutOfBoundsException.class, () -> Avx2.multiplyTransposed(8, 5, a, 0, 28, b, 0, c, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> Avx2.multiplyTransposed(7, 6, a, 0, 28, b, 0, c, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> Avx2.multiplyTransposed(7, 5, a, 0, 28, b, 0, c, 4));
        Avx2.multiplyTransposed(7, 5, a, 0, 28, b, 0, c, 0);
    }
}
