package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Values to give a backend.
final class CudaValues {
    private CudaValues() {}

    static WeightTensor matrix(Arena arena, int rows, int columns) {
        MemorySegment data = arena.allocate(ValueLayout.JAVA_FLOAT, (long) rows * columns);
        for (int i = 0; i < rows * columns; i++) {
            data.setAtIndex(ValueLayout.JAVA_FLOAT, i, (i * 37 % 101 - 50) / 100f);
        }
        return new WeightTensor("w", "file", ElementType.F32, Shape.of(rows, columns), data);
    }

    static float[] counted(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i % 97;
        }
        return values;
    }
}
