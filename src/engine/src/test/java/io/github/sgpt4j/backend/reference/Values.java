package io.github.sgpt4j.backend.reference;

import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Reads stored weights as `double`, one element at a time, whatever their alignment.
final class Values {
    private static final ValueLayout.OfInt INT_32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort INT_16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Values() {}

    /// All elements in storage order. The values are exact: each of the three types is a subset of `double`.
    static double[] of(WeightTensor tensor) {
        if (!tensor.dtype().isWeight()) {
            throw new BackendException("tensor %s in %s: expected F32, F16 or BF16, got %s"
                    .formatted(tensor.name(), tensor.file(), tensor.dtype()));
        }
        double[] values = new double[Math.toIntExact(tensor.shape().elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = element(tensor.data(), tensor.dtype(), i);
        }
        return values;
    }

    private static double element(MemorySegment data, ElementType dtype, int index) {
        long offset = (long) index * dtype.bytes();
        return switch (dtype) {
            case F32 -> Float.intBitsToFloat(data.get(INT_32, offset));
            case BF16 -> Float.intBitsToFloat(data.get(INT_16, offset) << 16);
            case F16 -> half(data.get(INT_16, offset));
            default -> throw new IllegalArgumentException("not a weight type: " + dtype);
        };
    }

    /// IEEE 754 binary16, decoded by its definition: sign, 5 bits of exponent with bias 15, 10 bits
    /// of fraction.
    static double half(short bits) {
        int exponent = bits >> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        double magnitude;
        if (exponent == 0x1f) {
            magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        } else if (exponent == 0) {
            magnitude = fraction * 0x1p-24;
        } else {
            magnitude = Math.scalb(1 + fraction / 1024.0, exponent - 15);
        }
        return bits < 0 ? -magnitude : magnitude;
    }
}
