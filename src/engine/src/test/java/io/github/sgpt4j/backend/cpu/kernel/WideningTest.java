package io.github.sgpt4j.backend.cpu.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("vector")
class WideningTest {
    private static final int VALUES = 1 << 16;

    /// All 65,536 patterns, from an odd address.
    private static float[] widenAll(ElementType dtype) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment patterns = arena.allocate(2L * VALUES + 1);
            for (int i = 0; i < VALUES; i++) {
                patterns.set(LittleEndian.I16, 1 + 2L * i, (short) i);
            }
            float[] out = new float[VALUES + 2];
            Widening.widen(patterns, dtype, 1, out, 1, VALUES);
            float[] mapped = new float[VALUES + 2];
            Widening.widenMapped(patterns, dtype, 1, mapped, 1, VALUES);
            assertArrayEquals(out, mapped);
            return out;
        }
    }

    @Test
    void everyHalfWidensExactly() {
        float[] wide = widenAll(ElementType.F16);
        for (int i = 0; i < VALUES; i++) {
            assertSame(Half.f16ToFloat((short) i), wide[i + 1], i);
        }
    }

    @Test
    void everyBfloat16WidensExactly() {
        float[] wide = widenAll(ElementType.BF16);
        for (int i = 0; i < VALUES; i++) {
            assertSame(Half.bf16ToFloat((short) i), wide[i + 1], i);
        }
    }

    private static void assertSame(float expected, float got, int pattern) {
        if (Float.isNaN(expected)) {
            assertTrue(Float.isNaN(got), () -> "pattern " + pattern);
        } else {
            assertEquals(Float.floatToRawIntBits(expected), Float.floatToRawIntBits(got), () -> "pattern " + pattern);
        }
    }

    @Test
    void rowsAreWidenedApartAndNothingBetweenThem() {
        int rows = 5;
        for (ElementType dtype : new ElementType[] {ElementType.F32, ElementType.BF16, ElementType.F16}) {
            try (Arena arena = Arena.ofConfined()) {
                float[] values = new float[rows * Simd.LANES];
                for (int i = 0; i < values.length; i++) {
                    values[i] = i + 1;
                }
                MemorySegment in = arena.allocate(3 + (long) values.length * dtype.bytes());
                Widening.narrow(values, 0, values.length, in, dtype, 3);
                float[] out = new float[2 + rows * Simd.TILE_COLUMNS];
                Widening.widenRows(in, dtype, 3, out, 2, rows);
                for (int i = 0; i < out.length; i++) {
                    int row = (i - 2) / Simd.TILE_COLUMNS;
                    int column = (i - 2) % Simd.TILE_COLUMNS;
                    boolean inside = i >= 2 && column < Simd.LANES;
                    assertEquals(inside ? row * Simd.LANES + column + 1 : 0, out[i], dtype + " " + i);
                }
            }
        }
    }

    @Test
    void rowsOfAMappedMatrixAreWidenedWhereTheyBelong() {
        int rows = 2 * Widening.MAX_ROWS + 1;
        int stored = 2 * Simd.TILE_COLUMNS + 1;
        float[] values = new float[rows * stored];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 251 + 1;
        }
        for (ElementType dtype : new ElementType[] {ElementType.F32, ElementType.BF16, ElementType.F16}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment in = arena.allocate(1 + (long) values.length * dtype.bytes());
                Widening.narrow(values, 0, values.length, in, dtype, 1);
                for (int count : new int[] {1, Simd.LANES - 1, Simd.LANES, Simd.TILE_COLUMNS}) {
                    for (int outStride : new int[] {count, Simd.TILE_COLUMNS}) {
                        float[] out = new float[2 + rows * outStride];
                        long at = 1 + 3L * dtype.bytes();
                        long stride = (long) stored * dtype.bytes();
                        Widening.widenMappedRows(in, dtype, at, stride, out, 2, outStride, rows, count);
                        for (int i = 0; i < out.length; i++) {
                            int row = (i - 2) / outStride;
                            int column = (i - 2) % outStride;
                            boolean inside = i >= 2 && column < count;
                            assertEquals(inside ? values[row * stored + column + 3] : 0, out[i], dtype + " " + i);
                        }
                    }
                }
            }
        }
    }

    @Test
    void everyLengthWritesItsElementsAndNoOther() {
        for (ElementType dtype : new ElementType[] {ElementType.F32, ElementType.BF16, ElementType.F16}) {
            for (int count = 0; count <= 3 * Simd.LANES + 1; count++) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment in = arena.allocate(1 + (long) count * dtype.bytes());
                    float[] values = new float[count];
                    for (int i = 0; i < count; i++) {
                        values[i] = i + 1;
                    }
                    Widening.narrow(values, 0, count, in, dtype, 1);
                    float[] out = new float[count + 2];
                    Widening.widen(in, dtype, 1, out, 1, count);
                    float[] mapped = new float[count + 2];
                    Widening.widenMapped(in, dtype, 1, mapped, 1, count);
                    for (int i = -1; i <= count; i++) {
                        assertEquals(i < 0 || i == count ? 0f : i + 1f, out[i + 1]);
                        assertEquals(out[i + 1], mapped[i + 1]);
                    }
                }
            }
        }
    }

    @Test
    void narrowingRoundsToNearestEven() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(6);
            float[] values = {1f + 0x1p-8f, 1f + 3 * 0x1p-8f, 0x1.fffffep127f};
            Widening.narrow(values, 0, 3, out, ElementType.BF16, 0);
            float[] back = new float[3];
            Widening.widen(out, ElementType.BF16, 0, back, 0, 3);
            assertEquals(1f, back[0]);
            assertEquals(1f + 4 * 0x1p-8f, back[1]);
            assertEquals(Float.POSITIVE_INFINITY, back[2]);
        }
    }
}
