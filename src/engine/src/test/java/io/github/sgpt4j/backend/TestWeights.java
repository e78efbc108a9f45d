package io.github.sgpt4j.backend;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/// Weights created by tests, in native memory as if mapped from a file: little-endian, read-only,
/// and every second one misaligned.
public final class TestWeights implements AutoCloseable {
    private static final ValueLayout.OfInt INT_32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort INT_16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena = Arena.ofShared();
    private final Map<String, MemorySegment> writable = new HashMap<>();
    private int made;

    /// A tensor of the given values rounded to `dtype`, one of F32, F16, BF16.
    public WeightTensor tensor(ElementType dtype, float[] values, long... dimensions) {
        int bytes = dtype.bytes();
        long size = Math.multiplyExact((long) values.length, bytes);
        int misalignment = made % 2;
        MemorySegment data = arena.allocate(size + misalignment, 64).asSlice(misalignment, size);
        write(data, dtype, values);
        String name = "test." + made++;
        writable.put(name, data);
        return new WeightTensor(name, "memory", dtype, Shape.of(dimensions), data.asReadOnly());
    }

    /// Replaces all values of a tensor created by [#tensor], as training does.
    public void change(WeightTensor tensor, float... values) {
        if (values.length != tensor.shape().elements()) {
            throw new IllegalArgumentException("%d values for %s".formatted(values.length, tensor.shape()));
        }
        write(Objects.requireNonNull(writable.get(tensor.name())), tensor.dtype(), values);
    }

    private static void write(MemorySegment data, ElementType dtype, float[] values) {
        for (int i = 0; i < values.length; i++) {
            long offset = (long) i * dtype.bytes();
            if (dtype == ElementType.F32) {
                data.set(INT_32, offset, Float.floatToRawIntBits(values[i]));
            } else {
                data.set(INT_16, offset, narrow(values[i], dtype));
            }
        }
    }

    /// Every value of a 16-bit type that is finite in it and after rounding to `kept`, `[n, 1]`.
    public WeightTensor everyFinite(ElementType dtype, ElementType kept) {
        float[] values = new float[65536];
        int count = 0;
        for (int bits = 0; bits < 65536; bits++) {
            float value =
                    dtype == ElementType.F16 ? Float.float16ToFloat((short) bits) : Float.intBitsToFloat(bits << 16);
            if (Float.isFinite(value) && Float.isFinite(round(value, kept))) {
                values[count++] = value;
            }
        }
        return tensor(dtype, Arrays.copyOf(values, count), count, 1);
    }

    /// Zero bytes as a tensor of any element type.
    public WeightTensor zeros(ElementType dtype, long... dimensions) {
        Shape shape = Shape.of(dimensions);
        MemorySegment data = arena.allocate(dtype.bytes(shape.elements()));
        return new WeightTensor("test." + made++, "memory", dtype, shape, data.asReadOnly());
    }

    /// A vector stored as F32.
    public WeightTensor vector(float... values) {
        return tensor(ElementType.F32, values, values.length);
    }

    /// A matrix `[rows, columns]` stored as F32.
    public WeightTensor matrix(int rows, int columns, float... values) {
        return tensor(ElementType.F32, values, rows, columns);
    }

    /// Values of a tensor created here, in storage order.
    public float[] values(WeightTensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.shape().elements())];
        for (int i = 0; i < values.length; i++) {
            long offset = (long) i * tensor.dtype().bytes();
            values[i] = switch (tensor.dtype()) {
                case F32 -> Float.intBitsToFloat(tensor.data().get(INT_32, offset));
                case F16 -> Float.float16ToFloat(tensor.data().get(INT_16, offset));
                case BF16 -> Float.intBitsToFloat(tensor.data().get(INT_16, offset) << 16);
                default -> throw new IllegalArgumentException("not a weight type: " + tensor.dtype());
            };
        }
        return values;
    }

    /// The nearest value of a type, ties to even.
    public static float round(float value, ElementType dtype) {
        return switch (dtype) {
            case F32 -> value;
            case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
            case BF16 -> Float.intBitsToFloat(narrow(value, dtype) << 16);
            default -> throw new IllegalArgumentException("not a weight type: " + dtype);
        };
    }

    private static short narrow(float value, ElementType dtype) {
        if (dtype == ElementType.F16) {
            return Float.floatToFloat16(value);
        }
        int bits = Float.floatToRawIntBits(value);
        int lowestKept = bits >>> 16 & 1;
        return (short) (bits + 0x7fff + lowestKept >>> 16);
    }

    @Override
    public void close() {
        arena.close();
    }
}
