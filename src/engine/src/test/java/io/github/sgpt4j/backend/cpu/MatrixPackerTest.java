package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("vector")
class MatrixPackerTest {
    private final Arena arena = Arena.ofShared();
    private final Workers workers = new Workers(2);

    @AfterEach
    void close() {
        workers.close();
        arena.close();
    }

    /// Element `(r, c)` is a small integer that every type holds exactly, `7 r + c` modulo 251; the address is odd.
    private WeightTensor tensor(ElementType dtype, int rows, int columns) {
        MemorySegment data =
                arena.allocate(1 + (long) rows * columns * dtype.bytes(), 8).asSlice(1);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = value(i / columns, i % columns);
        }
        Widening.narrow(values, 0, values.length, data, dtype, 0);
        return new WeightTensor("w", "test", dtype, Shape.of(rows, columns), data.asReadOnly());
    }

    private static float value(int row, int column) {
        return (7 * row + column) % 251;
    }

    private void check(List<MatrixRows> parts, Precision format, ElementType expectedType) {
        CpuLinear linear = new CpuLinear(parts, List.of(), new CpuOptions(1, format), arena, workers);
        PackedMatrix packed = linear.packed();
        assertSame(packed, linear.packed());
        assertEquals(expectedType, packed.dtype());
        check(packed, linear.in(), linear.out(), (column, k) -> stored(parts, column, k));
        PackedMatrix transposed = linear.packedTransposed();
        assertEquals(expectedType, transposed.dtype());
        check(transposed, linear.out(), linear.in(), (column, k) -> stored(parts, k, column));
    }

    /// The weight of a column, `k` deep in its panel.
    private interface Expected {
        float at(int column, int k);
    }

    private static void check(PackedMatrix packed, int in, int out, Expected weights) {
        assertEquals(in, packed.in());
        assertEquals(out, packed.out());
        float[] panel = new float[in * Simd.TILE_COLUMNS];
        for (int p = 0; p < packed.panelCount(); p++) {
            packed.load(p, 0, in, panel, 0);
            for (int k = 0; k < in; k++) {
                for (int c = 0; c < Simd.TILE_COLUMNS; c++) {
                    int column = p * Simd.TILE_COLUMNS + c;
                    float expected = column < out ? weights.at(column, k) : 0f;
                    assertEquals(
                            expected, panel[k * Simd.TILE_COLUMNS + c], "column %d, depth %d".formatted(column, k));
                }
            }
        }
    }

    private static float stored(List<MatrixRows> parts, int feature, int k) {
        int row = feature;
        for (MatrixRows part : parts) {
            if (row < part.count()) {
                return part.transposed() ? value(k, part.source(row)) : value(part.source(row), k);
            }
            row -= part.count();
        }
        throw new AssertionError("feature " + feature);
    }

    @Test
    void everyTypeAndOrientationIsPacked() {
        for (ElementType dtype : new ElementType[] {ElementType.F32, ElementType.BF16, ElementType.F16}) {
            for (int in : new int[] {1, 3, 16, 255, 256, 257, 600}) {
                for (int out : new int[] {1, Simd.TILE_COLUMNS - 1, Simd.TILE_COLUMNS, Simd.TILE_COLUMNS + 1, 70}) {
                    check(List.of(MatrixRows.all(tensor(dtype, out, in))), Precision.AUTO, dtype);
                    check(List.of(MatrixRows.allTransposed(tensor(dtype, in, out))), Precision.AUTO, dtype);
                }
            }
        }
    }

    @Test
    void partsAreStackedWhereverPanelsEnd() {
        List<MatrixRows> parts = new ArrayList<>();
        for (int count : new int[] {5, 32, 1, 64, 40}) {
            parts.add(MatrixRows.range(tensor(ElementType.F32, 80, 10), false, 7, count));
            parts.add(MatrixRows.range(tensor(ElementType.BF16, 10, 80), true, 3, count));
        }
        check(parts, Precision.AUTO, ElementType.F32);
        check(parts, Precision.BF16, ElementType.BF16);
        check(parts, Precision.FP16, ElementType.F16);
    }

    @Test
    void runsOfRowsAreGathered() {
        for (boolean transposed : new boolean[] {false, true}) {
            WeightTensor fused = transposed ? tensor(ElementType.F16, 9, 96) : tensor(ElementType.F16, 96, 9);
            List<MatrixRows> parts = List.of(
                    new MatrixRows(fused, transposed, 0, 8, 24, 32),
                    new MatrixRows(fused, transposed, 8, 8, 24, 32),
                    new MatrixRows(fused, transposed, 17, 7, 24, 28),
                    new MatrixRows(fused, transposed, 5, 1, 3, 11));
            check(parts, Precision.AUTO, ElementType.F16);
            check(parts, Precision.FP32, ElementType.F32);
        }
    }

    @Test
    void shapesMustFit() {
        List<MatrixRows> weight = List.of(MatrixRows.all(tensor(ElementType.F32, 4, 3)));
        List<MatrixRows> otherWidth = List.of(weight.getFirst(), MatrixRows.all(tensor(ElementType.F32, 4, 2)));
        List<MatrixRows> bias = List.of(MatrixRows.all(tensor(ElementType.F32, 5, 1)));
        Precision format = Precision.AUTO;
        assertThrows(
                IllegalArgumentException.class,
                () -> new CpuLinear(otherWidth, List.of(), new CpuOptions(1, format), arena, workers));
        assertThrows(
                IllegalArgumentException.class,
                () -> new CpuLinear(weight, bias, new CpuOptions(1, format), arena, workers));
        assertThrows(
                IllegalArgumentException.class,
                () -> new CpuLinear(List.of(), List.of(), new CpuOptions(1, format), arena, workers));
    }
}
