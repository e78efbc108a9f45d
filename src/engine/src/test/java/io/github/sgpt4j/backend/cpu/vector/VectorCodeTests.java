package io.github.sgpt4j.backend.cpu.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Compares the machine code with sums of one multiply-add after another, bit for bit.
abstract class VectorCodeTests {
    /// Tiles of all heights: alone, with others of their height, and with lower ones.
    private static final int[] ROWS = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 22, 23, 24, 25, 31, 36, 37
    };
    private static final int[] DEPTHS = {0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 100};

    private final VectorCode code;
    private final int columns;
    private final Random random = new Random(5);

    VectorCodeTests(int bits, int columns) {
        code = VectorCode.of(bits).orElseThrow();
        this.columns = columns;
        assertEquals(Optional.empty(), code.problem());
        assertEquals(columns, code.columns());
    }

    @Test
    void aSystemWithoutExecutableMemoryIsAReason() {
        VectorUnit unit = columns == VectorUnit.AVX2.tileColumns() ? VectorUnit.AVX2 : VectorUnit.AVX512;
        VectorCode refused = new VectorCode(unit, written -> Optional.empty());
        assertEquals(Optional.of("the system provides no executable memory"), refused.problem());
    }

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
        int cStride = columns + 5;
        float[] a = random(2 + rows * aStride);
        float[] b = random(1 + depth * columns);
        float[] c = random(3 + rows * cStride);
        float[] bias = random(4 + columns);
        float[] expected = c.clone();
        for (int r = 0; r < rows; r++) {
            for (int n = 0; n < columns; n++) {
                float sum = add ? c[3 + r * cStride + n] : bias[4 + n];
                for (int p = 0; p < depth; p++) {
                    sum = Math.fma(a[2 + r * aStride + p], b[1 + p * columns + n], sum);
                }
                expected[3 + r * cStride + n] = sum;
            }
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment weights = offHeap ? arena.allocateFrom(ValueLayout.JAVA_FLOAT, b) : MemorySegment.ofArray(b);
            MemorySegment sums = MemorySegment.ofArray(c);
            MemorySegment start = add ? sums : MemorySegment.ofArray(bias);
            long next = offHeap ? 4 + 4L * depth * columns : 4;
            code.multiply(
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
                float[] b = random(2 + depth * columns);
                float[] c = random(3 + rows * columns + 7);
                float[] expected = c.clone();
                for (int r = 0; r < rows; r++) {
                    for (int n = 0; n < columns; n++) {
                        for (int p = 0; p < depth; p++) {
                            int at = 3 + r * columns + n;
                            expected[at] = Math.fma(a[1 + p * aStride + r], b[2 + p * columns + n], expected[at]);
                        }
                    }
                }
                code.multiplyTransposed(
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
    void accessesBeyondASegmentAreRefused() {
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
    private void multiply(int rows, int depth, long a, long b, long s, long c) {
        code.multiply(
                rows,
                depth,
                MemorySegment.ofArray(new float[7 * 5]),
                a,
                20,
                MemorySegment.ofArray(new float[5 * columns]),
                b,
                b,
                MemorySegment.ofArray(new float[7 * columns]),
                s,
                4L * columns,
                MemorySegment.ofArray(new float[7 * columns]),
                c,
                4L * columns);
    }

    @Test
    void sizesBelowZeroAndReadOnlyResultsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> multiply(-1, 5, 0, 0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> multiply(2, -1, 0, 0, 0, 0));
        MemorySegment a = MemorySegment.ofArray(new float[7 * 5]);
        MemorySegment b = MemorySegment.ofArray(new float[5 * columns]);
        MemorySegment c = MemorySegment.ofArray(new float[7 * columns]);
        assertThrows(IllegalArgumentException.class, () -> code.multiplyTransposed(-1, 5, a, 0, 28, b, 0, c, 0));
        assertThrows(IllegalArgumentException.class, () -> code.multiplyTransposed(7, -1, a, 0, 28, b, 0, c, 0));
        assertThrows(
                IllegalArgumentException.class, () -> code.multiplyTransposed(7, 5, a, 0, 28, b, 0, c.asReadOnly(), 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> code.multiply(1, 5, a, 0, 20, b, 0, 0, c, 0, 128, c.asReadOnly(), 0, 128));
    }

    @Test
    void transposedRowsBeyondASegmentAreRefused() {
        MemorySegment a = MemorySegment.ofArray(new float[7 * 5]);
        MemorySegment b = MemorySegment.ofArray(new float[5 * columns]);
        MemorySegment c = MemorySegment.ofArray(new float[7 * columns]);
        assertThrows(IndexOutOfBoundsException.class, () -> code.multiplyTransposed(8, 5, a, 0, 28, b, 0, c, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> code.multiplyTransposed(7, 6, a, 0, 28, b, 0, c, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> code.multiplyTransposed(7, 5, a, 0, 28, b, 0, c, 4));
        code.multiplyTransposed(7, 5, a, 0, 28, b, 0, c, 0);
    }
}
