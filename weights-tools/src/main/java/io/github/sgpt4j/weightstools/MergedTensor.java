package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.function.LongConsumer;

/// A tensor of a base model to be written, whether or not an adapter changes it.
///
/// @param tensor its elements; borrowed
/// @param type element type to write
record MergedTensor(WeightTensor tensor, ElementType type) implements PlannedTensor {
    private static final int PIECE_ELEMENTS = 1 << 18;
    private static final int COPY_BYTES = 1 << 24;

    /// Numbers from here on no longer round to the largest finite 16-bit float.
    private static final float F16_END = 65520;

    @Override
    public String name() {
        return tensor.name();
    }

    @Override
    public Shape shape() {
        return tensor.shape();
    }

    @Override
    public void writeTo(SafetensorsWriter.Sink out, LongConsumer written) throws IOException {
        if (type == tensor.dtype()) {
            writeSame(out, written);
            return;
        }
        long elements = shape().elements();
        int most = (int) Math.min(PIECE_ELEMENTS, elements);
        float[] values = new float[most];
        MemorySegment converted = MemorySegment.ofArray(new byte[most * type.bytes()]);
        int from = tensor.dtype().bytes();
        for (long first = 0; first < elements; first += most) {
            int count = (int) Math.min(most, elements - first);
            MemorySegment piece = tensor.data().asSlice(first * from, (long) count * from);
            Conversion.convert(tensor.dtype(), piece, type, converted, values, count);
            if (type == ElementType.F16) {
                requireInRange(values, count);
            }
            long bytes = (long) count * type.bytes();
            out.write(converted.asSlice(0, bytes));
            written.accept(bytes);
        }
    }

    private void writeSame(SafetensorsWriter.Sink out, LongConsumer written) throws IOException {
        MemorySegment data = tensor.data();
        for (long done = 0; done < data.byteSize(); ) {
            long count = Math.min(COPY_BYTES, data.byteSize() - done);
            out.write(data.asSlice(done, count));
            written.accept(count);
            done += count;
        }
    }

    /// A finite number must not become infinite.
    private void requireInRange(float[] values, int count) {
        for (int i = 0; i < count; i++) {
            if (Math.abs(values[i]) >= F16_END && Float.isFinite(values[i])) {
                throw new FormatException(
                        "%s: tensor %s: expected numbers below 65520, where 16-bit floats end, got %s: merge with another type (BF16 or F32)"
                                .formatted(tensor.file(), Quoted.of(name()), values[i]));
            }
        }
    }
}
