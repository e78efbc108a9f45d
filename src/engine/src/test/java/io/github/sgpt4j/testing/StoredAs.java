package io.github.sgpt4j.testing;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// A checkpoint's weights in another type.
public final class StoredAs {
    private StoredAs() {}

    /// Writes all weights of a checkpoint to one file.
    ///
    /// @param dtype F32, F16 or BF16
    public static void write(Path checkpoint, ElementType dtype, Path file) {
        try (Weights weights = Weights.open(checkpoint)) {
            SafetensorsWriter writer = new SafetensorsWriter();
            for (String name : weights.names()) {
                WeightTensor tensor = weights.get(name);
                if (tensor.dtype().isWeight()) {
                    writer.add(name, dtype, tensor.shape(), converted(tensor.toFloats(), dtype));
                } else {
                    writer.add(tensor);
                }
            }
            writer.write(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static MemorySegment converted(float[] values, ElementType dtype) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[values.length * dtype.bytes()]);
        for (int i = 0; i < values.length; i++) {
            switch (dtype) {
                case F32 -> bytes.setAtIndex(LittleEndian.F32, i, values[i]);
                case F16 -> bytes.setAtIndex(LittleEndian.I16, i, Half.floatToF16(values[i]));
                case BF16 -> bytes.setAtIndex(LittleEndian.I16, i, Half.floatToBf16(values[i]));
                default -> throw new IllegalArgumentException("weights of type " + dtype);
            }
        }
        return bytes;
    }
}
